"""The readable passport as HTML."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from health_samples import a_check, a_report
from page_samples import (
    EVERY_VERDICT,
    OPENED_AT,
    Writing,
    a_failed_life,
    a_hostile_life,
    a_long_life,
    a_report_at,
    a_simulated_life,
)

from argentum_desktop.domain.health import Appraisal, CheckVerdict, Grade
from argentum_desktop.domain.passport import EntryKind, Passport
from argentum_desktop.health.passport.codec import repair_body
from argentum_desktop.health.passport.page import passport_html
from argentum_desktop.health.passport.page_content import passport_page
from argentum_desktop.health.passport.page_head import NOT_SOUND, SIMULATED
from argentum_desktop.health.passport.page_parts import Tone
from argentum_desktop.health.passport.verify import verify_passport

ZURICH = ZoneInfo("Europe/Zurich")
_VOID = {"meta", "col", "br"}
_SAFE = {
    *("html", "head", "meta", "title", "style", "body", "header", "section", "footer", "p", "h1", "h2", "h3", "div"),
    *("span", "strong", "code", "dl", "dt", "dd", "table", "col", "thead", "tbody", "tr", "th", "td", "figure"),
    *("figcaption", "svg", "rect", "line", "polyline", "polygon", "circle", "text"),
}


class _Reader(HTMLParser):
    """What a browser would see: elements that close in order, attributes, and the text between them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)


def read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open
    return reader


def words_of(html: str) -> str:
    return " ".join(read(html).texts)


def test_foreign_text_stays_text() -> None:
    html = passport_html(a_hostile_life(), ZURICH)
    reader = read(html)
    assert reader.seen <= _SAFE
    assert not {name for name in reader.attributes if name.startswith("on") or name in {"src", "href", "style"}}
    assert "<script>alert(1)</script>" in " ".join(reader.texts)
    assert "\u202e" not in html
    assert "\x00" not in html


def test_nothing_is_loaded_and_only_its_own_style_is_allowed() -> None:
    html = passport_html(a_long_life(60), ZURICH)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert policy
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy[1] == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    addresses = set(re.findall(r"https?://[^\"' ]+", html))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert "url(" not in html


def test_half_a_letter_does_not_stop_the_page() -> None:
    report = a_report(operating_system="Linux \ud800")
    passport_html(verify_passport(Writing().passport), ZURICH, report).encode("utf-8")


def test_every_check_stands_on_the_page_with_sign_and_word() -> None:
    html = passport_html(a_failed_life(), ZURICH)
    told = words_of(html)
    for check in EVERY_VERDICT:
        assert check.title in told
        assert check.basis in told
    for word in ("Passed", "Note", "Warning", "Failed", "Does not apply", "Not looked at", "Not readable"):
        assert f"</svg>{word}</span>" in html
    assert "at least 75\u00a0%" in told
    assert "679\u00a0GB/s" in told
    assert "280\u00a0W" in told


def test_the_worst_three_come_first() -> None:
    page = passport_page(a_failed_life(), ZURICH)
    first = page.sections[0]
    assert [block.verdict for block in first.blocks] == ["Failed", "Warning", "Not readable"]
    assert first.blocks[0].tone is Tone.FAULT


def test_what_was_not_looked_at_is_no_finding() -> None:
    quiet = a_check(verdict=CheckVerdict.NOT_RUN)
    page = passport_page(Writing().verified, ZURICH, a_report(checks=(quiet,)))
    assert page.sections[0].blocks[0].text == "Nothing could be looked at in this check."


def test_a_simulated_card_says_so_everywhere() -> None:
    page = passport_page(a_simulated_life(), ZURICH)
    assert page.head.banners[0].startswith(SIMULATED)
    assert page.head.tone is Tone.QUIET
    assert page.foot.startswith(SIMULATED)
    html = passport_html(a_simulated_life(), ZURICH)
    assert '<body class="simulated">' in html
    assert SIMULATED not in words_of(passport_html(a_long_life(40), ZURICH))


def test_a_changed_passport_is_not_shown_as_if_it_were_sound() -> None:
    passport = a_long_life(40).passport
    entries = list(passport.entries)
    entries[3] = replace(entries[3], body={**entries[3].body, "job_s": 1})
    page = passport_page(verify_passport(replace(passport, entries=tuple(entries))), ZURICH)
    assert page.head.banners[0].startswith(NOT_SOUND)
    assert page.head.tone is Tone.QUIET
    assert page.sections[0].title == "What does not hold"
    assert "Entry 4" in page.sections[0].blocks[0].title
    signed = next(section for section in page.sections if section.title.startswith("Who signed"))
    assert not any("This shows that" in getattr(block, "text", "") for block in signed.blocks)


def test_the_grade_stands_beside_its_confidence() -> None:
    told = words_of(passport_html(a_long_life(40), ZURICH))
    assert "Grade A, 91 of 100 points" in told
    assert "Confidence 55 %" in told


def test_an_ungraded_card_gets_no_letter() -> None:
    report = a_report(appraisal=Appraisal(Grade.UNGRADED, 10, "The load ended too early."))
    head = passport_page(Writing().verified, ZURICH, report).head
    assert (head.letter, head.grade) == ("—", "No grade")


def test_a_check_outside_the_passport_is_not_covered_by_it() -> None:
    writing = Writing()
    sentence = "no signature covers it"
    assert sentence in words_of(passport_html(writing.verified, ZURICH, a_report()))
    writing.check(a_report())
    assert sentence not in words_of(passport_html(writing.verified, ZURICH, a_report()))


@pytest.mark.parametrize("passport", [Passport("GPU-1", ()), Writing().passport])
def test_a_passport_without_a_check(passport: Passport) -> None:
    told = words_of(passport_html(verify_passport(passport), ZURICH))
    assert "No check yet" in told
    assert "No day of work is recorded." in told
    assert "None is recorded." in told


def test_times_are_the_readers_own() -> None:
    verified = a_long_life(1)
    assert "3 Jan 2026, 10:31\u00a0(UTC+01:00)" in passport_html(verified, ZURICH).replace("3\u00a0Jan\u00a0", "3 Jan ")
    nepal = timezone(timedelta(hours=5, minutes=45))
    assert "15:16\u00a0(UTC+05:45)" in passport_html(verified, nepal)


def test_a_time_beyond_the_calendar_is_not_told() -> None:
    writing = Writing()
    writing.check(a_report_at(datetime(1, 1, 1, tzinfo=UTC), 1))
    assert "Checked —" in words_of(passport_html(writing.verified, timezone(timedelta(hours=-5))))


def test_the_fingerprint_can_be_compared() -> None:
    verified = a_long_life(20)
    told = words_of(passport_html(verified, ZURICH))
    assert verified.passport.entries[-1].sha256 in told.replace(" ", "")
    assert verified.chain.keys[-1].key_id in told
    assert "argentum-desktop passport verify FILE" in told


def test_repairs_are_told() -> None:
    writing = Writing()
    writing.add(EntryKind.REPAIR, repair_body("Both fans replaced."), OPENED_AT)
    assert "Both fans replaced." in words_of(passport_html(writing.verified, ZURICH))


def test_months_are_summed() -> None:
    verified = a_long_life(45)
    work = next(section for section in passport_page(verified, ZURICH).sections if section.title == "Work")
    rows = work.blocks[2].rows
    assert [row[0].text for row in rows] == ["Feb\u00a02026", "Jan\u00a02026"]
    assert sum(int(row[2].text) for row in rows) == verified.life.jobs
    titles = [column.title for column in work.blocks[2].columns]
    assert "PCIe replays" in titles
    assert "ECC errors" not in titles


def test_five_years_are_shown_within_a_second() -> None:
    verified = a_long_life(1826, check_every=14)
    before = time.perf_counter()
    html = passport_html(verified, ZURICH)
    assert time.perf_counter() - before < 1
    assert len(html) < 400_000
    read(html)
