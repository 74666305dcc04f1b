"""What is happening, in one sentence. Pure; the same words in the tray, the window and the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from argentum_desktop.agent.status import AgentState, CardStatus, CheckupView, JobView, MarketStatus, Notice
from argentum_desktop.domain.job import JobState
from argentum_desktop.domain.money import Money
from argentum_desktop.policy.gates import Pause
from argentum_desktop.policy.words import clock_time

_DOING = {
    JobState.ACCEPTING: "taking the job",
    JobState.PREPARING: "fetching the job's image",
    JobState.CREATING: "building its box",
    JobState.STARTING: "starting it",
    JobState.RUNNING: "running",
    JobState.STOPPING: "stopping it",
    JobState.COLLECTING: "sending the results",
    JobState.COMPLETING: "settling",
    JobState.CLEANING: "clearing up",
    JobState.CLOSED: "done",
}


def job_words(job: JobView) -> str:
    """`Mandelbrot: running, 42 %, at most 3 min left`."""
    if job.is_frozen:
        return f"{job.title}: frozen"
    words = f"{job.title}: {_DOING[job.state]}"
    if job.state is JobState.RUNNING:
        if job.progress_percent is not None:
            words += f", {job.progress_percent} %"
        words += f", at most {_span(max(0, job.wall_s - job.elapsed_s))} left"
    return words


def checkup_words(checkup: CheckupView) -> str:
    """`being checked, 40 s left`."""
    return f"being checked, {_span(checkup.remaining_s)} left"


def sentence(
    state: AgentState,
    *,
    jobs: Sequence[JobView],
    cards: Sequence[CardStatus],
    notices: Sequence[Notice],
    markets: Sequence[MarketStatus],
    pause: Pause | None,
    floor: Money,
    now: datetime,
    zone: ZoneInfo,
) -> str:
    """The one to show for this state; where a card is being checked, that too.

    Args:
        cards: those of which it speaks: the first that does not work says why.
    """
    checks = [f"{card.gpu.label}: {checkup_words(card.checkup)}." for card in cards if card.checkup is not None]
    check = " ".join(checks)
    if state is AgentState.IDLE and not any(not card.because for card in cards):
        return check
    told = _of_state(state, jobs, cards, notices, markets, pause, floor, now, zone)
    return f"{told} {check}" if check and state in {AgentState.PAUSED, AgentState.WORKING, AgentState.IDLE} else told


def _of_state(
    state: AgentState,
    jobs: Sequence[JobView],
    cards: Sequence[CardStatus],
    notices: Sequence[Notice],
    markets: Sequence[MarketStatus],
    pause: Pause | None,
    floor: Money,
    now: datetime,
    zone: ZoneInfo,
) -> str:
    if state is AgentState.PAUSED and pause is not None:
        return f"Paused until {clock_time(pause.until, now, zone)}." if pause.until else "Paused until you resume."
    if state is AgentState.WORKING:
        return f"Working on {len(jobs)} jobs." if len(jobs) > 1 else f"{job_words(jobs[0])}. {jobs[0].reason}".strip()
    if state in {AgentState.ATTENTION, AgentState.FAULT, AgentState.OUTSIDE_HOURS}:
        return _what_is_wrong(cards, notices, markets)
    if state is AgentState.IDLE:
        ready = sum(1 for card in cards if not card.because)
        what = "1 card is" if ready == 1 else f"{ready} cards are"
        return f"{what} ready and waiting for a job that leaves at least {floor} an hour."
    return "Connecting to the market." if markets else "Starting."


def _what_is_wrong(cards: Sequence[CardStatus], notices: Sequence[Notice], markets: Sequence[MarketStatus]) -> str:
    if notices:
        return f"{notices[0].message} {notices[0].remedy}".strip()
    if not cards:
        return "No card has been found yet."
    for card in cards:
        if card.because:
            return f"{card.because} {card.remedy}".strip()
    return next((market.problem for market in markets if market.problem), "The market does not answer.")


def _span(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
