"""From what a driver said to a `Reading`: every value is there or has its reason. All sources end here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from argentum_desktop.domain.reading import METRIC_BY_NAME, VALUES, Absence, Reading


def make_reading(
    gpu_id: str, now: datetime, values: Mapping[str, Any], absent: Mapping[str, Absence] | None = None
) -> Reading:
    """A complete reading: nonsense is an error, and what the source did not mention the card does not support.

    Args:
        values: by the names of `VALUES`; whole numbers for the metrics, tuples for the others.
        absent: why others are not there.
    """
    known = dict(values)
    missing = {name: Absence.NOT_SUPPORTED for name in VALUES if name not in known}
    for name, value in values.items():
        metric = METRIC_BY_NAME.get(name)
        if metric is not None and not metric.is_plausible(value):
            del known[name]
            missing[name] = Absence.ERROR
    missing.update(absent or {})
    return Reading(gpu_id, now, **known, absent=missing)
