"""Podman, through libpod's own interface: its imitation of Docker's silently drops what it does not know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from argentum_desktop.clock import Clock
from argentum_desktop.errors import EngineError
from argentum_desktop.runner.connection import Connection, json_of, message_of
from argentum_desktop.runner.engine import Container, ContainerState, EngineInfo
from argentum_desktop.runner.faults import engine_fault
from argentum_desktop.runner.images import VerifiedImage, oci_stream
from argentum_desktop.runner.podman_spec import podman_create, verify_podman
from argentum_desktop.runner.rest_engine import RestEngine, instant_of, state_of
from argentum_desktop.runner.sandbox import SandboxSpec

OLDEST_VERSION = (4, 0, 0)
KILLED = 137
# What Podman's monitor writes when it ended the job at its wall-clock limit.
_TIMED_OUT = -1


class PodmanEngine(RestEngine):
    """Podman 4 and newer.

    Args:
        connection: to its service.
        clock: for `wait`.
        sees_processes: whether the containers' processes are visible here (not for a virtual machine).
    """

    _stop_seconds = "timeout"
    _wait_condition = "exited"
    _remove_query: Mapping[str, str] = {"force": "true", "timeout": "0", "v": "true"}

    def __init__(self, connection: Connection, clock: Clock, *, sees_processes: bool = True) -> None:
        super().__init__(connection, clock)
        self._sees_processes = sees_processes
        self._version: str | None = None
        self._rootless: bool | None = None

    async def _url(self, path: str) -> str:
        if self._version is None:
            ping = await self._connection.request("tell its version", "GET", "/libpod/_ping")
            self._version = _usable_version(ping.headers.get("libpod-api-version", ""))
        return f"/v{self._version}/libpod{path}"

    async def info(self) -> EngineInfo:
        told = json_of(await self._connection.request("describe itself", "GET", await self._url("/info")))
        host: Mapping[str, Any] = told.get("host") or {}
        self._rootless = bool((host.get("security") or {}).get("rootless"))
        controllers = set(host.get("cgroupControllers") or [])
        return EngineInfo(
            name="Podman",
            version=str((told.get("version") or {}).get("Version", "")),
            address=self._connection.address,
            rootless=self._rootless,
            # A rootless engine without delegated controllers takes the limits and ignores them, with a warning only.
            limits_enforced={"cpu", "memory", "pids"} <= controllers,
        )

    async def _is_rootless(self) -> bool:
        if self._rootless is None:
            await self.info()
        return bool(self._rootless)

    async def _post_create(self, spec: SandboxSpec) -> bool:
        answer = await self._connection.request(
            "create the job's container",
            "POST",
            await self._url("/containers/create"),
            body=podman_create(spec, rootless=await self._is_rootless()),
            accept=(404, 409, 500),
        )
        if answer.status_code < 400:
            return True
        # Podman 4 says 500 for a name in use.
        if answer.status_code == 409 or "already in use" in message_of(answer):
            return False
        raise engine_fault("create the job's container", message_of(answer))

    async def _differences(self, spec: SandboxSpec, inspected: Mapping[str, Any]) -> list[str]:
        return verify_podman(spec, inspected)

    def _container(self, inspected: Mapping[str, Any]) -> Container:
        state: Mapping[str, Any] = inspected.get("State") or {}
        where = state_of(state.get("Status"))
        code = int(state.get("ExitCode", 0)) if where is ContainerState.EXITED else None
        if where in {ContainerState.RUNNING, ContainerState.PAUSED} and self._has_vanished(inspected):
            where, code = ContainerState.EXITED, None
        timed_out = code == _TIMED_OUT
        return Container(
            container_id=str(inspected.get("Id", "")),
            name=str(inspected.get("Name", "")),
            state=where,
            labels=dict((inspected.get("Config") or {}).get("Labels") or {}),
            started_at=instant_of(state.get("StartedAt")),
            finished_at=instant_of(state.get("FinishedAt")) if where is ContainerState.EXITED else None,
            exit_code=KILLED if timed_out else code,
            out_of_memory=bool(state.get("OOMKilled")),
            timed_out=timed_out,
        )

    def _has_vanished(self, inspected: Mapping[str, Any]) -> bool:
        """Whether neither the job nor its monitor lives, so that nobody will ever write down how it ended."""
        state: Mapping[str, Any] = inspected.get("State") or {}
        job, monitor = int(state.get("Pid") or 0), int(state.get("ConmonPid") or 0)
        if not self._sees_processes or job <= 0 or monitor <= 0:
            return False
        identity = str(inspected.get("Id"))
        return not _mentions(monitor, "cmdline", identity) and not _is_alive(job)

    def _load_stream(self, image: VerifiedImage) -> Iterator[bytes]:
        return oci_stream(image)

    async def _after_load(self, image: VerifiedImage, told: str) -> None:
        repository, _, tag = image.tag.rpartition(":")
        url = await self._url(f"/images/{image.config.digest.removeprefix('sha256:')}/tag")
        await self._connection.request("name the job's image", "POST", url, query={"repo": repository, "tag": tag})


def _usable_version(text: str) -> str:
    try:
        version = tuple(int(part) for part in text.split("-", maxsplit=1)[0].split("."))
    except ValueError as error:
        raise EngineError(
            "What answers on the socket is not Podman.", "Choose another engine in the settings."
        ) from error
    if version < OLDEST_VERSION:
        raise EngineError(f"Podman {text} is too old.", "Install Podman 4 or newer.")
    # Every newer Podman still speaks version 4; asking for what we were tested with keeps the meaning of each field.
    return "4.0.0"


def _mentions(pid: int, file: str, text: str) -> bool:
    try:
        return text.encode() in Path(f"/proc/{pid}/{file}").read_bytes()
    except OSError:
        return False


def _is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}
