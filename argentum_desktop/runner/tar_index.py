"""What lies where in a tar archive from outside, without unpacking it and without believing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from argentum_desktop.errors import ImageError

BLOCK = 512
MAX_MEMBERS = 4096
# Extended headers only carry a name and a size; Python's own reader would take gigabytes of them into memory.
MAX_EXTENDED_BYTES = 64 * 1024
_REMEDY = "Write it again as an OCI archive, an uncompressed tar of an image layout."


@dataclass(frozen=True)
class Member:
    """A regular file inside the archive."""

    offset: int
    size: int


def index_tar(file: BinaryIO, file_size: int) -> dict[str, Member]:
    """The regular files by name; folders are passed over.

    Raises:
        ImageError: not a plain tar, or one with links, devices, repeated names or too many members.
    """
    found: dict[str, Member] = {}
    extended: dict[str, str] = {}
    position = 0
    for _ in range(MAX_MEMBERS):
        file.seek(position)
        header = file.read(BLOCK)
        if len(header) < BLOCK or not any(header):
            return _not_empty(found)
        name, size, kind = _read_header(header)
        position += BLOCK
        if kind == b"x":
            extended = _read_extended(file, position, size)
        elif kind != b"g":
            name = extended.get("path", name)
            size = _whole(extended.get("size", str(size)))
            extended = {}
            if kind in {b"0", b"\0"}:
                _add(found, name, Member(position, size), file_size)
            elif kind != b"5":
                raise _broken(f"the member {_shown(name)} is neither a file nor a folder")
        position += -(-size // BLOCK) * BLOCK
    raise _broken(f"it has more than {MAX_MEMBERS} members")


def _add(found: dict[str, Member], name: str, member: Member, file_size: int) -> None:
    name = name.removeprefix("./")
    if name in found:
        raise _broken(f"the member {_shown(name)} appears twice")
    if member.offset + member.size > file_size:
        raise _broken(f"it ends in the middle of {_shown(name)}")
    found[name] = member


def _read_header(header: bytes) -> tuple[str, int, bytes]:
    stored = _octal(header[148:156])
    if stored != sum(header) - sum(header[148:156]) + 8 * ord(" "):
        raise _broken("a member's checksum is wrong")
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    full = prefix + b"/" + name if prefix else name
    return full.decode("utf-8", "backslashreplace"), _size(header[124:136]), header[156:157]


def _size(field: bytes) -> int:
    # Sizes from 8 GiB on are written in base 256, marked by the highest bit.
    return int.from_bytes(field[1:], "big") if field[0] == 0x80 else _octal(field)


def _octal(field: bytes) -> int:
    text = field.strip(b" \0")
    if not all(0x30 <= digit <= 0x37 for digit in text):
        raise _broken("it is not a tar archive")
    return int(text or b"0", 8)


def _read_extended(file: BinaryIO, position: int, size: int) -> dict[str, str]:
    if size > MAX_EXTENDED_BYTES:
        raise _broken("an extended header is far too long")
    file.seek(position)
    data = file.read(size)
    records: dict[str, str] = {}
    while data:
        length_text, _, _ = data.partition(b" ")
        length = _whole(length_text.decode("ascii", "replace"))
        if not len(length_text) + 2 < length <= len(data):
            raise _broken("an extended header is damaged")
        key, _, value = data[len(length_text) + 1 : length - 1].decode("utf-8", "backslashreplace").partition("=")
        if key.startswith("GNU.sparse"):
            raise _broken("it has sparse members")
        records[key] = value
        data = data[length:]
    return records


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise _broken("an extended header is damaged")
    return int(text)


def _not_empty(found: dict[str, Member]) -> dict[str, Member]:
    if not found:
        raise _broken("it is empty")
    return found


def _shown(name: str) -> str:
    return ascii(name[:80])


def _broken(why: str) -> ImageError:
    return ImageError(f"The job's image cannot be read: {why}.", _REMEDY)
