"""Puts the present together into one `Status`."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from argentum_desktop import __version__
from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.job_run import JobRun
from argentum_desktop.agent.market_link import MarketLink
from argentum_desktop.agent.notices import NoticeBoard
from argentum_desktop.agent.sentences import checkup_words, job_words, sentence
from argentum_desktop.agent.status import CONNECTING, AgentState, CardStatus, JobView, MarketStatus, Notice, Status
from argentum_desktop.domain.decision import Decision
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.handback import HandBackFigures
from argentum_desktop.domain.job import JobState
from argentum_desktop.domain.lease import Lease
from argentum_desktop.domain.money import Money, price_for
from argentum_desktop.ledger.earnings import Totals
from argentum_desktop.policy.asking import advice_at
from argentum_desktop.policy.gates import not_being_checked

# Reasons that are the owner's own wish or the calendar's, and nothing to call attention to.
_OWNERS_WISH, _CALENDAR = "offered", "window"


def board(
    bench: Bench,
    runs: Sequence[JobRun],
    links: Sequence[MarketLink],
    notices: NoticeBoard,
    *,
    today: Totals,
    week: Totals,
    earned_today: dict[str, Money],
    is_started: bool,
    handback: HandBackFigures | None = None,
) -> Status:
    """What is true now."""
    jobs = tuple(view(run.lease, bench, run) for run in runs)
    # Asked once for each card: time passes, and the same question a moment later may have another answer.
    decisions = {gpu.gpu_id: [link.offerable(gpu) for link in links] for gpu in bench.gpus.values()}
    cards = tuple(
        replace(
            _card(gpu, bench, runs, decisions[gpu.gpu_id], earned_today.get(gpu.gpu_id)),
            advice=advice_at(bench.circumstances(gpu, market_is_local=True), links[0].fee_ppm if links else 0),
        )
        for gpu in bench.gpus.values()
    )
    told, markets, pause, now = notices.all(), [link.status for link in links], bench.current_pause(), bench.clock.now()
    concerned = [card for card in cards if _rule(decisions[card.gpu.gpu_id]) != _OWNERS_WISH] or list(cards)
    rules = {_rule(decisions[card.gpu.gpu_id]) for card in concerned}
    state = AgentState.STARTING
    if is_started:
        state = AgentState.PAUSED if pause is not None else _state(jobs, concerned, rules, markets, told)
    return Status(
        state=state,
        sentence=sentence(
            state,
            jobs=jobs,
            cards=concerned,
            notices=told,
            markets=markets,
            pause=pause,
            floor=bench.settings.prices.floor,
            now=now,
            zone=bench.zone,
        ),
        taken_at=now,
        version=__version__,
        home=str(bench.home.root),
        engine=_engine_words(bench),
        cards=cards,
        jobs=jobs,
        markets=tuple(markets),
        today=today,
        week=week,
        notices=told,
        paused_until=pause.until if pause else None,
        handback=handback or HandBackFigures(),
    )


def view(lease: Lease, bench: Bench, run: JobRun | None = None) -> JobView:
    """One lease as the owner sees it."""
    usage = run.usage() if run is not None else lease.usage
    share = lease.price_per_hour - lease.price_per_hour.scaled(lease.offer.fee_ppm, 1_000_000)
    return JobView(
        lease_id=lease.lease_id,
        title=lease.job.title,
        gpu_ids=lease.gpu_ids,
        state=lease.state,
        accepted_at=lease.accepted_at,
        price_per_hour=lease.price_per_hour,
        earned=lease.receipt.net if lease.receipt else price_for(share, usage.billable_s),
        is_settled=lease.receipt is not None,
        elapsed_s=usage.billable_s,
        wall_s=lease.job.limits.wall_s,
        progress_percent=run.progress_percent if run is not None else None,
        is_frozen=lease.frozen_at is not None and lease.state is JobState.RUNNING,
        outcome=lease.outcome,
        exit_code=lease.exit_code,
        reason=(run.problem or run.store_problem or lease.reason) if run is not None else lease.reason,
        energy_mj=usage.energy_mj,
        bill=lease.bill,
    )


def _card(
    gpu: Gpu, bench: Bench, runs: Sequence[JobRun], decisions: Sequence[Decision], earned: Money | None
) -> CardStatus:
    card = CardStatus(
        gpu,
        bench.readings.get(gpu.gpu_id),
        "Ready",
        earned_today=earned,
        checkup=bench.checkups.get(gpu.gpu_id),
        health=bench.health.get(gpu.gpu_id),
    )
    run = next((run for run in runs if gpu.gpu_id in run.lease.gpu_ids), None)
    if run is not None:
        return replace(card, doing=job_words(view(run.lease, bench, run)), lease_id=run.lease.lease_id)
    if card.checkup is not None:
        no = not_being_checked(bench.circumstances(gpu, market_is_local=True))
        doing = checkup_words(card.checkup).capitalize()
        return replace(card, doing=doing, because=no.reason, remedy=no.remedy)
    if not _rule(decisions):
        return card
    return replace(card, doing="Not working", because=decisions[0].reason, remedy=decisions[0].remedy)


def _rule(decisions: Sequence[Decision]) -> str:
    """The rule that keeps a card from every market; empty when it is good for one."""
    if not decisions or any(decision.is_yes for decision in decisions):
        return ""
    return decisions[0].refusals[0].rule


def _state(
    jobs: Sequence[JobView],
    cards: Sequence[CardStatus],
    rules: AbstractSet[str],
    markets: Sequence[MarketStatus],
    notices: Sequence[Notice],
) -> AgentState:
    if jobs:
        return AgentState.WORKING
    if notices or not cards:
        return AgentState.ATTENTION
    if any(card.checkup is not None for card in cards):
        return AgentState.IDLE
    if all(card.because for card in cards):
        return AgentState.OUTSIDE_HOURS if rules == {_CALENDAR} else AgentState.ATTENTION
    if any(market.is_connected for market in markets):
        return AgentState.IDLE
    is_connecting = all(market.problem == CONNECTING for market in markets)
    return AgentState.STARTING if is_connecting else AgentState.ATTENTION


def _engine_words(bench: Bench) -> str:
    info = bench.engine_info
    if info is None:
        return ""
    return f"{info.name} {info.version}{' (rootless)' if info.rootless else ''}"
