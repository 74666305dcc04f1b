"""A day of work from jobs, hours and counters: nothing counted twice, nothing lost at midnight."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argentum_desktop.domain.summary import Span, Summary
from argentum_desktop.health.passport.days import JobTime, day_of_work, growth

DAY = date(2026, 3, 1)
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)


def at(hours: float) -> datetime:
    return MIDNIGHT + timedelta(hours=hours)


def hour(temperature_c: int | None = None, high: int = 0, **counters: tuple[int, int]) -> Span:
    metrics = {name: Summary(10, low, low * 10, top) for name, (low, top) in counters.items()}
    if temperature_c is not None:
        metrics["temperature_c"] = Summary(10, temperature_c, temperature_c * 10, high or temperature_c)
    return Span(10, metrics)


def test_a_day_of_which_nothing_is_known_is_none() -> None:
    assert day_of_work(DAY, [], {}) is None
    assert day_of_work(DAY, [JobTime(at(24), at(25), 5), JobTime(at(-2), at(0), 5)], {}) is None


def test_a_quiet_day_is_still_a_day() -> None:
    found = day_of_work(DAY, [], {3: hour(40)})
    assert found is not None
    assert (found.day, found.jobs, found.job_s, found.energy_mj, found.hottest_hour) == ("2026-03-01", 0, 0, 0, 3)


def test_the_hottest_hour_is_the_one_with_the_highest_mean() -> None:
    found = day_of_work(DAY, [], {0: hour(50, 99), 14: hour(74), 15: hour(74, 80), 20: hour()})
    assert found is not None
    assert (found.hottest_hour, found.hottest_hour_mean_c, found.hottest_c) == (14, 74, 99)


def test_a_mean_is_rounded_to_the_nearest_degree() -> None:
    span = Span(3, {"temperature_c": Summary(3, 70, 212, 72)})
    cold = Span(3, {"temperature_c": Summary(3, -2, -5, -1)})
    for given_span, mean_c in ((span, 71), (cold, -2)):
        found = day_of_work(DAY, [], {7: given_span})
        assert found is not None
        assert found.hottest_hour_mean_c == mean_c


def test_errors_are_counted_by_number() -> None:
    found = day_of_work(DAY, [], {}, xids=[43, 13, 43])
    assert found is not None
    assert found.xids == ((13, 1), (43, 2))
    assert (found.hottest_hour, found.hottest_c, found.ecc_corrected) == (None, None, None)


def test_jobs_that_overlap_do_not_make_a_day_longer() -> None:
    jobs = [JobTime(at(1), at(3), 10), JobTime(at(2), at(4), 10), JobTime(at(2.5), at(2.75), 1)]
    found = day_of_work(DAY, jobs, {})
    assert found is not None
    assert (found.jobs, found.job_s, found.energy_mj) == (3, 3 * 3600, 21)


def test_a_job_over_midnight_is_shared_out() -> None:
    job = JobTime(at(23), at(27), 1001)
    first, second = day_of_work(DAY, [job], {}), day_of_work(DAY + timedelta(days=1), [job], {})
    assert first is not None
    assert second is not None
    assert (first.jobs, second.jobs) == (1, 0)
    assert (first.job_s, second.job_s) == (3600, 3 * 3600)
    assert (first.energy_mj, second.energy_mj) == (250, 751)


@given(st.lists(st.tuples(st.integers(0, 4 * 86_400), st.integers(0, 3 * 86_400), st.integers(0, 10**12)), max_size=5))
def test_no_energy_is_lost_or_counted_twice(jobs: list[tuple[int, int, int]]) -> None:
    begin = MIDNIGHT - timedelta(days=1)
    times = [
        JobTime(begin + timedelta(seconds=start), begin + timedelta(seconds=start + 1 + length), energy)
        for start, length, energy in jobs
    ]
    days = [day_of_work(DAY + timedelta(days=number), times, {}) for number in range(-1, 9)]
    found = [day for day in days if day is not None]
    assert sum(day.energy_mj for day in found) == sum(energy for *_, energy in jobs)
    assert sum(day.jobs for day in found) == len(jobs)
    assert all(0 <= day.job_s <= 86_400 for day in found)


@pytest.mark.parametrize(
    ("spans", "before", "expected"),
    [
        ([], None, None),
        ([hour(50)], None, None),
        ([hour(replays=(5, 7))], None, 2),
        ([hour(replays=(5, 7)), hour(replays=(8, 8))], None, 3),
        ([hour(replays=(5, 7))], hour(replays=(1, 4)), 3),
        ([hour(replays=(5, 5))], hour(50), 0),
        ([hour(replays=(900, 900)), hour(replays=(0, 2))], hour(replays=(900, 900)), 2),
    ],
)
def test_a_counter_grows_and_begins_anew_after_a_reset(
    spans: list[Span], before: Span | None, expected: int | None
) -> None:
    assert growth("replays", spans, before) == expected


def test_counters_stand_in_the_day() -> None:
    hours = {1: hour(ecc_corrected=(3, 4), ecc_uncorrected=(0, 0)), 2: hour(pcie_replays=(10, 15))}
    found = day_of_work(DAY, [], hours, before=hour(ecc_corrected=(1, 1)))
    assert found is not None
    assert (found.ecc_corrected, found.ecc_uncorrected, found.pcie_replays) == (3, 0, 5)
