"""What a report keeps of the readings."""

from __future__ import annotations

from dataclasses import fields

import pytest
from clocks import NOON

from argentum_desktop.domain.health import Samples, Stage
from argentum_desktop.domain.reading import Reading, ThrottleReason
from argentum_desktop.health.evidence import StagedReading
from argentum_desktop.health.samples import samples_of


def staged(count: int, hottest: int = -1) -> list[StagedReading]:
    return [
        StagedReading(place / 4, Stage.MEMORY, Reading("G", NOON, temperature_c=99 if place == hottest else 50))
        for place in range(count)
    ]


def test_a_quick_check_is_kept_whole() -> None:
    kept = samples_of(staged(240))
    assert kept.at_ms == tuple(place * 250 for place in range(240))


@pytest.mark.parametrize("count", [301, 302, 599, 2400])
@pytest.mark.parametrize("hottest", [0, 1, 250, 300])
def test_a_long_one_is_thinned_and_the_hottest_moment_stays(count: int, hottest: int) -> None:
    kept = samples_of(staged(count, hottest))
    assert len(kept.at_ms) <= 300
    assert (kept.at_ms[0], kept.at_ms[-1]) == (0, (count - 1) * 250)
    assert max(value for value in kept.temperature_c if value is not None) == 99
    assert list(kept.at_ms) == sorted(set(kept.at_ms))
    gaps = [later - earlier for earlier, later in zip(kept.at_ms, kept.at_ms[1:], strict=False)]
    assert max(gaps) <= count * 250 / 298 + 250


def test_all_columns_are_of_one_length_and_reasons_are_words() -> None:
    reading = Reading("G", NOON, throttle_reasons=(ThrottleReason.TEMPERATURE, ThrottleReason.POWER_BRAKE))
    kept = samples_of([StagedReading(0.1, Stage.COMPUTE, reading)])
    assert {len(getattr(kept, column.name)) for column in fields(Samples)} == {1}
    assert kept.reasons == ("temperature,power_brake",)
    assert samples_of([]) == Samples()
