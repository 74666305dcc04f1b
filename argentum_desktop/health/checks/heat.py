"""Does it stay cool enough?"""

from __future__ import annotations

from argentum_desktop.domain.health import CheckResult, CheckVerdict, Comparison, Stage, Threshold
from argentum_desktop.domain.reading import THROTTLE_REASONS, Reading, ThrottleReason
from argentum_desktop.domain.stress import StressEnd
from argentum_desktop.health.checks.subject import Subject
from argentum_desktop.health.evidence import Evidence, StagedReading
from argentum_desktop.health.figures import hottest_c, most, own_limit_c, settled, values, was_slowed

NEAR_C = 5
WIDE_HOTSPOT_C = 30
STEP_S = 3.0
LEAST_STEP_MW = 20_000
MUCH_MORE_MW = 50_000

LIMIT = Subject("heat.limit", "Temperature under load", "driver", "the card's own limit, less 5 °C", "°C")
SLOWED = Subject("heat.slowed", "Slowed by heat", "driver", "NVIDIA's clock event reasons 0x8, 0x20 and 0x40")
MEMORY = Subject("heat.memory", "Temperature of the memory", "driver", "the limit that the card names, less 5 °C", "°C")
HOTSPOT = Subject(
    "heat.hotspot",
    "Hottest spot above the rest",
    "driver",
    "a wide gap hints at dried paste; no maker names a limit",
    "°C",
    Threshold(Comparison.AT_MOST, WIDE_HOTSPOT_C),
)
SENSOR = Subject("heat.sensor", "Temperature sensor", "driver", "work makes a chip warmer", "°C")
STEP = Subject("heat.step", "Fast cooling step", "driver", "told for comparison with its own later checks", "m°C/W")
_CLEAN = "Clean its fans and cooler, and let more air into the case."


def heat_limit(evidence: Evidence) -> CheckResult:
    hottest, limit = hottest_c(evidence), own_limit_c(evidence.gpu)
    if not evidence.under_load:
        return LIMIT.without_load(evidence)
    if evidence.stress is not None and evidence.stress.end is StressEnd.TOO_HOT:
        words = evidence.stress.words or "The load was taken off because the card became too hot."
        verdict = CheckVerdict.WARN if limit is None else CheckVerdict.FAIL
        return LIMIT.says(verdict, words, hottest, _CLEAN)
    if hottest is None:
        return LIMIT.not_run("The driver told no temperature.")
    if limit is None:
        return LIMIT.not_run(f"It reached {hottest} °C; the card names no limit to compare with.", hottest)
    threshold = Threshold(Comparison.BELOW, limit - NEAR_C)
    does = "switches itself off" if evidence.gpu.temperature_slowdown_c is None else "slows itself down"
    words = f"It reached {hottest} °C; at {limit} °C it {does}."
    if hottest >= limit:
        return LIMIT.says(CheckVerdict.FAIL, words, hottest, _CLEAN, threshold)
    if hottest >= limit - NEAR_C:
        return LIMIT.says(CheckVerdict.WARN, words, hottest, _CLEAN, threshold)
    return LIMIT.passes(words, hottest, threshold)


def sensor_moves(evidence: Evidence) -> CheckResult:
    """Work makes a chip warmer: a sensor that says the same all along tells nothing, and may be made up."""
    if not evidence.under_load:
        return SENSOR.without_load(evidence)
    said = values((staged.reading for staged in evidence.readings), "temperature_c")
    drawn = values((staged.reading for staged in evidence.readings), "power_mw")
    if not said or not drawn:
        return SENSOR.not_run("The driver did not tell both temperature and power.")
    span_c, span_mw = max(said) - min(said), max(drawn) - min(drawn)
    if span_c == 0 and span_mw >= MUCH_MORE_MW:
        words = f"Its temperature stood at {said[0]} °C while its power changed by {span_mw // 1000} W."
        return SENSOR.says(CheckVerdict.WARN, words, span_c, "Trust no temperature of this card; its sensor is stuck.")
    return SENSOR.passes(f"Its temperature moved by {span_c} °C.", span_c)


def slowed_by_heat(evidence: Evidence) -> CheckResult:
    if was_slowed(evidence, ThrottleReason.HARDWARE_TEMPERATURE):
        return SLOWED.says(CheckVerdict.FAIL, "The hardware slowed the card because it was too hot.", remedy=_CLEAN)
    if was_slowed(evidence, ThrottleReason.TEMPERATURE):
        return SLOWED.says(CheckVerdict.WARN, "The card slowed itself because it was warm.", remedy=_CLEAN)
    if was_slowed(evidence, ThrottleReason.HARDWARE_SLOWDOWN):
        words = "The hardware slowed the card down and did not tell whether for heat or for power."
        return SLOWED.says(CheckVerdict.WARN, words, remedy=f"{_CLEAN} Check its power cables.")
    if not evidence.under_load:
        return SLOWED.without_load(evidence)
    if all(THROTTLE_REASONS in reading.absent for reading in evidence.under_load):
        return SLOWED.not_run("The driver does not tell what slows the card.")
    return SLOWED.passes("Heat did not slow it.")


def heat_memory(evidence: Evidence) -> CheckResult:
    readings = (*evidence.under_load, *evidence.during(Stage.COOL_DOWN))
    if not evidence.under_load:
        return MEMORY.without_load(evidence)
    hottest, limit = most(readings, "temperature_memory_c"), evidence.gpu.temperature_memory_limit_c
    if hottest is None:
        return MEMORY.missing(readings, "temperature_memory_c")
    if limit is None:
        return MEMORY.tells(f"Its memory reached {hottest} °C; the card names no limit for it.", hottest)
    threshold = Threshold(Comparison.BELOW, limit - NEAR_C)
    words = f"Its memory reached {hottest} °C of the {limit} °C that it bears."
    if hottest >= limit:
        return MEMORY.says(CheckVerdict.FAIL, words, hottest, _CLEAN, threshold)
    if hottest >= limit - NEAR_C:
        return MEMORY.says(CheckVerdict.WARN, words, hottest, f"{_CLEAN} Its pads may need renewing.", threshold)
    return MEMORY.passes(words, hottest, threshold)


def hotspot(evidence: Evidence) -> CheckResult:
    if not evidence.under_load:
        return HOTSPOT.without_load(evidence)
    gaps = [gap for gap in map(_gap, evidence.under_load) if gap is not None]
    if not gaps:
        return HOTSPOT.missing(evidence.under_load, "temperature_hotspot_c")
    widest = max(gaps)
    words = f"Its hottest spot was at most {widest} °C above the rest."
    if widest > WIDE_HOTSPOT_C:
        return HOTSPOT.says(CheckVerdict.WARN, words, widest, "Its cooler may sit badly, or its paste may be dry.")
    return HOTSPOT.tells(words, widest)


def fast_step(evidence: Evidence) -> CheckResult:
    """How far it cools in the first three seconds without a load, for each watt less: the paste's share of it."""
    cooling = [staged for staged in evidence.readings if staged.stage is Stage.COOL_DOWN]
    if not evidence.under_load or not cooling:
        return STEP.without_load(evidence)
    after = next((staged for staged in cooling if staged.at_s >= cooling[0].at_s + STEP_S), None)
    loaded = [s for s in settled(evidence) if s.reading.temperature_c is not None and s.reading.power_mw is not None]
    value = _step(loaded[-1], after) if loaded and after else None
    if value is None:
        return STEP.not_run("Too little is known of its temperature and power when the load ended.")
    return STEP.tells(f"It cooled by {value} thousandths of a degree for each watt, in {STEP_S:g} seconds.", value)


def _gap(reading: Reading) -> int | None:
    if reading.temperature_hotspot_c is None or reading.temperature_c is None:
        return None
    return reading.temperature_hotspot_c - reading.temperature_c


def _step(before: StagedReading, after: StagedReading) -> int | None:
    first, then = before.reading, after.reading
    if first.temperature_c is None or then.temperature_c is None or first.power_mw is None or then.power_mw is None:
        return None
    less_mw = first.power_mw - then.power_mw
    return (first.temperature_c - then.temperature_c) * 1_000_000 // less_mw if less_mw >= LEAST_STEP_MW else None
