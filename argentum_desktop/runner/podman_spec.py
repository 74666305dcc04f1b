"""A `SandboxSpec` in Podman's own words (libpod create), and what Podman made of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from argentum_desktop.runner.differences import Check, differences, ulimits_of
from argentum_desktop.runner.sandbox import Bind, SandboxSpec
from argentum_desktop.runner.settled import (
    CPU_PERIOD_US,
    HOSTNAME,
    OOM_SCORE_ADJUST,
    STOP_GRACE_S,
    environment,
    tmpfs_options,
    ulimits,
)


def podman_create(spec: SandboxSpec, *, rootless: bool = False) -> dict[str, Any]:
    """The body of `POST /libpod/containers/create`."""
    user, _, group = spec.user.partition(":")
    body: dict[str, Any] = {
        **_what_runs(spec),
        **_namespaces(),
        **_privileges(spec),
        **_limits(spec),
        "mounts": [_mount(bind) for bind in spec.binds]
        # Without `notmpcopyup` Podman would first copy the image's /tmp into it.
        + [_tmpfs("/tmp", [*tmpfs_options(spec), "notmpcopyup"])],  # noqa: S108 - inside the box
        "shm_size": spec.shm_bytes,
        # A VOLUME of the image would be a writable folder without a limit.
        "image_volume_mode": "ignore",
        # CDI names; Podman resolves them itself, and no device reaches the box in any other way.
        "devices": [{"path": name} for name in spec.gpu_devices],
    }
    if rootless:
        # The owner is "nobody" inside: files the job writes belong to the owner outside and can be collected.
        body["userns"] = {"nsmode": "keep-id", "value": f"uid={user},gid={group}"}
    return body


def _what_runs(spec: SandboxSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        # The id of a loaded image. The call never pulls today; this says that it must not.
        "image": spec.image_id,
        "pull_policy": "never",
        "command": list(spec.command),
        "env": dict(environment(spec)),
        # Neither the owner's environment nor the owner's proxies, whose addresses hold passwords.
        "env_host": False,
        "httpproxy": False,
        "labels": dict(spec.labels),
        # A small first process that reaps children and passes signals on, whatever the job's program does.
        "init": True,
        "terminal": False,
        "stdin": False,
        # `systemd` mode would mount writable folders for images whose command looks like an init system.
        "systemd": "false",
        # An image's health check would be one more program, started by the engine.
        "healthconfig": {"Test": ["NONE"]},
        "stop_signal": 15,
        "stop_timeout": STOP_GRACE_S,
        # Kept by the container's own monitor: it holds when this application and Podman's service are dead.
        "timeout": spec.wall_s,
        "restart_policy": "no",
        # The exit code and the log must outlive the job.
        "remove": False,
        # A file that cannot outgrow its cap; never the journal of the machine.
        "log_configuration": {"driver": "k8s-file", "size": spec.log_bytes},
    }


def _namespaces() -> dict[str, Any]:
    return {
        # No interface but its own loopback.
        "netns": {"nsmode": "none"},
        "ipcns": {"nsmode": "private"},
        "pidns": {"nsmode": "private"},
        "utsns": {"nsmode": "private"},
        "cgroupns": {"nsmode": "private"},
        # Neither the machine's name, nor its hosts file, nor the names of its resolvers.
        "hostname": HOSTNAME,
        "use_image_hosts": True,
        "use_image_resolve_conf": True,
    }


def _privileges(spec: SandboxSpec) -> dict[str, Any]:
    return {
        "privileged": False,
        "user": spec.user,
        "cap_drop": ["all"],
        "no_new_privileges": True,
        # A path: Podman's service reads the file itself.
        "seccomp_profile_path": str(spec.seccomp_profile),
        "read_only_filesystem": True,
        # Podman would otherwise add writable /run, /tmp and /var/tmp of any size.
        "read_write_tmpfs": False,
    }


def _limits(spec: SandboxSpec) -> dict[str, Any]:
    return {
        "resource_limits": {
            # Swap counts with memory: the same figure means that the job gets none.
            "memory": {"limit": spec.memory_bytes, "swap": spec.memory_bytes},
            "pids": {"limit": spec.pids},
            "cpu": {"quota": spec.cpu_millis * CPU_PERIOD_US // 1000, "period": CPU_PERIOD_US},
        },
        "r_limits": [{"type": name, "soft": value, "hard": value} for name, value in ulimits(spec)],
        # Where memory runs out on the machine, the job goes first and not the owner's programs.
        "oom_score_adj": OOM_SCORE_ADJUST,
    }


def _tmpfs(target: str, options: list[str]) -> dict[str, Any]:
    return {"type": "tmpfs", "source": "tmpfs", "destination": target, "options": options}


def _mount(bind: Bind) -> dict[str, Any]:
    options = ["bind", "rw" if bind.writable else "ro", "nosuid", "nodev", "noexec", "rprivate"]
    return {"type": "bind", "source": str(bind.source), "destination": bind.target, "options": options}


def verify_podman(spec: SandboxSpec, inspected: Mapping[str, Any]) -> list[str]:
    """What Podman reports otherwise than we asked; empty when all is right.

    Podman does not show the seccomp profile; that one is proven by what the job can do.
    """
    config: Mapping[str, Any] = inspected.get("Config") or {}
    host: Mapping[str, Any] = inspected.get("HostConfig") or {}
    log: Mapping[str, Any] = host.get("LogConfig") or {}
    checks: list[Check] = [
        ("image", spec.image_id.removeprefix("sha256:"), str(inspected.get("Image", "")).removeprefix("sha256:")),
        ("user", spec.user, config.get("User")),
        ("network", "none", host.get("NetworkMode")),
        # Podman 4 says "shareable" for every namespace of one's own, also for a private one.
        ("own ipc", True, host.get("IpcMode") in {"private", "shareable"}),
        ("process namespace", "private", host.get("PidMode")),
        ("host name namespace", "private", host.get("UTSMode")),
        ("host name", HOSTNAME, config.get("Hostname")),
        ("read-only root", True, host.get("ReadonlyRootfs")),
        ("privileged", False, host.get("Privileged")),
        ("added capabilities", [], host.get("CapAdd") or []),
        ("effective capabilities", [], inspected.get("EffectiveCaps") or []),
        ("bounding capabilities", [], inspected.get("BoundingCaps") or []),
        ("no new privileges", True, "no-new-privileges" in (host.get("SecurityOpt") or [])),
        ("memory", spec.memory_bytes, host.get("Memory")),
        ("memory and swap", spec.memory_bytes, host.get("MemorySwap")),
        ("processes", spec.pids, host.get("PidsLimit")),
        ("processor quota", spec.cpu_millis * CPU_PERIOD_US // 1000, host.get("CpuQuota")),
        ("processor period", CPU_PERIOD_US, host.get("CpuPeriod")),
        ("shared memory", spec.shm_bytes, host.get("ShmSize")),
        ("ulimits", dict(ulimits(spec)), ulimits_of(host.get("Ulimits"))),
        ("log driver", "k8s-file", log.get("Type")),
        ("wall time", spec.wall_s, config.get("Timeout")),
        ("automatic removal", False, host.get("AutoRemove")),
        ("mounts", _mounts_wanted(spec), _mounts_made(inspected)),
        ("temporary folders", ["/tmp"], sorted(host.get("Tmpfs") or {})),  # noqa: S108 - inside the box
    ]
    labels: Mapping[str, Any] = config.get("Labels") or {}
    checks += [(f"label {name}", value, labels.get(name)) for name, value in spec.labels]
    return differences(checks)


def _mounts_wanted(spec: SandboxSpec) -> dict[str, tuple[str, bool, bool]]:
    return {bind.target: (str(bind.source), bind.writable, True) for bind in spec.binds}


def _mounts_made(inspected: Mapping[str, Any]) -> dict[str, tuple[str, bool, bool]]:
    made = {}
    for mount in inspected.get("Mounts") or []:
        careful = {"nosuid", "nodev", "noexec"} <= set(mount.get("Options") or [])
        made[str(mount.get("Destination"))] = (str(mount.get("Source")), bool(mount.get("RW")), careful)
    return made
