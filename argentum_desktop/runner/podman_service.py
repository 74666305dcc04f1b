"""Podman's interface, kept up by us: a child that dies with us, while the containers live on."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import shutil
import stat
import tempfile
from pathlib import Path

import httpx

from argentum_desktop.clock import Clock
from argentum_desktop.errors import EngineMissingError
from argentum_desktop.runner.connection import local_transport
from argentum_desktop.runner.podman_config import containers_conf, read_system_facts

log = logging.getLogger(__name__)

START_TIMEOUT_S = 20.0
POLL_S = 0.05
STOP_TIMEOUT_S = 5.0
MAX_BACK_OFF_S = 30.0
# A child that lived this long was healthy: the next start is not delayed.
HEALTHY_S = 60.0
_DISK_REMEDY = "Free some space on the disk; it is started again by itself."
_REMEDY = "Look into service.log in the application's engine folder, or run `podman info`."


class PodmanService:
    """An `EngineSocket` with a `podman system service` of our own behind it.

    The state folder may be long and hold spaces, while a socket's path has 107 bytes; so the socket lies in a short
    private folder, and the state folder remembers which.
    """

    def __init__(self, binary: Path, state_folder: Path, clock: Clock) -> None:
        self._binary = binary
        self._state = state_folder
        self._clock = clock
        self._process: asyncio.subprocess.Process | None = None
        self._socket: Path | None = None
        self._folder: Path | None = None
        self._failures = 0
        self._started_at_s = 0.0
        self._guard = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is none."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def ensure(self, *, doubtful: bool = False) -> Path:
        async with self._guard:
            if doubtful:
                await self._look_closer()
            if self._socket is not None and await self._is_up(self._socket):
                return self._socket
            remembered = await asyncio.to_thread(self._remembered)
            if remembered is not None and self._process is None and await answers(remembered):
                # A twin of this process was killed and its service is still there, with the same configuration.
                self._socket = remembered
                return remembered
            return await self._start(remembered)

    async def _look_closer(self) -> None:
        """A call just failed: news of a child's death may still be under way, and a silent one is of no use."""
        if self._process is None or self._socket is None or await answers(self._socket):
            return
        try:
            async with asyncio.timeout(1):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def _is_up(self, path: Path) -> bool:
        if self._process is not None:
            return self._process.returncode is None
        return await answers(path)

    async def _start(self, remembered: Path | None) -> Path:
        await self._reap()
        if self._failures:
            await self._clock.sleep(min(0.25 * 2**self._failures, MAX_BACK_OFF_S))
        self._started_at_s = self._clock.elapsed_s()
        try:
            socket = await asyncio.to_thread(self._prepare, remembered)
            with (self._state / "service.log").open("wb") as output:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command(socket),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd=self._state,  # conmon leaves a file named "oom" where it runs when a box runs out of memory
                    env={**os.environ, "CONTAINERS_CONF": str(self._state / "containers.conf")},
                )
        except OSError as error:
            remedy = _DISK_REMEDY if error.errno in {errno.ENOSPC, errno.EDQUOT} else _REMEDY
            raise EngineMissingError(f"Podman could not be started ({error.strerror}).", remedy) from error
        await self._until_it_answers(socket)
        self._socket = socket
        return socket

    def _command(self, socket: Path) -> list[str]:
        command = [str(self._binary), "system", "service", "--time=0", f"unix://{socket}"]
        wrapper = shutil.which("setpriv")
        return [wrapper, "--pdeathsig", "TERM", *command] if wrapper else command

    async def _until_it_answers(self, socket: Path) -> None:
        """Wait for the first answer; a child that ends or stays silent counts as one failure."""
        process = self._process
        deadline = self._clock.elapsed_s() + START_TIMEOUT_S
        while process is not None and process.returncode is None and self._clock.elapsed_s() < deadline:
            if await answers(socket):
                return
            await self._clock.sleep(POLL_S)
        self._failures += 1
        await self._end()
        raise EngineMissingError("Podman's service does not start.", _REMEDY)

    async def _reap(self) -> None:
        """Take note of a child that died."""
        if self._process is None:
            return
        lived_s = self._clock.elapsed_s() - self._started_at_s
        self._failures = 0 if lived_s > HEALTHY_S else self._failures + 1
        log.info("Podman's service ended (%s); starting it again", self._process.returncode)
        await self._end()

    def _remembered(self) -> Path | None:
        """The socket of the last run, where its folder is still ours alone: anybody may make names in /tmp."""
        try:
            text = json.loads((self._state / "service.json").read_text(encoding="utf-8"))["socket"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        path = Path(str(text))
        return path if is_private(path.parent) else None

    def _prepare(self, remembered: Path | None) -> Path:
        self._state.mkdir(mode=0o700, parents=True, exist_ok=True)
        _keep(self._state / "containers.conf", containers_conf(read_system_facts()))
        folder = remembered.parent if remembered is not None else _short_folder()
        self._folder, socket = folder, folder / "podman.sock"
        socket.unlink(missing_ok=True)
        # A new name each time the folder is new; written before the child starts, so that it is never lost.
        _keep(self._state / "service.json", json.dumps({"socket": str(socket)}))
        return socket

    async def _end(self) -> None:
        process, self._process, self._socket = self._process, None, None
        if process is None:
            return
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def rest(self) -> None:
        """End the child, which wakes ten times a second for nothing (Podman 4.3); containers live on without it."""
        async with self._guard:
            await self._end()

    async def close(self) -> None:
        """End the child and clear its folder; an adopted service is left for the next start to find."""
        await self._end()
        if self._folder is not None:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
            await asyncio.to_thread((self._state / "service.json").unlink, missing_ok=True)
            self._folder = None


def _keep(path: Path, text: str) -> None:
    """Write a whole file or nothing; nothing also where it says so already, as on a full disk it must be left alone."""
    if path.exists() and path.read_text(encoding="utf-8", errors="replace") == text:
        return
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _short_folder() -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    parent = runtime if runtime and is_private(Path(runtime)) and len(runtime.encode()) < 60 else None
    folder = Path(tempfile.mkdtemp(prefix="argentum-", dir=parent))
    if len(str(folder).encode()) > 90:
        # $TMPDIR itself may be long.
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="argentum-", dir="/tmp"))
    return folder


def is_private(folder: Path) -> bool:
    """Whether this is a real folder of ours that nobody else can enter."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


async def answers(socket: Path) -> bool:
    """Whether an engine answers on this socket."""
    transport = local_transport(socket)
    try:
        async with httpx.AsyncClient(transport=transport, timeout=3, trust_env=False) as client:
            return (await client.get("http://engine/_ping")).status_code == 200
    except (httpx.HTTPError, OSError):
        return False
