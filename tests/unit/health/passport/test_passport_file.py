"""The file that is handed on: what was written comes back, and whatever else somebody sends is one sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from health_samples import a_failed_report, a_gpu, a_report, a_server_gpu
from hypothesis import given, settings
from hypothesis import strategies as st
from passport_samples import a_day, a_passport, a_sound_report, a_whole_passport, checked, worked

from argentum_desktop.domain.health import CardIdentity, Challenge, HealthReport, Samples
from argentum_desktop.domain.passport import Passport
from argentum_desktop.errors import PassportError
from argentum_desktop.health.passport import codec
from argentum_desktop.health.passport.codec import (
    card_of,
    day_body,
    day_of,
    read_passport,
    repair_body,
    repair_words,
    report_body,
    report_of,
    write_passport,
)
from argentum_desktop.health.passport.verify import verify_file
from argentum_desktop.identity.canonical import canonical_json, read_json

PASSPORT = a_whole_passport()
CHALLENGE = Challenge("0123456789abcdef", "the market", datetime(2026, 3, 1, 11, 59, tzinfo=UTC))


def test_a_passport_comes_back_from_its_file() -> None:
    data = write_passport(PASSPORT)
    found = read_passport(data)
    assert found == PASSPORT
    assert write_passport(found) == data
    assert len(data.splitlines()) == len(PASSPORT.entries) + 2


@pytest.mark.parametrize(
    "report",
    [
        a_report(),
        a_failed_report(),
        a_report(challenge=CHALLENGE),
        a_report(stress=None, samples=Samples()),
        a_report(card=CardIdentity.of(a_server_gpu())),
        a_report(operating_system='Windows 11 "Pro" – \u2028 ünïcode'),
    ],
)
def test_a_report_comes_back_from_its_body(report: HealthReport) -> None:
    assert report_of(read_json(canonical_json(report_body(report)))) == report


def test_a_day_and_a_note_come_back() -> None:
    day = a_day(xids=((13, 2), (79, 1)), ecc_corrected=0, ecc_uncorrected=None)
    assert day_of(read_json(canonical_json(day_body(day)))) == day
    assert repair_words(repair_body("  New paste,\n new\tpads. ")) == "New paste, new pads."
    assert card_of(PASSPORT.entries[0].body) == CardIdentity.of(a_gpu())


@pytest.mark.parametrize(("words", "why"), [("", "Nothing was said"), (" \n", "Nothing was said"), ("x" * 501, "501")])
def test_a_note_has_words_and_not_too_many(words: str, why: str) -> None:
    with pytest.raises(PassportError, match=why):
        repair_body(words)


def _document(passport: Passport = PASSPORT) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(write_passport(passport))
    return document


def _edit(path: tuple[Any, ...], value: Any) -> Callable[[], bytes]:
    def edited() -> bytes:
        document = _document()
        inner: Any = document
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value
        return json.dumps(document).encode()

    return edited


def _without(*path: Any) -> Callable[[], bytes]:
    def edited() -> bytes:
        document = _document()
        inner: Any = document
        for step in path[:-1]:
            inner = inner[step]
        del inner[path[-1]]
        return json.dumps(document).encode()

    return edited


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "not JSON"),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(64), "UTF-8"),
    "a web page": (lambda: b"<!doctype html>", "not JSON"),
    "cut off": (lambda: write_passport(PASSPORT)[:-40], "not JSON"),
    "a list": (lambda: b"[]", "no passport of a card"),
    "a number": (lambda: b"7", "no passport of a card"),
    "nested": (lambda: b"[" * 1_000_000, "nested deeper"),
    "nested body": (_edit(("entries", 1, "body"), json.loads("[" * 90 + "]" * 90)), "nested deeper"),
    "another schema": (_edit(("schema",), "argentum.gpu-passport/2"), "form that is known here"),
    "no schema": (_without("schema"), "no passport of a card"),
    "added part": (_edit(("more",), 1), "missing or added"),
    "no entries": (_edit(("entries",), {}), "missing or added"),
    "no card": (_edit(("gpu_id",), 7), "missing or added"),
    "an entry that is a number": (_edit(("entries", 2), 7), "Entry 3 of this passport cannot be read"),
    "an entry with more": (_edit(("entries", 2, "more"), 1), "Entry 3 .*missing or added"),
    "an entry with less": (_without("entries", 2, "signature"), "Entry 3 .*missing or added"),
    "a number that is true": (_edit(("entries", 0, "number"), True), "Entry 1 .*no number"),
    "a number that is text": (_edit(("entries", 0, "number"), "1"), "Entry 1 .*no number"),
    "a huge number": (_edit(("entries", 0, "number"), 2**60), "2.53"),
    "a fraction": (_edit(("entries", 1, "body", "score"), 0.5), "not whole"),
    "a body that is a list": (_edit(("entries", 1, "body"), []), "Entry 2 .*no body"),
    "a strange kind": (_edit(("entries", 1, "kind"), "sold"), "Entry 2 .*kind"),
    "a kind that is a list": (_edit(("entries", 1, "kind"), []), "Entry 2 .*kind"),
    "a time that is none": (_edit(("entries", 1, "at"), "yesterday"), "Entry 2 .*time"),
    "a time that is a number": (_edit(("entries", 1, "at"), 7), "Entry 2 .*time"),
    "a time without a zone": (_edit(("entries", 1, "at"), "2026-01-04T09:30:00.123456"), "Entry 2 .*time"),
    "a time in another zone": (_edit(("entries", 0, "at"), "2026-01-04T10:30:00.123456+01:00"), "Entry 1 .*time"),
    "a time before all others": (_edit(("entries", 0, "at"), "0001-01-01T00:00:00.000000+14:00"), "Entry 1 .*time"),
    "a digest that is a number": (_edit(("entries", 1, "sha256"), 1), "Entry 2 .*no text"),
    "a key that is null": (_edit(("entries", 1, "public_key"), None), "Entry 2 .*no text"),
    "half a character": (_edit(("entries", 1, "signature"), "\ud800"), "no Unicode"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_one_sentence(name: str) -> None:
    make, words = HOSTILE[name]
    with pytest.raises(PassportError, match=words) as caught:
        read_passport(make())
    assert "\n" not in str(caught.value)
    assert len(caught.value.message) < 200


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(PassportError):
        read_passport(data)


def test_more_entries_than_a_life_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "MOST_ENTRIES", 4)
    with pytest.raises(PassportError, match="more than 4 entries"):
        read_passport(write_passport(PASSPORT))


def test_an_oversized_file_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "passport.json"
    with path.open("wb") as file:
        file.truncate(33 * 1024 * 1024)
    with pytest.raises(PassportError, match="larger than any passport"):
        verify_file(path)


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "no name"])
def test_what_is_no_file_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / ("\0" if kind == "no name" else kind)
    if kind == "folder":
        path.mkdir()
    if kind == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("this system has no named pipes")
        os.mkfifo(path)
    with pytest.raises(PassportError, match=r"cannot be read|is not a file|no name"):
        verify_file(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"checks": 7}, "not a health report"),
        ({"mode": "slow"}, "not a health report"),
        ({"started_at": "soon"}, "not a health report"),
        ({"schema": "argentum.gpu-health/9"}, "not known here"),
        ({"samples": {"at_ms": [1, 2], "phase": ["memory"]}}, "different length"),
        ({"started_at": "2026-03-01T12:00:00"}, "no zone"),
    ],
)
def test_a_broken_report_is_told(change: dict[str, Any], words: str) -> None:
    with pytest.raises(PassportError, match=words):
        report_of({**report_body(a_sound_report()), **change})


def test_a_signed_but_unreadable_body_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    step, broken = checked(), worked()
    passport = a_passport((step[0], {**step[1], "checks": "none"}), (broken[0], {"day": []}), checked())
    path = tmp_path / "passport.json"
    path.write_bytes(write_passport(passport))
    found = verify_file(path)
    assert not found.is_sound
    assert [problem.split(" cannot be read")[0] for problem in found.problems] == ["Entry 2", "Entry 3"]
    assert found.life.standing is not None


def test_what_a_newer_version_adds_to_a_report_does_no_harm() -> None:
    report = a_sound_report()
    assert report_of({**report_body(report), "weather": "fine"}) == report
