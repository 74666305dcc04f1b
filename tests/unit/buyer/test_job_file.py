from __future__ import annotations

from pathlib import Path

import pytest

from argentum_desktop.buyer.job_file import read_job
from argentum_desktop.buyer.oci_archive import describe, pack
from argentum_desktop.buyer.sample import BUSYBOX, write_sample
from argentum_desktop.domain.job import Limits
from argentum_desktop.domain.money import Money
from argentum_desktop.errors import BadInputError

GOOD = """
title = "a job"
image = "image.tar"
command = ["/bin/tool", "x"]
inputs = ["data.bin"]
output = "results"
max_price_per_hour = "0.40"
env = { MODE = "fast" }

[limits]
memory_mib = 64
wall_s = 60
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tool").write_bytes(b"#!/bin/sh\n")
    (tmp_path / "data.bin").write_bytes(b"data")
    pack({"/bin/tool": tmp_path / "tool"}, ["/bin/tool"], tmp_path / "image.tar")
    return tmp_path


def job(folder: Path, text: str) -> Path:
    path = folder / "job.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_job_file_becomes_a_job(folder: Path) -> None:
    draft = read_job(job(folder, GOOD))
    spec = draft.spec("EUR")
    assert spec.image_digest == describe(folder / "image.tar").digest
    assert (spec.command, spec.env, spec.max_price_per_hour) == (
        ("/bin/tool", "x"),
        {"MODE": "fast"},
        Money(400_000, "EUR"),
    )
    assert spec.limits == Limits(memory_mib=64, wall_s=60)
    assert [file.name for file in spec.inputs] == ["data.bin"]
    assert draft.files[spec.inputs[0].sha256] == folder / "data.bin"
    assert draft.output == folder / "results"
    assert draft.spec("USD").max_price_per_hour.currency == "USD"


def test_inputs_may_be_named_and_the_images_own_command_taken(folder: Path) -> None:
    text = GOOD.replace('inputs = ["data.bin"]', 'inputs = { "a/b.bin" = "data.bin" }').replace(
        'command = ["/bin/tool", "x"]', ""
    )
    spec = read_job(job(folder, text)).spec("EUR")
    assert [file.name for file in spec.inputs] == ["a/b.bin"]
    assert spec.command == ("/bin/tool",)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('title = "a job"', "", "title must be"),
        ('title = "a job"', "title = 1", "title must be"),
        ('title = "a job"', 'title = "a\\u0007"', "title must be"),
        ('"image.tar"', '"missing.tar"', "cannot be read"),
        ('"image.tar"', '"data.bin"', "not a tar file"),
        ('["/bin/tool", "x"]', '"tool"', "command must be"),
        ('["/bin/tool", "x"]', "[]", "command must be"),
        ('["data.bin"]', '["missing.bin"]', "inputs: .* cannot be read"),
        ('["data.bin"]', '["../data.bin", "data.bin"]', "same name"),
        ('["data.bin"]', '{ "../x" = "data.bin" }', "not a plain file name"),
        ('["data.bin"]', "7", "inputs must be"),
        ('"0.40"', "0.40", "max_price_per_hour must be"),
        ('"0.40"', '"cheap"', "max_price_per_hour must be"),
        ('"0.40"', '"-1"', "max_price_per_hour must be"),
        ('"0.40"', '"NaN"', "max_price_per_hour must be"),
        ('"fast"', "1", "env must be"),
        ("MODE", "LD_PRELOAD", "LD_PRELOAD"),
        ("memory_mib = 64", "memory = 64", "limits has no field 'memory'"),
        ("memory_mib = 64", 'memory_mib = "64"', "limits.memory_mib must be"),
        ("memory_mib = 64", "memory_mib = 1", "limits.memory_mib must be at least"),
        ("wall_s = 60", "wall_s = true", "limits.wall_s must be"),
        ("[limits]", "[limit]", "no field 'limit'"),
        ("[limits]", "[limits", "not TOML"),
    ],
)
def test_every_wrong_field_is_named(folder: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    with pytest.raises(BadInputError, match=words):
        read_job(job(folder, GOOD.replace(old, new)))


def test_a_currency_that_the_market_does_not_have(folder: Path) -> None:
    draft = read_job(job(folder, 'currency = "USD"\n' + GOOD))
    with pytest.raises(BadInputError, match="currency is USD"):
        draft.spec("EUR")


def test_files_that_are_no_job(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be read"):
        read_job(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInputError, match="not TOML"):
        read_job(tmp_path / "binary.toml")


def test_the_sample_is_a_job_file_like_any_other(tmp_path: Path) -> None:
    spec = read_job(write_sample(tmp_path / "sample", scale=0.1)).spec("EUR")
    assert spec.title.startswith("Mandelbrot set")
    assert [file.name for file in spec.inputs] == ["mandelbrot.awk"]
    assert "width=144" in spec.command


def test_the_sample_needs_a_static_busybox(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="busybox-static"):
        write_sample(tmp_path, busybox=tmp_path / "missing")
    with pytest.raises(BadInputError, match=r"needs libraries.*busybox-static"):
        write_sample(tmp_path, busybox=Path("/bin/ls"))
    with pytest.raises(BadInputError, match="scale"):
        write_sample(tmp_path, scale=0)
    assert BUSYBOX.exists()
