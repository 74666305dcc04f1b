from __future__ import annotations

from pathlib import Path

import pytest

from argentum_desktop.buyer.client import place_output
from argentum_desktop.domain.job import Artifact
from argentum_desktop.errors import BadInputError


class Sender:
    """A market that delivers whatever it was given."""

    def __init__(self, content: bytes = b"result") -> None:
        self._content = content

    async def fetch(self, _job_id: str, _output: Artifact, target: Path) -> None:
        target.write_bytes(self._content)


def output(name: str, size_bytes: int = 6) -> Artifact:
    return Artifact(name, "ab" * 32, size_bytes)


async def place(folder: Path, name: str, *, content: bytes = b"result", overwrite: bool = False) -> Path:
    return await place_output(Sender(content), "job", output(name, len(content)), folder, overwrite=overwrite)  # type: ignore[arg-type]


async def test_outputs_are_put_where_they_belong(tmp_path: Path) -> None:
    target = await place(tmp_path / "out", "frames/1.png")
    assert target == tmp_path / "out" / "frames" / "1.png"
    assert target.read_bytes() == b"result"
    assert sorted(path.name for path in (tmp_path / "out").rglob("*")) == ["1.png", "frames"]


async def test_the_same_content_may_come_again_and_other_content_only_by_force(tmp_path: Path) -> None:
    await place(tmp_path, "a")
    await place(tmp_path, "a")
    for content in (b"resulT", b"longer result"):
        with pytest.raises(BadInputError, match="--force"):
            await place(tmp_path, "a", content=content)
        assert (tmp_path / "a").read_bytes() == b"result"
        assert [path.name for path in tmp_path.iterdir()] == ["a"]
    await place(tmp_path, "a", content=b"other", overwrite=True)
    assert (tmp_path / "a").read_bytes() == b"other"


@pytest.mark.parametrize("overwrite", [False, True])
async def test_links_are_never_followed(tmp_path: Path, overwrite: bool) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    folder.mkdir()
    (folder / "sub").symlink_to(outside)
    (folder / "file").symlink_to(outside / "file")
    for name in ("sub/x", "file"):
        with pytest.raises(BadInputError, match="link"):
            await place(folder, name, overwrite=overwrite)
    assert list(outside.iterdir()) == []


async def test_what_is_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").write_text("file")
    with pytest.raises(BadInputError, match="in the way"):
        await place(tmp_path, "a")
    with pytest.raises(BadInputError, match="cannot be made"):
        await place(tmp_path, "b/c")
