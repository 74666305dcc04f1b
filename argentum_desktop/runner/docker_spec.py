"""A `SandboxSpec` in Docker's own words (Engine API 1.41 and later), and what Docker made of it. Pure.

Docker has no wall-clock limit of its own: there, `wall_s` holds only while the agent lives, and the agent ends an
overdue job when it comes back.
"""

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

TMP = "/tmp"  # noqa: S108 - inside the box


def docker_create(spec: SandboxSpec, seccomp_profile: str, *, cdi: bool = False) -> dict[str, Any]:
    """The body of `POST /containers/create`.

    Args:
        spec: the box.
        seccomp_profile: the text of the profile: Docker's client reads the file, its daemon never does.
        cdi: whether this daemon resolves CDI names; otherwise cards are asked for in the older way.
    """
    variables = dict(environment(spec))
    if spec.gpu_devices and not cdi:
        # Docker sets this one itself from the device request.
        del variables["NVIDIA_VISIBLE_DEVICES"]
    return {
        # The id of a loaded image; the create call never pulls.
        "Image": spec.image_id,
        "Cmd": list(spec.command) or None,
        "Env": [f"{name}={value}" for name, value in sorted(variables.items())],
        # A number: the image's own user database is not to be believed.
        "User": spec.user,
        # Neither the machine's name nor its domain.
        "Hostname": HOSTNAME,
        "Domainname": "",
        "Labels": dict(spec.labels),
        # No interface, by this switch as well as by the network mode below.
        "NetworkDisabled": True,
        "AttachStdin": False,
        "OpenStdin": False,
        "Tty": False,
        # An image's health check would be one more program, started by the engine.
        "Healthcheck": {"Test": ["NONE"]},
        "StopSignal": "SIGTERM",
        "StopTimeout": STOP_GRACE_S,
        "HostConfig": {**_isolation(seccomp_profile), **_limits(spec), **_files(spec), **_devices(spec, cdi=cdi)},
    }


def _isolation(seccomp_profile: str) -> dict[str, Any]:
    return {
        # No interface but its own loopback.
        "NetworkMode": "none",
        # Not the owner's resolvers and search domain, which Docker would copy from the machine.
        "Dns": ["127.0.0.1"],
        "DnsSearch": ["."],
        "DnsOptions": [],
        "ExtraHosts": [],
        "IpcMode": "private",
        "PidMode": "",
        "UTSMode": "",
        "CgroupnsMode": "private",
        "Privileged": False,
        "CapAdd": [],
        "CapDrop": ["ALL"],
        # Inline: the daemon may be on the other side of a virtual machine and reads no file of ours.
        "SecurityOpt": ["no-new-privileges", f"seccomp={seccomp_profile}"],
        # Docker adds no writable folder of its own to a read-only root.
        "ReadonlyRootfs": True,
        # A small first process that reaps children and passes signals on, whatever the job's program does.
        "Init": True,
        # The exit code and the log must outlive the job.
        "AutoRemove": False,
        "RestartPolicy": {"Name": "no"},
    }


def _limits(spec: SandboxSpec) -> dict[str, Any]:
    return {
        "Memory": spec.memory_bytes,
        # Swap counts with memory: the same figure means that the job gets none.
        "MemorySwap": spec.memory_bytes,
        "PidsLimit": spec.pids,
        "CpuQuota": spec.cpu_millis * CPU_PERIOD_US // 1000,
        "CpuPeriod": CPU_PERIOD_US,
        "Ulimits": [{"Name": name, "Soft": value, "Hard": value} for name, value in ulimits(spec)],
        # Where memory runs out on the machine, the job goes first and not the owner's programs.
        "OomScoreAdj": OOM_SCORE_ADJUST,
    }


def _files(spec: SandboxSpec) -> dict[str, Any]:
    return {
        "Mounts": [_mount(bind) for bind in spec.binds],
        "Tmpfs": {TMP: ",".join(tmpfs_options(spec))},
        "ShmSize": spec.shm_bytes,
        # A file that cannot outgrow its cap.
        "LogConfig": {"Type": "json-file", "Config": {"max-size": str(spec.log_bytes), "max-file": "1"}},
    }


def _mount(bind: Bind) -> dict[str, Any]:
    # Docker's API has no nosuid, nodev or noexec for a bind. No-new-privileges makes set-user-id void and no
    # capability means that no device can be made; a job may run what it wrote to its own outputs.
    return {
        "Type": "bind",
        "Source": str(bind.source),
        "Target": bind.target,
        "ReadOnly": not bind.writable,
        "BindOptions": {"Propagation": "rprivate"},
    }


def _devices(spec: SandboxSpec, *, cdi: bool) -> dict[str, Any]:
    if not spec.gpu_devices:
        return {"Devices": [], "DeviceRequests": []}
    if cdi:
        return {"Devices": [], "DeviceRequests": [{"Driver": "cdi", "DeviceIDs": list(spec.gpu_devices)}]}
    ids = [name.partition("=")[2] for name in spec.gpu_devices]
    return {
        "Devices": [],
        "DeviceRequests": [{"Driver": "", "DeviceIDs": ids, "Capabilities": [["gpu", "compute", "utility"]]}],
    }


def verify_docker(
    spec: SandboxSpec, inspected: Mapping[str, Any], seccomp_profile: str, *, cdi: bool = False
) -> list[str]:
    """What Docker reports otherwise than we asked; empty when all is right."""
    config: Mapping[str, Any] = inspected.get("Config") or {}
    host: Mapping[str, Any] = inspected.get("HostConfig") or {}
    wanted = docker_create(spec, seccomp_profile, cdi=cdi)["HostConfig"]
    same = (
        "Memory",
        "MemorySwap",
        "PidsLimit",
        "CpuQuota",
        "CpuPeriod",
        "ShmSize",
        "OomScoreAdj",
        "Tmpfs",
        "LogConfig",
    )
    plain = ("NetworkMode", "IpcMode", "PidMode", "UTSMode", "Privileged", "ReadonlyRootfs", "Init", "AutoRemove")
    checks: list[Check] = [(name, wanted[name], host.get(name)) for name in same + plain]
    checks += [
        ("image", spec.image_id.removeprefix("sha256:"), str(inspected.get("Image", "")).removeprefix("sha256:")),
        ("user", spec.user, config.get("User")),
        ("host name", HOSTNAME, config.get("Hostname")),
        ("added capabilities", [], host.get("CapAdd") or []),
        ("dropped capabilities", ["ALL"], host.get("CapDrop")),
        ("security options", sorted(wanted["SecurityOpt"]), sorted(host.get("SecurityOpt") or [])),
        ("ulimits", dict(ulimits(spec)), ulimits_of(host.get("Ulimits"))),
        ("hidden paths of /proc", True, bool(host.get("MaskedPaths"))),
        ("devices", [], host.get("Devices") or []),
        ("device requests", _asked(wanted["DeviceRequests"]), _asked(host.get("DeviceRequests") or [])),
        # Also finds the writable volume that Docker adds for every VOLUME of an image.
        ("mounts", _mounts_wanted(spec), _mounts_made(inspected)),
    ]
    labels: Mapping[str, Any] = config.get("Labels") or {}
    checks += [(f"label {name}", value, labels.get(name)) for name, value in spec.labels]
    return differences(checks)


def _asked(requests: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [tuple(request.get("DeviceIDs") or ()) for request in requests]


def _mounts_wanted(spec: SandboxSpec) -> dict[str, tuple[str, bool]]:
    return {bind.target: (str(bind.source), bind.writable) for bind in spec.binds}


def _mounts_made(inspected: Mapping[str, Any]) -> dict[str, tuple[str, bool]]:
    return {
        str(mount.get("Destination")): (str(mount.get("Source")), bool(mount.get("RW")))
        for mount in inspected.get("Mounts") or []
        if mount.get("Type") != "tmpfs"
    }
