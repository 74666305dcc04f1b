"""What every box has in common, whichever engine makes it. Pure."""

from __future__ import annotations

from argentum_desktop.runner.sandbox import SandboxSpec

HOSTNAME = "job"
CPU_PERIOD_US = 100_000
STOP_GRACE_S = 10
OOM_SCORE_ADJUST = 500
# Counted over all jobs, which share one user number; the real limit per job is the control group's.
PROCESSES_OF_USER = 4096


def ulimits(spec: SandboxSpec) -> tuple[tuple[str, int], ...]:
    """Soft and hard alike, under the kernel's short names."""
    return (
        # A core file would write the job's memory, and the buyer's data with it, to the owner's disk.
        ("core", 0),
        # No single file larger than what the job may write in all.
        ("fsize", spec.file_bytes),
        # Explicit, because the engines' own defaults are above what an ordinary service may ask for.
        ("nofile", spec.open_files),
        ("nproc", PROCESSES_OF_USER),
    )


def environment(spec: SandboxSpec) -> tuple[tuple[str, str], ...]:
    """The job's variables, and those by which an image could act on the container toolkits."""
    ours = {
        # The root is read-only: programs that keep caches find a place.
        "HOME": "/tmp",  # noqa: S108 - inside the box
        **dict(spec.env),
        # The old toolkit hook gives every card to an image that asks for it here; cards come by CDI alone.
        "NVIDIA_VISIBLE_DEVICES": "void",
    }
    if spec.gpu_devices:
        # The toolkit's hooks start with the container's environment, outside the box (CVE-2025-23266).
        ours |= {"LD_PRELOAD": "", "LD_AUDIT": ""}
    return tuple(sorted(ours.items()))


def tmpfs_options(spec: SandboxSpec) -> list[str]:
    """The one writable place beside the outputs: bounded, and nothing in it can be run."""
    return ["rw", "noexec", "nosuid", "nodev", f"size={spec.tmp_bytes}", "mode=1777"]
