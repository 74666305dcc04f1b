"""A job's folder after the job had all power over it."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argentum_desktop.domain.job import Artifact, is_safe_name
from argentum_desktop.errors import BadInputError
from argentum_desktop.runner.collect import MAX_REFUSALS, collect, used_bytes
from argentum_desktop.runner.workspace import Workspace

MANY = 1 << 30


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path / "jobs with spaces", "L1")
    workspace.create()
    return workspace


def artifact(name: str, data: bytes = b"data") -> Artifact:
    return Artifact(name, hashlib.sha256(data).hexdigest(), len(data))


def reasons(workspace: Workspace) -> dict[str, str]:
    return {entry.name: entry.reason for entry in workspace.collect(MANY).refused}


def test_who_may_enter(workspace: Workspace) -> None:
    workspace.create()
    assert workspace.root.stat().st_mode & 0o777 == 0o700
    assert workspace.scratch.stat().st_mode & 0o777 == 0o700
    assert workspace.inputs.stat().st_mode & 0o777 == 0o755
    outputs = workspace.outputs.stat()
    assert (outputs.st_uid, outputs.st_mode & 0o777) == ((65534, 0o700) if os.getuid() == 0 else (os.getuid(), 0o777))


@pytest.mark.parametrize("name", ["", "..", "a/b", "../x", "/etc", "a\0b", "x" * 300, "con"])
def test_a_lease_with_an_odd_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInputError):
        Workspace(tmp_path, name)


def test_inputs_are_placed(workspace: Workspace) -> None:
    download = workspace.scratch / "x"
    download.write_bytes(b"data")
    placed = workspace.place(artifact("deep/er/file"), download)
    assert placed == workspace.inputs / "deep/er/file"
    assert placed.stat().st_mode & 0o777 == 0o444
    assert (workspace.inputs / "deep").stat().st_mode & 0o777 == 0o755
    assert not download.exists()
    # After a restart the same input may be placed again.
    download.write_bytes(b"data")
    workspace.place(artifact("deep/er/file"), download)


def test_inputs_in_each_others_way(workspace: Workspace) -> None:
    download = workspace.scratch / "x"
    download.write_bytes(b"data")
    workspace.place(artifact("a"), download)
    download.write_bytes(b"data")
    with pytest.raises(BadInputError, match="in each other's way"):
        workspace.place(artifact("a/b"), download)


def test_plain_outputs_are_collected(workspace: Workspace) -> None:
    (workspace.outputs / "sub").mkdir()
    (workspace.outputs / "b").write_bytes(b"bee")
    (workspace.outputs / "sub" / "a").write_bytes(b"")
    found = workspace.collect(MANY)
    assert [file.artifact for file in found.files] == [artifact("b", b"bee"), artifact("sub/a", b"")]
    assert found.files[1].path == workspace.outputs / "sub" / "a"
    assert found.refused == ()


def test_no_outputs_at_all(workspace: Workspace) -> None:
    assert workspace.collect(MANY).files == ()
    workspace.outputs.rmdir()
    found = workspace.collect(MANY)
    assert found.files == ()
    assert "cannot be opened" in found.refused[0].reason


def test_links_lead_nowhere(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (workspace.outputs / "file").symlink_to(tmp_path / "secret")
    (workspace.outputs / "folder").symlink_to(tmp_path)
    (workspace.outputs / "shadow").symlink_to("/etc/shadow")
    assert workspace.collect(MANY).files == ()
    assert reasons(workspace) == dict.fromkeys(("file", "folder", "shadow"), "it is a symbolic link")


def test_the_outputs_folder_itself_swapped_for_a_link(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    workspace.outputs.rmdir()
    workspace.outputs.symlink_to(tmp_path)
    assert workspace.collect(MANY).files == ()


def test_pipes_sockets_and_devices(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(workspace.outputs / "pipe")
    monkeypatch.chdir(workspace.outputs)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
    expected = {"pipe": "it is a pipe", "socket": "it is a socket"}
    if os.getuid() == 0:
        os.mknod("device", 0o020666, os.makedev(1, 5))
        expected["device"] = "it is a device"
    assert reasons(workspace) == expected


@pytest.mark.parametrize("name", ["-rf", "a:b", "con", "x y", ".hidden", "new\nline", "é", "a\\b", "tail.", "x" * 200])
def test_odd_names(workspace: Workspace, name: str) -> None:
    (workspace.outputs / name).write_text("x")
    assert workspace.collect(MANY).files == ()
    (reason,) = reasons(workspace).values()
    assert "name" in reason


def test_a_name_in_no_encoding(workspace: Workspace) -> None:
    with open(os.fsencode(workspace.outputs) + b"/\xff\xfe", "wb"):  # noqa: PTH123
        pass
    ((name, _),) = reasons(workspace).items()
    assert name.isascii()


def test_names_that_differ_only_in_case(workspace: Workspace) -> None:
    for name in ("Model", "model"):
        (workspace.outputs / name).write_text("x")
    found = workspace.collect(MANY)
    assert len(found.files) == len(found.refused) == 1


def test_the_room_is_kept(workspace: Workspace) -> None:
    for name in "abc":
        (workspace.outputs / name).write_bytes(bytes(60))
    found = workspace.collect(130)
    assert sum(file.artifact.size_bytes for file in found.files) == 120
    assert "larger than" in found.refused[0].reason


def test_a_file_with_holes_counts_in_full(workspace: Workspace) -> None:
    with (workspace.outputs / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    assert workspace.collect(MANY).files == ()
    assert workspace.used_bytes() < 1 << 20


def test_too_many_files(workspace: Workspace) -> None:
    for number in range(60):
        (workspace.outputs / f"f{number}").touch()
    found = collect(workspace.outputs, MANY, max_files=50)
    assert len(found.files) == 50
    assert "more than 50" in found.refused[-1].reason


def test_refusals_do_not_pile_up(workspace: Workspace) -> None:
    for number in range(MAX_REFUSALS + 30):
        (workspace.outputs / f" {number}").touch()
    found = workspace.collect(MANY)
    assert len(found.refused) == MAX_REFUSALS + 1
    assert found.refused[-1].reason == "30 more were refused"


def nest(folder: Path, depth: int) -> None:
    """Folders in folders, deeper than any path can say."""
    home = Path.cwd()
    try:
        os.chdir(folder)
        for _ in range(depth):
            os.mkdir("d" * 20)  # noqa: PTH102
            os.chdir("d" * 20)
        Path("file").write_text("x")
    finally:
        os.chdir(home)


def test_a_bottomless_nesting(workspace: Workspace) -> None:
    nest(workspace.outputs, 1100)
    assert workspace.collect(MANY).files == ()
    assert workspace.used_bytes(1 << 40) > 1 << 40
    workspace.remove()
    assert not workspace.root.exists()


def test_use_of_the_disk(workspace: Workspace) -> None:
    assert workspace.used_bytes() == 0
    (workspace.outputs / "d").mkdir()
    (workspace.outputs / "d" / "data").write_bytes(bytes(1 << 20))
    assert 1 << 20 <= workspace.used_bytes() < 1 << 21
    for number in range(100):
        (workspace.outputs / f"empty{number}").touch()
    assert workspace.used_bytes() >= (1 << 20) + 100 * 512
    (workspace.outputs / "link").symlink_to("/")
    assert workspace.used_bytes() < 1 << 21
    assert used_bytes(workspace.root / "nowhere") == 0


def test_removal_whatever_the_rights(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    shut = workspace.outputs / "shut" / "in"
    shut.mkdir(parents=True)
    (shut / "file").write_text("x")
    (shut / ".gone-1").mkdir()
    (workspace.outputs / ".gone-1").write_text("in the way")
    (workspace.outputs / ".gone-2").mkdir()
    (workspace.outputs / "link").symlink_to(tmp_path)
    os.mkfifo(workspace.outputs / "pipe")
    shut.chmod(0)
    shut.parent.chmod(0)
    workspace.remove()
    workspace.remove()
    assert not workspace.root.exists()
    assert (tmp_path / "mine").read_text() == "mine"


NAMES = st.text(st.characters(blacklist_characters="/\0", blacklist_categories=("Cs",)), min_size=1, max_size=20)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(NAMES, st.binary(max_size=20)), max_size=8))
def test_any_names_at_all(tmp_path: Path, files: list[tuple[str, bytes]]) -> None:
    workspace = Workspace(tmp_path, "fuzz")
    workspace.create()
    for name, data in files:
        if name not in {".", ".."}:
            (workspace.outputs / name).write_bytes(data)
    found = workspace.collect(MANY)
    assert all(is_safe_name(file.artifact.name) for file in found.files)
    there = {entry.name for entry in workspace.outputs.iterdir()}
    assert len(found.files) + len(found.refused) == len(there)
    workspace.remove()
