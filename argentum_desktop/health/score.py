"""The score of a card that did not fail: 0 to 100. Pure.

The shares and limits are this application's own: none of the sources that the checks name has one figure for a card.
"""

from __future__ import annotations

from collections.abc import Mapping

from argentum_desktop.domain.health import CheckVerdict
from argentum_desktop.domain.reading import ThrottleReason
from argentum_desktop.health.checks.driver_errors import is_serious
from argentum_desktop.health.checks.link import link_replays
from argentum_desktop.health.evidence import Evidence
from argentum_desktop.health.figures import (
    all_readings,
    clock_percent,
    copy_percent,
    fp32_percent,
    hottest_c,
    is_geforce,
    link_percent,
    most,
    own_limit_c,
    was_slowed,
)

SPEED, HEAT, HISTORY, LINK = 40, 30, 20, 10
_SLOW_PERCENT, _SPEED_RANGE_PERCENT = 75, 20
_COOL_BY_C = 20
_MANY_PAGES, _MANY_ROWS, _EACH_XID = 63, 16, 0.25


def score_of(evidence: Evidence) -> int:
    """Of 100; rounded down, so that no grade is given that was not reached."""
    return int(100 - sum(lost_by(evidence).values()) + 1e-9)


def lost_by(evidence: Evidence) -> Mapping[str, float]:
    """What each part costs of the hundred."""
    return {
        "speed": SPEED * (1 - speed(evidence)),
        "heat": HEAT * (1 - heat(evidence)),
        "history": HISTORY * (1 - history(evidence)),
        "link": LINK * (1 - link(evidence)),
    }


def speed(evidence: Evidence) -> float:
    """From 75 to 95 % of what healthy cards reach, the mean of memory and arithmetic."""
    known = [percent for percent in (copy_percent(evidence), fp32_percent(evidence)) if percent is not None]
    shares = [_share((percent - _SLOW_PERCENT) / _SPEED_RANGE_PERCENT) for percent in known]
    # What is not known counts in full, so that nothing that was not seen speaks against a card.
    return (sum(shares) + 2 - len(shares)) / 2


def heat(evidence: Evidence) -> float:
    """How far it stayed below its own limit, whether heat slowed it, and how well it held its clock."""
    hottest, limit = hottest_c(evidence), own_limit_c(evidence.gpu)
    margin = 1.0 if hottest is None or limit is None else _share((limit - hottest) / _COOL_BY_C)
    slowed = 0.5 if was_slowed(evidence, ThrottleReason.TEMPERATURE, ThrottleReason.HARDWARE_TEMPERATURE) else 1.0
    clock = clock_percent(evidence)
    return margin * slowed * (1.0 if clock is None else _share(clock / 100))


def history(evidence: Evidence) -> float:
    """What its memory lost, and what its driver reported."""
    readings = all_readings(evidence)
    pages = (most(readings, "retired_pages_sbe") or 0) + (most(readings, "retired_pages_dbe") or 0)
    rows = 0 if is_geforce(evidence) else most(readings, "remapped_rows_uncorrectable") or 0
    numbers = [error.xid for error in evidence.past_errors]
    numbers += [number for reading in readings for number in reading.xid_events]
    serious = sum(is_serious(number) for number in numbers)
    return 1 - min(1.0, pages / _MANY_PAGES + rows / _MANY_ROWS + _EACH_XID * serious)


def link(evidence: Evidence) -> float:
    """The lanes that it has, halved where packets are lost."""
    lanes = link_percent(evidence)
    is_dirty = link_replays(evidence).verdict in {CheckVerdict.WARN, CheckVerdict.FAIL}
    return (1.0 if lanes is None else lanes / 100) * (0.5 if is_dirty else 1.0)


def _share(number: float) -> float:
    return min(1.0, max(0.0, number))
