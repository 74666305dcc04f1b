"""Why a card works or does not, now or at another time, for an offer or without one: every rule's word.

| call | arguments → answer |
| --- | --- |
| `explain` | `gpu_id` or null, `price` as text or null, `hours` or null, `at` or null → `Explanation` of each card |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.control import Handler
from argentum_desktop.domain.decision import Decision
from argentum_desktop.domain.job import Artifact, JobSpec, Limits
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.offer import Offer
from argentum_desktop.errors import BadInputError, NoCardError
from argentum_desktop.policy.asking import advice_at
from argentum_desktop.policy.changed import later
from argentum_desktop.policy.circumstances import Circumstances
from argentum_desktop.policy.flip import flipped

LONGEST_HOURS = 720.0
FURTHEST = timedelta(days=366)

MarketTerms = Callable[[], tuple[bool, int]]


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        gpu_id: which card; None for all.
        price_per_hour: of a hypothetical offer for one card; None to ask whether the card asks for work.
        hours: how long that job may take at the longest.
        at: when; None for now.
    """

    gpu_id: str | None = None
    price_per_hour: Money | None = None
    hours: float = 1.0
    at: datetime | None = None


@dataclass(frozen=True)
class Explanation:
    """The answer for one card.

    Attributes:
        asked_for_at: the time it is about.
        is_now: whether that is the present; if not, card and computer are taken to be then as they are now.
        price_per_hour: of the hypothetical offer; None where none was asked about.
        advice: break-even and a floor that makes sense, with how both came about, in words.
    """

    gpu_id: str
    label: str
    asked_for_at: datetime
    is_now: bool
    price_per_hour: Money | None
    hours: float
    decision: Decision
    advice: str = ""

    @property
    def is_yes(self) -> bool:
        return self.decision.is_yes


def explain(question: Question, cards: Sequence[Circumstances], fee_ppm: int = 0) -> tuple[Explanation, ...]:
    """One answer for each card that is asked about.

    Args:
        cards: every card of this computer, as it is now.
        fee_ppm: the market's share of a price.

    Raises:
        NoCardError: there is no such card.
        BadInputError: the time lies in the past or too far ahead.
    """
    asked = [at for at in cards if question.gpu_id in {None, at.gpu.gpu_id}]
    if not asked:
        named = f"card {question.gpu_id}" if question.gpu_id else "card"
        raise NoCardError(f"There is no {named} in this computer.", "argentum-desktop gpus lists them.")
    return tuple(_answer(question, at, fee_ppm) for at in asked)


def _answer(question: Question, at: Circumstances, fee_ppm: int) -> Explanation:
    if question.at is not None:
        if not at.now - timedelta(minutes=1) <= question.at <= at.now + FURTHEST:
            raise BadInputError("That time is not between now and a year from now.", "Name a time to come.")
        at = later(at, max(question.at, at.now))
    offer = _hypothetical(question, at, fee_ppm) if question.price_per_hour is not None else None
    return Explanation(
        at.gpu.gpu_id,
        at.gpu.label,
        at.now,
        question.at is None,
        question.price_per_hour,
        question.hours,
        flipped(offer, at),
        advice_at(at, fee_ppm).words,
    )


def _hypothetical(question: Question, at: Circumstances, fee_ppm: int) -> Offer:
    """An offer that asks for nothing but time: its price and its length are what is asked about."""
    price = question.price_per_hour or Money.zero(at.settings.prices.currency)
    limits = Limits(cpu_millis=10, memory_mib=8, disk_mib=1, pids=1, wall_s=max(1, round(question.hours * 3600)))
    most = Money(max(1, price.micros), price.currency)
    job = JobSpec("A job", Artifact("image.tar", "0" * 64, 0), f"sha256:{'0' * 64}", (), most, limits=limits)
    return Offer("", "", 0, job, (at.gpu.gpu_id,), price, fee_ppm, 0, 0, 0, at.now)


def question_of(arguments: Mapping[str, Any], currency: str) -> Question:
    """The question as a call brings it.

    Raises:
        BadInputError: names what cannot be used.
    """
    gpu_id, price, hours, at = (arguments.get(name) for name in ("gpu_id", "price", "hours", "at"))
    if gpu_id is not None and not isinstance(gpu_id, str):
        raise BadInputError("gpu_id must be a card's id.")
    if price is None and hours is not None:
        raise BadInputError("How long a job takes matters only with its price.", "Name it with --price.")
    return Question(gpu_id, _price(price, currency), _hours(hours), _instant(at))


def _price(price: Any, currency: str) -> Money | None:
    if price is None:
        return None
    try:
        return Money.parse(str(price), currency)
    except ValueError as error:
        raise BadInputError(f"The price {error}.") from error


def _hours(hours: Any) -> float:
    if hours is None:
        return 1.0
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 < hours <= LONGEST_HOURS:
        raise BadInputError(f"The hours must be a number above 0, at most {LONGEST_HOURS:.0f}.")
    return float(hours)


def _instant(at: Any) -> datetime | None:
    if at is None:
        return None
    try:
        instant = datetime.fromisoformat(at)
    except (TypeError, ValueError) as error:
        raise BadInputError(f"{at!r} is no point in time.") from error
    if instant.tzinfo is None:
        raise BadInputError(f"{at!r} does not say in which time zone it is.")
    return instant.astimezone(UTC)


def explain_handlers(bench: Bench, terms: MarketTerms) -> Mapping[str, Handler]:
    """The call by its name.

    Args:
        terms: whether the market is this computer's own, and its share of a price in millionths.
    """

    async def on_explain(arguments: Mapping[str, Any]) -> Any:
        is_local, fee_ppm = terms()
        question = question_of(arguments, bench.settings.prices.currency)
        cards = [bench.circumstances(gpu, market_is_local=is_local) for gpu in bench.gpus.values()]
        return msgspec.to_builtins(explain(question, cards, fee_ppm))

    return {"explain": on_explain}
