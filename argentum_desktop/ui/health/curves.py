"""The temperature curve of a check, out of a report or of one that is under way."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

from argentum_desktop.domain.health import HealthReport, Stage
from argentum_desktop.ui.charts.curve import Curve, StageSpan
from argentum_desktop.ui.health import texts
from argentum_desktop.ui.health.checkups import Checkup


def live_curve(checkup: Checkup, name: str) -> Curve:
    return Curve(name, 0, checkup.view.temperatures_c)


def live_length_s(checkup: Checkup) -> float:
    """From the beginning to the planned end, so that the curve grows into a picture that stands still."""
    return elapsed_s(checkup) + checkup.view.remaining_s


def elapsed_s(checkup: Checkup) -> float:
    points = checkup.view.temperatures_c
    return points[-1][0] if points else 0.0


def live_stages(checkup: Checkup) -> list[StageSpan]:
    """Each stage until the next began, the present one until now."""
    ends = [began.at_s for began in checkup.stages[1:]] + [elapsed_s(checkup)]
    return [
        StageSpan(texts.stage(began.stage), began.at_s, end, began.stage.is_load)
        for began, end in zip(checkup.stages, ends, strict=False)
    ]


def curve_of(report: HealthReport, name: str, index: int) -> Curve:
    samples = report.samples
    pairs = zip(samples.at_ms, samples.temperature_c, strict=False)
    return Curve(name, index, [(at / 1000, value) for at, value in pairs if value is not None])


def length_s(report: HealthReport) -> float:
    return report.samples.at_ms[-1] / 1000 if report.samples.at_ms else 0.0


def stages_of(report: HealthReport) -> list[StageSpan]:
    """Each stage until the next began."""
    known = {stage.value: stage for stage in Stage}
    phases = zip(report.samples.phase, report.samples.at_ms, strict=False)
    began = [(phase, next(group)[1] / 1000) for phase, group in groupby(phases, key=itemgetter(0))]
    ends = [at for _, at in began[1:]] + [length_s(report)]
    return [
        StageSpan(texts.stage(known[phase]), at, end, known[phase].is_load)
        for (phase, at), end in zip(began, ends, strict=False)
        if phase in known
    ]
