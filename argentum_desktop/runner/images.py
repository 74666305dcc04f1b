"""The job's image: read strictly, proven by its digest, handed to the engine with nothing in it but what was proven."""

from __future__ import annotations

import hashlib
import json
import platform
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from argentum_desktop.errors import ImageError
from argentum_desktop.runner.tar_index import Member, index_tar

CHUNK = 1024 * 1024
MAX_JSON_BYTES = 4 * 1024 * 1024
MAX_LAYERS = 256
MAX_UNPACKED_BYTES = 128 * 1024 * CHUNK
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_MANIFEST_TYPES = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")


@dataclass(frozen=True)
class Blob:
    """One content-addressed member."""

    digest: str
    member: Member

    @property
    def path(self) -> str:
        return f"blobs/sha256/{self.digest.removeprefix('sha256:')}"


@dataclass(frozen=True)
class VerifiedImage:
    """An archive whose every byte that matters hangs on `manifest.digest`."""

    archive: Path
    manifest: Blob
    config: Blob
    layers: tuple[Blob, ...]

    @property
    def tag(self) -> str:
        """The name under which the engine keeps it, so that no clean-up of nameless images takes it away."""
        return f"localhost/argentum:{self.config.digest.removeprefix('sha256:')[:32]}"


def machine_architecture() -> str:
    """This machine's architecture in the words of images."""
    return _MACHINES.get(platform.machine().lower(), platform.machine().lower())


def verify_image(
    archive: Path,
    wanted_digest: str | None = None,
    *,
    architecture: str | None = None,
    max_unpacked_bytes: int = MAX_UNPACKED_BYTES,
) -> VerifiedImage:
    """Read an OCI archive and prove it, without unpacking it to disk. Reads all of it: never on a loop.

    Args:
        archive: an uncompressed tar of an image layout.
        wanted_digest: the manifest's digest that was agreed upon; None takes the one the archive names.
        architecture: what the image must be made for; this machine's when left out.
        max_unpacked_bytes: how large the layers may become.

    Raises:
        ImageError: in words, why it cannot be used.
    """
    try:
        with archive.open("rb") as file:
            reader = _Reader(file, index_tar(file, archive.stat().st_size))
            manifest = reader.manifest(wanted_digest)
            described = reader.json_of(manifest)
            config = reader.blob(described.get("config"))
            layers = tuple(reader.blob(entry) for entry in _list(described, "layers"))
            facts = reader.json_of(config)
            _check_machine(facts, architecture or machine_architecture())
            reader.check_layers(layers, _list(_mapping(facts.get("rootfs")), "diff_ids"), max_unpacked_bytes)
    except OSError as error:
        raise ImageError(f"The job's image cannot be read ({error.strerror}).") from error
    return VerifiedImage(archive, manifest, config, layers)


class _Reader:
    """One open archive."""

    def __init__(self, file: BinaryIO, members: dict[str, Member]) -> None:
        self._file = file
        self._members = members

    def manifest(self, wanted: str | None) -> Blob:
        if "index.json" not in self._members or "oci-layout" not in self._members:
            raise _unusable("it is a tar, but not an OCI archive", "Export it again as an OCI archive.")
        entries = _list(self._json(self._members["index.json"]), "manifests")
        if len(entries) != 1:
            raise _unusable(f"it holds {len(entries)} images instead of one", "Export the one image the job needs.")
        entry = _mapping(entries[0])
        if entry.get("mediaType", _MANIFEST_TYPES[0]) not in _MANIFEST_TYPES:
            raise _unusable("it holds a list for several kinds of machines", "Export the image for one platform.")
        blob = self.blob(entry)
        if wanted is not None and blob.digest != wanted:
            raise _unusable("it is not the image that was agreed upon: its digest is another one")
        return blob

    def blob(self, descriptor: object) -> Blob:
        """The member a descriptor points at; its length is checked here, its content where it is read."""
        described = _mapping(descriptor)
        digest = described.get("digest")
        if not isinstance(digest, str) or not digest.startswith("sha256:") or len(digest) != 71:
            raise _unusable("a digest in it is not a sha256")
        member = self._members.get(f"blobs/sha256/{digest[7:]}")
        if member is None:
            raise _unusable(f"the part {digest[:19]} is missing")
        if described.get("size") != member.size:
            raise _unusable(f"the part {digest[:19]} has the wrong length")
        return Blob(digest, member)

    def json_of(self, blob: Blob) -> dict[str, Any]:
        data = self._small(blob.member)
        if "sha256:" + hashlib.sha256(data).hexdigest() != blob.digest:
            raise _unusable(f"the part {blob.digest[:19]} was changed after it was made")
        return _parse(data)

    def check_layers(self, layers: tuple[Blob, ...], diff_ids: list[Any], room: int) -> None:
        if not 1 <= len(layers) <= MAX_LAYERS or len(layers) != len(diff_ids):
            raise _unusable("its list of layers is wrong")
        for layer, diff_id in zip(layers, diff_ids, strict=True):
            room -= self._check_layer(layer, diff_id, room)

    def _check_layer(self, layer: Blob, diff_id: object, room: int) -> int:
        """Prove the stored and the unpacked content of one layer; returns its unpacked length."""
        stored, unpacked, length = hashlib.sha256(), hashlib.sha256(), 0
        for piece in _unpacked(_hashed(read_member(self._file, layer.member), stored)):
            unpacked.update(piece)
            length += len(piece)
            if length > room:
                raise _unusable("unpacked it would be larger than allowed")
        if "sha256:" + stored.hexdigest() != layer.digest or "sha256:" + unpacked.hexdigest() != diff_id:
            raise _unusable(f"the layer {layer.digest[:19]} was changed after it was made")
        return length

    def _json(self, member: Member) -> dict[str, Any]:
        return _parse(self._small(member))

    def _small(self, member: Member) -> bytes:
        if member.size > MAX_JSON_BYTES:
            raise _unusable("a description in it is far too long")
        return b"".join(read_member(self._file, member))


def read_member(file: BinaryIO, member: Member) -> Iterator[bytes]:
    """The member's bytes, in pieces."""
    file.seek(member.offset)
    left = member.size
    while left:
        piece = file.read(min(CHUNK, left))
        if not piece:
            raise _unusable("it ends too early")
        left -= len(piece)
        yield piece


def _hashed(pieces: Iterator[bytes], digest: Any) -> Iterator[bytes]:
    for piece in pieces:
        digest.update(piece)
        yield piece


def _unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Gzip is unpacked, plain tar passes; never more than one chunk at a time, whatever the data promises."""
    first = next(pieces, b"")
    if first[:4] == b"\x28\xb5\x2f\xfd":
        raise _unusable("a layer is packed with zstd, which not every engine reads", "Pack its layers with gzip.")
    if first[:2] != b"\x1f\x8b":
        yield first
        yield from pieces
        return
    unpacker = zlib.decompressobj(wbits=31)
    try:
        for piece in _chain(first, pieces):
            rest = piece
            while rest:
                yield unpacker.decompress(rest, CHUNK)
                rest = unpacker.unconsumed_tail
                if unpacker.eof:
                    # A second gzip member may follow the first.
                    rest = unpacker.unused_data
                    if rest:
                        unpacker = zlib.decompressobj(wbits=31)
        yield unpacker.flush()
    except zlib.error as error:
        raise _unusable("a layer is damaged") from error


def _chain(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from pieces


def _check_machine(config: dict[str, Any], architecture: str) -> None:
    made_for = f"{config.get('os')}/{config.get('architecture')}"
    if made_for != f"linux/{architecture}":
        raise _unusable(f"it is made for {made_for[:40]}, this machine is linux/{architecture}")


def _parse(data: bytes) -> dict[str, Any]:
    try:
        return _mapping(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise _unusable("a description in it is not JSON") from error


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unusable("a description in it has the wrong shape")
    return value


def _list(value: dict[str, Any], key: str) -> list[Any]:
    found = value.get(key)
    if not isinstance(found, list):
        raise _unusable(f"its description has no {key}")
    return found


def _unusable(why: str, remedy: str = "") -> ImageError:
    return ImageError(f"The job's image cannot be used: {why}.", remedy)


def oci_stream(image: VerifiedImage) -> Iterator[bytes]:
    """The archive again, as OCI layout, with the proven parts alone."""
    size = image.manifest.member.size
    entry = {"mediaType": _MANIFEST_TYPES[0], "digest": image.manifest.digest, "size": size}
    described = {
        "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
        "index.json": json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode(),
    }
    yield from _tar(image, described, (image.manifest, image.config, *image.layers))


def docker_stream(image: VerifiedImage) -> Iterator[bytes]:
    """The archive as `docker load` reads it in every version: the older ones do not know OCI archives."""
    entry = {
        "Config": image.config.path,
        "RepoTags": [image.tag],
        "Layers": [layer.path for layer in image.layers],
    }
    yield from _tar(image, {"manifest.json": json.dumps([entry]).encode()}, (image.config, *image.layers))


def _tar(image: VerifiedImage, described: dict[str, bytes], blobs: tuple[Blob, ...]) -> Iterator[bytes]:
    for name, data in described.items():
        yield _header(name, len(data)) + data + _padding(len(data))
    with image.archive.open("rb") as file:
        for blob in dict.fromkeys(blobs):
            yield _header(blob.path, blob.member.size)
            yield from read_member(file, blob.member)
            yield _padding(blob.member.size)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)
