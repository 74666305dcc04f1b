"""Reports as a check writes them, with believable figures."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta

from argentum_desktop.agent.status import CheckupView
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.health import (
    Appraisal,
    CardIdentity,
    CheckMode,
    CheckResult,
    CheckVerdict,
    Comparison,
    Grade,
    HealthReport,
    Samples,
    Stage,
    Threshold,
)

# When each stage of a quick check begins, in seconds.
QUICK = (
    (Stage.COUNTERS, 0.0),
    (Stage.BASELINE, 3.0),
    (Stage.HOST_COPY, 8.0),
    (Stage.MEMORY, 11.0),
    (Stage.BANDWIDTH, 31.0),
    (Stage.COMPUTE, 35.0),
    (Stage.COOL_DOWN, 52.0),
    (Stage.JUDGING, 58.0),
)
QUICK_S = 60


def stage_at(seconds: float) -> Stage:
    return [stage for stage, begins in QUICK if begins <= seconds][-1]


def warmth(seconds: float, idle_c: float = 36.0, step_c: float = 38.0) -> int:
    """Degrees of a card that is put to work after eight seconds and let go after fifty-two."""
    if seconds < 8:
        return round(idle_c)
    top = idle_c + step_c * (1 - math.exp(-(min(seconds, 52) - 8) / 14))
    return round(top if seconds <= 52 else idle_c + (top - idle_c) * math.exp(-(seconds - 52) / 12))


def curve(until_s: float, idle_c: float = 36.0, step_c: float = 38.0) -> tuple[tuple[float, int], ...]:
    return tuple((n / 4, warmth(n / 4, idle_c, step_c)) for n in range(int(until_s * 4) + 1))


def view(gpu: Gpu, started_at: datetime, at_s: float, mode: CheckMode = CheckMode.QUICK) -> CheckupView:
    """A quick check so many seconds after it began."""
    return CheckupView(
        gpu.gpu_id,
        mode,
        stage_at(at_s),
        "Writing and reading patterns: 27 done over 21.1 of 24.0 GB, no errors",
        round(at_s * 100 / QUICK_S),
        max(0, round(QUICK_S - at_s)),
        started_at,
        curve(at_s),
        gpu.temperature_slowdown_c,
    )


def check(
    check_id: str,
    title: str,
    words: str,
    value: int | str | None = None,
    unit: str = "",
    threshold: tuple[Comparison, int] | None = None,
    verdict: CheckVerdict = CheckVerdict.PASS,
    remedy: str = "",
    basis: str = "",
) -> CheckResult:
    limit = None if threshold is None else Threshold(*threshold)
    return CheckResult(check_id, title, verdict, words, value, unit, limit, basis, "load", remedy)


AT_MOST, AT_LEAST = Comparison.AT_MOST, Comparison.AT_LEAST
CHECKS = (
    check("device.answers", "Answers all along", "The card answered every question during the check."),
    check("memory.errors", "Memory errors", "131 patterns were read back without an error.", 0, "count", (AT_MOST, 0)),
    check("memory.coverage", "Memory tested", "Most of the memory was tried.", 88, "%", (AT_LEAST, 75)),
    check("compute.exact", "Arithmetic", "Every result was right to the last bit.", 0, "count", (AT_MOST, 0)),
    check(
        "bandwidth.device",
        "Memory bandwidth",
        "The memory is as fast as that of other cards of this model.",
        846_000,
        "MB/s",
        (AT_LEAST, 795_000),
    ),
    check(
        "temperature.highest",
        "Highest temperature",
        "It stayed well below the point where it slows itself down.",
        74,
        "°C",
        (AT_MOST, 88),
    ),
    check(
        "clock.steady",
        "Steadiness of the clock",
        "The clock fell by 13 % while the card worked, more than it should.",
        87,
        "%",
        (AT_LEAST, 90),
        CheckVerdict.WARN,
        "Clean the cooler and give the card more air; if that does not help, its thermal paste may be old.",
    ),
    check(
        "pcie.width",
        "PCIe lanes",
        "The card uses 8 of the 16 lanes that card and slot could.",
        8,
        "count",
        (AT_LEAST, 16),
        CheckVerdict.WARN,
        "Switch the computer off, take the card out and seat it again until it clicks.",
        "what card and slot say that they can",
    ),
    check(
        "power.limit",
        "Power limit",
        "The limit is 300 W; the card came with 350 W.",
        300,
        "W",
        verdict=CheckVerdict.INFO,
    ),
    check("fan.turns", "Fan", "The fan turned as it was told.", 1840, "rpm"),
    check(
        "ecc.uncorrected",
        "Uncorrected memory errors",
        "This card does not count them.",
        verdict=CheckVerdict.NOT_APPLICABLE,
    ),
    check(
        "temperature.memory",
        "Memory temperature",
        "The driver does not tell how warm the memory is.",
        verdict=CheckVerdict.NOT_RUN,
    ),
    check("xid.history", "Errors in the last 30 days", "The system log could not be read.", verdict=CheckVerdict.ERROR),
)


def report(gpu: Gpu, ended_at: datetime, report_id: str = "report-1", **changes: object) -> HealthReport:
    """Grade B: a cooler that wants cleaning and a card that sits badly in its slot."""
    points = curve(QUICK_S)
    made = HealthReport(
        report_id,
        "0.1.0",
        CheckMode.QUICK,
        ended_at - timedelta(seconds=QUICK_S),
        ended_at,
        CardIdentity.of(gpu),
        CHECKS,
        Appraisal(Grade.B, 54, "Sound, but it is warm and uses half of its connection.", 78),
        samples=samples(points),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def samples(points: tuple[tuple[float, int], ...]) -> Samples:
    return Samples(
        at_ms=tuple(round(at * 1000) for at, _ in points),
        phase=tuple(stage_at(at).value for at, _ in points),
        temperature_c=tuple(value for _, value in points),
    )


def older_report(gpu: Gpu, ended_at: datetime) -> HealthReport:
    """Three months before: cleaner and better seated."""
    before = {
        "clock.steady": {
            "value": 96,
            "verdict": CheckVerdict.PASS,
            "words": "The clock stayed where it was.",
            "remedy": "",
        },
        "pcie.width": {"value": 16, "verdict": CheckVerdict.PASS, "words": "All lanes are in use.", "remedy": ""},
        "temperature.highest": {"value": 67},
        "bandwidth.device": {"value": 851_000},
        "fan.turns": {"value": 1_520},
    }
    checks = tuple(replace(one, **before.get(one.check_id, {})) for one in CHECKS)  # type: ignore[arg-type]
    return report(
        gpu,
        ended_at,
        "report-0",
        checks=checks,
        appraisal=Appraisal(Grade.A, 54, "Sound and cool.", 93),
        samples=samples(curve(QUICK_S, 33, 34)),
    )


def failed_report(gpu: Gpu, ended_at: datetime) -> HealthReport:
    bad = check(
        "memory.errors",
        "Memory errors",
        "4,096 words read back wrong, the first at 3.2 GB, always the same bit. It was repeated and was wrong again.",
        4096,
        "count",
        (AT_MOST, 0),
        CheckVerdict.FAIL,
        "Take off any overclock and check again. If errors are seen once more, the memory is broken.",
    )
    checks = tuple(bad if one.check_id == bad.check_id else one for one in CHECKS)
    return report(
        gpu,
        ended_at,
        "report-f",
        checks=checks,
        appraisal=Appraisal(Grade.F, 54, "Its memory gave back other values than were written into it."),
    )


def ungraded_report(gpu: Gpu, ended_at: datetime) -> HealthReport:
    few = check(
        "memory.coverage",
        "Memory tested",
        "Only 41 % of the memory was free to be tested.",
        41,
        "%",
        (AT_LEAST, 75),
        CheckVerdict.NOT_RUN,
        "Close programs that use the card, such as games and browsers, and check again.",
    )
    checks = tuple(few if one.check_id == few.check_id else one for one in CHECKS)
    return report(
        gpu,
        ended_at,
        "report-u",
        checks=checks,
        appraisal=Appraisal(
            Grade.UNGRADED, 22, "Not graded, because too little of its memory could be tested: other programs used it."
        ),
    )
