"""The box a job runs in. Pure: values in, values out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from argentum_desktop.domain.job import MIB, JobSpec

LEASE_LABEL = "argentum.lease"
INSTALLATION_LABEL = "argentum.installation"

# "nobody": a number, because the image's own user database is not to be believed.
USER = "65534:65534"
TMP_BYTES = 64 * MIB
SHM_BYTES = 64 * MIB
LOG_BYTES = 16 * MIB
OPEN_FILES = 1024


@dataclass(frozen=True)
class Bind:
    """A folder of this machine inside the box."""

    source: Path
    target: str
    writable: bool


@dataclass(frozen=True)
class SandboxSpec:
    """Everything about one box, engine-independent and immutable.

    What is not here cannot be asked for: there is no field for a network, a capability or a privilege.

    Attributes:
        image_id: the engine's id of the loaded image, never a name that could come to mean something else.
        seccomp_profile: our own profile; the engines' defaults differ, and one of them allows new user namespaces.
        wall_s: the limit that holds when this application is dead, where the engine can keep it.
        file_bytes: the largest single file the job may write.
        gpu_devices: CDI names (`nvidia.com/gpu=GPU-…`); empty for a simulated card and for jobs without one.
    """

    name: str
    image_id: str
    command: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...]
    binds: tuple[Bind, ...]
    memory_bytes: int
    cpu_millis: int
    pids: int
    file_bytes: int
    wall_s: int
    seccomp_profile: Path
    gpu_devices: tuple[str, ...] = ()
    user: str = USER
    tmp_bytes: int = TMP_BYTES
    shm_bytes: int = SHM_BYTES
    log_bytes: int = LOG_BYTES
    open_files: int = OPEN_FILES


def sandbox_for(
    job: JobSpec,
    *,
    name: str,
    image_id: str,
    inputs: Path,
    outputs: Path,
    lease_id: str,
    installation_id: str,
    seccomp_profile: Path,
    gpu_devices: tuple[str, ...] = (),
) -> SandboxSpec:
    """The box for one job: what the buyer asked for, and nothing that was not asked for."""
    return SandboxSpec(
        name=name,
        image_id=image_id,
        command=job.command,
        env=tuple(sorted(job.env.items())),
        labels=((INSTALLATION_LABEL, installation_id), (LEASE_LABEL, lease_id)),
        binds=(Bind(inputs, "/in", writable=False), Bind(outputs, "/out", writable=True)),
        memory_bytes=job.limits.memory_mib * MIB,
        cpu_millis=job.limits.cpu_millis,
        pids=job.limits.pids,
        file_bytes=job.limits.disk_mib * MIB,
        wall_s=job.limits.wall_s,
        seccomp_profile=seccomp_profile,
        gpu_devices=gpu_devices,
    )
