"""No portion of work may be long enough for a driver to lose patience, and the load begins softly."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from argentum_desktop.domain.stress import MemoryTest, StressPhase
from argentum_desktop.health.stress.pacing import LONGEST_S, Pace, Ramp
from argentum_desktop.health.stress.teller import Teller
from argentum_desktop.health.stress.wire import Line, Measured, Progress


@given(st.floats(1e-9, 1e-3), st.floats(0.0, 0.01))
def test_portions_grow_to_what_fits_and_never_beyond(seconds_a_unit: float, start_s: float) -> None:
    pace = Pace(4, 1 << 40)
    longest = 0.0
    for _ in range(60):
        took_s = start_s + pace.units * seconds_a_unit
        longest = max(longest, took_s)
        pace.took(pace.units, took_s)
    assert longest <= LONGEST_S
    assert start_s + pace.units * seconds_a_unit >= 0.02


def test_a_card_that_becomes_slow_gets_less() -> None:
    pace = Pace(1000, 1 << 20)
    pace.took(1000, 2.0)
    assert pace.units == 25
    for _ in range(30):
        pace.took(pace.units, 10.0)
    assert pace.units == 1


def test_the_rest_of_a_sweep_says_nothing_about_a_portion() -> None:
    pace = Pace(1000, 1 << 20)
    pace.took(3, 0.001)
    assert pace.units == 1000


def test_the_ramp_begins_with_a_quarter_and_ends_with_all() -> None:
    ramp = Ramp(100.0, 4.0)
    assert ramp.rest_s(100.0, 0.05) == 0.05 * 3
    assert 0 < ramp.rest_s(103.0, 0.05) < 0.05
    assert ramp.rest_s(104.0, 0.05) == 0.0
    assert ramp.is_over(104.0)
    assert ramp.rest_s(100.0, 5.0) <= 3 * LONGEST_S
    assert Ramp(0.0, 0.0).rest_s(0.0, 1.0) == 0.0


class _Scene:
    """Seconds that pass when somebody rests."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.said: list[Line] = []

    def teller(self) -> Teller:
        return Teller(self.said.append, lambda: self.now_s, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.now_s += seconds


def test_it_is_told_twice_a_second_and_at_every_new_phase() -> None:
    scene = _Scene()
    teller = scene.teller()
    for _ in range(100):
        teller.progress(StressPhase.MEMORY, 250, "", _found)
        scene.now_s += 0.02
    assert 4 <= sum(isinstance(line, Progress) for line in scene.said) <= 6
    assert sum(isinstance(line, Measured) for line in scene.said) == sum(
        isinstance(line, Progress) for line in scene.said
    )
    assert all(line.done_percent == 100 for line in scene.said if isinstance(line, Progress))
    scene.said.clear()
    teller.progress(StressPhase.COMPUTE, 0, "")
    assert scene.said == [Progress(StressPhase.COMPUTE, 0, "")]


def test_a_long_rest_is_not_silent() -> None:
    scene = _Scene()
    heard: list[float] = []
    noted: Callable[[], None] = lambda: heard.append(scene.now_s)  # noqa: E731
    scene.teller().rest(15.0, noted)
    assert scene.now_s == 15.0
    assert max(after - before for before, after in pairwise(heard)) < 1.0


def _found() -> Measured:
    return Measured(memory=MemoryTest(0, 0, 0, 0, 0, 0, 0))
