"""The status and the ledger as text for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from argentum_desktop.agent.report_cards import printable, shown_value
from argentum_desktop.agent.sentences import job_words
from argentum_desktop.agent.status import CardStatus, JobView, Status
from argentum_desktop.domain.handback import HandBackFigures, Spread
from argentum_desktop.domain.posting import Transaction
from argentum_desktop.errors import NotRunningError
from argentum_desktop.ledger.earnings import Totals, energy_by_day
from argentum_desktop.policy.words import carbon, energy


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
    lines += _handback_lines(status.handback)
    lines += [f"Notice   {notice.message} {notice.remedy}".rstrip() for notice in status.notices]
    return printable(lines)


def ledger_text(transactions: Sequence[Transaction]) -> str:
    """Every posting, and what the energy came to; income stands as a negative figure, as double entry has it."""
    if not transactions:
        return "Nothing has been earned yet."
    lines = []
    for transaction in transactions:
        posted_at = transaction.posted_at.astimezone(UTC)
        lines.append(f"{posted_at:%Y-%m-%d %H:%M:%S} UTC  {transaction.description}  [{transaction.lease_id}]")
        lines += [f"    {posting.account:<44} {posting.amount!s:>18}" for posting in transaction.postings]
        lines.append(f"    {_energy(transaction)}")
    return printable(lines)


def ledger_json(transactions: Sequence[Transaction], zone: ZoneInfo) -> Any:
    """Every posting, and the energy of each day in the owner's zone, by the day on which it was posted."""
    return msgspec.to_builtins({"transactions": transactions, "days": energy_by_day(transactions, zone)})


def _energy(transaction: Transaction) -> str:
    """`0.20 kWh, 68.4 g CO₂e. At 0.30 EUR/kWh.`"""
    emitted = "CO₂e not known" if transaction.carbon_mg is None else carbon(transaction.carbon_mg)
    return f"{energy(transaction.energy_mj)}, {emitted}. {transaction.energy_words}".rstrip()


def _handback_lines(figures: HandBackFigures) -> list[str]:
    """The promise that the machine comes first, in figures."""
    if not figures.promises:
        return []
    told = [_spread("frozen", figures.frozen), _spread("memory free", figures.freed)]
    kept = "always as promised" if figures.is_kept else f"as promised {figures.kept} of {figures.promises} times"
    return [f"Yielded  {'; '.join(filter(None, told))}; {kept}"]


def _spread(what: str, spread: Spread) -> str:
    if spread.median_ms is None or spread.p95_ms is None:
        return ""
    return f"{what} after {_short_span(spread.median_ms)} (95 % within {_short_span(spread.p95_ms)})"


def _short_span(span_ms: int) -> str:
    return f"{span_ms} ms" if span_ms < 1000 else f"{span_ms / 1000:.1f} s"


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
    if totals.carbon_mj:
        part = "" if totals.carbon_mj == totals.energy_mj else f" for {energy(totals.carbon_mj)} of it"
        used = f"{used}, {carbon(totals.carbon_mg)}{part}"
    return f"{totals.net} net = {totals.gross} - {totals.fee} fee - {totals.electricity} electricity ({used})"
