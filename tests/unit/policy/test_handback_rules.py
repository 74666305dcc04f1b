"""What becomes of a running job when the machine is wanted back, moment by moment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from random import Random

import pytest
from samples import NOON

from argentum_desktop.policy.gates import Effect
from argentum_desktop.policy.handback import PAUSE, Act, Advice, Memory, Reason, Terms, advise, ends_at

TERMS = Terms(settle_s=30, grace_s=60, notice_s=20, paused_s=900)
GAME = Reason("full_screen", "A game fills the screen.", Effect.FREEZE)
WORK = Reason("idle", "You used the computer.", Effect.FREEZE)
PAUSED = Reason(PAUSE, "You paused it.", Effect.FREEZE)
CLOSED = Reason("window", "It is outside the hours you set.", Effect.END)


class Course:
    """One job over time."""

    def __init__(self, terms: Terms = TERMS, memory: Memory | None = None) -> None:
        self.terms = terms
        self.memory = memory or Memory()

    def at(self, now_s: float, *reasons: Reason) -> Advice:
        self.memory, advice = advise(self.memory, reasons, now_s, self.terms)
        return advice

    def acts(self, moments: Iterable[tuple[float, tuple[Reason, ...]]]) -> list[str]:
        return [self.at(now_s, *reasons).act.value for now_s, reasons in moments]


def test_nothing_in_the_way() -> None:
    advice = Course().at(0)
    assert (advice.act, advice.reason, advice.look_again_s) == (Act.RUN, None, None)


def test_it_is_frozen_at_once_and_goes_on_when_the_reason_has_settled() -> None:
    course = Course()
    assert course.at(0) == Advice(Act.RUN)
    frozen = course.at(1, GAME)
    assert (frozen.act, frozen.reason, frozen.look_again_s) == (Act.FREEZE, GAME, 40)
    assert course.at(11).act is Act.FREEZE
    assert course.at(11).look_again_s == 30
    assert course.at(40.9).act is Act.FREEZE
    assert course.at(41).act is Act.RUN
    assert course.memory == Memory()


def test_a_reason_that_stays_ends_it_so_early_that_the_card_is_free_when_the_grace_is_over() -> None:
    course = Course()
    course.at(100, GAME)
    assert course.at(139.9, GAME).act is Act.FREEZE
    advice = course.at(140, GAME)
    assert (advice.act, advice.reason, advice.notice_s) == (Act.END, GAME, 20)
    assert (advice.since_s, advice.within_s) == (100, 60)


def test_one_reason_after_another_is_one_freeze() -> None:
    course = Course()
    course.at(0, GAME)
    course.at(20, GAME, WORK)
    course.at(30, WORK)
    advice = course.at(40, WORK)
    assert (advice.act, advice.reason) == (Act.END, WORK)


def test_flapping_neither_wakes_it_nor_keeps_it_for_ever() -> None:
    """The reason comes and goes every ten seconds: it never settles, and at the last moment the next one ends it."""
    course = Course()
    acts = course.acts((second, (GAME,) if second // 10 % 2 == 0 else ()) for second in range(41))
    assert acts == ["freeze"] * 40 + ["end"]


def test_a_reason_that_returns_after_the_last_moment_ends_it_at_once_and_counts_from_its_return() -> None:
    course = Course()
    course.at(0, GAME)
    assert course.at(39).act is Act.FREEZE
    assert course.at(41).act is Act.FREEZE
    advice = course.at(60, GAME)
    assert (advice.act, advice.notice_s, advice.since_s, advice.within_s) == (Act.END, 20, 60, 60)


def test_the_notice_is_never_longer_than_the_grace() -> None:
    course = Course(Terms(settle_s=0, grace_s=10, notice_s=20, paused_s=0))
    advice = course.at(0, GAME)
    assert (advice.act, advice.notice_s, advice.within_s) == (Act.END, 10, 10)
    advice = Course(Terms(settle_s=0, grace_s=0, notice_s=20, paused_s=0)).at(0, GAME)
    assert (advice.act, advice.notice_s) == (Act.END, 0)


def test_the_owners_pause_keeps_its_own_time_and_resumes_at_once() -> None:
    course = Course()
    assert course.at(0, PAUSED).act is Act.FREEZE
    assert course.at(900, PAUSED).act is Act.FREEZE
    assert course.at(900.1).act is Act.RUN
    course.at(1000, PAUSED)
    advice = course.at(1900.1, PAUSED)
    assert (advice.act, advice.notice_s) == (Act.END, 20)
    assert advice.reason is not None
    assert "longer than a job is kept frozen" in advice.reason.words


def test_a_game_during_a_pause_has_the_games_grace_and_settles_before_the_job_goes_on() -> None:
    course = Course()
    course.at(0, PAUSED)
    advice = course.at(100, PAUSED, GAME)
    assert (advice.act, advice.reason) == (Act.FREEZE, PAUSED)
    assert course.at(140, PAUSED, GAME).act is Act.END
    course = Course()
    course.at(0, PAUSED, GAME)
    course.at(10, PAUSED)
    assert course.at(20).act is Act.FREEZE
    assert course.at(40).act is Act.RUN


def test_the_end_of_the_hours_ends_it_with_notice() -> None:
    advice = Course().at(7, CLOSED)
    assert (advice.act, advice.reason, advice.notice_s) == (Act.END, CLOSED, 20)
    assert (advice.since_s, advice.within_s) == (7, 20)


def test_a_job_that_an_earlier_run_froze_settles_first_and_has_no_new_grace() -> None:
    course = Course(memory=Memory.of_frozen(-10, is_paused=False))
    assert course.at(0).act is Act.FREEZE
    assert course.at(29).act is Act.FREEZE
    assert course.at(30).act is Act.RUN
    assert Course(memory=Memory.of_frozen(-40, is_paused=False)).at(0, GAME).act is Act.END


def test_a_job_that_an_earlier_run_froze_for_a_pause_goes_on_when_it_ends() -> None:
    course = Course(memory=Memory.of_frozen(-890, is_paused=True))
    assert course.at(0, PAUSED).act is Act.FREEZE
    assert course.at(11, PAUSED).act is Act.END
    course = Course(memory=Memory.of_frozen(-890, is_paused=True))
    course.at(0, PAUSED)
    assert course.at(1).act is Act.RUN


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_the_promises_hold(seed: int) -> None:
    """Random reasons, looked at twice a second: never running with a reason, never a reason longer than the grace."""
    chance = Random(seed)
    terms = Terms(chance.randint(0, 40), chance.randint(0, 90), chance.randint(0, 40), 900)
    course = Course(terms)
    is_closed, closed_for_s, clear_for_s = False, 0.0, 1e9
    for step in range(4000):
        if chance.random() < 0.03:
            is_closed = not is_closed
        closed_for_s, clear_for_s = (closed_for_s + 0.5, 0.0) if is_closed else (0.0, clear_for_s + 0.5)
        advice = course.at(step / 2, *((GAME,) if is_closed else ()))
        if advice.act is Act.END:
            assert is_closed
            assert closed_for_s - 0.5 + advice.notice_s <= terms.grace_s + 0.5
            course, is_closed, closed_for_s, clear_for_s = Course(terms), False, 0.0, 1e9
        elif is_closed:
            assert advice.act is Act.FREEZE
            assert closed_for_s - 0.5 < terms.grace_s - terms.notice_in_grace_s
        elif advice.act is Act.RUN:
            assert clear_for_s - 0.5 >= terms.settle_s
        else:
            assert clear_for_s - 0.5 < terms.settle_s


@pytest.mark.parametrize(
    ("ran_s", "progress", "left_s"),
    [
        (100, None, 500),
        (100, 0, 500),
        (100, 50, 100),
        (90, 90, 10),
        (100, 1, 500),
        (600, 50, 0),
        (700, 10, 0),
        (60, 100, 0),
    ],
)
def test_when_a_job_will_be_over(ran_s: float, progress: int | None, left_s: float) -> None:
    """By its progress, and by the time it asked for at the latest."""
    assert ends_at(NOON, ran_s, progress, 600) == NOON + timedelta(seconds=left_s)
