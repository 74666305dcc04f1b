"""What would turn a no into a yes: applied, it does; a little less does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from samples import NOON, eur, job, offer, reading
from surroundings import HOST, circumstances

from argentum_desktop.domain.activity import Activity
from argentum_desktop.domain.availability import OwnersWindow
from argentum_desktop.domain.decision import Change, ChangeKind, Flip
from argentum_desktop.domain.job import MIB
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.offer import Offer
from argentum_desktop.domain.tariff import TariffLine
from argentum_desktop.domain.window import WeeklyWindow
from argentum_desktop.policy.changed import changed, later, with_setting
from argentum_desktop.policy.circumstances import Circumstances, Pause
from argentum_desktop.policy.evaluate import decide
from argentum_desktop.policy.flip import TIMED_RULES, flipped
from argentum_desktop.policy.gates import GATES
from argentum_desktop.policy.moments import moments
from argentum_desktop.settings.schema import Availability, Jobs, Presence, Prices, Settings

MICROSECOND = timedelta(microseconds=1)
AWAY = Activity(600.0, "", False, False, False, (), 1.0, 1.0)
NIGHTS = (OwnersWindow.parse("daily 22:00-07:00"),)
CHEAP_NIGHTS = (TariffLine.parse("daily 22:00-06:00 0.10"),)


def flip_of(asked: Offer | None, at: Circumstances) -> Flip:
    found = flipped(asked, at).flip
    assert found is not None
    return found


def single_of(asked: Offer | None, at: Circumstances) -> Change:
    single = flip_of(asked, at).single
    assert single is not None
    return single


def test_a_yes_needs_no_change() -> None:
    assert flipped(offer(), circumstances()).flip is None


@pytest.mark.parametrize(
    ("asked", "changes", "kind", "words"),
    [
        (None, {"settings": Settings(availability=Availability(windows=NIGHTS))}, ChangeKind.TIME, "Runs from 22:00."),
        (None, {"pause": Pause(NOON + timedelta(hours=2))}, ChangeKind.TIME, "Runs from 15:00."),
        (None, {"pause": Pause(None)}, ChangeKind.ACT, "Resume"),
        (
            offer(price_per_hour=eur("0.10")),
            {},
            ChangeKind.PRICE,
            "Runs for 0.115789 EUR an hour, 0.015789 EUR more than offered.",
        ),
        (
            None,
            {"reading": reading(utilization_percent=0, temperature_c=90)},
            ChangeKind.MEASURE,
            "Runs below 87 °C.",
        ),
        (
            None,
            {"activity": replace(AWAY, full_screen="quake")},
            ChangeKind.PROGRAM,
            "Runs when quake is closed or no longer full-screen.",
        ),
        (
            offer(job=job(memory_mib=17 * 1024)),
            {},
            ChangeKind.SETTING,
            "Set jobs.memory_share_percent to 54.",
        ),
        (
            None,
            {"activity": replace(AWAY, idle_s=30.0), "settings": Settings(presence=Presence(idle_minutes=5))},
            ChangeKind.TIME,
            "Runs from 13:05, if nobody touches the computer until then.",
        ),
    ],
)
def test_the_single_change_in_words(asked: Offer | None, changes: dict[str, Any], kind: ChangeKind, words: str) -> None:
    single = single_of(asked, circumstances(**changes))
    assert (single.kind, single.words) == (kind, words)


def test_when_several_rules_refuse_all_that_it_takes_is_named() -> None:
    at = circumstances(
        settings=Settings(availability=Availability(windows=NIGHTS)),
        pause=Pause(NOON + timedelta(hours=12)),
        reading=reading(utilization_percent=0, temperature_c=90),
    )
    found = flip_of(offer(price_per_hour=eur("0.10")), at)
    assert found.single is None
    assert [change.kind for change in found.changes] == [ChangeKind.TIME, ChangeKind.MEASURE, ChangeKind.PRICE]
    assert found.open_at == NOON + timedelta(hours=12)
    assert found.is_complete
    assert found.words.startswith("It takes all of this: Wait until tomorrow 01:00. Runs below 87 °C.")


def test_waiting_for_two_windows_of_time_at_once() -> None:
    """Open 18:00-09:00, sun 8:00-20:00: only where both are."""
    prices = Prices(only_on_solar=True, solar_hours=(WeeklyWindow.parse("daily 08:00-20:00"),))
    hours = Availability(windows=(OwnersWindow.parse("daily 18:00-07:00"),))
    single = single_of(None, circumstances(settings=Settings(availability=hours, prices=prices)))
    assert single.at == NOON + timedelta(hours=5)


def test_a_job_that_fits_no_window_of_today_waits_for_the_long_one() -> None:
    windows = tuple(OwnersWindow.parse(text) for text in ("daily 14:00-15:00", "wed 10:00-20:00"))
    at = circumstances(settings=Settings(availability=Availability(windows=windows)))
    assert single_of(offer(job=job(wall_s=5 * 3600)), at).words == "Runs from Wednesday 10:00."


def test_what_can_never_be_is_not_waited_for() -> None:
    windows = (OwnersWindow.parse("daily 14:00-15:00"),)
    at = circumstances(settings=Settings(availability=Availability(windows=windows)))
    found = flip_of(offer(job=job(wall_s=5 * 3600)), at)
    assert found.single is None
    assert found.open_at == NOON + timedelta(hours=1)


def test_only_the_time_moves_the_timed_rules() -> None:
    assert TIMED_RULES - {"loss", "floor", "time"} < {gate.rule for gate in GATES}


# -- applied, it flips; a smaller one does not ------------------------------------------------------------------------


@given(
    price=st.integers(0, 400_000),
    fee_ppm=st.integers(0, 500_000),
    floor=st.decimals("0", "0.5", places=3),
    cards=st.integers(1, 3),
    power_mw=st.integers(50_000, 700_000),
    wall_s=st.integers(1, 12 * 3600),
)
@settings(max_examples=80, deadline=None)
def test_the_named_price_is_the_least(
    price: int, fee_ppm: int, floor: Decimal, cards: int, power_mw: int, wall_s: int
) -> None:
    ids = tuple(f"GPU-{number + 1}" for number in range(cards))
    asked = offer(price_per_hour=Money(price, "EUR"), fee_ppm=fee_ppm, gpu_ids=ids, job=job(wall_s=wall_s, gpus=cards))
    at = circumstances(
        settings=Settings(
            prices=Prices(floor_per_gpu_hour=floor, tariff=CHEAP_NIGHTS, wear_per_gpu_hour=Decimal("0.01"))
        ),
        measured_power_mw=power_mw,
    )
    assume(not decide(asked, at).is_yes)
    least = single_of(asked, at).price_per_hour
    assert least is not None
    assert decide(replace(asked, price_per_hour=least), at).is_yes
    assert not decide(replace(asked, price_per_hour=Money(least.micros - 1, "EUR")), at).is_yes


@given(
    window=st.tuples(st.integers(0, 23), st.integers(1, 23), st.sampled_from(["daily", "mon-fri", "sat", "wed,sun"])),
    wall_s=st.integers(60, 6 * 3600),
    price=st.integers(80_000, 130_000),
    minute=st.integers(0, 60 * 24 * 7 - 1),
    paused_minutes=st.integers(0, 600),
)
@settings(max_examples=60, deadline=None)
def test_the_named_instant_is_the_first(
    window: tuple[int, int, str], wall_s: int, price: int, minute: int, paused_minutes: int
) -> None:
    """Before it, at every instant that could differ and at many between, it is a no."""
    start, length, days = window
    assume(start + length != 24)
    hours = OwnersWindow.parse(f"{days} {start:02d}:00-{(start + length) % 24:02d}:00")
    at = circumstances(
        settings=Settings(availability=Availability(windows=(hours,)), prices=Prices(tariff=CHEAP_NIGHTS)),
        now=NOON + timedelta(minutes=minute),
        pause=Pause(NOON + timedelta(minutes=minute + paused_minutes)) if paused_minutes else None,
    )
    asked = offer(price_per_hour=Money(price, "EUR"), job=job(wall_s=wall_s))
    decision = flipped(asked, at)
    assume(decision.flip is not None and decision.flip.single is not None)
    single = decision.flip.single if decision.flip else None
    assume(single is not None and single.kind is ChangeKind.TIME)
    assert single is not None
    assert single.at is not None
    assert decide(asked, later(at, single.at)).is_yes
    assert not decide(asked, later(at, single.at - MICROSECOND)).is_yes
    step = (single.at - at.now) / 40
    assert not any(decide(asked, later(at, at.now + number * step)).is_yes for number in range(40))


@given(
    temperature_c=st.integers(40, 110), limit_c=st.integers(40, 110), load=st.integers(0, 100), most=st.integers(1, 100)
)
@settings(deadline=None)
def test_the_named_measure_is_just_enough(temperature_c: int, limit_c: int, load: int, most: int) -> None:
    chosen = with_setting(Settings(), "cards.temperature_limit_c", str(limit_c))
    chosen = with_setting(chosen, "presence.other_gpu_percent", str(most))
    at = circumstances(settings=chosen, reading=reading(temperature_c=temperature_c, utilization_percent=load))
    refusals = decide(None, at).refusals
    assume(len(refusals) == 1)
    change = single_of(None, at)
    made = changed(change, None, at)
    assert made is not None
    assert decide(*made).is_yes
    less = changed(replace(change, value=str(int(change.value) + 1)), None, at)
    assert less is not None
    assert not decide(*less).is_yes


@given(free_mib=st.integers(0, 4096), least_mib=st.integers(1, 4096))
@settings(deadline=None)
def test_the_named_memory_is_just_enough(free_mib: int, least_mib: int) -> None:
    assume(free_mib < least_mib)
    at = circumstances(
        settings=with_setting(Settings(), "presence.memory_free_mib", str(least_mib)),
        host=replace(HOST, memory_available_bytes=free_mib * MIB),
    )
    change = single_of(None, at)
    made, less = (changed(replace(change, value=str(int(change.value) - part)), None, at) for part in (0, 1))
    assert made is not None
    assert less is not None
    assert decide(*made).is_yes
    assert not decide(*less).is_yes


@given(
    memory_mib=st.integers(8, 29_000), cpu_millis=st.integers(10, 8000), disk_mib=st.integers(1, 200 * 1024),
    wall_s=st.integers(1, 720 * 3600),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_the_named_settings_are_just_enough(memory_mib: int, cpu_millis: int, disk_mib: int, wall_s: int) -> None:
    asked = offer(job=job(memory_mib=memory_mib, cpu_millis=cpu_millis, disk_mib=disk_mib, wall_s=wall_s))
    at = circumstances(settings=Settings(jobs=Jobs(memory_share_percent=1, cpu_share_percent=1, disk_gib=1)))
    decision = flipped(asked, at)
    assume(decision.flip is not None)
    assert decision.flip is not None
    assert decision.flip.is_complete
    for place, change in enumerate(decision.flip.changes):
        if change.kind is not ChangeKind.SETTING:
            continue
        made = _all_applied(decision.flip.changes, asked, at)
        assert made.is_yes, made.reason
        less = replace(change, value=str(int(change.value) - 1))
        others = decision.flip.changes[:place] + decision.flip.changes[place + 1 :]
        assert not _all_applied((*others, less), asked, at).is_yes


def _all_applied(changes: tuple[Change, ...], asked: Offer | None, at: Circumstances) -> Any:
    for change in changes:
        made = changed(change, asked, at)
        assert made is not None
        asked, at = made
    return decide(asked, at)


def test_the_moments_are_few_and_in_order() -> None:
    """From change to change: a month of windows and prices is not looked at minute by minute."""
    chosen = Settings(availability=Availability(windows=NIGHTS), prices=Prices(tariff=CHEAP_NIGHTS))
    found = list(moments(offer(), circumstances(settings=chosen)))
    assert found == sorted(set(found))
    assert len(found) < 35 * 10
