"""The files of jobs: images, inputs and outputs by their content, and the logs, in one folder.

What is in `blobs` is whole and right: it was written beside, checked, flushed to the disk and then renamed.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from argentum_desktop.errors import BadInputError, DiskFullError, StoreError
from argentum_desktop.market_server.problems import ProblemError, invalid
from argentum_desktop.marketplace.wire import MAX_LOG_BYTES, ProblemType

_WRITE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Received:
    """A file that arrived whole."""

    sha256: str
    size_bytes: int


class ArtifactFolder:
    """Content-addressed files and append-only logs under one root."""

    def __init__(self, root: Path) -> None:
        """Make the folders and clear away what was only half received when the market last stopped.

        Raises:
            BadInputError: the folder cannot be used.
        """
        self._blobs, self._incoming, self._logs = root / "blobs", root / "incoming", root / "logs"
        self._log_turn = asyncio.Lock()
        try:
            for folder in (self._blobs, self._incoming, self._logs):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for leftover in self._incoming.iterdir():
                leftover.unlink()
        except OSError as error:
            raise BadInputError(f"The folder {root} cannot be used ({error.strerror}).", "Choose another.") from error

    def path_of(self, sha256: str) -> Path:
        return self._blobs / sha256[:2] / sha256

    async def receive(self, chunks: AsyncIterator[bytes], sha256: str, limit_bytes: int) -> Received:
        """Keep a file of this digest.

        Raises:
            ProblemError: it is larger than allowed, or something else than promised.
            StoreError: the disk is full or fails.
        """
        draft = self._incoming / secrets.token_hex(16)
        try:
            received = await _write(draft, chunks, limit_bytes)
            if received.sha256 != sha256:
                raise invalid("The body is not what its SHA-256 promises.")
            await asyncio.to_thread(_move_into_place, draft, self.path_of(sha256))
            return received
        except OSError as error:
            raise disk_trouble(error) from error
        finally:
            await asyncio.to_thread(draft.unlink, missing_ok=True)

    async def append_log(self, job_id: str, fence: int, offset: int, data: bytes) -> int:
        """Add log bytes that begin at `offset`; what is here already is skipped. Returns how many there are.

        Raises:
            LogGapError: bytes are missing before these.
            ProblemError: the log has its full length.
        """
        try:
            async with self._log_turn:
                return await asyncio.to_thread(_append, self._log_of(job_id, fence), offset, data)
        except OSError as error:
            raise disk_trouble(error) from error

    async def read_log(self, job_id: str, fences: int, offset: int, limit_bytes: int) -> bytes:
        """The logs of all attempts of a job, one after the other, from `offset` on."""
        paths = [self._log_of(job_id, fence) for fence in range(1, fences + 1)]
        try:
            return await asyncio.to_thread(_read_from, paths, offset, limit_bytes)
        except OSError as error:
            raise disk_trouble(error) from error

    def _log_of(self, job_id: str, fence: int) -> Path:
        return self._logs / job_id / f"{fence}.log"


class LogGapError(Exception):
    """Log bytes came that do not follow on those that are here."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(size_bytes)
        self.size_bytes = size_bytes


def disk_trouble(error: OSError) -> StoreError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFullError("The market's disk is full.", "Make room on it.")
    return StoreError(f"The market's disk cannot be used ({error.strerror}).", "Check the disk.")


async def _write(draft: Path, chunks: AsyncIterator[bytes], limit_bytes: int) -> Received:
    hasher, size_bytes, waiting = hashlib.sha256(), 0, bytearray()
    with await asyncio.to_thread(draft.open, "xb") as file:
        async for chunk in chunks:
            size_bytes += len(chunk)
            if size_bytes > limit_bytes:
                raise ProblemError(ProblemType.TOO_LARGE, f"At most {limit_bytes} bytes are taken here.")
            waiting += chunk
            if len(waiting) >= _WRITE_BYTES:
                await asyncio.to_thread(_take, file, hasher, waiting)
                waiting = bytearray()
        await asyncio.to_thread(_take, file, hasher, waiting)
        await asyncio.to_thread(_flush_to_disk, file)
    return Received(hasher.hexdigest(), size_bytes)


def _take(file: BinaryIO, hasher: hashlib._Hash, data: bytearray) -> None:
    file.write(data)
    hasher.update(data)


def _flush_to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _move_into_place(draft: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, exist_ok=True)
    draft.replace(target)
    _flush_folder(target.parent)


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # Windows keeps no handle to a folder; its file system journals the rename.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _append(path: Path, offset: int, data: bytes) -> int:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with path.open("ab") as file:
        size = file.tell()
        if offset > size:
            raise LogGapError(size)
        if size >= MAX_LOG_BYTES:
            raise ProblemError(ProblemType.TOO_LARGE, f"A log can have at most {MAX_LOG_BYTES} bytes.")
        fresh = data[size - offset :][: MAX_LOG_BYTES - size]
        file.write(fresh)
        _flush_to_disk(file)
        return size + len(fresh)


def _read_from(paths: list[Path], offset: int, limit_bytes: int) -> bytes:
    found = bytearray()
    for path in paths:
        if not path.exists():
            continue
        size = path.stat().st_size
        if offset >= size:
            offset -= size
            continue
        with path.open("rb") as file:
            file.seek(offset)
            found += file.read(limit_bytes - len(found))
        offset = 0
        if len(found) >= limit_bytes:
            break
    return bytes(found)
