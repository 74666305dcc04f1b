"""What would have become of the offers that came, under other choices. Pure; from real records only.

Each offer is decided anew with what was seen when it came. A job that ran is counted as long as it ran and with the
energy it took; one that was declined has no such figures, and is taken to last the share of its time that the owner's
own jobs lasted, at the watts its card draws at work. A card works on one job at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from argentum_desktop.domain.decision_record import DecisionRecord, SeenCard
from argentum_desktop.domain.energy import GridCarbon
from argentum_desktop.domain.job import Outcome
from argentum_desktop.domain.lease import Lease
from argentum_desktop.domain.money import Money, price_for
from argentum_desktop.domain.offer import PPM, Offer
from argentum_desktop.domain.reading import Reading
from argentum_desktop.domain.tariff import Tariff
from argentum_desktop.policy.circumstances import Circumstances, Pause
from argentum_desktop.policy.electricity import energy_cost_between, running_cost
from argentum_desktop.policy.evaluate import decide
from argentum_desktop.policy.floors import power_at_work_mw
from argentum_desktop.policy.ready import Ready
from argentum_desktop.settings.schema import Settings

LEAST_OFFERS = 20
LEAST_DAYS = 7
# Fewer of the owner's own jobs say nothing of how long one lasts.
LEAST_JOBS = 5


@dataclass(frozen=True)
class Past:
    """What was written down.

    Attributes:
        records: the decisions, oldest first.
        leases: of those that were accepted, by their ids.
    """

    records: Sequence[DecisionRecord]
    leases: Mapping[str, Lease]


@dataclass(frozen=True)
class Choices:
    """The owner's choices and what goes with them."""

    settings: Settings
    zone: ZoneInfo
    tariff: Tariff | None = None
    grid: GridCarbon | None = None


@dataclass(frozen=True)
class Replayed:
    """What it comes to.

    Attributes:
        jobs: offers that would have been accepted, those in `estimated` and `unvalued` among them.
        estimated: jobs that did not run, whose length and energy are estimates.
        unvalued: jobs that did not run, of which nothing can be estimated; they are in no amount.
        refusals: how many offers each rule would have been the first to refuse.
        occupied: offers that came while the card would have worked on another.
    """

    jobs: int
    estimated: int
    unvalued: int
    gross: Money
    fee: Money
    electricity: Money
    wear: Money
    busy_s: int
    refusals: Mapping[str, int] = field(default_factory=dict)
    occupied: int = 0

    @property
    def net(self) -> Money:
        return self.gross - self.fee - self.electricity - self.wear


def usable(records: Sequence[DecisionRecord]) -> list[DecisionRecord]:
    """Those with all that a replay needs."""
    return [
        one
        for one in records
        if one.offer is not None and one.host is not None and len(one.cards) == len(one.offer.gpu_ids) > 0
    ]


def too_few(records: Sequence[DecisionRecord], zone: ZoneInfo) -> str:
    """Why these are not enough to say anything, in words; empty where they are."""
    found = usable(records)
    days = len({one.decided_at.astimezone(zone).date() for one in found})
    if len(found) >= LEAST_OFFERS and days >= LEAST_DAYS:
        return ""
    offers = "1 offer was" if len(found) == 1 else f"{len(found)} offers were"
    on_days = "1 day" if days == 1 else f"{days} days"
    return (
        f"Only {offers} recorded, on {on_days}; at least {LEAST_OFFERS} on {LEAST_DAYS} different days "
        "are needed to say what would have been."
    )


def replay(past: Past, choices: Choices) -> Replayed:
    """The offers in their order, under these choices."""
    return _Replay(past, choices).run()


class _Replay:
    def __init__(self, past: Past, choices: Choices) -> None:
        self._past = past
        self._choices = choices
        self._ready = Ready(choices.settings, choices.zone, choices.tariff, choices.grid)
        self._share = _share_of_time(past.leases.values())
        self._busy_until: dict[str, datetime] = {}
        self._refusals: dict[str, int] = {}
        self._counts = {"jobs": 0, "estimated": 0, "unvalued": 0, "busy_s": 0, "occupied": 0}
        nothing = Money.zero(choices.settings.prices.currency)
        self._gross = self._fee = self._electricity = self._wear = nothing

    def run(self) -> Replayed:
        for record in usable(self._past.records):
            if record.offer is not None:
                self._consider(record, record.offer)
        return Replayed(
            gross=self._gross,
            fee=self._fee,
            electricity=self._electricity,
            wear=self._wear,
            refusals=dict(sorted(self._refusals.items(), key=lambda entry: -entry[1])),
            **self._counts,
        )

    def _consider(self, record: DecisionRecord, offer: Offer) -> None:
        if any(self._busy_until.get(gpu_id, record.decided_at) > record.decided_at for gpu_id in offer.gpu_ids):
            self._counts["occupied"] += 1
            return
        for card in record.cards:
            refusals = decide(offer, self._circumstances(record, card)).refusals
            if refusals:
                rule = refusals[0].rule
                self._refusals[rule] = self._refusals.get(rule, 0) + 1
                return
        self._count(record, offer)

    def _circumstances(self, record: DecisionRecord, card: SeenCard) -> Circumstances:
        if record.host is None:
            raise ValueError("a record without its computer cannot be replayed")
        choices, at = self._choices, record.decided_at
        reading = Reading(
            card.gpu.gpu_id, at, temperature_c=card.temperature_c, utilization_percent=card.utilization_percent
        )
        return Circumstances(
            card.gpu,
            reading if card.is_reporting else None,
            record.host,
            choices.settings,
            choices.zone,
            at,
            pause=Pause(None) if record.is_paused else None,
            engine_problem=record.engine_problem,
            market_is_local=record.market_is_local,
            health=card.health,
            activity=record.activity,
            measured_power_mw=card.measured_power_mw,
            tariff=choices.tariff,
            grid=choices.grid,
            ready=self._ready,
        )

    # -- what a job comes to ------------------------------------------------------------------------------------------

    def _count(self, record: DecisionRecord, offer: Offer) -> None:
        self._counts["jobs"] += 1
        lease = self._past.leases.get(record.lease_id)
        start = record.decided_at
        if lease is not None and lease.started_at is not None and lease.ended_at is not None:
            billable_s = lease.receipt.billable_s if lease.receipt is not None else lease.usage.billable_s
            start, end = lease.started_at, lease.ended_at
            electricity = energy_cost_between(self._ready.tariff, self._choices.zone, lease.usage.energy_mj, start, end)
        elif lease is not None:
            billable_s, end = 0, lease.ended_at or start  # it was accepted and never began
            electricity = Money.zero(self._gross.currency)
        elif self._share is None:
            self._counts["unvalued"] += 1
            self._occupy(offer, start + timedelta(seconds=offer.counted_s))
            return
        else:
            self._counts["estimated"] += 1
            billable_s = round(offer.counted_s * self._share)
            end = start + timedelta(seconds=billable_s)
            electricity = self._estimated_electricity(record, start, end)
        self._occupy(offer, end)
        self._add(offer, billable_s, electricity)

    def _estimated_electricity(self, record: DecisionRecord, start: datetime, end: datetime) -> Money:
        prices = self._choices.settings.prices
        power_mw = sum(power_at_work_mw(card.gpu, prices, card.measured_power_mw) for card in record.cards)
        return running_cost(self._ready.tariff, self._choices.zone, power_mw, start, end)

    def _occupy(self, offer: Offer, until: datetime) -> None:
        self._busy_until.update(dict.fromkeys(offer.gpu_ids, until))

    def _add(self, offer: Offer, billable_s: int, electricity: Money) -> None:
        gross = price_for(offer.price_per_hour, billable_s)
        self._counts["busy_s"] += billable_s
        self._gross += gross
        self._fee += gross.scaled(offer.fee_ppm, PPM)
        self._electricity += electricity
        self._wear += price_for(self._ready.wear_per_hour, billable_s * len(offer.gpu_ids))


def _share_of_time(leases: Iterable[Lease]) -> float | None:
    """How much of the time they asked for the owner's own jobs took; None where too few ran to say."""
    shares = [
        lease.receipt.billable_s / lease.job.limits.wall_s
        for lease in leases
        if lease.receipt is not None and lease.outcome in {Outcome.SUCCEEDED, Outcome.FAILED}
    ]
    return min(1.0, median(shares)) if len(shares) >= LEAST_JOBS else None
