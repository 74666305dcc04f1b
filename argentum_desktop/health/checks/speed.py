"""Is it as fast as its model is?"""

from __future__ import annotations

from argentum_desktop.domain.health import CheckResult, CheckVerdict, Comparison, Threshold
from argentum_desktop.health.checks.subject import Subject
from argentum_desktop.health.evidence import Evidence
from argentum_desktop.health.figures import clock_percent, copy_percent, fp32_percent
from argentum_desktop.health.reference import DATASHEET_COPY_PERCENT

SLOW_PERCENT = 75
GOOD_PERCENT = 85
STEADY_PERCENT = 90

MEMORY = Subject(
    "speed.memory",
    "Speed of the memory",
    "load",
    "NVIDIA DCGM: at least 75 % of what healthy cards of the model reach",
    "%",
    Threshold(Comparison.AT_LEAST, GOOD_PERCENT),
)
COMPUTE = Subject(
    "speed.compute",
    "Speed of the arithmetic",
    "load",
    "NVIDIA DCGM: at least 75 % of what healthy cards of the model reach; never against a datasheet",
    "%",
    Threshold(Comparison.AT_LEAST, SLOW_PERCENT),
)
CLOCK = Subject(
    "speed.clock",
    "Steady clock",
    "driver",
    "the last five seconds of arithmetic against the first five",
    "%",
    Threshold(Comparison.AT_LEAST, STEADY_PERCENT),
)
_SLOW = "Close what else uses the card, set its power limit and clocks back to normal, and check again."


def speed_memory(evidence: Evidence) -> CheckResult:
    copy = evidence.stress.copy if evidence.stress else None
    rate = copy.device_mb_s if copy else None
    if rate is None:
        return MEMORY.without_load(evidence)
    percent = copy_percent(evidence)
    if percent is None or evidence.reference is None:
        words = f"Its memory copies {rate // 1000} GB/s; there are no figures of this model to compare with."
        return MEMORY.not_run(words)
    is_measured = evidence.reference.measured_bandwidth_mb_s is not None
    other = "what healthy ones reach" if is_measured else f"{DATASHEET_COPY_PERCENT} % of the datasheet"
    words = f"Its memory copies {rate // 1000} GB/s, {percent} % of {other}."
    if percent >= GOOD_PERCENT:
        return MEMORY.passes(words, percent)
    # A datasheet does not know what copies can reach on every kind of memory: it never fails a card.
    is_fail = is_measured and percent < SLOW_PERCENT
    return MEMORY.says(CheckVerdict.FAIL if is_fail else CheckVerdict.WARN, words, percent, _SLOW)


def speed_compute(evidence: Evidence) -> CheckResult:
    compute = evidence.stress.compute if evidence.stress else None
    rate = compute.fp32_mflops if compute else None
    if rate is None:
        return COMPUTE.without_load(evidence)
    percent = fp32_percent(evidence)
    if percent is None:
        words = (
            f"It computes {rate / 1_000_000:.1f} TFLOPS; no healthy card of this model was recorded to compare with."
        )
        return COMPUTE.not_run(words)
    words = f"It computes {rate / 1_000_000:.1f} TFLOPS, {percent} % of what healthy ones reach."
    if percent < SLOW_PERCENT:
        return COMPUTE.says(CheckVerdict.WARN, words, percent, _SLOW)
    return COMPUTE.passes(words, percent)


def speed_clock(evidence: Evidence) -> CheckResult:
    if not evidence.under_load:
        return CLOCK.without_load(evidence)
    percent = clock_percent(evidence)
    if percent is None:
        return CLOCK.not_run("Too little is known of its clock under load.")
    words = f"At the end of the load its clock was {percent} % of that at the beginning."
    if percent < STEADY_PERCENT:
        remedy = "It could not hold its speed: clean its cooler, and check its power limit."
        return CLOCK.says(CheckVerdict.WARN, words, percent, remedy)
    return CLOCK.passes(words, percent)
