"""What a report keeps of the readings. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from argentum_desktop.domain.health import Samples
from argentum_desktop.health.evidence import StagedReading

# A quick check's four a second, whole; of a longer one as many, evenly.
MOST_SAMPLES = 300


def samples_of(readings: Sequence[StagedReading], most: int = MOST_SAMPLES) -> Samples:
    """At most `most` of them, evenly spread; the hottest, the first and the last are always among them."""
    chosen = _chosen(readings, most)
    return Samples(
        at_ms=tuple(round(staged.at_s * 1000) for staged in chosen),
        phase=tuple(staged.stage.value for staged in chosen),
        temperature_c=tuple(staged.reading.temperature_c for staged in chosen),
        power_mw=tuple(staged.reading.power_mw for staged in chosen),
        clock_sm_mhz=tuple(staged.reading.clock_sm_mhz for staged in chosen),
        fan_percent=tuple(staged.reading.fan_percent for staged in chosen),
        reasons=tuple(",".join(staged.reading.throttle_reasons) for staged in chosen),
    )


def _chosen(readings: Sequence[StagedReading], most: int) -> list[StagedReading]:
    count = len(readings)
    if count <= most:
        return list(readings)
    places = {round(number * (count - 1) / (most - 2)) for number in range(most - 1)}
    places.add(max(range(count), key=lambda place: readings[place].reading.temperature_c or -273))
    return [readings[place] for place in sorted(places)]
