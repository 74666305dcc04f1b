"""Docker, through the Engine API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from argentum_desktop.clock import Clock
from argentum_desktop.errors import EngineError
from argentum_desktop.runner.connection import Connection, json_of, message_of
from argentum_desktop.runner.docker_spec import docker_create, verify_docker
from argentum_desktop.runner.engine import Container, ContainerState, EngineInfo
from argentum_desktop.runner.faults import engine_fault
from argentum_desktop.runner.images import VerifiedImage, docker_stream
from argentum_desktop.runner.rest_engine import RestEngine, instant_of, state_of
from argentum_desktop.runner.sandbox import SandboxSpec

OLDEST_API = (1, 41)
NEWEST_API = (1, 51)
# Docker 28.2 resolves CDI names without being told to.
CDI_API = (1, 50)


class DockerEngine(RestEngine):
    """Docker 20.10 and newer."""

    _stop_seconds = "t"
    _wait_condition = "not-running"
    _remove_query: Mapping[str, str] = {"force": "true", "v": "true"}

    def __init__(self, connection: Connection, clock: Clock) -> None:
        super().__init__(connection, clock)
        self._api: tuple[int, int] | None = None

    async def _version(self) -> tuple[int, int]:
        if self._api is None:
            ping = await self._connection.request("tell its version", "GET", "/_ping")
            self._api = _usable_version(ping.headers.get("api-version", ""), ping.headers.get("server", ""))
        return self._api

    async def _url(self, path: str) -> str:
        major, minor = await self._version()
        return f"/v{major}.{minor}{path}"

    async def info(self) -> EngineInfo:
        told = json_of(await self._connection.request("describe itself", "GET", await self._url("/info")))
        options = [str(option) for option in told.get("SecurityOptions") or []]
        devices = [str(device.get("ID", "")) for device in told.get("DiscoveredDevices") or []]
        return EngineInfo(
            name="Docker",
            version=str(told.get("ServerVersion", "")),
            address=self._connection.address,
            rootless=any("rootless" in option for option in options),
            limits_enforced=all(told.get(limit) for limit in ("MemoryLimit", "PidsLimit", "CpuCfsQuota"))
            and str(told.get("CgroupDriver", "none")) != "none",
            gpu_devices=tuple(device for device in devices if device),
        )

    async def _profile(self, spec: SandboxSpec) -> str:
        return await asyncio.to_thread(spec.seccomp_profile.read_text, "utf-8")

    async def _post_create(self, spec: SandboxSpec) -> bool:
        cdi = await self._version() >= CDI_API
        answer = await self._connection.request(
            "create the job's container",
            "POST",
            await self._url("/containers/create"),
            query={"name": spec.name},
            body=docker_create(spec, await self._profile(spec), cdi=cdi),
            accept=(409,),
        )
        if answer.status_code == 409 and "already in use" not in message_of(answer):
            raise engine_fault("create the job's container", message_of(answer))
        return answer.status_code != 409

    async def _differences(self, spec: SandboxSpec, inspected: Mapping[str, Any]) -> list[str]:
        cdi = await self._version() >= CDI_API
        return verify_docker(spec, inspected, await self._profile(spec), cdi=cdi)

    def _container(self, inspected: Mapping[str, Any]) -> Container:
        state: Mapping[str, Any] = inspected.get("State") or {}
        where = state_of(state.get("Status"))
        has_exited = where is ContainerState.EXITED
        return Container(
            container_id=str(inspected.get("Id", "")),
            name=str(inspected.get("Name", "")).removeprefix("/"),
            state=where,
            labels=dict((inspected.get("Config") or {}).get("Labels") or {}),
            started_at=instant_of(state.get("StartedAt")),
            finished_at=instant_of(state.get("FinishedAt")) if has_exited else None,
            exit_code=int(state.get("ExitCode", 0)) if has_exited else None,
            out_of_memory=bool(state.get("OOMKilled")),
        )

    def _load_stream(self, image: VerifiedImage) -> Iterator[bytes]:
        return docker_stream(image)

    async def _after_load(self, image: VerifiedImage, told: str) -> None:
        # The status is 200 even when loading failed; the fault stands in the stream of messages.
        if '"error"' in told:
            raise engine_fault("load the job's image", told)


def _usable_version(text: str, server: str) -> tuple[int, int]:
    try:
        major, minor = (int(part) for part in text.split("."))
    except ValueError as error:
        raise EngineError(
            "What answers on the socket is not Docker.", "Choose another engine in the settings."
        ) from error
    if "libpod" in server.lower():
        # Podman's imitation would drop the graphics card and the system call filter without a word.
        raise EngineError("What answers on Docker's socket is Podman.", "Choose Podman in the settings.")
    if (major, minor) < OLDEST_API:
        raise EngineError("This Docker is too old.", "Install Docker 20.10.10 or newer.")
    return min((major, minor), NEWEST_API)
