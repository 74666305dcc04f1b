"""Whether the card here is the card of a passport: what names it, what it is, and how it performs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from argentum_desktop.domain.health import CardIdentity, HealthReport
from argentum_desktop.domain.passport import Passport
from argentum_desktop.errors import PassportError
from argentum_desktop.health.passport.drift import Drift, drifts
from argentum_desktop.health.passport.life import life_of

# A driver's share of the memory differs between its versions; a card with another amount differs by far more.
_MEMORY_TOLERANCE_PERCENT = 3
_PCI_ADDRESS = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", re.IGNORECASE)
_NAMES_MODEL = frozenset({"pci_id", "name"})
_NO_NUMBER = ("PCI-", "NVIDIA-", "SIM-")


class MatchVerdict(StrEnum):
    """What the comparison comes to."""

    SAME_CARD = "same_card"
    ANOTHER_CARD = "another_card"
    ALTERED = "altered"
    """The same number on a card that is otherwise not the same."""
    CANNOT_TELL = "cannot_tell"
    """The same model, with nothing that names this one."""


class Likeness(StrEnum):
    """What one trait says."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"
    """One side does not say."""


class TraitKind(StrEnum):
    """What a trait is good for."""

    NUMBER = "number"
    """It names one card."""
    MODEL = "model"
    """It names a kind of card, and does not change."""
    CHANGEABLE = "changeable"
    """An update may change it."""


@dataclass(frozen=True)
class Trait:
    """One thing that was compared.

    Attributes:
        there: as the passport says; None where it does not.
        here: as the card here says.
    """

    name: str
    title: str
    kind: TraitKind
    there: str | None
    here: str | None
    likeness: Likeness


@dataclass(frozen=True)
class Match:
    """A passport held against a check made here.

    Attributes:
        words: the verdict, a sentence.
        drifts: how the card performs here, against the passport's last check with a load.
        there_report_id: that check's; empty where there is none.
    """

    verdict: MatchVerdict
    words: str
    traits: tuple[Trait, ...]
    drifts: tuple[Drift, ...]
    report_id: str
    there_report_id: str
    other_gpu_id: str
    other_entries: int
    other_sha256: str
    other_public_key: str
    is_simulated: bool

    @property
    def is_same(self) -> bool:
        return self.verdict is MatchVerdict.SAME_CARD

    @property
    def exit_code(self) -> int:
        """For the terminal: 0 for the same card, 6 where it cannot be told, else 1."""
        return {MatchVerdict.SAME_CARD: 0, MatchVerdict.CANNOT_TELL: 6}.get(self.verdict, 1)


def match(passport: Passport, report_here: HealthReport) -> Match:
    """Compare a passport with a check that was made here and now. Verify the passport before.

    Raises:
        PassportError: the passport does not say which card it is of.
    """
    life = life_of(passport)
    there = life.reports[-1].report.card if life.reports else life.card
    if there is None or not passport.entries:
        raise PassportError("The passport does not say which card it is of, so nothing can be compared with it.")
    here, last = report_here.card, passport.entries[-1]
    traits = tuple(_traits(there, here))
    verdict, words = _verdict(traits, there, here)
    loaded = [written.report for written in life.reports if written.report.stress is not None]
    return Match(
        verdict=verdict,
        words=words,
        traits=traits,
        drifts=tuple(drifts(loaded[-1], report_here)) if loaded else (),
        report_id=report_here.report_id,
        there_report_id=loaded[-1].report_id if loaded else "",
        other_gpu_id=passport.gpu_id,
        other_entries=last.number,
        other_sha256=last.sha256,
        other_public_key=last.public_key,
        is_simulated=here.is_simulated or there.is_simulated,
    )


def matched_body(match: Match) -> dict[str, Any]:
    """A comparison as the body of a `MATCHED` entry; `other` names the end of the passport that it continues."""
    return {
        "verdict": match.verdict.value,
        "words": match.words,
        "report_id": match.report_id,
        "there_report_id": match.there_report_id,
        "other": {
            "gpu_id": match.other_gpu_id,
            "entries": match.other_entries,
            "sha256": match.other_sha256,
            "public_key": match.other_public_key,
        },
        "traits": [{"name": trait.name, "likeness": trait.likeness.value} for trait in match.traits],
        "drifts": [
            {"name": drift.name, "there": drift.there, "here": drift.here, "beyond": drift.is_beyond}
            for drift in match.drifts
        ],
    }


def _traits(there: CardIdentity, here: CardIdentity) -> Iterator[Trait]:
    yield _trait("gpu_id", "number", TraitKind.NUMBER, _own_number(there.gpu_id), _own_number(here.gpu_id))
    yield _trait("serial", "serial number", TraitKind.NUMBER, there.serial, here.serial)
    yield _trait("vendor", "vendor", TraitKind.MODEL, there.vendor, here.vendor)
    yield _trait("pci_id", "chip", TraitKind.MODEL, there.pci_id, here.pci_id)
    yield _trait("pci_subsystem", "board", TraitKind.MODEL, there.pci_subsystem, here.pci_subsystem)
    yield _memory(there.memory_bytes, here.memory_bytes)
    # Systems name a card differently; its name decides only where there is no number of the chip.
    kind = TraitKind.CHANGEABLE if there.pci_id and here.pci_id else TraitKind.MODEL
    yield _trait("name", "name", kind, there.name, here.name)
    yield _trait("vbios_version", "VBIOS", TraitKind.CHANGEABLE, there.vbios_version, here.vbios_version)


def _trait(name: str, title: str, kind: TraitKind, there: str | None, here: str | None) -> Trait:
    if not there or not here:
        return Trait(name, title, kind, there or None, here or None, Likeness.UNKNOWN)
    is_same = there.strip().lower() == here.strip().lower()
    return Trait(name, title, kind, there, here, Likeness.SAME if is_same else Likeness.DIFFERENT)


def _memory(there: int | None, here: int | None) -> Trait:
    likeness = Likeness.UNKNOWN
    if there and here:
        is_same = abs(there - here) * 100 <= max(there, here) * _MEMORY_TOLERANCE_PERCENT
        likeness = Likeness.SAME if is_same else Likeness.DIFFERENT
    return Trait("memory_bytes", "memory", TraitKind.MODEL, _mib(there), _mib(here), likeness)


def _mib(size_bytes: int | None) -> str | None:
    return f"{size_bytes // 1024**2} MiB" if size_bytes else None


def _own_number(gpu_id: str) -> str | None:
    """The id, where it is the card's own number and not the place where it sits."""
    return None if gpu_id.startswith(_NO_NUMBER) or _PCI_ADDRESS.search(gpu_id) else gpu_id


def _verdict(traits: tuple[Trait, ...], there: CardIdentity, here: CardIdentity) -> tuple[MatchVerdict, str]:
    if there.is_simulated != here.is_simulated:
        return MatchVerdict.ANOTHER_CARD, "It is another card: one of the two is simulated."
    numbers = [trait for trait in traits if trait.kind is TraitKind.NUMBER]
    same = [trait for trait in numbers if trait.likeness is Likeness.SAME]
    other = [trait for trait in numbers if trait.likeness is Likeness.DIFFERENT]
    unlike = [t for t in traits if t.kind is TraitKind.MODEL and t.likeness is Likeness.DIFFERENT]
    if same and (other or unlike):
        return MatchVerdict.ALTERED, (
            f"Take care: it has the {_titles(same)} of the passport, but differs in {_titles(other + unlike)}. Either"
            " the card was altered, or one of the two does not tell the truth."
        )
    if other or unlike:
        return MatchVerdict.ANOTHER_CARD, f"It is another card: it differs in {_titles(other + unlike)}."
    if same:
        return MatchVerdict.SAME_CARD, f"It is the same card, by its {_titles(same)}."
    if here.is_simulated:
        return MatchVerdict.CANNOT_TELL, "Both are simulated, and a simulated card cannot be told from another."
    if not any(trait.name in _NAMES_MODEL and trait.likeness is Likeness.SAME for trait in traits):
        return MatchVerdict.CANNOT_TELL, "Too little is known of one of the two to say whether they are the same card."
    return MatchVerdict.CANNOT_TELL, (
        "It is the same model, but nothing names this very card, so it cannot be told from another of its kind."
    )


def _titles(traits: list[Trait]) -> str:
    *most, last = [trait.title for trait in traits]
    return f"{', '.join(most)} and {last}" if most else last
