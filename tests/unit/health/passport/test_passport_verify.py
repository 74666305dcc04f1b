"""Verifying: what is said about a passport, and how far it can be believed."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from health_samples import (
    STARTED_AT,
    a_check,
    a_failed_report,
    a_gpu,
    a_passive_evidence,
    a_server_gpu,
    a_stress_result,
    an_engine,
    some_evidence,
    some_readings,
    with_compute,
    with_memory,
)
from passport_samples import (
    BUYER,
    MARKET,
    SELLER,
    a_day,
    a_long_passport,
    a_passport,
    a_sound_report,
    a_whole_passport,
    checked,
    extended,
    repaired,
    without,
    worked,
)

from argentum_desktop import __version__
from argentum_desktop.domain.gpu import Vendor
from argentum_desktop.domain.health import (
    Appraisal,
    CardIdentity,
    Challenge,
    CheckMode,
    CheckVerdict,
    Comparison,
    Grade,
    HealthReport,
    Threshold,
)
from argentum_desktop.domain.passport import EntryKind, Passport, Witness
from argentum_desktop.domain.reading import ThrottleReason
from argentum_desktop.domain.stress import AdapterType, CopyRates, StressEnd
from argentum_desktop.health.checks import judge
from argentum_desktop.health.evidence import Evidence
from argentum_desktop.health.grade import appraise
from argentum_desktop.health.passport.chain import next_entry
from argentum_desktop.health.passport.codec import write_passport
from argentum_desktop.health.passport.match import match, matched_body
from argentum_desktop.health.passport.trust import Readers, TrustLevel, report_sha256, witness_body
from argentum_desktop.health.passport.verify import Verification, verify_file, verify_passport
from argentum_desktop.identity.keys import Identity
from argentum_desktop.identity.sealed import seal

MARKETS = Readers(markets={MARKET.public_key: "Silver Market"})


def graded(grade: Grade, score: int | None = None, **changes: Any) -> HealthReport:
    return a_sound_report(appraisal=Appraisal(grade, 55, "A reason.", score), **changes)


def test_an_honest_passport_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "passport.json"
    path.write_bytes(write_passport(a_whole_passport()))
    found = verify_file(path)
    assert (found.is_sound, found.exit_code, found.problems, found.notes) == (True, 0, (), ())
    assert found.trust.level is TrustLevel.SELF_REPORTED
    assert "made-up driver" in found.trust.proves_not


def test_an_edited_passport_is_not(tmp_path: Path) -> None:
    path = tmp_path / "passport.json"
    path.write_bytes(write_passport(a_whole_passport()).replace(b"New paste", b"Old paste"))
    found = verify_file(path)
    assert (found.is_sound, found.exit_code) == (False, 1)
    assert found.problems == ("Entry 4 was changed after it was written: its digest does not fit.",)


def test_a_passport_that_was_cut_at_its_end_still_verifies_and_the_words_say_so() -> None:
    """No file can show what was never in it; this is why the words must."""
    found = verify_passport(without(a_whole_passport(), 5))
    assert found.is_sound
    assert "cut off its last entries" in found.trust.proves_not


LIES: dict[str, tuple[HealthReport, str]] = {
    "a failed check": (graded(Grade.A, 92, checks=(a_check(verdict=CheckVerdict.FAIL),)), "memory.errors failed"),
    "not what it says it is": (
        graded(Grade.B, 75, checks=(a_check(check_id="identity.card", verdict=CheckVerdict.FAIL),)),
        "identity.card failed",
    ),
    "no score": (graded(Grade.B), "no score"),
    "a score of nonsense": (graded(Grade.A, 1000), "no share of 100"),
    "errors in memory": (graded(Grade.A, 92, stress=with_memory(errors=3)), "3 words of its memory"),
    "wrong results": (graded(Grade.A, 92, stress=with_compute(mismatches=1)), "1 of its results"),
    "hardly tested": (graded(Grade.A, 92, stress=with_memory(tested_bytes=2**30)), "only 4 % of its memory"),
    "never tested": (graded(Grade.A, 92, stress=None), "its memory was not tested"),
    "software": (
        graded(Grade.A, 92, stress=a_stress_result(engine=an_engine(adapter_type=AdapterType.CPU))),
        "software that stands in",
    ),
    "a simulated load": (
        graded(Grade.A, 92, stress=a_stress_result(engine=an_engine(adapter_type=AdapterType.SIMULATED))),
        "simulated card",
    ),
    "beyond its threshold": (
        graded(Grade.A, 92, checks=(a_check(value=5, threshold=Threshold(Comparison.AT_MOST, 0)),)),
        "said to be passed with 5",
    ),
    "failed without a failure": (graded(Grade.F), "no check failed"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_rightly_signed_lie_is_found(name: str) -> None:
    report, words = LIES[name]
    found = verify_passport(a_passport(checked(report)))
    assert found.chain.is_whole
    assert not found.is_sound
    assert any("The report in entry 2 contradicts itself" in problem and words in problem for problem in found.problems)


@pytest.mark.parametrize(
    "report",
    [
        a_sound_report(),
        a_failed_report(),
        graded(Grade.B, 100),
        graded(Grade.D, 0),
        graded(Grade.D, 0, checks=(a_check(check_id="link.width", verdict=CheckVerdict.FAIL),)),
        graded(Grade.D, 90, stress=with_memory(errors=2, errors_again=0)),
        graded(Grade.UNGRADED, stress=None),
        graded(Grade.X),
        graded(Grade.A, 85, checks=(a_check(threshold=Threshold(Comparison.AT_LEAST, 0)), a_check(value="all"))),
    ],
)
def test_an_honest_report_contradicts_nothing(report: HealthReport) -> None:
    assert verify_passport(a_passport(checked(report))).is_sound


TOO_GOOD: dict[str, tuple[HealthReport, str]] = {
    "a low score": (graded(Grade.A, 84), "its grade is A, where its own checks and score allow B at most"),
    "a worse score": (graded(Grade.C, 54), "allow D at most"),
    "a failure that is no gate": (
        graded(Grade.C, 99, checks=(a_check(check_id="link.width", verdict=CheckVerdict.FAIL),)),
        "allow D at most",
    ),
    "errors that did not come back": (
        graded(Grade.A, 99, checks=(a_check(verdict=CheckVerdict.WARN),), stress=with_memory(errors=2, errors_again=0)),
        "allow D at most",
    ),
    "a repair that is due": (
        graded(Grade.B, 99, checks=(a_check(check_id="ecc.repair_pending", verdict=CheckVerdict.WARN),)),
        "allow C at most",
    ),
    "too much confidence": (
        a_sound_report(appraisal=Appraisal(Grade.A, 99, "A reason.", 92)),
        "its confidence is 99 %, where its own checks give 60 %",
    ),
}


@pytest.mark.parametrize("name", TOO_GOOD)
def test_a_report_that_is_better_than_its_own_checks(name: str) -> None:
    report, words = TOO_GOOD[name]
    ours = verify_passport(a_passport(checked(replace(report, app_version=__version__))))
    assert len(ours.problems) == 1
    assert words in ours.problems[0]
    others = verify_passport(a_passport(checked(replace(report, app_version="0.0.1"))))
    assert others.is_sound
    assert "of version 0.0.1, is better than it can be" in others.notes[0]
    assert words in others.notes[0]


EVIDENCE: dict[str, Evidence] = {
    "sound": some_evidence(),
    "full": some_evidence(mode=CheckMode.FULL),
    "passive": a_passive_evidence(),
    "server": some_evidence(gpu=a_server_gpu()),
    "memory errors": some_evidence(stress=with_memory(errors=9, errors_again=9)),
    "errors that did not come back": some_evidence(stress=with_memory(errors=9, errors_again=0)),
    "wrong results": some_evidence(stress=with_compute(mismatches=1)),
    "hardly tested": some_evidence(stress=with_memory(tested_bytes=2**30)),
    "software": some_evidence(stress=a_stress_result(engine=an_engine(adapter_type=AdapterType.CPU))),
    "slow": some_evidence(stress=a_stress_result(copy=CopyRates(500_000, 1_000, 1_000))),
    "hot": some_evidence(readings=some_readings(temperature_c=lambda second: 94 if second > 10 else 40)),
    "throttled": some_evidence(readings=some_readings(throttle_reasons=(ThrottleReason.HARDWARE_TEMPERATURE,))),
    "few lanes": some_evidence(readings=some_readings(pcie_width=4)),
    "dirty link": some_evidence(readings=some_readings(pcie_replays=lambda second: int(second * 100))),
    "still fan": some_evidence(readings=some_readings(fan_percent=80, fan_rpm=0)),
    "remapped rows": some_evidence(gpu=a_server_gpu(), readings=some_readings(remapped_rows_uncorrectable=2)),
    "hung": some_evidence(stress=a_stress_result(end=StressEnd.HUNG, compute=None)),
    "cancelled": some_evidence(stress=a_stress_result(end=StressEnd.CANCELLED, memory=None, compute=None, copy=None)),
    "unknown model": some_evidence(reference=None, candidates=()),
    "another chip": some_evidence(gpu=a_gpu(pci_id="10de:1b07", memory_total_bytes=5 * 2**30)),
}


@pytest.mark.parametrize("name", EVIDENCE)
def test_what_this_version_writes_itself_is_never_called_a_lie(name: str) -> None:
    evidence = EVIDENCE[name]
    results = judge(evidence)
    report = a_sound_report(
        app_version=__version__,
        mode=evidence.mode,
        card=CardIdentity.of(evidence.gpu),
        checks=results,
        appraisal=appraise(evidence, results),
        stress=evidence.stress,
    )
    found = verify_passport(a_passport(checked(report), card=report.card))
    assert found.problems == ()


@pytest.mark.parametrize(
    ("comparison", "passes", "fails"),
    [
        (Comparison.AT_MOST, 5, 6),
        (Comparison.AT_LEAST, 5, 4),
        (Comparison.BELOW, 4, 5),
        (Comparison.EQUAL, 5, 4),
    ],
)
def test_each_threshold_is_read_as_it_is_meant(comparison: Comparison, passes: int, fails: int) -> None:
    for value, is_sound in ((passes, True), (fails, False)):
        check = a_check(value=value, threshold=Threshold(comparison, 5))
        assert verify_passport(a_passport(checked(a_sound_report(checks=(check,))))).is_sound is is_sound


def test_a_report_of_another_card_has_no_place() -> None:
    other = a_sound_report(card=CardIdentity.of(a_gpu(gpu_id="GPU-other")))
    assert "another card" in verify_passport(a_passport(checked(other))).problems[0]


def test_nothing_stands_twice() -> None:
    found = verify_passport(a_passport(checked(), checked(), worked(), worked()))
    assert [problem.split(" stands")[0] for problem in found.problems] == [
        "The report 0123456789abcdef",
        "The day 2026-02-01",
    ]


@pytest.mark.parametrize(
    "change",
    [{"job_s": 86_401}, {"job_s": -1}, {"energy_mj": -5}, {"hottest_hour": 24}, {"xids": ((13, 0),)}, {"jobs": -1}],
)
def test_a_day_that_cannot_be_is_told(change: dict[str, Any]) -> None:
    assert "cannot be" in verify_passport(a_passport(worked(a_day(**change)))).problems[0]


def test_many_problems_are_counted_and_not_all_told() -> None:
    passport = a_passport(*(worked(a_day(f"day {number}", job_s=-1)) for number in range(80)))
    found = verify_passport(passport)
    assert len(found.problems) == 51
    assert found.problems[-1] == "And 30 more like these."


def test_the_check_that_counts() -> None:
    """A check without a grade takes nothing away from one with; what counters alone had said is over."""
    good, none = graded(Grade.A, 90, report_id="1"), graded(Grade.UNGRADED, report_id="2", mode=CheckMode.PASSIVE)
    bad = a_failed_report(report_id="3", mode=CheckMode.PASSIVE)
    fine = graded(Grade.UNGRADED, report_id="4", mode=CheckMode.PASSIVE)
    for reports, expected in (
        ((good, none), "1"),
        ((none, good), "1"),
        ((good, bad), "3"),
        ((bad, fine), "4"),
        ((none, fine), "4"),
    ):
        standing = verify_passport(a_passport(*(checked(report) for report in reports))).life.standing
        assert standing is not None
        assert standing.report.report_id == expected
    notes = verify_passport(a_passport(checked(good), checked(none))).notes
    assert notes == ("1 later check gave no grade, the last in entry 3.",)


def test_notes_tell_what_a_reader_should_know() -> None:
    flashed = replace(CardIdentity.of(a_gpu()), vbios_version="94.02.00.00.00")
    assert verify_passport(a_passport(repaired())).notes == ("The card was never checked.",)
    changed = verify_passport(a_passport(checked(), checked(a_sound_report(report_id="b", card=flashed)))).notes
    assert changed == ("Its VBIOS changed between entries 2 and 3: from 94.02.42.40.8c to 94.02.00.00.00.",)


def test_a_clock_that_was_set_back_is_noted() -> None:
    passport = a_passport(checked())
    past = next_entry(passport, *repaired(), passport.entries[-1].at - timedelta(days=1), SELLER)
    found = verify_passport(replace(passport, entries=(*passport.entries, past)))
    assert found.is_sound
    assert found.notes == ("Entry 3 is dated before entry 2: a clock was set back, or is wrong.",)


def test_a_simulated_card_is_always_called_so() -> None:
    card = CardIdentity.of(a_gpu(vendor=Vendor.SIMULATED))
    report = a_sound_report(card=card, stress=a_stress_result(engine=an_engine(adapter_type=AdapterType.SIMULATED)))
    for passport in (a_passport(card=card), a_passport(checked(report), card=card)):
        found = verify_passport(passport, MARKETS)
        assert found.is_sound
        assert "The card is simulated: it does not exist." in found.notes
        assert found.trust.level is TrustLevel.SELF_REPORTED
        assert "no evidence of anything" in found.trust.words
    witnessed = _witnessed(a_passport(checked(report), card=card))
    assert verify_passport(witnessed, MARKETS).trust.level is TrustLevel.SELF_REPORTED


CHALLENGE = Challenge("feedfacecafebeef", "Silver Market", STARTED_AT)


def _statement(passport: Passport, **changes: Any) -> Witness:
    body = passport.entries[1].body
    made = Witness("Silver Market", body["report_id"], report_sha256(body), STARTED_AT + timedelta(minutes=2))
    return replace(made, **changes)


def _witnessed(passport: Passport, key: Identity = MARKET, **changes: Any) -> Passport:
    sealed = seal(msgspec.to_builtins(_statement(passport, **changes)), key)
    return extended(passport, (EntryKind.WITNESSED, witness_body(sealed)))


def test_a_witnessed_report() -> None:
    passport = a_passport(checked(a_sound_report(challenge=CHALLENGE)))
    witnessed = _witnessed(passport, nonce=CHALLENGE.nonce, asked_at=STARTED_AT)
    found = verify_passport(witnessed, MARKETS)
    assert (found.is_sound, found.notes) == (True, ())
    assert found.trust.level is TrustLevel.WITNESSED
    assert "the market Silver Market saw the report of entry 2 on 2026-03-01" in found.trust.words
    assert "which card answered" in found.trust.proves_not


def test_a_witness_that_nobody_here_knows_raises_nothing() -> None:
    found = verify_passport(_witnessed(a_passport(checked())))
    assert found.is_sound
    assert found.trust.level is TrustLevel.SELF_REPORTED
    assert MARKET.key_id in found.notes[0]
    assert "does not know its key" in found.notes[0]


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({}, SELLER, "nobody is a witness of himself"),
        ({"report_sha256": "0" * 64}, MARKET, "does not stand in this passport"),
        ({"report_id": "another"}, MARKET, "does not stand in this passport"),
        ({"nonce": "0000"}, MARKET, "does not answer the question"),
        ({"schema": "argentum.gpu-witness/9"}, MARKET, "does not say what a witness says"),
    ],
)
def test_a_witness_that_does_not_count(changes: dict[str, Any], key: Identity, words: str) -> None:
    found = verify_passport(_witnessed(a_passport(checked()), key, **changes), MARKETS)
    assert words in found.problems[0]
    assert found.trust.level is TrustLevel.SELF_REPORTED


def test_a_forged_witness_does_not_count() -> None:
    passport = a_passport(checked())
    sealed = {**seal(msgspec.to_builtins(_statement(passport)), BUYER), "public_key": MARKET.public_key}
    for body in (witness_body(sealed), {"sealed": 7}, {}, witness_body(seal({"a": 1}, MARKET))):
        found = verify_passport(extended(passport, (EntryKind.WITNESSED, body)), MARKETS)
        assert "The witness's statement in entry 3 does not count" in found.problems[0]


def test_a_matched_passport() -> None:
    """Only to the one who made the comparison: for everybody else it is the word of its writer."""
    passport = a_passport(checked())
    body = matched_body(match(passport, a_sound_report(report_id="here")))
    handed = extended(passport, (EntryKind.MATCHED, body), identity=BUYER)
    mine = verify_passport(handed, Readers(own_key=BUYER.public_key))
    assert mine.trust.level is TrustLevel.MATCHED
    assert "what happened to the card before" in mine.trust.proves_not
    assert any("handed over and the card compared" in note for note in mine.notes)
    theirs = verify_passport(handed, Readers(own_key=MARKET.public_key))
    assert theirs.trust.level is TrustLevel.SELF_REPORTED


def test_a_comparison_that_found_another_card_is_no_match() -> None:
    passport = a_passport(checked())
    other = a_sound_report(report_id="here", card=CardIdentity.of(a_gpu(gpu_id="GPU-other")))
    handed = extended(passport, (EntryKind.MATCHED, matched_body(match(passport, other))), identity=BUYER)
    assert verify_passport(handed, Readers(own_key=BUYER.public_key)).trust.level is TrustLevel.SELF_REPORTED


def test_an_empty_passport_is_not_sound() -> None:
    found = verify_passport(Passport("GPU-1", ()))
    assert found.problems == ("The passport has no entries.",)


def _verified_within(path: Path) -> tuple[Verification, float]:
    begin = time.perf_counter()
    found = verify_file(path)
    return found, time.perf_counter() - begin


def test_five_years_are_verified_in_a_moment(tmp_path: Path) -> None:
    passport = a_long_passport()
    path = tmp_path / "passport.json"
    path.write_bytes(write_passport(passport))
    found, took_s = _verified_within(path)
    assert found.is_sound
    assert found.chain.entries == 1901
    assert path.stat().st_size > 2_000_000
    assert took_s < 3.0  # 0.6 s alone on one core of this kind; several tests may share it
