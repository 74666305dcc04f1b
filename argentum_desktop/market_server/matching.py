"""Who gets which job at which price. Pure: values in, values out.

The rule is a buyer's-bid double auction, `bbda/1`: in a round, bids stand from high to low and asks from low to high;
the first k pairs in which the bid reaches the ask trade, all at one price, the lower of the last accepted bid and the
first rejected ask. No provider can gain by asking for more than it needs: its own floor never sets its price.

Cards differ, so a bid only meets asks that can carry it. Each bid, the highest first, takes the cheapest ask that fits.
A pair's price is then the lower of the lowest accepted bid that this card could have served and the cheapest ask left
over that could have served this bid. Where every card can carry every job, that is exactly the one price of the round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from argentum_desktop.domain.job import Limits


@dataclass(frozen=True)
class Bid:
    """A queued job. `order` is its age: lower is older."""

    job_id: str
    buyer_id: str
    order: int
    price_micros: int
    limits: Limits
    refused_by: frozenset[str] = frozenset()


@dataclass(frozen=True)
class AskOf:
    """A free card, and the least that its owner takes for it. One provider gets at most one job in a round."""

    provider_id: str
    gpu_id: str
    order: int
    floor_micros: int
    memory_mib_of_card: int
    max_wall_s: int
    max_memory_mib: int
    max_cpu_millis: int
    max_disk_mib: int


@dataclass(frozen=True)
class Match:
    """A trade: this job on this card for this price per hour."""

    bid: Bid
    ask: AskOf
    price_micros: int


def fits(bid: Bid, ask: AskOf) -> bool:
    """Whether the card can carry the job, whatever the price."""
    limits = bid.limits
    return (
        limits.gpus <= 1
        and limits.vram_mib <= ask.memory_mib_of_card
        and limits.wall_s <= ask.max_wall_s
        and limits.memory_mib <= ask.max_memory_mib
        and limits.cpu_millis <= ask.max_cpu_millis
        and limits.disk_mib <= ask.max_disk_mib
        and ask.provider_id not in bid.refused_by
    )


def why_waiting(bid: Bid, seen: Sequence[AskOf], free: Sequence[AskOf]) -> str:
    """Why a queued job has no card, in one sentence for its buyer; what the owners want for theirs stays secret.

    Args:
        seen: what was offered lately, by machines that may be at work now.
        free: what is offered now.
    """
    if not seen:
        return "No machine asks this market for work now."
    limits = bid.limits
    for wanted, most, unit in (
        (limits.vram_mib, max(ask.memory_mib_of_card for ask in seen), "MiB of card memory"),
        (limits.memory_mib, max(ask.max_memory_mib for ask in seen), "MiB of memory"),
        (limits.cpu_millis, max(ask.max_cpu_millis for ask in seen), "thousandths of a processor"),
        (limits.disk_mib, max(ask.max_disk_mib for ask in seen), "MiB of disk"),
        (limits.wall_s, max(ask.max_wall_s for ask in seen), "seconds"),
    ):
        if wanted > most:
            return f"It asks for {wanted} {unit}; no machine here gives a job more than {most} now."
    if not free:
        return "Every card is at work or not offered now."
    able = [ask for ask in free if fits(bid, ask)]
    if not able:
        return "No free card gives all that it asks for together."
    if all(ask.floor_micros > bid.price_micros for ask in able):
        return "No free card that could run it works for this price."
    return "It is about to be offered."


def match_round(bids: Sequence[Bid], asks: Sequence[AskOf]) -> list[Match]:
    """The trades of one round."""
    pairs = _pairs(bids, asks)
    taken = {ask.provider_id for _, ask in pairs}
    left = [ask for ask in asks if ask.provider_id not in taken]
    return [Match(bid, ask, _price(bid, ask, pairs, left)) for bid, ask in pairs]


def _pairs(bids: Sequence[Bid], asks: Sequence[AskOf]) -> list[tuple[Bid, AskOf]]:
    """Highest bid first (older first among equals), each with the cheapest ask that fits (the smallest card first)."""
    by_price = sorted(bids, key=lambda bid: (-bid.price_micros, bid.order))
    by_floor = sorted(asks, key=lambda ask: (ask.floor_micros, ask.memory_mib_of_card, ask.order, ask.gpu_id))
    pairs: list[tuple[Bid, AskOf]] = []
    taken: set[str] = set()
    for bid in by_price:
        for ask in by_floor:
            if ask.floor_micros > bid.price_micros:
                break
            if ask.provider_id not in taken and fits(bid, ask):
                pairs.append((bid, ask))
                taken.add(ask.provider_id)
                break
    return pairs


def _price(bid: Bid, ask: AskOf, pairs: Sequence[tuple[Bid, AskOf]], left: Sequence[AskOf]) -> int:
    last_accepted = min(other.price_micros for other, _ in pairs if fits(other, ask))
    rejected = [other.floor_micros for other in left if fits(bid, other)]
    price = min([last_accepted, *rejected])
    # Only among unlike cards can the last accepted bid lie below this floor; nobody is ever paid less than the floor.
    return max(price, ask.floor_micros)
