"""What Podman's and Docker's interfaces have in common: one container's life over HTTP."""

from __future__ import annotations

import abc
import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from argentum_desktop.clock import Clock
from argentum_desktop.errors import EngineError, EngineMissingError, ImageError
from argentum_desktop.runner.connection import Connection, EngineSlowError, json_of
from argentum_desktop.runner.engine import Container, ContainerState, EngineInfo
from argentum_desktop.runner.framing import FrameReader, FramingError
from argentum_desktop.runner.images import VerifiedImage, verify_image
from argentum_desktop.runner.sandbox import SandboxSpec

log = logging.getLogger(__name__)

LOAD_TIMEOUT_S = 1800.0
LONG_POLL_S = 5.0
RETRY_S = 0.5
# How long `wait` bears an engine that does not answer; a restart takes seconds.
PATIENCE_S = 60.0

_STATES = {
    "created": ContainerState.CREATED,
    "configured": ContainerState.CREATED,
    "initialized": ContainerState.CREATED,
    "running": ContainerState.RUNNING,
    "restarting": ContainerState.RUNNING,
    "stopping": ContainerState.RUNNING,
    "paused": ContainerState.PAUSED,
    "stopped": ContainerState.EXITED,
    "exited": ContainerState.EXITED,
    "removing": ContainerState.EXITED,
    "dead": ContainerState.EXITED,
}


class RestEngine(abc.ABC):
    """The calls that differ between the two only in their addresses."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    @abc.abstractmethod
    async def info(self) -> EngineInfo: ...

    @abc.abstractmethod
    async def _url(self, path: str) -> str:
        """The full address of a call, the negotiated version in front."""

    @abc.abstractmethod
    async def _post_create(self, spec: SandboxSpec) -> bool:
        """Ask for the container; False when the name is taken."""

    @abc.abstractmethod
    async def _differences(self, spec: SandboxSpec, inspected: Mapping[str, Any]) -> list[str]: ...

    @abc.abstractmethod
    def _container(self, inspected: Mapping[str, Any]) -> Container: ...

    @abc.abstractmethod
    def _load_stream(self, image: VerifiedImage) -> Iterator[bytes]: ...

    async def ping(self) -> None:
        await self._connection.request("answer", "GET", "/_ping")

    _stop_seconds: str
    _wait_condition: str
    _remove_query: Mapping[str, str]

    async def load_image(self, archive: Path, wanted_digest: str | None = None) -> str:
        image = await asyncio.to_thread(verify_image, archive, wanted_digest)
        for reference in (image.config.digest, image.manifest.digest, image.tag):
            loaded = await self._image_id(image, reference)
            if loaded is not None:
                return loaded
        answer = await self._connection.request(
            "load the job's image",
            "POST",
            await self._url("/images/load"),
            content=_in_thread(self._load_stream(image)),
            timeout_s=LOAD_TIMEOUT_S,
        )
        await self._after_load(image, answer.text)
        loaded = await self._image_id(image, image.tag)
        if loaded is None:
            raise ImageError("The container engine took the job's image but does not have it.")
        return loaded

    @abc.abstractmethod
    async def _after_load(self, image: VerifiedImage, told: str) -> None:
        """What the engine still needs once the image is in it."""

    async def _image_id(self, image: VerifiedImage, reference: str) -> str | None:
        """The id under which the engine has exactly this image by `reference`."""
        answer = await self._connection.request(
            "look for the job's image", "GET", await self._url(f"/images/{reference}/json"), accept=(404,)
        )
        if answer.status_code == 404:
            return None
        found = str(json_of(answer).get("Id", "")).removeprefix("sha256:")
        known = {image.config.digest[7:], image.manifest.digest[7:]}
        return found if found in known else None

    async def remove_image(self, image_id: str) -> None:
        url = await self._url(f"/images/{image_id}")
        answer = await self._connection.request("look for an image", "GET", f"{url}/json", accept=(404,))
        if answer.status_code == 404:
            return
        # Only our own name is taken away: the same image may be the owner's under another one.
        for tag in json_of(answer).get("RepoTags") or []:
            if str(tag).startswith("localhost/argentum:"):
                await self._connection.request(
                    "remove an image", "DELETE", await self._url(f"/images/{tag}"), accept=(404, 409, 500)
                )

    async def create(self, spec: SandboxSpec) -> Container:
        is_new = await self._post_create(spec)
        inspected = await self._inspect(spec.name)
        if inspected is None:
            raise EngineError(f"The container engine made the container {spec.name} and lost it at once.")
        container = self._container(inspected)
        if not is_new and any(container.labels.get(name) != value for name, value in spec.labels):
            raise EngineError(
                f"A container that is not this job's has the name {spec.name}.", "Remove or rename it, then try again."
            )
        differing = await self._differences(spec, inspected)
        if differing:
            await self.remove(spec.name)
            raise EngineError(
                f"The container engine did not seal the job as asked: {'; '.join(differing)[:400]}.",
                "No job runs in a weaker box; update the engine or choose another one.",
            )
        return container

    async def start(self, name: str) -> None:
        container = await self.inspect(name)
        if container is None:
            raise EngineError(f"There is no container {name} to start.")
        # Both engines would run an exited container a second time.
        if container.state is ContainerState.CREATED:
            await self._post("start the job", name, "start", accept=(304,))

    async def inspect(self, name: str) -> Container | None:
        inspected = await self._inspect(name)
        return None if inspected is None else self._container(inspected)

    async def _inspect(self, name: str) -> Mapping[str, Any] | None:
        url = await self._url(f"/containers/{name}/json")
        answer = await self._connection.request("look at the job", "GET", url, accept=(404,))
        if answer.status_code == 404:
            return None
        found = json_of(answer)
        if not isinstance(found, dict):
            raise EngineError("The container engine gave an answer that makes no sense.")
        return found

    async def list_by_label(self, label: str, value: str) -> list[Container]:
        query = {"all": "true", "filters": json.dumps({"label": [f"{label}={value}"]})}
        url = await self._url("/containers/json")
        listed = json_of(await self._connection.request("list the jobs", "GET", url, query=query))
        found = [await self.inspect(str(entry["Id"])) for entry in listed]
        return [container for container in found if container is not None]

    async def logs(self, name: str) -> bytes:
        url = await self._url(f"/containers/{name}/logs")
        query = {"stdout": "true", "stderr": "true", "follow": "false"}
        answer = await self._connection.request("read the job's log", "GET", url, query=query, accept=(404,))
        if answer.status_code == 404:
            return b""
        try:
            return FrameReader().feed(answer.content)
        except FramingError as error:
            raise EngineError("The container engine's log of the job cannot be read.") from error

    async def wait(self, name: str) -> Container:
        lost_at: float | None = None
        while True:
            try:
                container = await self.inspect(name)
                if container is None:
                    raise EngineError(f"The container {name} is gone: somebody removed it.")
                if container.state is ContainerState.EXITED:
                    return container
                await self._long_poll(name)
                lost_at = None
            except EngineMissingError:
                # The service may be restarted while the job runs on.
                lost_at = self._clock.elapsed_s() if lost_at is None else lost_at
                if self._clock.elapsed_s() - lost_at > PATIENCE_S:
                    raise
                await self._clock.sleep(RETRY_S)

    async def _long_poll(self, name: str) -> None:
        """Return soon after the job ended, or after a while: the engine's own wait hangs for ever in some accidents."""
        url = await self._url(f"/containers/{name}/wait")
        query = {"condition": self._wait_condition}
        try:
            answer = await self._connection.request(
                "wait for the job", "POST", url, query=query, accept=(404, 409, 500), timeout_s=LONG_POLL_S
            )
            if answer.status_code != 200:
                await self._clock.sleep(RETRY_S)
        except EngineSlowError:
            return

    async def pause(self, name: str) -> None:
        await self._reach("pause", name, {ContainerState.PAUSED, ContainerState.EXITED})

    async def unpause(self, name: str) -> None:
        await self._reach("unpause", name, {ContainerState.RUNNING, ContainerState.EXITED})

    async def _reach(self, act: str, name: str, enough: set[ContainerState]) -> None:
        """Do `act`; a refusal is no fault when the container already is where it should be, or gone."""
        try:
            await self._post(f"{act} the job", name, act, accept=(304, 404))
        except EngineMissingError:
            raise
        except EngineError:
            container = await self.inspect(name)
            if container is not None and container.state not in enough:
                raise

    async def stop(self, name: str, grace_s: int) -> None:
        container = await self.inspect(name)
        if container is None or container.state in {ContainerState.CREATED, ContainerState.EXITED}:
            return
        # A frozen process cannot take the signal, and Podman refuses to stop a frozen container at all.
        if container.state is ContainerState.PAUSED:
            await self.unpause(name)
        try:
            query = {self._stop_seconds: str(grace_s)}
            await self._post("stop the job", name, "stop", query=query, accept=(304, 404), timeout_s=grace_s + 60)
        except EngineMissingError:
            raise
        except EngineError:
            container = await self.inspect(name)
            if container is not None and container.state is not ContainerState.EXITED:
                raise

    async def remove(self, name: str) -> None:
        url = await self._url(f"/containers/{name}")
        # 409: its removal is already under way.
        await self._connection.request(
            "remove the job's container", "DELETE", url, query=self._remove_query, accept=(404, 409)
        )

    async def _post(
        self,
        doing: str,
        name: str,
        act: str,
        *,
        query: Mapping[str, str] | None = None,
        accept: tuple[int, ...] = (),
        timeout_s: float = 120,
    ) -> None:
        url = await self._url(f"/containers/{name}/{act}")
        await self._connection.request(doing, "POST", url, query=query, accept=accept, timeout_s=timeout_s)

    async def rest(self) -> None:
        await self._connection.rest()

    async def close(self) -> None:
        await self._connection.close()


def state_of(word: object) -> ContainerState:
    """An engine's word for a state.

    Raises:
        EngineError: it is none that we know; guessing could lose a job.
    """
    try:
        return _STATES[str(word)]
    except KeyError as error:
        raise EngineError(f"The container engine reports the unknown state {str(word)[:40]!r}.") from error


def instant_of(text: object) -> datetime | None:
    """An engine's time stamp; the year 1 stands for "not yet"."""
    try:
        instant = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return instant.astimezone(UTC) if instant.year > 1 and instant.tzinfo else None


async def _in_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Read the disk beside the loop."""
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece
