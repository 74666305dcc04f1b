"""What several checks and the grade ask of the evidence, each figure in one place. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.health import Stage
from argentum_desktop.domain.reading import Absence, Reading, ThrottleReason
from argentum_desktop.domain.stress import AdapterType, StressEnd
from argentum_desktop.health.evidence import Evidence, StagedReading

# What the card says in the first second of a load is still about the time before it.
SETTLED_AFTER_S = 1.0
CLOCK_WINDOW_S = 5.0


def all_readings(evidence: Evidence) -> tuple[Reading, ...]:
    return tuple(staged.reading for staged in evidence.readings)


def values(readings: Iterable[Reading], name: str) -> list[int]:
    """What was said under this name, oldest first, silence left out."""
    said = (getattr(reading, name) for reading in readings)
    return [value for value in said if value is not None]


def most(readings: Iterable[Reading], name: str) -> int | None:
    return max(values(readings, name), default=None)


def has_not(readings: Sequence[Reading], name: str) -> bool:
    """Whether the card has no such thing at all, as its driver says; a silence for another reason is no answer."""
    silent = [reading for reading in readings if name in reading.absent or getattr(reading, name, None) is None]
    return bool(silent) and all(reading.absent.get(name) is Absence.NOT_SUPPORTED for reading in silent)


def grown(readings: Iterable[Reading], name: str) -> int | None:
    """How much a counter grew; a counter that was reset in between counts from zero again."""
    said = values(readings, name)
    if not said:
        return None
    return sum(after - before if after >= before else after for before, after in pairwise(said))


def is_geforce(evidence: Evidence) -> bool:
    """NVIDIA's cards for players, whose drivers answer zero for counters that the card does not have."""
    return "geforce" in evidence.gpu.name.lower()


def settled(evidence: Evidence) -> tuple[StagedReading, ...]:
    """The readings under load, without its first second."""
    loaded = [staged for staged in evidence.readings if staged.stage.is_load]
    if not loaded:
        return ()
    begins_s = loaded[0].at_s + SETTLED_AFTER_S
    return tuple(staged for staged in loaded if staged.at_s >= begins_s)


def was_slowed(evidence: Evidence, *reasons: ThrottleReason) -> bool:
    return any(reason in staged.reading.throttle_reasons for staged in settled(evidence) for reason in reasons)


def hottest_c(evidence: Evidence) -> int | None:
    """Under load and just after it."""
    return most((*evidence.under_load, *evidence.during(Stage.COOL_DOWN)), "temperature_c")


def own_limit_c(gpu: Gpu) -> int | None:
    """Where the card slows itself down; of a card that does not tell, where it switches itself off."""
    return gpu.temperature_shutdown_c if gpu.temperature_slowdown_c is None else gpu.temperature_slowdown_c


def losses(evidence: Evidence) -> int:
    """How often the driver lost the card, not for how long."""
    lost = [reading.is_lost for reading in all_readings(evidence)]
    return sum(now and not before for before, now in pairwise([False, *lost]))


def copy_percent(evidence: Evidence) -> int | None:
    """The speed of the memory, of what a healthy card of this model reaches."""
    copy = evidence.stress.copy if evidence.stress else None
    expected = evidence.reference.expected_copy_mb_s if evidence.reference else None
    if copy is None or copy.device_mb_s is None or not expected:
        return None
    return copy.device_mb_s * 100 // expected


def fp32_percent(evidence: Evidence) -> int | None:
    """The speed of the arithmetic, of what healthy cards of this model were seen to reach."""
    compute = evidence.stress.compute if evidence.stress else None
    expected = evidence.reference.measured_fp32_gflops if evidence.reference else None
    if compute is None or compute.fp32_mflops is None or not expected:
        return None
    return compute.fp32_mflops // 10 // expected


def clock_percent(evidence: Evidence) -> int | None:
    """The clock in the last five seconds of arithmetic, of that in its first five."""
    burn = [staged for staged in evidence.readings if staged.stage is Stage.COMPUTE]
    if not burn:
        return None
    begins_s, ends_s = burn[0].at_s + SETTLED_AFTER_S, burn[-1].at_s
    if ends_s - begins_s < 2 * CLOCK_WINDOW_S:
        return None
    first = [s.reading for s in burn if begins_s <= s.at_s <= begins_s + CLOCK_WINDOW_S]
    last = [s.reading for s in burn if s.at_s >= ends_s - CLOCK_WINDOW_S]
    before, after = values(first, "clock_sm_mhz"), values(last, "clock_sm_mhz")
    if not before or not after or not sum(before):
        return None
    return sum(after) * len(before) * 100 // (sum(before) * len(after))


def link_percent(evidence: Evidence) -> int | None:
    """The lanes that were seen under load, of those that card and slot have together."""
    width, widest = most(evidence.under_load, "pcie_width"), evidence.gpu.pcie_width_max
    return None if width is None or not widest else min(100, width * 100 // widest)


def is_software(evidence: Evidence) -> bool:
    """Whether a program pretended to be the card."""
    engine = evidence.stress.engine if evidence.stress else None
    return engine is not None and engine.adapter_type is AdapterType.CPU


def was_on_this_card(evidence: Evidence) -> bool:
    """Whether nothing speaks against the load having been on this very card."""
    engine = evidence.stress.engine if evidence.stress else None
    if evidence.is_confirmed is False or is_software(evidence):
        return False
    if evidence.stress is not None and evidence.stress.end is StressEnd.WRONG_CARD:
        return False
    if engine is None:
        return True
    if (engine.adapter_type is AdapterType.SIMULATED) != evidence.gpu.is_simulated:
        return False
    if engine.pci_address is not None and evidence.gpu.pci_address is not None:
        return engine.pci_address == evidence.gpu.pci_address
    return engine.adapter_type is not AdapterType.UNKNOWN or evidence.is_confirmed is True


def has_telemetry(evidence: Evidence) -> bool:
    """Whether the driver said anything about the card while it worked."""
    names = ("temperature_c", "power_mw", "clock_sm_mhz", "utilization_percent")
    return any(values(evidence.under_load, name) for name in names)
