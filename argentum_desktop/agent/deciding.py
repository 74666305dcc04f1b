"""Decides about offers and cards with everything this machine knows, and writes down what was seen."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace

from argentum_desktop.agent.bench import Bench
from argentum_desktop.domain.decision import Change, ChangeKind, Decision, Flip, Verdict
from argentum_desktop.domain.decision_record import DecisionRecord, SeenCard
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.offer import Offer
from argentum_desktop.policy.circumstances import Circumstances
from argentum_desktop.policy.evaluate import decide
from argentum_desktop.policy.flip import flip, flipped


def decide_on(offer: Offer, bench: Bench, busy: AbstractSet[str], *, market_is_local: bool) -> Decision:
    """Every leased card must agree; the market is not believed about any of them."""
    if not 0 < len(set(offer.gpu_ids)) == len(offer.gpu_ids) <= max(1, len(bench.gpus)):
        return Decision((Verdict("card", False, "It names no card, one twice, or more than there are here."),))
    decisions = []
    for gpu_id in offer.gpu_ids:
        gpu = bench.gpus.get(gpu_id)
        if gpu is None or gpu_id in busy:
            decisions.append(Decision((Verdict("card", False, "It is for a card that is not free here."),)))
        else:
            decisions.append(flipped(offer, bench.circumstances(gpu, market_is_local=market_is_local)))
    if len(decisions) == 1:
        return decisions[0]
    # What helps one of several cards does not help the lease.
    return Decision(tuple(verdict for decision in decisions for verdict in decision.verdicts))


def record_of(offer: Offer, decision: Decision, bench: Bench, market: str, *, market_is_local: bool) -> DecisionRecord:
    """The decision with what was seen, to be written down."""
    cards = [bench.gpus[gpu_id] for gpu_id in dict.fromkeys(offer.gpu_ids) if gpu_id in bench.gpus]
    return DecisionRecord(
        decided_at=bench.clock.now(),
        lease_id=offer.lease_id,
        decision=decision,
        market=market,
        offer=replace(offer, job=replace(offer.job, env={})),
        cards=tuple(_seen(gpu, bench) for gpu in cards),
        host=bench.host,
        activity=bench.activity,
        is_paused=bench.current_pause() is not None,
        engine_problem=bench.engine_problem,
        market_is_local=market_is_local,
    )


def _seen(gpu: Gpu, bench: Bench) -> SeenCard:
    reading = bench.readings.get(gpu.gpu_id)
    return SeenCard(
        gpu,
        reading is not None and not reading.is_lost,
        reading.temperature_c if reading else None,
        reading.utilization_percent if reading else None,
        bench.power_at_work_mw.get(gpu.gpu_id),
        bench.health.get(gpu.gpu_id),
    )


class CardDesk:
    """Whether a card asks a market for work, and what would make it. What would make it is looked for only when the
    reasons change: that takes longer than to decide, and the status asks every few seconds.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._flips: dict[str, tuple[tuple[Verdict, ...], Flip | None]] = {}

    def offerable(self, gpu: Gpu, *, market_is_local: bool, market_currency: str | None) -> Decision:
        """The words for the owner where it does not.

        Args:
            market_currency: in which the market pays; None while that is not known.
        """
        at = self._bench.circumstances(gpu, market_is_local=market_is_local)
        decision, ours = decide(None, at), self._bench.settings.prices.currency
        if market_currency is not None and market_currency != ours:
            remedy = f"Set prices.currency to {market_currency}."
            change = Change(ChangeKind.SETTING, remedy, "prices.currency", value=market_currency)
            reason = f"The market pays in {market_currency}; your prices are in {ours}."
            decision = Decision((*decision.verdicts, Verdict("currency", False, reason, remedy, change)))
        return replace(decision, flip=self._flip(gpu.gpu_id, at, decision))

    def _flip(self, gpu_id: str, at: Circumstances, decision: Decision) -> Flip | None:
        refusals = decision.refusals
        if not refusals:
            self._flips.pop(gpu_id, None)
            return None
        known = self._flips.get(gpu_id)
        if known is None or known[0] != refusals or _is_past(known[1], at):
            known = self._flips[gpu_id] = (refusals, flip(None, at, decision))
        return known[1]


def _is_past(found: Flip | None, at: Circumstances) -> bool:
    return found is not None and found.open_at is not None and found.open_at <= at.now
