"""The passport on paper."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC
from pathlib import Path

import pytest
from page_samples import OPENED_AT, a_failed_life, a_hostile_life, a_long_life, a_simulated_life
from PySide6.QtWidgets import QApplication

from argentum_desktop.health.passport.page_content import passport_page
from argentum_desktop.health.passport.verify import Verification
from argentum_desktop.ui.printing import pdf_of

needs_pdftotext = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not there")
pytestmark = pytest.mark.usefixtures("qapp")


def a_pdf(verified: Verification) -> bytes:
    return pdf_of(passport_page(verified, UTC, made_at=OPENED_AT))


def sheets(document: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", document))


def text_of(document: bytes, tmp_path: Path) -> list[str]:
    """The words of each sheet, as somebody who marks and copies them would get them."""
    path = tmp_path / "passport.pdf"
    path.write_bytes(document)
    told = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    return told.split("\f")[:-1]


def test_it_is_a_pdf_of_several_sheets(qapp: QApplication) -> None:
    document = pdf_of(passport_page(a_long_life(200), UTC))
    assert document.startswith(b"%PDF-")
    assert sheets(document) >= 4
    assert b"/FontFile2" in document


def test_the_same_page_makes_the_same_paper() -> None:
    page = passport_page(a_failed_life(), UTC, made_at=OPENED_AT)
    first, second = pdf_of(page), pdf_of(page)
    assert (len(first), sheets(first)) == (len(second), sheets(second))


@needs_pdftotext
def test_every_word_can_be_found_and_copied(tmp_path: Path) -> None:
    verified = a_failed_life()
    told = "\n".join(text_of(a_pdf(verified), tmp_path))
    for words in ("NVIDIA GeForce RTX 3090", "Grade F: something is wrong with it", "Confidence 53 %", "679 GB/s"):
        assert words in told.replace("\u00a0", " ")
    assert verified.passport.entries[-1].sha256 in told.replace(" ", "")
    assert "Temperature, °C" in told  # in the chart


@needs_pdftotext
def test_each_sheet_has_its_number_and_each_part_of_a_table_its_heads(tmp_path: Path) -> None:
    told = text_of(a_pdf(a_long_life(900, check_every=20)), tmp_path)
    for number, sheet in enumerate(told, 1):
        assert re.search(rf"\b{number} ?/ ?{len(told)}\b", sheet)
    assert sum(sheet.count("Hottest hour, mean  ") + sheet.count("Confidence  ") for sheet in told) >= 3


@needs_pdftotext
def test_a_simulated_card_says_so_on_every_sheet(tmp_path: Path) -> None:
    assert all("SIMULATED" in sheet for sheet in text_of(a_pdf(a_simulated_life()), tmp_path))


@needs_pdftotext
def test_foreign_text_is_printed_as_it_is(tmp_path: Path) -> None:
    told = "".join("\n".join(text_of(a_pdf(a_hostile_life()), tmp_path)).split())
    assert "<script>alert(1)</script>" in told


_ALONE = """
import sys
from datetime import UTC
from pathlib import Path
from argentum_desktop.domain.passport import Passport
from argentum_desktop.errors import ArgentumError
from argentum_desktop.health.passport.page_content import passport_page
from argentum_desktop.health.passport.verify import verify_passport
from argentum_desktop.ui.printing import pdf_alone
page = passport_page(verify_passport(Passport("GPU-1", ())), UTC)
try:
    Path(sys.argv[1]).write_bytes(pdf_alone(page))
except ArgentumError as error:
    sys.exit(str(error))
"""


def alone(path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, without a display."""
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        [sys.executable, "-c", _ALONE, path], capture_output=True, text=True, env=kept | environment, check=False
    )


def test_a_rig_without_a_display_can_print(tmp_path: Path) -> None:
    path = tmp_path / "passport.pdf"
    ended = alone(path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert sheets(path.read_bytes()) >= 1


@pytest.mark.skipif(sys.platform != "linux", reason="only fontconfig can be told to have no fonts")
def test_a_computer_without_fonts_says_so(tmp_path: Path) -> None:
    nothing = tmp_path / "fonts.conf"
    nothing.write_text("<?xml version='1.0'?><!DOCTYPE fontconfig SYSTEM 'fonts.dtd'><fontconfig></fontconfig>")
    ended = alone(tmp_path / "passport.pdf", FONTCONFIG_FILE=str(nothing), FONTCONFIG_PATH=str(tmp_path))
    assert ended.returncode == 1
    assert "this computer has no fonts" in ended.stderr
    assert not (tmp_path / "passport.pdf").exists()
