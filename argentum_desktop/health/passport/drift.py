"""How a card performs in one check against another. Pure.

The tolerances are our own choice until enough cards were measured twice: the same card in another computer, with
another driver and in another room, should stay within them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from argentum_desktop.domain.health import HealthReport, Stage

_BANDWIDTH_PERCENT = 10
_COMPUTE_PERCENT = 15
_TEMPERATURE_C = 10
_LOAD = frozenset(stage.value for stage in Stage if stage.is_load)


@dataclass(frozen=True)
class Drift:
    """One figure, then and now.

    Attributes:
        is_beyond: worse than the tolerance allows. What became better is no drift.
        words: what that means, a sentence.
    """

    name: str
    there: int
    here: int
    unit: str
    is_beyond: bool
    words: str


def drifts(there: HealthReport, here: HealthReport) -> Iterator[Drift]:
    """Every figure that both checks have and that can be compared."""
    if _shaders(there) == _shaders(here) is not None:
        yield from _slower("bandwidth", "memory", "MB/s", _bandwidth(there), _bandwidth(here), _BANDWIDTH_PERCENT)
        yield from _slower("fp32", "arithmetic", "MFLOPS", _fp32(there), _fp32(here), _COMPUTE_PERCENT)
    if there.mode is here.mode:
        yield from _hotter(hottest_under_load_c(there), hottest_under_load_c(here))


def hottest_under_load_c(report: HealthReport) -> int | None:
    """The highest temperature while the card worked."""
    samples = report.samples
    pairs = zip(samples.phase, samples.temperature_c, strict=True)
    return max((value for phase, value in pairs if phase in _LOAD and value is not None), default=None)


def _slower(name: str, what: str, unit: str, there: int | None, here: int | None, percent: int) -> Iterator[Drift]:
    if not there or here is None:
        return
    lost = (there - here) * 100 // there
    is_beyond = lost > percent
    if is_beyond:
        words = f"Its {what} is {lost} % slower here than in the passport; up to {percent} % can be the other computer."
    else:
        words = f"Its {what} is as fast here as in the passport."
    yield Drift(name, there, here, unit, is_beyond, words)


def _hotter(there: int | None, here: int | None) -> Iterator[Drift]:
    if there is None or here is None:
        return
    is_beyond = here - there > _TEMPERATURE_C
    if is_beyond:
        words = (
            f"It got {here - there} °C hotter here than in the passport; a warmer room or a tighter case can be why, "
            "and so can dust or dried paste."
        )
    else:
        words = "It got no hotter here than a different room explains."
    yield Drift("temperature", there, here, "°C", is_beyond, words)


def _shaders(report: HealthReport) -> str | None:
    """What ran: figures of different programs cannot be compared."""
    return report.stress.engine.shaders_sha256 if report.stress and report.stress.engine else None


def _bandwidth(report: HealthReport) -> int | None:
    return report.stress.copy.device_mb_s if report.stress and report.stress.copy else None


def _fp32(report: HealthReport) -> int | None:
    return report.stress.compute.fp32_mflops if report.stress and report.stress.compute else None
