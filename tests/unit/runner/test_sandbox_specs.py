"""The translators, pinned: a change of any flag must be seen in a golden file."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from argentum_desktop.runner.docker_spec import docker_create, verify_docker
from argentum_desktop.runner.podman_spec import podman_create, verify_podman
from argentum_desktop.runner.sandbox import INSTALLATION_LABEL, LEASE_LABEL, Bind, SandboxSpec

DATA = Path(__file__).parents[2] / "data" / "runner"
PROFILE = '{"defaultAction": "SCMP_ACT_ERRNO"}'
SPEC = SandboxSpec(
    name="argentum-L1",
    image_id="1925d239b733e7b1781e0851b18d67950e8e1a6d6542d59f52576ab85c7d7a7e",
    command=("/bin/sh", "-c", "echo hello >/out/word"),
    env=(("STEPS", "10"),),
    labels=((INSTALLATION_LABEL, "I1"), (LEASE_LABEL, "L1")),
    binds=(Bind(Path("/srv/jobs/L1/in"), "/in", False), Bind(Path("/srv/jobs/L1/out"), "/out", True)),
    memory_bytes=64 << 20,
    cpu_millis=500,
    pids=64,
    file_bytes=10 << 20,
    wall_s=30,
    seccomp_profile=Path("/opt/argentum/argentum.json"),
)
WITH_CARD = replace(SPEC, gpu_devices=("nvidia.com/gpu=GPU-1",))


def golden(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def test_podman_is_asked_as_pinned() -> None:
    assert podman_create(SPEC) == golden("podman_create.json")


def test_docker_is_asked_as_pinned() -> None:
    assert docker_create(SPEC, PROFILE) == golden("docker_create.json")


def test_podman_gets_cards_by_cdi_and_the_hooks_no_loader_variables() -> None:
    body = podman_create(WITH_CARD)
    assert body["devices"] == [{"path": "nvidia.com/gpu=GPU-1"}]
    assert body["env"]["LD_PRELOAD"] == body["env"]["LD_AUDIT"] == ""
    assert body["env"]["NVIDIA_VISIBLE_DEVICES"] == "void"


def test_docker_gets_cards_in_the_way_it_knows() -> None:
    new = docker_create(WITH_CARD, PROFILE, cdi=True)
    assert new["HostConfig"]["DeviceRequests"] == [{"Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=GPU-1"]}]
    assert "NVIDIA_VISIBLE_DEVICES=void" in new["Env"]
    old = docker_create(WITH_CARD, PROFILE)
    assert old["HostConfig"]["DeviceRequests"][0]["DeviceIDs"] == ["GPU-1"]
    assert not any(entry.startswith("NVIDIA_VISIBLE_DEVICES") for entry in old["Env"])


def test_a_job_cannot_ask_for_cards_by_a_variable() -> None:
    spec = replace(SPEC, env=(("NVIDIA_VISIBLE_DEVICES", "all"),))
    assert podman_create(spec)["env"]["NVIDIA_VISIBLE_DEVICES"] == "void"


def test_a_rootless_owner_keeps_the_outputs() -> None:
    assert podman_create(SPEC, rootless=True)["userns"] == {"nsmode": "keep-id", "value": "uid=65534,gid=65534"}


def test_what_the_engines_reported_is_what_was_asked() -> None:
    assert verify_podman(SPEC, golden("podman_inspect.json")) == []
    assert verify_docker(SPEC, golden("docker_inspect.json"), PROFILE) == []


def put(*path: str | int, value: object) -> Callable[[Any], None]:
    def change(inspected: Any) -> None:
        for step in path[:-1]:
            inspected = inspected[step]
        inspected[path[-1]] = value

    return change


BOTH = [
    put("HostConfig", "NetworkMode", value="bridge"),
    put("HostConfig", "IpcMode", value="host"),
    put("HostConfig", "PidMode", value="host"),
    put("HostConfig", "UTSMode", value="host"),
    put("HostConfig", "ReadonlyRootfs", value=False),
    put("HostConfig", "Privileged", value=True),
    put("HostConfig", "CapAdd", value=["CAP_SYS_ADMIN"]),
    put("HostConfig", "SecurityOpt", value=[]),
    put("HostConfig", "Memory", value=0),
    put("HostConfig", "MemorySwap", value=-1),
    put("HostConfig", "PidsLimit", value=0),
    put("HostConfig", "CpuQuota", value=0),
    put("HostConfig", "ShmSize", value=1 << 40),
    put("HostConfig", "Ulimits", value=[]),
    put("HostConfig", "Tmpfs", value={"/tmp": "", "/run": ""}),
    put("HostConfig", "AutoRemove", value=True),
    put("HostConfig", "LogConfig", value={"Type": "journald"}),
    put("Config", "User", value="0"),
    put("Config", "Hostname", value="owner-pc"),
    put("Config", "Labels", value={}),
    put("Image", value="sha256:other"),
    put("Mounts", 0, "RW", value=True),
    put("Mounts", 1, "Source", value="/"),
    put("Mounts", value=[]),
    put("HostConfig", value=None),
]
PODMAN_ONLY = [
    put("Config", "Timeout", value=0),
    put("EffectiveCaps", value=["CAP_CHOWN"]),
    put("BoundingCaps", value=["CAP_CHOWN"]),
    put("Mounts", 1, "Options", value=["bind"]),
]
DOCKER_ONLY = [
    put("HostConfig", "SecurityOpt", value=["no-new-privileges", "seccomp=unconfined"]),
    put("HostConfig", "CapDrop", value=[]),
    put("HostConfig", "MaskedPaths", value=[]),
    put("HostConfig", "Devices", value=[{"PathOnHost": "/dev/sda"}]),
    put("HostConfig", "DeviceRequests", value=[{"DeviceIDs": ["all"]}]),
    put("HostConfig", "Init", value=None),
]


@pytest.mark.parametrize("change", BOTH + PODMAN_ONLY)
def test_every_weakening_is_seen_on_podman(change: Callable[[Any], None]) -> None:
    inspected = copy.deepcopy(golden("podman_inspect.json"))
    change(inspected)
    assert verify_podman(SPEC, inspected)


@pytest.mark.parametrize("change", BOTH + DOCKER_ONLY)
def test_every_weakening_is_seen_on_docker(change: Callable[[Any], None]) -> None:
    inspected = copy.deepcopy(golden("docker_inspect.json"))
    change(inspected)
    assert verify_docker(SPEC, inspected, PROFILE)


def test_an_added_mount_is_seen() -> None:
    for name, verify in (("podman", verify_podman), ("docker", lambda s, i: verify_docker(s, i, PROFILE))):
        inspected = golden(f"{name}_inspect.json")
        inspected["Mounts"].append({"Type": "volume", "Source": "v", "Destination": "/data", "RW": True, "Options": []})
        assert any("/data" in difference for difference in verify(SPEC, inspected))
