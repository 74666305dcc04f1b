"""The status and the ledger as text for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

import msgspec

from argentum_desktop.agent.report_cards import printable, shown_value
from argentum_desktop.agent.sentences import job_words
from argentum_desktop.agent.status import CardStatus, JobView, Status
from argentum_desktop.domain.posting import Transaction
from argentum_desktop.errors import NotRunningError
from argentum_desktop.ledger.earnings import Totals
from argentum_desktop.policy.words import energy


def status_text(raw: Mapping[str, Any]) -> str:
    """The status, as the control answers it, in lines.

    Raises:
        NotRunningError: what answered is not this version of the application.
    """
    try:
        status = msgspec.convert(raw, Status)
    except msgspec.ValidationError as error:
        raise NotRunningError(
            "The running application is of another version than this command.", "Restart it, then ask again."
        ) from error
    lines = [status.sentence, ""]
    lines += [_card_line(card) for card in status.cards] or ["No cards."]
    lines += [f"Job      {job_words(job)} ({_earned(job)}) {job.reason}".rstrip() for job in status.jobs]
    lines += [_market_line(market.name, market.url, market.problem) for market in status.markets]
    lines.append(f"Engine   {status.engine or 'none'}")
    lines.append(f"Today    {_totals(status.today)}")
    lines.append(f"7 days   {_totals(status.week)}")
    lines += [f"Notice   {notice.message} {notice.remedy}".rstrip() for notice in status.notices]
    return printable(lines)


def ledger_text(transactions: Sequence[Transaction]) -> str:
    """Every posting; income stands as a negative figure, as double entry has it."""
    if not transactions:
        return "Nothing has been earned yet."
    lines = []
    for transaction in transactions:
        posted_at = transaction.posted_at.astimezone(UTC)
        lines.append(f"{posted_at:%Y-%m-%d %H:%M:%S} UTC  {transaction.description}  [{transaction.lease_id}]")
        lines += [f"    {posting.account:<44} {posting.amount!s:>18}" for posting in transaction.postings]
    return printable(lines)


def ledger_json(transactions: Sequence[Transaction]) -> Any:
    return msgspec.to_builtins({"transactions": transactions})


def _card_line(card: CardStatus) -> str:
    reading, names = card.reading, ("temperature_c", "power_mw", "utilization_percent")
    now = "  ".join(shown_value(card.gpu, reading, name) for name in names) if reading else "no reading"
    words = f"{card.doing}. {card.because} {card.remedy}".rstrip() if card.because else card.doing
    return f"Card     {card.gpu.label}  {now}  {words}"


def _earned(job: JobView) -> str:
    return f"{job.earned} {'settled' if job.is_settled else 'so far'}"


def _market_line(name: str, url: str, problem: str) -> str:
    return f"Market   {name} ({url}): {problem or 'connected'}"


def _totals(totals: Totals) -> str:
    used = energy(totals.energy_mj)
    return f"{totals.net} net = {totals.gross} - {totals.fee} fee - {totals.electricity} electricity ({used})"
