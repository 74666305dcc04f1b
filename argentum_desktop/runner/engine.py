"""What a container engine must be able to do, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from argentum_desktop.runner.sandbox import SandboxSpec


class ContainerState(StrEnum):
    """Where a container is in its life; the engines' finer words are mapped to these."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    EXITED = "exited"


@dataclass(frozen=True)
class EngineInfo:
    """Which engine answers.

    Attributes:
        limits_enforced: whether memory, process and processor limits take effect (they do not for a rootless engine
            without delegated control groups).
        gpu_devices: the CDI names the engine can resolve, where it says.
    """

    name: str
    version: str
    address: str
    rootless: bool
    limits_enforced: bool
    gpu_devices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Container:
    """A container as the engine sees it now.

    Attributes:
        exit_code: set once it has exited; 137 after a kill from outside or by the memory limit.
        out_of_memory: whether the engine says that the memory limit ended it.
        timed_out: whether the wall-clock limit ended it.
    """

    container_id: str
    name: str
    state: ContainerState
    labels: dict[str, str]
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    out_of_memory: bool = False
    timed_out: bool = False


class ContainerEngine(Protocol):
    """One engine. Every call may be repeated without harm, and raises `EngineError` (or a subclass) when it fails."""

    async def info(self) -> EngineInfo:
        """Raises `EngineMissingError` when nothing answers."""
        ...

    async def ping(self) -> None:
        """Whether it answers at all; raises `EngineMissingError` when not."""
        ...

    async def rest(self) -> None:
        """No job is there and none is expected: let go of what costs meanwhile. Any call wakes it again."""
        ...

    async def load_image(self, archive: Path, wanted_digest: str | None = None) -> str:
        """Prove an OCI archive (against `wanted_digest`, where given) and load it; returns the id by which it is run.

        Raises:
            ImageError: it is not an OCI archive, not the wanted one, damaged, or made for another kind of machine.
        """
        ...

    async def remove_image(self, image_id: str) -> None:
        """Forget an image; no harm when it is not there or still used by another container."""
        ...

    async def create(self, spec: SandboxSpec) -> Container:
        """Create the sealed container, or find the one of the same name, and check what the engine made of the spec.

        Raises:
            EngineError: the engine did not take a part of the spec; nothing is left behind.
        """
        ...

    async def start(self, name: str) -> None:
        """Start it; no harm when it runs already or has run."""
        ...

    async def inspect(self, name: str) -> Container | None:
        """The container, or None when there is none of this name."""
        ...

    async def list_by_label(self, label: str, value: str) -> list[Container]: ...

    async def logs(self, name: str) -> bytes:
        """What it wrote to standard output and error so far, as far as the capped log keeps it.

        Each stream is in order; which of two lines on different streams came first, an engine may get wrong.
        """
        ...

    async def wait(self, name: str) -> Container:
        """Return when it has exited."""
        ...

    async def pause(self, name: str) -> None:
        """Freeze all its processes; no harm when frozen or exited."""
        ...

    async def unpause(self, name: str) -> None: ...

    async def stop(self, name: str, grace_s: int) -> None:
        """Ask it to end (SIGTERM), kill it after `grace_s`; works on a frozen one too; no harm when it has exited."""
        ...

    async def remove(self, name: str) -> None:
        """Kill and remove it with everything it kept; no harm when there is none."""
        ...

    async def close(self) -> None: ...
