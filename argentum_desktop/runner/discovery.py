"""Which container engine there is, without asking the owner; and what to do where there is none."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import stat
import struct
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from argentum_desktop.clock import Clock
from argentum_desktop.errors import BadInputError, EngineError, EngineMissingError
from argentum_desktop.runner.connection import Connection, StandingSocket
from argentum_desktop.runner.docker import DockerEngine
from argentum_desktop.runner.engine import ContainerEngine, EngineInfo
from argentum_desktop.runner.podman import PodmanEngine
from argentum_desktop.runner.podman_service import PodmanService

log = logging.getLogger(__name__)

AUTOMATIC = "auto"
ROOTFUL_PODMAN = Path("/run/podman/podman.sock")
DOCKER_SOCKETS = (Path("/var/run/docker.sock"), Path("/run/docker.sock"))


@dataclass(frozen=True)
class Surroundings:
    """What discovery looks at; given, so that it can be tried against other machines."""

    environment: Mapping[str, str]
    podman_binary: Path | None
    podman_sockets: tuple[Path, ...]
    docker_sockets: tuple[Path, ...]

    @classmethod
    def of_this_machine(cls) -> Surroundings:
        runtime = os.environ.get("XDG_RUNTIME_DIR")
        own = (Path(runtime) / "podman" / "podman.sock",) if runtime else ()
        binary = shutil.which("podman")
        return cls(os.environ, Path(binary) if binary else None, (ROOTFUL_PODMAN, *own), DOCKER_SOCKETS)


async def find_engine(
    preference: str, state_folder: Path, clock: Clock, surroundings: Surroundings | None = None
) -> ContainerEngine:
    """See `find_engine_and_info`."""
    engine, _ = await find_engine_and_info(preference, state_folder, clock, surroundings)
    return engine


async def find_engine_and_info(
    preference: str, state_folder: Path, clock: Clock, surroundings: Surroundings | None = None
) -> tuple[ContainerEngine, EngineInfo]:
    """The engine to use, and what it says of itself.

    Args:
        preference: "auto", "podman", "docker", or a socket's address (`unix:///…` or a path).
        state_folder: where a Podman service of our own keeps its configuration.
        clock: handed to the engine.
        surroundings: the machine; this one when left out.

    The first whose limits take effect is taken, else the first that answers. The order, and why, is in
    `docs/decisions`: another user's Podman (a system-wide one we may use), a Podman service of our own, any other
    Podman that listens, Docker.

    Raises:
        EngineMissingError: there is none; the remedy says how to get one on this system.
        BadInputError: the preference is none of these.
    """
    if sys.platform == "win32":
        # The engines listen on named pipes there, which the connections cannot speak to yet.
        raise EngineMissingError("This version cannot run jobs on Windows yet.", guide())
    around = surroundings or Surroundings.of_this_machine()
    spare: tuple[ContainerEngine, EngineInfo] | None = None
    why: EngineError | None = None
    for engine in _candidates(preference, state_folder, clock, around):
        try:
            info = await engine.info()
        except EngineError as error:
            why = error if why is None or isinstance(why, EngineMissingError) else why
            await engine.close()
            continue
        except BaseException:
            # Cancelled: a service that was started for the question must not stay.
            await engine.close()
            if spare is not None:
                await spare[0].close()
            raise
        if info.limits_enforced:
            if spare is not None:
                await spare[0].close()
            return engine, info
        if spare is None:
            spare = engine, info
        else:
            await engine.close()
    if spare is not None:
        return spare
    raise EngineMissingError(_missing(preference, around, why), guide())


def _candidates(preference: str, state_folder: Path, clock: Clock, around: Surroundings) -> Iterator[ContainerEngine]:
    wanted = preference.strip()
    if "/" in wanted:
        path = Path(wanted.removeprefix("unix://"))
        # What answers decides which one it is; the name of a socket proves nothing.
        yield _podman_at(path, clock)
        yield DockerEngine(Connection(StandingSocket(path)), clock)
        return
    if wanted.lower() not in {AUTOMATIC, "podman", "docker"}:
        raise BadInputError(
            f"{preference[:60]!r} is not a container engine.", "Choose auto, podman, docker or unix:///path/to/socket."
        )
    if wanted.lower() != "docker":
        yield from _podmans(state_folder, clock, around)
    if wanted.lower() != "podman":
        for path in _docker_sockets(around):
            yield DockerEngine(Connection(StandingSocket(path)), clock)


def _podmans(state_folder: Path, clock: Clock, around: Surroundings) -> Iterator[ContainerEngine]:
    standing = [path for path in around.podman_sockets if _is_socket(path)]
    foreign = [path for path in standing if _owner(path) != os.getuid()]
    for path in foreign:
        yield _podman_at(path, clock)
    if around.podman_binary is not None:
        yield PodmanEngine(Connection(PodmanService(around.podman_binary, state_folder, clock)), clock)
    for path in standing:
        if path not in foreign:
            yield _podman_at(path, clock)


def _podman_at(path: Path, clock: Clock) -> PodmanEngine:
    return PodmanEngine(Connection(StandingSocket(path)), clock, sees_processes=_shares_processes(path))


def _docker_sockets(around: Surroundings) -> list[Path]:
    named = around.environment.get("DOCKER_HOST", "")
    chosen = [Path(named.removeprefix("unix://"))] if named.startswith("unix://") else []
    found: list[Path] = []
    for path in (*chosen, *around.docker_sockets):
        if _is_socket(path) and path.resolve() not in found:
            found.append(path.resolve())
    return found


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False


def _owner(path: Path) -> int:
    try:
        return path.stat().st_uid
    except OSError:
        return -1


def _shares_processes(path: Path) -> bool:
    """Whether the service behind a socket lives among the processes we can see."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
            peer = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        except OSError:
            return False
    return bool(struct.unpack("3i", peer)[0] > 0)


def _missing(preference: str, around: Surroundings, why: EngineError | None) -> str:
    if why is not None:
        return f"No container engine can be used: {why.message}"
    if preference.lower() == "docker":
        return "Docker was chosen, but no Docker answers on this machine."
    if preference.lower() == "podman" or around.podman_binary is None:
        return "There is no container engine on this machine, so no job can be run safely."
    return "No container engine answers on this machine."


def guide() -> str:
    """How to get an engine, for the system this runs on."""
    if sys.platform == "win32":
        return "Cards, charts and settings work here; to run jobs, use Linux for now."
    for tool, command in (
        ("apt-get", "sudo apt-get install podman"),
        ("dnf", "sudo dnf install podman"),
        ("zypper", "sudo zypper install podman"),
        ("pacman", "sudo pacman -S podman"),
    ):
        if shutil.which(tool):
            return f"Install Podman with `{command}`, then try again."
    return "Install Podman (or Docker) with this system's package manager, then try again."
