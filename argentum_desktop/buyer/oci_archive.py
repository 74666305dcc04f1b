"""Images as OCI archives: packed from files of this machine, and read before they are sent."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from argentum_desktop.errors import BadInputError

_MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
_INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
_EPOCH = "1970-01-01T00:00:00Z"
_LARGEST_JSON = 4 * 1024 * 1024
_READ_BYTES = 1024 * 1024
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_CONVERT = "Make one with `podman save --format oci-archive -o image.tar NAME`."


@dataclass(frozen=True)
class ImageDescription:
    """What an archive holds.

    Attributes:
        digest: the digest of its manifest, by which the image is named for ever.
    """

    digest: str
    architecture: str
    system: str
    command: tuple[str, ...]
    layers: tuple[str, ...]


def pack(
    files: Mapping[str, Path],
    command: Sequence[str],
    out: Path,
    *,
    links: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> ImageDescription:
    """Write an image of one layer; the same content gives the same bytes, whenever and wherever.

    Args:
        files: path in the image → file of this machine; it may be run when it may be run here.
        links: path in the image → what the symbolic link there points to.

    Raises:
        BadInputError: a file cannot be read, or the archive not be written.
    """
    try:
        layer = _layer(files, links or {})
        config = {
            "created": _EPOCH,
            "architecture": _architecture(),
            "os": "linux",
            "config": {
                "Cmd": list(command),
                "Env": [f"{name}={value}" for name, value in sorted((env or {}).items())],
                "Labels": dict(sorted((labels or {}).items())),
            },
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
            "history": [{"created": _EPOCH, "created_by": "argentum-market pack"}],
        }
        _write_archive(out, config, layer)
    except OSError as error:
        name = error.filename or out
        raise BadInputError(f"The image could not be packed: {name}: {error.strerror}.", "Check the file.") from error
    return describe(out)


def describe(path: Path) -> ImageDescription:
    """Read an archive, and check every digest in it.

    Raises:
        BadInputError: it is not an OCI archive of exactly one Linux image.
    """
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as archive:
            return _Reader(path, archive, file).describe()
    except tarfile.TarError as error:
        raise BadInputError(f"{path} is not a tar file, or is damaged.", _CONVERT) from error
    except OSError as error:
        raise BadInputError(f"The image {path} cannot be read ({error.strerror}).", "Check the path.") from error


class _Reader:
    """One open archive."""

    def __init__(self, path: Path, archive: tarfile.TarFile, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._members = {member.name.removeprefix("./"): member for member in archive if member.isfile()}

    def describe(self) -> ImageDescription:
        if "oci-layout" not in self._members or "index.json" not in self._members:
            if "manifest.json" in self._members:
                raise BadInputError(f"{self._path} is a docker archive, not an OCI archive.", _CONVERT)
            raise self._wrong("it has no oci-layout and index.json")
        if self._json("oci-layout").get("imageLayoutVersion") != "1.0.0":
            raise self._wrong("its layout has another version than 1.0.0")
        digest = self._one_manifest()
        manifest = self._json(self._blob(digest))
        config_digest, layers = self._named(manifest)
        config = self._json(self._blob(config_digest))
        if config.get("os") != "linux" or not isinstance(config.get("architecture"), str):
            raise self._wrong("it is not for Linux")
        for layer in layers:
            self._blob(layer)
        return ImageDescription(digest, config["architecture"], "linux", _command(config), layers)

    def _one_manifest(self) -> str:
        manifests = self._json("index.json").get("manifests")
        if not isinstance(manifests, list) or len(manifests) != 1:
            raise self._wrong("it must hold exactly one image")
        entry = manifests[0]
        if isinstance(entry, dict) and entry.get("mediaType") == _INDEX_TYPE:
            raise self._wrong("it holds images for several kinds of machine; save only the one for yours")
        return self._digest_in(entry)

    def _named(self, manifest: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        """The digests of the configuration and of the layers."""
        layers = manifest.get("layers")
        if manifest.get("schemaVersion") != 2 or not isinstance(layers, list):
            raise self._wrong("its manifest is not of version 2")
        return self._digest_in(manifest.get("config")), tuple(self._digest_in(layer) for layer in layers)

    def _digest_in(self, descriptor: object) -> str:
        digest = descriptor.get("digest") if isinstance(descriptor, dict) else None
        if not isinstance(digest, str) or not digest.startswith("sha256:"):
            raise self._wrong("it names a part without a sha256 digest")
        return digest

    def _blob(self, digest: str) -> str:
        """The name of a part, whose content has the digest that it should have."""
        name = f"blobs/sha256/{digest.removeprefix('sha256:')}"
        if name not in self._members:
            raise self._wrong(f"its part {digest[:19]}… is missing")
        hasher = hashlib.sha256()
        for chunk in self._chunks(name):
            hasher.update(chunk)
        if f"sha256:{hasher.hexdigest()}" != digest:
            raise self._wrong(f"its part {digest[:19]}… is damaged")
        return name

    def _json(self, name: str) -> dict[str, Any]:
        if self._members[name].size > _LARGEST_JSON:
            raise self._wrong(f"{name} is too large")
        try:
            value = json.loads(b"".join(self._chunks(name)))
        except (ValueError, RecursionError) as error:
            raise self._wrong(f"{name} is not JSON") from error
        if not isinstance(value, dict):
            raise self._wrong(f"{name} is not a JSON object")
        return value

    def _chunks(self, name: str) -> Iterable[bytes]:
        member = self._members[name]
        if member.sparse is not None:
            raise self._wrong(f"{name} is stored with holes")
        self._file.seek(member.offset_data)
        left = member.size
        while left > 0:
            chunk = self._file.read(min(left, _READ_BYTES))
            if not chunk:
                raise self._wrong("it is cut off")
            left -= len(chunk)
            yield chunk

    def _wrong(self, why: str) -> BadInputError:
        return BadInputError(f"{self._path} is not a usable OCI archive: {why}.", _CONVERT)


def _command(config: dict[str, Any]) -> tuple[str, ...]:
    run = config.get("config")
    if not isinstance(run, dict):
        return ()
    words = [*(run.get("Entrypoint") or ()), *(run.get("Cmd") or ())]
    return tuple(word for word in words if isinstance(word, str))


def _layer(files: Mapping[str, Path], links: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as layer:
        for folder in _folders([*files, *links]):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            layer.addfile(entry)
        for name, source in sorted(files.items()):
            entry = tarfile.TarInfo(_inside(name))
            data = source.read_bytes()
            entry.size, entry.mode = len(data), 0o755 if source.stat().st_mode & 0o111 else 0o644
            layer.addfile(entry, io.BytesIO(data))
        for name, target in sorted(links.items()):
            entry = tarfile.TarInfo(_inside(name))
            entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, target, 0o777
            layer.addfile(entry)
    return buffer.getvalue()


def _folders(names: Iterable[str]) -> list[str]:
    """Every folder that the names need, and those that a box mounts something on, parents first."""
    found = {"tmp", "in", "out", "dev", "proc", "sys", "etc"}
    for name in names:
        found.update(str(parent) for parent in PurePosixPath(_inside(name)).parents if str(parent) != ".")
    return sorted(found)


def _inside(name: str) -> str:
    path = PurePosixPath(name.lstrip("/"))
    if not path.parts or ".." in path.parts:
        raise BadInputError(f"{name!r} is not a path in an image.", "Give an absolute one, such as /bin/tool.")
    return str(path)


def _write_archive(out: Path, config: Mapping[str, Any], layer: bytes) -> None:
    config_blob = _json_bytes(config)
    manifest_blob = _json_bytes(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST_TYPE,
            "config": _descriptor(_CONFIG_TYPE, config_blob),
            "layers": [_descriptor(_LAYER_TYPE, layer)],
        }
    )
    index = {"schemaVersion": 2, "manifests": [_descriptor(_MANIFEST_TYPE, manifest_blob)]}
    with tarfile.open(out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for folder in ("blobs", "blobs/sha256"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for blob in sorted((config_blob, manifest_blob, layer), key=_digest):
            _add(archive, f"blobs/sha256/{_digest(blob).removeprefix('sha256:')}", blob)
        _add(archive, "index.json", _json_bytes(index))
        _add(archive, "oci-layout", _json_bytes({"imageLayoutVersion": "1.0.0"}))


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), 0o644
    archive.addfile(entry, io.BytesIO(data))


def _descriptor(media_type: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(blob), "size": len(blob)}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _json_bytes(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode("ascii")


def _architecture() -> str:
    machine = platform.machine().lower()
    return _ARCHITECTURES.get(machine, machine)
