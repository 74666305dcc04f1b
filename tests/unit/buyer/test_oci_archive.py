from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from argentum_desktop.buyer.oci_archive import describe, pack
from argentum_desktop.errors import BadInputError


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "tool"
    path.write_bytes(b"#!/bin/sh\n")
    path.chmod(0o755)
    return path


def rebuilt(source: Path, target: Path, change) -> Path:
    """The archive with its members as `change` makes them: a mapping of name → content."""
    with tarfile.open(source) as archive:
        members = {item.name: archive.extractfile(item).read() for item in archive if item.isfile()}
    change(members)
    with tarfile.open(target, "w") as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return target


def test_the_same_content_gives_the_same_bytes(program: Path, tmp_path: Path) -> None:
    one = pack({"/bin/tool": program}, ["/bin/tool"], tmp_path / "1.tar", links={"/bin/t": "tool"}, env={"A": "b"})
    program.touch()
    two = pack({"/bin/tool": program}, ["/bin/tool"], tmp_path / "2.tar", links={"/bin/t": "tool"}, env={"A": "b"})
    assert one == two
    assert (tmp_path / "1.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()
    assert one.command == ("/bin/tool",)
    assert describe(tmp_path / "1.tar") == one


def test_the_layer_holds_the_files_as_they_are_and_nobodys_name(program: Path, tmp_path: Path) -> None:
    found = pack({"/opt/a/tool": program}, ["/opt/a/tool"], tmp_path / "1.tar")
    with tarfile.open(tmp_path / "1.tar") as archive:
        layer = archive.extractfile(f"blobs/sha256/{found.layers[0].removeprefix('sha256:')}").read()
    with tarfile.open(fileobj=io.BytesIO(layer)) as files:
        entries = {entry.name: entry for entry in files}
    assert (entries["opt/a/tool"].mode, entries["tmp"].mode) == (0o755, 0o1777)
    assert {"in", "out", "opt", "opt/a"} <= entries.keys()
    assert all((entry.uid, entry.gid, entry.uname, entry.mtime) == (0, 0, "", 0) for entry in entries.values())


def test_what_cannot_be_packed(tmp_path: Path, program: Path) -> None:
    with pytest.raises(BadInputError, match="No such file"):
        pack({"/bin/tool": tmp_path / "missing"}, ["/bin/tool"], tmp_path / "1.tar")
    with pytest.raises(BadInputError, match="not a path in an image"):
        pack({"/../etc/passwd": program}, ["/bin/tool"], tmp_path / "1.tar")
    with pytest.raises(BadInputError, match="could not be packed"):
        pack({"/bin/tool": program}, ["/bin/tool"], tmp_path / "missing" / "1.tar")


def without(name: str):
    return lambda members: members.pop(name)


def with_index(index: object):
    return lambda members: members.update({"index.json": json.dumps(index).encode()})


def damage_a_blob(members: dict[str, bytes]) -> None:
    name = max((name for name in members if name.startswith("blobs/")), key=lambda name: len(members[name]))
    members[name] = members[name][:-1] + b"\x01"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without("oci-layout"), "no oci-layout"),
        (without("index.json"), "no oci-layout and index"),
        (damage_a_blob, "damaged"),
        (with_index({}), "exactly one image"),
        (with_index({"manifests": []}), "exactly one image"),
        (with_index([]), "not a JSON object"),
        (with_index({"manifests": [{"mediaType": "application/vnd.oci.image.index.v1+json"}]}), "several kinds"),
        (with_index({"manifests": [{"digest": "md5:1"}]}), "without a sha256"),
        (with_index({"manifests": [{"digest": f"sha256:{'0' * 64}"}]}), "is missing"),
        (lambda members: members.update({"index.json": b"{"}), "not JSON"),
        (lambda members: members.update({"index.json": b"[" * 100_000}), "not JSON"),
        (lambda members: members.update({"oci-layout": b'{"imageLayoutVersion":"9"}'}), "another version"),
    ],
)
def test_archives_that_cannot_be_used(program: Path, tmp_path: Path, change, words: str) -> None:
    pack({"/bin/tool": program}, ["/bin/tool"], tmp_path / "good.tar")
    bad = rebuilt(tmp_path / "good.tar", tmp_path / "bad.tar", change)
    with pytest.raises(BadInputError, match=words) as caught:
        describe(bad)
    assert "podman save --format oci-archive" in str(caught.value)


def test_a_docker_archive_is_told_how_to_become_one(tmp_path: Path, program: Path) -> None:
    pack({"/bin/tool": program}, ["/bin/tool"], tmp_path / "good.tar")

    def to_docker(members: dict[str, bytes]) -> None:
        members.clear()
        members["manifest.json"] = b"[]"

    with pytest.raises(BadInputError, match=r"docker archive.*podman save --format oci-archive"):
        describe(rebuilt(tmp_path / "good.tar", tmp_path / "docker.tar", to_docker))


@pytest.mark.parametrize("content", [b"", b"nonsense" * 100, b"\x1f\x8b" + b"x" * 600])
def test_files_that_are_no_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(content)
    with pytest.raises(BadInputError):
        describe(path)


def test_a_missing_or_cut_archive(tmp_path: Path, program: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be read"):
        describe(tmp_path / "none.tar")
    pack({"/bin/tool": program}, ["/bin/tool"], tmp_path / "good.tar")
    whole = (tmp_path / "good.tar").read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInputError):
        describe(tmp_path / "cut.tar")


def test_digests_are_those_of_the_bytes(tmp_path: Path, program: Path) -> None:
    found = pack({"/bin/tool": program}, ["/bin/tool"], tmp_path / "1.tar")
    with tarfile.open(tmp_path / "1.tar") as archive:
        manifest = archive.extractfile(f"blobs/sha256/{found.digest.removeprefix('sha256:')}").read()
    assert f"sha256:{hashlib.sha256(manifest).hexdigest()}" == found.digest
