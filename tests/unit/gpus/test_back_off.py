"""The pause before something that failed is tried again."""

from __future__ import annotations

from argentum_desktop.gpus.back_off import BackOff


def test_the_first_try_waits_for_nothing() -> None:
    assert BackOff(1.0, 60.0).is_over(0.0)


def test_the_pause_doubles_up_to_the_longest() -> None:
    back_off = BackOff(1.0, 60.0)
    assert [back_off.note(0.0) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert [back_off.note(0.0) for _ in range(2000)][-1] == 60


def test_it_is_over_when_its_time_has_come() -> None:
    back_off = BackOff(2.0, 60.0)
    back_off.note(10.0)
    assert [back_off.is_over(at) for at in (10.0, 11.9, 12.0)] == [False, False, True]


def test_forgetting_keeps_the_pause_under_way() -> None:
    back_off = BackOff(1.0, 60.0)
    back_off.note(0.0)
    back_off.note(0.0)
    back_off.forget()
    assert not back_off.is_over(1.0)
    assert back_off.note(5.0) == 1.0
