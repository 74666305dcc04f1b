"""What a reader should know of a passport although nothing is wrong with it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from argentum_desktop import __version__
from argentum_desktop.domain.passport import Passport
from argentum_desktop.health.passport.chain import ChainState, KeySpan, KeyStart
from argentum_desktop.health.passport.consistency import too_good
from argentum_desktop.health.passport.life import Life, Written
from argentum_desktop.health.passport.trust import Testimony


def notes_on(passport: Passport, chain: ChainState, life: Life, told: Sequence[Testimony]) -> Iterator[str]:
    """A sentence each."""
    yield from _report_notes(life)
    yield from _key_notes(chain.keys)
    yield from _witness_notes(told)
    yield from _other_rules(life.reports)
    yield from _changes(life.reports)
    yield from _time_notes(passport)


def _key_notes(keys: tuple[KeySpan, ...]) -> Iterator[str]:
    for span in keys[1:]:
        if span.start is KeyStart.MATCHED:
            yield (
                f"From entry {span.first_number} on another key writes ({span.key_id}): the passport was handed over"
                " and the card compared with it, as that key's owner says."
            )
        else:
            yield (
                f"From entry {span.first_number} on another key writes ({span.key_id}), without a comparison of the"
                " card: nothing shows that it is still the same owner, or the same card."
            )


def _time_notes(passport: Passport) -> Iterator[str]:
    for before, entry in pairwise(passport.entries):
        if entry.at < before.at:
            yield f"Entry {entry.number} is dated before entry {before.number}: a clock was set back, or is wrong."


def _report_notes(life: Life) -> Iterator[str]:
    if life.is_simulated:
        yield "The card is simulated: it does not exist."
    standing = life.standing
    if standing is None:
        yield "The card was never checked."
        return
    later = [written for written in life.reports if written.number > standing.number]
    if later:
        checks = "check" if len(later) == 1 else "checks"
        yield f"{len(later)} later {checks} gave no grade, the last in entry {later[-1].number}."


def _other_rules(reports: tuple[Written, ...]) -> Iterator[str]:
    for written in reports:
        if written.report.app_version != __version__:
            for why in too_good(written.report):
                yield (
                    f"By the rules of version {__version__} the report in entry {written.number}, of version"
                    f" {written.report.app_version}, is better than it can be: {why}."
                )


def _changes(reports: tuple[Written, ...]) -> Iterator[str]:
    for before, after in pairwise(reports):
        old, new = before.report.card, after.report.card
        for title, was, now in (
            ("chip", old.pci_id, new.pci_id),
            ("board", old.pci_subsystem, new.pci_subsystem),
            ("VBIOS", old.vbios_version, new.vbios_version),
        ):
            if was and now and was != now:
                yield f"Its {title} changed between entries {before.number} and {after.number}: from {was} to {now}."


def _witness_notes(told: Sequence[Testimony]) -> Iterator[str]:
    for testimony in told:
        if not testimony.is_known:
            yield (
                f"A witness that calls itself {testimony.witness.market} saw the report of entry"
                f" {testimony.report_number}; this computer does not know its key ({testimony.key_id}), so compare it"
                " with the one that the market publishes."
            )
