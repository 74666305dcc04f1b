"""A passport, its verification and its comparison with a card as text for a terminal and as JSON. Pure."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from argentum_desktop.agent.report_cards import GIB, WIDTH, printable
from argentum_desktop.domain.health import CardIdentity, CheckVerdict, HealthReport
from argentum_desktop.domain.passport import Passport
from argentum_desktop.health.passport.codec import write_passport
from argentum_desktop.health.passport.life import Life, life_of
from argentum_desktop.health.passport.match import Likeness, Match
from argentum_desktop.health.passport.trust import Trust
from argentum_desktop.health.passport.verify import Verification
from argentum_desktop.policy.words import energy

_TITLES = 14
_MOST_FINDINGS = 3
_MOST_CHECKS = 8
_TOLD_FIRST = (CheckVerdict.FAIL, CheckVerdict.WARN, CheckVerdict.ERROR)
_LIKENESS = {Likeness.SAME: "same", Likeness.DIFFERENT: "DIFFERENT", Likeness.UNKNOWN: "not known"}


def passport_text(passport: Passport, width: int = WIDTH) -> str:
    """What a passport tells of its card, without a word on whether it is true."""
    return _text(_told(passport, life_of(passport)), width)


def verification_text(verification: Verification, width: int = WIDTH) -> str:
    """What a passport tells, and how far it can be believed."""
    rows = [("", _verdict(verification)), *(("problem", words) for words in verification.problems)]
    rows += _trust(verification.trust)
    rows += [("note", words) for words in verification.notes]
    return _text([*rows, ("", ""), *_told(verification.passport, verification.life)], width)


def match_text(match: Match, width: int = WIDTH) -> str:
    """The verdict first, then what was compared."""
    rows = [("", match.words)]
    for trait in match.traits:
        there, here = trait.there or "not said", trait.here or "not said"
        both = there if trait.likeness is Likeness.SAME else f"{there} there, {here} here"
        rows.append((trait.title, f"{_LIKENESS[trait.likeness]}: {both}"))
    rows += [(drift.name, drift.words) for drift in match.drifts]
    if match.is_simulated:
        rows.append(("note", "Simulated cards are no evidence of anything."))
    return _text(rows, width)


def passport_json(passport: Passport) -> Any:
    """As the exported file has it."""
    return json.loads(write_passport(passport))


def verification_json(verification: Verification) -> Any:
    """What was found out; the passport itself is in its file."""
    standing = verification.life.standing
    return msgspec.to_builtins(
        {
            "is_sound": verification.is_sound,
            "gpu_id": verification.passport.gpu_id,
            "is_simulated": verification.life.is_simulated,
            "problems": verification.problems,
            "notes": verification.notes,
            "trust": verification.trust,
            "entries": verification.chain.entries,
            "head_sha256": verification.chain.head_sha256,
            "keys": verification.chain.keys,
            "witnesses": verification.testimonies,
            "report_id": standing.report.report_id if standing else None,
            "appraisal": standing.report.appraisal if standing else None,
        }
    )


def match_json(match: Match) -> Any:
    return msgspec.to_builtins(match)


def _verdict(verification: Verification) -> str:
    chain = verification.chain
    if verification.is_sound:
        entries = "its one entry is" if chain.entries == 1 else f"all {chain.entries} entries are"
        return f"Sound: {entries} whole, in one chain and rightly signed. {_keys(verification)}"
    count = len(verification.problems)
    return f"NOT SOUND: do not rely on this passport. {count} problem{'' if count == 1 else 's'} found."


def _keys(verification: Verification) -> str:
    keys = verification.chain.keys
    if len(keys) == 1:
        return f"One key wrote it: {keys[0].key_id}."
    return f"It changed hands {len(keys) - 1} time{'' if len(keys) == 2 else 's'}; the last key is {keys[-1].key_id}."


def _trust(trust: Trust) -> Iterator[tuple[str, str]]:
    yield "trust", trust.words
    yield "it shows", f"{_capital(trust.proves)}."
    yield "it cannot show", f"{_capital(trust.proves_not)}."


def _told(passport: Passport, life: Life) -> Iterator[tuple[str, str]]:
    yield "", f"{_label(life.card)}  [{passport.gpu_id}]"
    if life.is_simulated:
        yield "simulated", "This card does not exist; software stands in for it."
    if passport.entries:
        first, last = passport.entries[0], passport.entries[-1]
        yield "passport", f"{len(passport.entries)} entries, {first.at:%Y-%m-%d} to {last.at:%Y-%m-%d}"
    yield from _card(life.card)
    yield from _grade(life)
    yield from _work(life)
    for repair in life.repairs:
        yield "repair", f"{repair.at:%Y-%m-%d}: {repair.words}"
    for entry in life.matched:
        yield "compared", f"{entry.at:%Y-%m-%d}: {entry.body.get('words', '')}"
    yield from _checks([written.report for written in life.reports])


def _label(card: CardIdentity | None) -> str:
    if card is None:
        return "A card that is not described"
    return f"{card.name} (simulated)" if card.is_simulated else card.name


def _card(card: CardIdentity | None) -> Iterator[tuple[str, str]]:
    if card is None:
        return
    facts = [
        f"{card.memory_bytes / GIB:.1f} GiB" if card.memory_bytes else "",
        f"chip {card.pci_id}" if card.pci_id else "",
        f"board {card.pci_subsystem}" if card.pci_subsystem else "",
        f"VBIOS {card.vbios_version}" if card.vbios_version else "",
        f"serial number {card.serial}" if card.serial else "",
    ]
    known = ", ".join(fact for fact in facts if fact)
    if known:
        yield "card", known


def _grade(life: Life) -> Iterator[tuple[str, str]]:
    standing = life.standing
    if standing is None:
        yield "grade", "never checked"
        return
    yield "grade", f"{check_words(standing.report)}. {standing.report.appraisal.reason}"
    worst = [check for check in standing.report.findings if check.verdict in _TOLD_FIRST]
    for check in worst[:_MOST_FINDINGS]:
        yield "finding", f"{check.title}: {check.words}"


def check_words(report: HealthReport) -> str:
    """`B, score 78, confidence 74 %, quick check of 2026-03-01`."""
    appraisal = report.appraisal
    parts = [appraisal.grade.value, f"score {appraisal.score}" if appraisal.score is not None else ""]
    parts += [
        f"confidence {appraisal.confidence_percent} %",
        f"{report.mode.value} check of {report.ended_at:%Y-%m-%d}",
    ]
    return ", ".join(part for part in parts if part)


def _work(life: Life) -> Iterator[tuple[str, str]]:
    if not life.days:
        return
    jobs = f"{life.jobs} job{'' if life.jobs == 1 else 's'} in {life.job_s / 3600:.1f} h"
    yield "work", f"{jobs}, {energy(life.energy_mj)}, on {sum(1 for day in life.days if day.job_s)} days"
    hottest = life.hottest_hour
    if hottest is not None:
        yield "hottest hour", f"{hottest.hottest_hour_mean_c} °C on {hottest.day} at {hottest.hottest_hour}:00 UTC"
    if life.hottest_c is not None:
        yield "hottest", f"{life.hottest_c} °C"
    yield "errors", _errors(life)


def _errors(life: Life) -> str:
    counted = [f"Xid {xid} {count} time{'' if count == 1 else 's'}" for xid, count in life.xids]
    for count, words in (
        (life.ecc_uncorrected, "uncorrected memory error"),
        (life.ecc_corrected, "corrected memory error"),
        (life.pcie_replays, "PCIe replay"),
    ):
        if count:
            counted.append(f"{count} {words}{'' if count == 1 else 's'}")
    return ", ".join(counted) or "none in the days of work"


def _checks(reports: Sequence[HealthReport]) -> Iterator[tuple[str, str]]:
    """Newest first."""
    for report in list(reversed(reports))[:_MOST_CHECKS]:
        yield "check", check_words(report)
    if len(reports) > _MOST_CHECKS:
        yield "", f"and {len(reports) - _MOST_CHECKS} earlier checks"


def _text(rows: Iterable[tuple[str, str]], width: int) -> str:
    """Titles in a column of their own; a row without one begins at the margin."""
    lines: list[str] = []
    for title, words in rows:
        shown = printable([words])
        indent = " " * (_TITLES + 2) if title else ""
        first = f"{title:<{_TITLES}}  " if title else ""
        wrapped = textwrap.wrap(shown, max(24, width), initial_indent=first, subsequent_indent=indent)
        lines += wrapped or [first.rstrip()]
    return "\n".join(lines)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
