"""Is the card what it says it is? Votes that do not depend on each other; two are needed to doubt it.

A changed firmware cannot be proven without its maker's fingerprints: its version is told (see `facts`) and not judged.
Cards are also changed honestly, as with more memory: one thing that differs is told as a difference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from argentum_desktop.domain.gpu import GpuKind, Vendor
from argentum_desktop.domain.health import CheckResult, CheckVerdict, Comparison, Stage, Threshold
from argentum_desktop.health.checks.subject import Subject
from argentum_desktop.health.evidence import Evidence
from argentum_desktop.health.figures import is_geforce, values, was_on_this_card
from argentum_desktop.health.reference import ReferenceCard, has_this_memory

VOTES_TO_DOUBT = 2
# Copies reach three quarters of the bus and more, and never more than it; the margins are wide, since this accuses.
SLOWEST_OF_BUS_PERCENT, FASTEST_OF_BUS_PERCENT = 60, 125
# A word of a quarter of the memory wrong, in half of its bits: another place answered.
ALIASED_SHARE, ALIASED_BITS = 4, 16
_WORD_BYTES = 4

CARD = Subject(
    "identity.card",
    "What it says it is",
    "table",
    "device id, name, board maker, memory, chip and memory bus against the reference table",
    "differences",
    Threshold(Comparison.AT_MOST, 0),
)

# Cards made for mining, without display connectors; sold again under other names. The PCI ID Repository, 2026.08.22.
MINING_IDS = frozenset(
    f"10de:{device}"
    for device in (
        *("15c2", "1d83", "1d84", "1dc1", "1df4", "1e09", "1f0b", "2082", "20c2", "2189", "220d", "248a"),  # CMP
        *("1b07", "1b87", "1bc7", "1c07", "1c09"),  # P102-100, P104-100, P104-101, P106-100, P106-090
    )
)
_NOT_THE_MODEL = re.compile(r"^(\d+gb|pcie|sxm\d?|hbm\d?e?|gddr\d\w?)$")
_SUFFIXES = frozenset({"ti", "super", "xt", "xtx", "gre", "ada", "d"})


@dataclass(frozen=True)
class Vote:
    """One thing that differs from the model.

    Attributes:
        topic: two votes of one topic count once.
    """

    topic: str
    words: str


def identity(evidence: Evidence) -> CheckResult:
    gpu = evidence.gpu
    if gpu.is_simulated:
        return CARD.not_applicable("It is simulated, and says so.")
    if gpu.kind is not GpuKind.DISCRETE:
        return CARD.not_applicable("Only a card of its own can be passed off as another.")
    found = votes(evidence)
    differs = "; ".join(vote.words for vote in found)
    topics = len({vote.topic for vote in found})
    if topics >= VOTES_TO_DOUBT:
        remedy = "Ask the seller, and compare the chip and the memory with what the label says."
        return CARD.says(CheckVerdict.FAIL, f"It is not what it says it is: {differs}.", topics, remedy)
    if topics:
        remedy = "There are honest reasons, as more memory fitted later; ask the seller."
        return CARD.says(CheckVerdict.WARN, f"It differs from the model: {differs}.", topics, remedy)
    if not evidence.candidates:
        return CARD.not_run("This model is not in the reference table.")
    if not _rows_by_id(evidence):
        return CARD.tells("Nothing differs from the model; only its name could be looked up.", 0)
    return CARD.passes("Nothing differs from the model.", 0)


def votes(evidence: Evidence) -> tuple[Vote, ...]:
    """Everything that differs."""
    said = (_memory(evidence), _name(evidence), _board(evidence), _chip(evidence), _bus(evidence), _aliasing(evidence))
    return tuple(vote for vote in said if vote is not None)


def _rows_by_id(evidence: Evidence) -> tuple[ReferenceCard, ...]:
    wanted = (evidence.gpu.pci_id or "").lower()
    return tuple(row for row in evidence.candidates if wanted and wanted in row.pci_ids)


def _memory(evidence: Evidence) -> Vote | None:
    """By device id alone: under one name there are honest cards with less or more."""
    rows, total = _rows_by_id(evidence), evidence.gpu.memory_total_bytes
    if not rows or total is None or any(row.memory_mib is None for row in rows):
        return None
    if any(has_this_memory(row, total) for row in rows):
        return None
    expected = " or ".join(f"{row.memory_mib // 1024}" for row in rows if row.memory_mib is not None)
    return Vote("memory", f"it has {round(total / 2**30)} GiB of memory, the model has {expected}")


def _name(evidence: Evidence) -> Vote | None:
    gpu = evidence.gpu
    if gpu.vendor is not Vendor.NVIDIA:
        return None
    if (gpu.pci_id or "").lower() in MINING_IDS:
        words = f"its device id {gpu.pci_id} is that of a card for mining, and it calls itself {gpu.name}"
        return Vote("name", words) if is_geforce(evidence) else None
    rows, model = _rows_by_id(evidence), model_words(gpu.name)
    if not rows or not model or any(model_words(row.model) == model for row in rows):
        return None
    return Vote("name", f"its device id is that of a {rows[0].model}, and it calls itself {gpu.name}")


def _board(evidence: Evidence) -> Vote | None:
    if evidence.gpu.pci_subsystem != "0000:0000" or not is_geforce(evidence):
        return None
    return Vote("board", "its firmware names no maker of the board")


def _chip(evidence: Evidence) -> Vote | None:
    said = evidence.gpu.compute_capability
    known = {row.compute_capability for row in evidence.candidates}
    if said is None or not known or "" in known or said in known:
        return None
    return Vote("chip", f"its chip is of generation {said}, the model's of {' or '.join(sorted(known))}")


def _bus(evidence: Evidence) -> Vote | None:
    """Two transfers a clock is how NVIDIA's driver counts the memory's clock, whatever the kind of memory."""
    row, copy = evidence.reference, evidence.stress.copy if evidence.stress else None
    clocks = values(evidence.during(Stage.BANDWIDTH), "clock_memory_mhz")
    if evidence.gpu.vendor is not Vendor.NVIDIA or row is None or not row.bus_bits or not clocks:
        return None
    if copy is None or copy.device_mb_s is None or not was_on_this_card(evidence):
        return None
    bus_mb_s = max(clocks) * 2 * row.bus_bits // 8
    percent = copy.device_mb_s * 100 // bus_mb_s if bus_mb_s else 100
    if SLOWEST_OF_BUS_PERCENT <= percent <= FASTEST_OF_BUS_PERCENT:
        return None
    words = f"its memory copies {copy.device_mb_s // 1000} GB/s, which does not go with a bus of {row.bus_bits} bits"
    return Vote("bus", words)


def _aliasing(evidence: Evidence) -> Vote | None:
    """A card with less memory than it says answers from the same place under two addresses."""
    test = evidence.stress.memory if evidence.stress else None
    if test is None or not was_on_this_card(evidence):
        return None
    if test.errors * ALIASED_SHARE * _WORD_BYTES < test.tested_bytes or test.bad_bits.bit_count() < ALIASED_BITS:
        return None
    return Vote("memory", "a large part of its memory answers with what was written elsewhere") if test.errors else None


def model_words(name: str) -> frozenset[str]:
    """What tells the models of one vendor apart: the number, and words as Ti or SUPER."""
    words = re.sub(r"(\d+)\s*gb\b", r"\1gb", name.lower().replace("-", " ").replace("/", " ")).split()
    model = [word for word in words if word in _SUFFIXES or any(letter.isdigit() for letter in word)]
    return frozenset(word for word in model if not _NOT_THE_MODEL.match(word))
