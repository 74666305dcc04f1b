"""Taking a job's outputs from a folder that its program had all power over. Nothing found there is believed.

Everything goes through open folders, one step at a time and never through a link, so that no name can lead outside.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from argentum_desktop.domain.job import Artifact, is_safe_name

MAX_FILES = 10_000
MAX_REFUSALS = 200
MAX_DEPTH = 64
# An empty file takes room too: ten million of them would fill a disk's index while adding up to nothing.
ENTRY_BYTES = 512
CHUNK = 1024 * 1024


def _flags(*names: str) -> int:
    # Windows knows none of these; walking by folder descriptors does not work there either.
    return sum(getattr(os, name, 0) for name in names)


FOLDER_FLAGS = _flags("O_RDONLY", "O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC")
_FILE_FLAGS = _flags("O_RDONLY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY")

_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True)
class Collected:
    """One output, as it is now on the disk."""

    artifact: Artifact
    path: Path


@dataclass(frozen=True)
class Refused:
    """Something that lay there and does not go back to the buyer."""

    name: str
    reason: str


@dataclass(frozen=True)
class Collection:
    """All that was found.

    Attributes:
        refused: at most MAX_REFUSALS, the rest is counted in the last one.
    """

    files: tuple[Collected, ...]
    refused: tuple[Refused, ...]


class _Full(Exception):  # noqa: N818 - ends a walk, no fault
    """Enough was seen."""


class _Walk:
    """One collection under way."""

    def __init__(self, root: Path, max_bytes: int, max_files: int) -> None:
        self._root = root
        self._room = max_bytes
        self._max_files = max_files
        self._seen = 0
        self._names: set[str] = set()
        self.files: list[Collected] = []
        self.refused: list[Refused] = []
        self._unlisted = 0

    def run(self) -> Collection:
        try:
            folder = os.open(self._root, FOLDER_FLAGS)
        except OSError as error:
            return Collection((), (Refused(".", f"the folder cannot be opened ({error.strerror})"),))
        try:
            self._folder(folder, "")
        except _Full:
            self._refuse("…", f"there are more than {self._max_files} entries; the rest was not looked at")
        finally:
            os.close(folder)
        if self._unlisted:
            self.refused.append(Refused("…", f"{self._unlisted} more were refused"))
        return Collection(tuple(sorted(self.files, key=lambda file: file.artifact.name)), tuple(self.refused))

    def _folder(self, folder: int, prefix: str) -> None:
        for entry in _entries(folder):
            self._seen += 1
            if self._seen > self._max_files:
                raise _Full
            self._entry(folder, entry, prefix + entry)

    def _entry(self, folder: int, entry: str, name: str) -> None:
        if not is_safe_name(name):
            self._refuse(name, "its name is not a plain relative path")
            return
        try:
            found = os.stat(entry, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                self._enter(folder, entry, name)
            elif stat.S_ISREG(found.st_mode):
                self._file(folder, entry, name)
            else:
                self._refuse(name, f"it is {_KINDS.get(stat.S_IFMT(found.st_mode), 'no file')}")
        except OSError as error:
            self._refuse(name, f"it cannot be read ({error.strerror})")

    def _enter(self, folder: int, entry: str, name: str) -> None:
        below = os.open(entry, FOLDER_FLAGS, dir_fd=folder)
        try:
            self._folder(below, f"{name}/")
        finally:
            os.close(below)

    def _file(self, folder: int, entry: str, name: str) -> None:
        if name.lower() in self._names:
            self._refuse(name, "another file differs only in upper and lower case")
            return
        descriptor = os.open(entry, _FILE_FLAGS, dir_fd=folder)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                self._refuse(name, "it changed while it was read")
                return
            if found.st_size > self._room:
                self._refuse(name, "the outputs are larger than the job's disk limit")
                return
            digest, length = hashlib.sha256(), 0
            # A file that grows is read no further than it was.
            while length <= found.st_size and (piece := file.read(min(CHUNK, found.st_size - length + 1))):
                digest.update(piece)
                length += len(piece)
        if length != found.st_size:
            self._refuse(name, "it changed while it was read")
            return
        self._room -= length
        self._names.add(name.lower())
        self.files.append(Collected(Artifact(name, digest.hexdigest(), length), self._root / name))

    def _refuse(self, name: str, reason: str) -> None:
        if len(self.refused) < MAX_REFUSALS:
            self.refused.append(Refused(ascii(name[:120])[1:-1], reason))
        else:
            self._unlisted += 1


def _entries(folder: int) -> Iterator[str]:
    # The listing is read to its end only as far as the walk goes; each name is one component, never "." or "..".
    with os.scandir(folder) as listing:
        for entry in listing:
            yield entry.name


def collect(outputs: Path, max_bytes: int, max_files: int = MAX_FILES) -> Collection:
    """The plain files below `outputs`, with their digests. Never raises for what lies there.

    Args:
        outputs: the folder; its own path is ours and is believed.
        max_bytes: what all files together may have; those beyond are refused, one by one.
        max_files: how many entries are looked at.
    """
    return _Walk(outputs, max_bytes, max_files).run()


def used_bytes(outputs: Path, stop_at: int | None = None) -> int:
    """What the folder takes on the disk, every entry counted; above `stop_at` the count ends.

    A nesting that no honest program makes counts as more than any limit.
    """
    limit = sys.maxsize if stop_at is None else stop_at
    try:
        folder = os.open(outputs, FOLDER_FLAGS)
    except FileNotFoundError:
        return 0
    try:
        return _used(folder, limit, 0)
    finally:
        os.close(folder)


def _used(folder: int, limit: int, depth: int) -> int:
    if depth > MAX_DEPTH:
        return sys.maxsize
    total = 0
    for entry in _entries(folder):
        total += _used_by(folder, entry, limit - total, depth)
        if total > limit:
            break
    return total


def _used_by(folder: int, entry: str, limit: int, depth: int) -> int:
    try:
        found = os.stat(entry, dir_fd=folder, follow_symlinks=False)
        own = max(found.st_blocks * 512, ENTRY_BYTES)
        if not stat.S_ISDIR(found.st_mode):
            return own
        below = os.open(entry, FOLDER_FLAGS, dir_fd=folder)
    except OSError as error:
        # The job removes files while we look; a folder it shut away from us hides something.
        return 0 if error.errno == errno.ENOENT else ENTRY_BYTES
    try:
        return own + _used(below, limit - own, depth + 1)
    finally:
        os.close(below)
