"""Reading an image from a stranger."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import oci_images
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oci_images import descriptor, digest_of, image_config, oci_files, tar_of, write_archive

from argentum_desktop.errors import ImageError
from argentum_desktop.runner.images import docker_stream, oci_stream, verify_image
from argentum_desktop.runner.tar_index import MAX_EXTENDED_BYTES, MAX_MEMBERS

LAYER = tar_of({"hello": b"world" * 1000})
CONFIG = image_config(LAYER)


def small(path: Path, **overrides: object) -> oci_images.BuiltImage:
    return write_archive(path, oci_files(LAYER, image_config(LAYER, **overrides)))


def members_of(stream: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(stream)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def refused(path: Path, files: dict[str, bytes], words: str) -> None:
    path.write_bytes(tar_of(files))
    with pytest.raises(ImageError, match=words):
        verify_image(path)


def test_a_good_archive(tmp_path: Path) -> None:
    built = small(tmp_path / "i.tar")
    image = verify_image(built.path, built.manifest_digest)
    assert (image.manifest.digest, image.config.digest) == (built.manifest_digest, built.config_digest)
    assert len(image.layers) == 1


def test_a_packed_layer(tmp_path: Path) -> None:
    packed = gzip.compress(LAYER, mtime=0)
    built = write_archive(tmp_path / "i.tar", oci_files(LAYER, CONFIG, blob=packed, layer_type="tar+gzip"))
    assert verify_image(built.path).layers[0].digest == digest_of(packed)
    # Two gzip members in a row are one stream, as some tools write them.
    half = len(LAYER) // 2
    packed = gzip.compress(LAYER[:half], mtime=0) + gzip.compress(LAYER[half:], mtime=0)
    built = write_archive(tmp_path / "j.tar", oci_files(LAYER, CONFIG, blob=packed, layer_type="tar+gzip"))
    verify_image(built.path)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = bytes(64 << 20)
    built = write_archive(tmp_path / "i.tar", oci_files(bomb, image_config(bomb), blob=gzip.compress(bomb, mtime=0)))
    assert built.path.stat().st_size < 1 << 20
    with pytest.raises(ImageError, match="larger than allowed"):
        verify_image(built.path, max_unpacked_bytes=1 << 20)


def test_the_agreed_digest_decides(tmp_path: Path) -> None:
    built = small(tmp_path / "i.tar")
    with pytest.raises(ImageError, match="digest is another"):
        verify_image(built.path, "sha256:" + "a" * 64)


def test_another_kind_of_machine(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="linux/s390x, this machine is linux/"):
        verify_image(small(tmp_path / "i.tar", architecture="s390x").path)
    with pytest.raises(ImageError, match="windows/"):
        verify_image(small(tmp_path / "j.tar", os="windows").path)


@pytest.mark.parametrize("which", ["manifest", "config", "layer"])
def test_one_changed_byte_is_found(tmp_path: Path, which: str) -> None:
    files = oci_files(LAYER, CONFIG)
    manifest = json.loads(files["index.json"])["manifests"][0]["digest"]
    digest = {"manifest": manifest, "config": digest_of(CONFIG), "layer": digest_of(LAYER)}[which]
    name = f"blobs/sha256/{digest[7:]}"
    data = bytearray(files[name])
    data[-3 if which == "layer" else 5] ^= 1
    refused(tmp_path / "i.tar", {**files, name: bytes(data)}, r"was changed|not JSON")


def test_a_layer_that_unpacks_to_something_else(tmp_path: Path) -> None:
    """The stored bytes fit the manifest, but what comes out of them is not what the configuration names."""
    other = tar_of({"hello": b"evil"})
    built = write_archive(tmp_path / "i.tar", oci_files(other, CONFIG))
    with pytest.raises(ImageError, match="was changed"):
        verify_image(built.path)


def test_what_is_no_oci_archive(tmp_path: Path) -> None:
    files = oci_files(LAYER, CONFIG)
    cases = [
        ({"readme": b"x"}, "not an OCI archive"),
        ({**files, "index.json": b"{}"}, "no manifests"),
        ({**files, "index.json": b"[]"}, "wrong shape"),
        ({**files, "index.json": b"[" * 100_000}, "not JSON"),
        ({**files, "index.json": b'{"manifests": []}'}, "holds 0 images"),
        ({**files, "index.json": b'{"manifests": [7]}'}, "wrong shape"),
        ({**files, "index.json": b'{"manifests": [{"digest": "md5:1"}]}'}, "not a sha256"),
        ({**files, "index.json": b'{"manifests": [{"digest": "sha256:' + b"../" * 21 + b'x"}]}'}, "is missing"),
    ]
    for files_, words in cases:
        refused(tmp_path / "i.tar", files_, words)


def test_several_images(tmp_path: Path) -> None:
    files = oci_files(LAYER, CONFIG)
    index = json.loads(files["index.json"])
    index["manifests"] *= 2
    refused(tmp_path / "i.tar", {**files, "index.json": json.dumps(index).encode()}, "2 images instead of one")
    index["manifests"] = [{**index["manifests"][0], "mediaType": "application/vnd.oci.image.index.v1+json"}]
    refused(tmp_path / "i.tar", {**files, "index.json": json.dumps(index).encode()}, "several kinds of machines")


def test_a_zstd_layer_is_told(tmp_path: Path) -> None:
    built = write_archive(tmp_path / "i.tar", oci_files(LAYER, CONFIG, blob=b"\x28\xb5\x2f\xfd" + bytes(100)))
    with pytest.raises(ImageError, match="zstd"):
        verify_image(built.path)


@pytest.mark.parametrize(
    ("kind", "name"), [(tarfile.SYMTYPE, "l"), (tarfile.LNKTYPE, "l"), (tarfile.CHRTYPE, "d"), (tarfile.FIFOTYPE, "f")]
)
def test_links_and_devices_in_the_archive(tmp_path: Path, kind: bytes, name: str) -> None:
    path = tmp_path / "i.tar"
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    path.write_bytes(info.tobuf() + tar_of(oci_files(LAYER, CONFIG)))
    with pytest.raises(ImageError, match="neither a file nor a folder"):
        verify_image(path)


def test_a_name_that_appears_twice(tmp_path: Path) -> None:
    files = tar_of(oci_files(LAYER, CONFIG))
    info = tarfile.TarInfo("index.json")
    (tmp_path / "i.tar").write_bytes(info.tobuf() + files)
    with pytest.raises(ImageError, match="appears twice"):
        verify_image(tmp_path / "i.tar")


def test_too_many_members(tmp_path: Path) -> None:
    (tmp_path / "i.tar").write_bytes(b"".join(tarfile.TarInfo(str(n)).tobuf() for n in range(MAX_MEMBERS + 1)))
    with pytest.raises(ImageError, match="more than 4096 members"):
        verify_image(tmp_path / "i.tar")


def test_a_giant_extended_header_is_not_read(tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, MAX_EXTENDED_BYTES + 1
    (tmp_path / "i.tar").write_bytes(info.tobuf())
    with pytest.raises(ImageError, match="far too long"):
        verify_image(tmp_path / "i.tar")


def test_what_python_writes_in_its_newest_format_is_read(tmp_path: Path) -> None:
    """Extended headers with times, owners and names, as archivers write them."""
    path = tmp_path / "i.tar"
    files = oci_files(LAYER, CONFIG)
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size, info.mtime, info.uname = len(data), 1.5, "Zoë"
            info.pax_headers = {"comment": "x" * 300}
            tar.addfile(info, io.BytesIO(data))
    assert verify_image(path).config.digest == digest_of(CONFIG)


def test_only_what_was_proven_reaches_the_engine(tmp_path: Path) -> None:
    """A second description for another reader, hidden in the archive, is left behind."""
    files = oci_files(LAYER, CONFIG)
    hidden = {"manifest.json": b'[{"Config": "evil.json", "Layers": []}]', "evil.json": b"{}", "repositories": b"{}"}
    path = tmp_path / "i.tar"
    path.write_bytes(tar_of({**files, **hidden}))
    image = verify_image(path)
    blobs = {name: data for name, data in files.items() if name.startswith("blobs/")}
    for_podman = members_of(b"".join(oci_stream(image)))
    assert set(for_podman) == {"oci-layout", "index.json", *blobs}
    assert {name: for_podman[name] for name in blobs} == blobs
    for_docker = members_of(b"".join(docker_stream(image)))
    assert set(for_docker) == {"manifest.json", *blobs} - {image.manifest.path}
    (entry,) = json.loads(for_docker["manifest.json"])
    assert entry == {"Config": image.config.path, "RepoTags": [image.tag], "Layers": [image.layers[0].path]}


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="No such file"):
        verify_image(tmp_path / "nothing.tar")


GOOD = tar_of(oci_files(LAYER, CONFIG))
FUZZ = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@FUZZ
@given(st.binary(max_size=2048))
def test_noise(tmp_path: Path, noise: bytes) -> None:
    path = tmp_path / "i.tar"
    path.write_bytes(noise)
    with pytest.raises(ImageError):
        verify_image(path)


@FUZZ
@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=16), st.booleans())
def test_damage(tmp_path: Path, at: int, patch: bytes, cut: bool) -> None:
    """Whatever byte is changed: either words, or the very same image."""
    path = tmp_path / "i.tar"
    path.write_bytes(GOOD[:at] if cut else GOOD[:at] + patch + GOOD[at + len(patch) :])
    try:
        image = verify_image(path)
    except ImageError:
        return
    assert image.config.digest == digest_of(CONFIG)


@settings(FUZZ, max_examples=50)
@given(
    st.dictionaries(
        st.sampled_from(["config", "layers", "schemaVersion"]),
        st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda c: st.lists(c, max_size=3), max_leaves=5),
    )
)
def test_odd_manifests(tmp_path: Path, described: dict[str, object]) -> None:
    manifest = json.dumps(described).encode()
    index = {"manifests": [descriptor("application/vnd.oci.image.manifest.v1+json", manifest)]}
    files = {
        "oci-layout": b"{}",
        "index.json": json.dumps(index).encode(),
        f"blobs/sha256/{digest_of(manifest)[7:]}": manifest,
    }
    path = tmp_path / "i.tar"
    path.write_bytes(tar_of(files))
    with pytest.raises(ImageError):
        verify_image(path)
