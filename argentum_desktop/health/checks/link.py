"""Is the way between card and computer as wide and as clean as it should be?"""

from __future__ import annotations

from argentum_desktop.domain.gpu import GpuKind
from argentum_desktop.domain.health import CheckResult, CheckVerdict, Comparison, Threshold
from argentum_desktop.health.checks.subject import Subject
from argentum_desktop.health.evidence import Evidence
from argentum_desktop.health.figures import all_readings, grown, most

# NVIDIA DCGM: what a bit error rate of 1e-12 gives, in hundredths of a replay for each lane and minute.
REPLAYS_PER_100_LANE_MINUTES = {1: 15, 2: 30, 3: 48, 4: 96, 5: 192}
MOST_REPLAYS = 80
MOST_LANES = 16
LEAST_COPY_MB_S = 2_850

WIDTH = Subject("link.width", "PCIe lanes", "bus", "as many as card and slot have together", "lanes")
GENERATION = Subject("link.generation", "PCIe generation", "bus", "the newest that card and slot have together")
REPLAYS = Subject("link.replays", "Repeated packets on PCIe", "bus", "NVIDIA DCGM: one bit in 1e12; 80 fail", "packets")
COPY = Subject(
    "link.copy",
    "Copy between computer and card",
    "load",
    "the least that vast.ai asks of a host",
    "MB/s",
    Threshold(Comparison.AT_LEAST, LEAST_COPY_MB_S),
)
_SEAT = "Check its seat in the slot, and that no riser cable or second card takes lanes away."
_OWN_CARD = "It sits in the processor and has no slot."


def link_width(evidence: Evidence) -> CheckResult:
    return _as_it_could(evidence, WIDTH, "pcie_width", evidence.gpu.pcie_width_max, "{0} of {1} lanes")


def link_generation(evidence: Evidence) -> CheckResult:
    """The most under load: at rest a card turns its link down, and that is no fault."""
    return _as_it_could(evidence, GENERATION, "pcie_generation", evidence.gpu.pcie_generation_max, "PCIe {0} of {1}")


def link_replays(evidence: Evidence) -> CheckResult:
    if evidence.gpu.kind is GpuKind.INTEGRATED:
        return REPLAYS.not_applicable(_OWN_CARD)
    readings = all_readings(evidence)
    count = grown(readings, "pcie_replays")
    if count is None:
        return REPLAYS.missing(readings, "pcie_replays")
    threshold = Threshold(Comparison.AT_MOST, _most_replays(evidence))
    words = f"{count} packets had to be sent again on the way between card and computer."
    if count > MOST_REPLAYS:
        return REPLAYS.says(CheckVerdict.FAIL, words, count, _SEAT, threshold)
    if count > threshold.value:
        return REPLAYS.says(CheckVerdict.WARN, words, count, _SEAT, threshold)
    return REPLAYS.passes(words, count, threshold)


def link_copy(evidence: Evidence) -> CheckResult:
    if evidence.gpu.kind is GpuKind.INTEGRATED:
        return COPY.not_applicable(_OWN_CARD)
    copy = evidence.stress.copy if evidence.stress else None
    rates = [rate for rate in (copy.host_to_card_mb_s, copy.card_to_host_mb_s) if rate is not None] if copy else []
    if not rates:
        return COPY.without_load(evidence)
    slowest = min(rates)
    words = f"Bytes travel between computer and card at {slowest / 1000:.1f} GB/s or more."
    if slowest < LEAST_COPY_MB_S:
        words = f"Bytes travel between computer and card at only {slowest / 1000:.1f} GB/s."
        return COPY.says(CheckVerdict.WARN, words, slowest, _SEAT)
    return COPY.passes(words, slowest)


def _as_it_could(evidence: Evidence, subject: Subject, name: str, highest: int | None, words: str) -> CheckResult:
    if evidence.gpu.kind is GpuKind.INTEGRATED:
        return subject.not_applicable(_OWN_CARD)
    if not evidence.under_load:
        return subject.without_load(evidence)
    seen = most(evidence.under_load, name)
    if seen is None or highest is None:
        return subject.not_run("The driver does not tell how the card is linked.")
    threshold = Threshold(Comparison.AT_LEAST, highest)
    told = words.format(seen, highest)
    if seen < highest:
        return subject.says(CheckVerdict.WARN, f"Under load it was linked with {told}.", seen, _SEAT, threshold)
    return subject.passes(f"Under load it was linked with {told}.", seen, threshold)


def _most_replays(evidence: Evidence) -> int:
    """For the time that the check took; a link that is not known is taken to be the newest, so as to blame no card."""
    newest = max(REPLAYS_PER_100_LANE_MINUTES)
    generation = most(all_readings(evidence), "pcie_generation") or newest
    rate = REPLAYS_PER_100_LANE_MINUTES.get(generation, REPLAYS_PER_100_LANE_MINUTES[newest])
    lanes = most(all_readings(evidence), "pcie_width") or max(MOST_LANES, evidence.gpu.pcie_width_max or 0)
    span_s = evidence.readings[-1].at_s - evidence.readings[0].at_s if evidence.readings else 0.0
    return min(MOST_REPLAYS, int(rate * lanes * span_s / 6000))
