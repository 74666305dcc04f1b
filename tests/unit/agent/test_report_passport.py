"""What the terminal says of a passport: everything that matters, within the width, and nothing that steers it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from health_samples import a_check, a_failed_report, a_gpu
from passport_samples import (
    BUYER,
    OPENED_AT,
    SELLER,
    a_day,
    a_passport,
    a_sound_report,
    a_whole_passport,
    checked,
    extended,
    repaired,
    with_entry,
    worked,
)

from argentum_desktop.agent.report_passport import (
    match_json,
    match_text,
    passport_json,
    passport_text,
    verification_json,
    verification_text,
)
from argentum_desktop.domain.gpu import Vendor
from argentum_desktop.domain.health import CardIdentity, CheckVerdict
from argentum_desktop.domain.passport import EntryKind, Passport
from argentum_desktop.health.passport.codec import read_passport
from argentum_desktop.health.passport.match import match, matched_body
from argentum_desktop.health.passport.verify import verify_passport


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_passport_in_words() -> None:
    text = flat(passport_text(a_whole_passport()))
    for words in (
        "NVIDIA GeForce RTX 3090 [GPU-5f1a7c3e]",
        "5 entries, 2026-01-04 to 2026-01-04",
        "24.0 GiB, chip 10de:2204, board 1458:403b, VBIOS 94.02.42.40.8c",
        "A, score 92, confidence 55 %, quick check of 2026-03-01. Nothing wrong was found",
        "6 jobs in 20.0 h, 6.00 kWh, on 2 days",
        "74 °C on 2026-02-01 at 14:00 UTC",
        "Xid 13 2 times, 1 corrected memory error",
        "2026-01-04: New paste and pads.",
    ):
        assert words in text


def test_a_sound_passport_says_so_first_and_how_far_that_goes() -> None:
    lines = verification_text(verify_passport(a_whole_passport())).splitlines()
    assert lines[0].startswith("Sound: all 5 entries are whole, in one chain and rightly signed.")
    text = flat("\n".join(lines))
    assert SELLER.key_id in text
    assert "It is self-reported" in text
    assert "it cannot show That the figures are true" in text


def test_an_unsound_passport_says_so_first() -> None:
    edited = with_entry(a_whole_passport(), 3, body={"day": "2026-02-01"})
    text = verification_text(verify_passport(edited))
    assert text.startswith("NOT SOUND: do not rely on this passport. 2 problems found.")
    assert "Entry 3 was changed after it was written" in flat(text)


def test_a_failed_card_shows_what_failed() -> None:
    text = flat(passport_text(a_passport(checked(a_failed_report()))))
    assert "grade F, confidence 55 %, quick check of 2026-03-01. Its memory gave back" in text
    assert "finding Memory: 17 words of its memory came back wrong, twice." in text


def test_only_the_three_worst_findings_are_told() -> None:
    many = tuple(a_check(check_id=f"a.{n}", verdict=CheckVerdict.WARN, words=f"Number {n}.") for n in range(5))
    text = passport_text(a_passport(checked(a_sound_report(checks=many))))
    assert text.count("finding") == 3


def test_a_card_that_never_worked_nor_was_checked() -> None:
    text = flat(passport_text(a_passport()))
    assert "grade never checked" in text
    assert "work" not in text


def test_many_checks_are_counted() -> None:
    steps = [checked(a_sound_report(report_id=str(number))) for number in range(12)]
    assert "and 4 earlier checks" in passport_text(a_passport(*steps))


def test_a_simulated_card_is_called_so_everywhere() -> None:
    card = CardIdentity.of(a_gpu(vendor=Vendor.SIMULATED))
    passport = a_passport(card=card)
    for text in (passport_text(passport), verification_text(verify_passport(passport))):
        assert "(simulated)" in text
        assert "does not exist" in text
    assert "no evidence" in match_text(match(passport, a_sound_report(card=card)))


def test_a_match_in_words() -> None:
    passport = a_passport(checked())
    text = flat(match_text(match(passport, a_sound_report(report_id="here"))))
    assert text.startswith("It is the same card, by its number.")
    assert "chip same: 10de:2204" in text
    assert "serial number not known: not said there, not said here" in text
    assert "Its memory is as fast here as in the passport." in text
    other = a_sound_report(report_id="here", card=CardIdentity.of(a_gpu(gpu_id="GPU-other")))
    text = flat(match_text(match(passport, other)))
    assert text.startswith("It is another card: it differs in number.")
    assert "number DIFFERENT: GPU-5f1a7c3e there, GPU-other here" in text


def test_a_passport_that_changed_hands() -> None:
    passport = a_passport(checked())
    body = matched_body(match(passport, a_sound_report(report_id="here")))
    handed = extended(passport, (EntryKind.MATCHED, body), identity=BUYER)
    text = flat(verification_text(verify_passport(handed)))
    assert f"It changed hands 1 time; the last key is {BUYER.key_id}." in text
    assert "compared 2026-01-04: It is the same card, by its number." in text


@pytest.mark.parametrize("width", [24, 40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    verification = verify_passport(a_whole_passport())
    for text in (passport_text(a_whole_passport(), width), verification_text(verification, width)):
        words = max(len(word) for word in text.split())
        assert max(len(line) for line in text.splitlines()) <= max(width, words + 16)


def test_foreign_words_do_not_steer_the_terminal() -> None:
    nasty = "\x1b[2J\x1b]0;owned\x07\u202eSound: \r\nall is well"
    card = replace(CardIdentity.of(a_gpu()), name=nasty, vbios_version=nasty)
    report = a_sound_report(card=card, report_id=nasty, checks=(a_check(verdict=CheckVerdict.WARN, words=nasty),))
    steps = (checked(report), repaired(nasty), worked(a_day(nasty, job_s=-1)), (EntryKind.MATCHED, {"words": nasty}))
    passport = a_passport(*steps, card=card)
    for text in (
        passport_text(passport),
        verification_text(verify_passport(passport)),
        match_text(match(passport, a_sound_report())),
    ):
        assert all(character.isprintable() or character == "\n" for character in text)
        assert not any(line.startswith("all is well") for line in text.splitlines())


def test_an_empty_passport_is_told_too() -> None:
    text = verification_text(verify_passport(Passport("GPU-1", ())))
    assert text.startswith("NOT SOUND")
    assert "A card that is not described  [GPU-1]" in text


def test_json_says_the_same() -> None:
    passport = a_whole_passport()
    verification = json.loads(json.dumps(verification_json(verify_passport(passport))))
    assert verification["is_sound"] is True
    assert verification["trust"]["level"] == "self_reported"
    assert verification["keys"][0]["key_id"] == SELLER.key_id
    assert verification["appraisal"]["grade"] == "A"
    found = json.loads(json.dumps(match_json(match(passport, a_sound_report()))))
    assert found["verdict"] == "same_card"
    assert [entry["number"] for entry in json.loads(json.dumps(passport_json(passport)))["entries"]] == [1, 2, 3, 4, 5]


def test_the_json_of_a_passport_verifies_as_its_file_does() -> None:
    for opened_at in (OPENED_AT, OPENED_AT.replace(microsecond=0)):
        passport = a_passport(checked(), worked(), opened_at=opened_at)
        assert read_passport(json.dumps(passport_json(passport)).encode()) == passport
