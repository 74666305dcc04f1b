"""Tiny OCI archives, made from /bin/busybox alone."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from dataclasses import dataclass
from pathlib import Path

BUSYBOX = Path("/bin/busybox")
_NAMES = """
sh ls cat echo sleep true false id mount umount unshare ps kill dd env touch mkdir ln mkfifo ip hostname head tail
printf test chmod rm wc grep sed tr stat df seq yes date cp mv nproc ping wget nc usleep timeout
"""
APPLETS = tuple(_NAMES.split())
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


@dataclass(frozen=True)
class BuiltImage:
    """An archive on disk and what is in it."""

    path: Path
    manifest_digest: str
    config_digest: str


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar_of(files: dict[str, bytes], *, folders: tuple[str, ...] = (), links: dict[str, str] | None = None) -> bytes:
    """A tar with nothing in it that differs from run to run."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in folders:
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            tar.addfile(info)
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o755
            tar.addfile(info, io.BytesIO(data))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return buffer.getvalue()


def busybox_layer(extra: dict[str, bytes] | None = None) -> bytes:
    return tar_of(
        {
            "bin/busybox": BUSYBOX.read_bytes(),
            "etc/passwd": b"root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n",
            "etc/group": b"root:x:0:\nnogroup:x:65534:\n",
            **(extra or {}),
        },
        folders=("bin", "etc", "tmp", "proc", "sys", "dev", "in", "out"),
        links={f"bin/{name}": "busybox" for name in APPLETS},
    )


def image_config(layer: bytes, **overrides: object) -> bytes:
    config = {
        "architecture": ARCHITECTURE,
        "os": "linux",
        "config": {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [digest_of(layer)]},
        "history": [],
        **overrides,
    }
    return json.dumps(config, sort_keys=True).encode()


def oci_files(layer: bytes, config: bytes, *, blob: bytes | None = None, layer_type: str = "tar") -> dict[str, bytes]:
    """The members of an archive; `blob` is the layer as stored, where it is compressed."""
    stored = layer if blob is None else blob
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("application/vnd.oci.image.config.v1+json", config),
            "layers": [descriptor(f"application/vnd.oci.image.layer.v1.{layer_type}", stored)],
        }
    ).encode()
    index = {"schemaVersion": 2, "manifests": [descriptor("application/vnd.oci.image.manifest.v1+json", manifest)]}
    return {
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
        "index.json": json.dumps(index).encode(),
        **{f"blobs/sha256/{digest_of(data)[7:]}": data for data in (manifest, config, stored)},
    }


def descriptor(media_type: str, data: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def write_archive(path: Path, files: dict[str, bytes]) -> BuiltImage:
    path.write_bytes(tar_of(files))
    index = json.loads(files["index.json"])
    manifest_digest = index["manifests"][0]["digest"]
    manifest = json.loads(files[f"blobs/sha256/{manifest_digest[7:]}"])
    return BuiltImage(path, manifest_digest, manifest["config"]["digest"])


def build_busybox(path: Path, **config: object) -> BuiltImage:
    """A runnable image of two megabytes."""
    layer = busybox_layer()
    return write_archive(path, oci_files(layer, image_config(layer, **config)))
