"""The status, the cards and the ledger as text for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

import msgspec

from argentum_desktop.agent.sentences import job_words
from argentum_desktop.agent.status import CardStatus, JobView, Status
from argentum_desktop.domain.gpu import Gpu, SourceReport
from argentum_desktop.domain.posting import Transaction
from argentum_desktop.domain.reading import Absence, Reading
from argentum_desktop.errors import NotRunningError
from argentum_desktop.ledger.earnings import Totals
from argentum_desktop.policy.words import energy

GIB = 1024**3
_WHY_ABSENT = {Absence.NOT_SUPPORTED: "not supported", Absence.LOST: "lost", Absence.ERROR: "error"}


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
    return _lines(lines)


def _lines(lines: Sequence[str]) -> str:
    """Lines of ours: what a market, a buyer or a driver said in them must neither break them nor steer the terminal."""
    return "\n".join("".join(c if c.isprintable() else " " for c in line) for line in lines)


def cards_text(reports: Sequence[SourceReport], readings: Sequence[Reading]) -> str:
    """Each card with what it reports, and each driver's reason where there is none."""
    by_id = {reading.gpu_id: reading for reading in readings}
    lines = []
    for report in reports:
        for gpu in report.gpus:
            lines.append(f"{gpu.label}  [{gpu.gpu_id}]")
            lines += [f"  {name:<12} {value}" for name, value in _facts(gpu, by_id.get(gpu.gpu_id))]
        if report.problem:
            lines.append(f"{_VENDOR.get(report.vendor, report.vendor)}: {report.problem} {report.remedy}".rstrip())
    return _lines(lines) or "No card was found."


def cards_json(reports: Sequence[SourceReport], readings: Sequence[Reading]) -> Any:
    return msgspec.to_builtins({"reports": reports, "readings": readings})


def ledger_text(transactions: Sequence[Transaction]) -> str:
    """Every posting; income stands as a negative figure, as double entry has it."""
    if not transactions:
        return "Nothing has been earned yet."
    lines = []
    for transaction in transactions:
        posted_at = transaction.posted_at.astimezone(UTC)
        lines.append(f"{posted_at:%Y-%m-%d %H:%M:%S} UTC  {transaction.description}  [{transaction.lease_id}]")
        lines += [f"    {posting.account:<44} {posting.amount!s:>18}" for posting in transaction.postings]
    return _lines(lines)


def ledger_json(transactions: Sequence[Transaction]) -> Any:
    return msgspec.to_builtins({"transactions": transactions})


_VENDOR = {"nvidia": "NVIDIA", "amd": "AMD", "intel": "Intel", "simulated": "Simulated"}


def _card_line(card: CardStatus) -> str:
    reading = card.reading
    now = "  ".join(value for _, value in _facts(card.gpu, reading)[:3]) if reading else "no reading"
    words = f"{card.doing}. {card.because} {card.remedy}".rstrip() if card.because else card.doing
    return f"Card     {card.gpu.label}  {now}  {words}"


def _facts(gpu: Gpu, reading: Reading | None) -> list[tuple[str, str]]:
    """Name and value, with its unit; what is not there says why."""
    if reading is None:
        return [("reading", "none")]

    def shown(metric: str, text: str) -> str:
        if getattr(reading, metric) is not None:
            return text
        return _WHY_ABSENT[reading.absent.get(metric, Absence.NOT_SUPPORTED)]

    total = f"/{gpu.memory_total_bytes / GIB:.0f}" if gpu.memory_total_bytes else ""
    return [
        ("temperature", shown("temperature_c", f"{reading.temperature_c} °C")),
        ("power", shown("power_mw", f"{(reading.power_mw or 0) / 1000:.0f} W")),
        ("load", shown("utilization_percent", f"{reading.utilization_percent} %")),
        ("memory", shown("memory_used_bytes", f"{(reading.memory_used_bytes or 0) / GIB:.1f}{total} GiB")),
        ("clock", shown("clock_sm_mhz", f"{reading.clock_sm_mhz} MHz")),
        ("fan", shown("fan_percent", f"{reading.fan_percent} %")),
        ("throttled by", ", ".join(reason.words for reason in reading.throttle_reasons) or "nothing"),
    ]


def _earned(job: JobView) -> str:
    return f"{job.earned} {'settled' if job.is_settled else 'so far'}"


def _market_line(name: str, url: str, problem: str) -> str:
    return f"Market   {name} ({url}): {problem or 'connected'}"


def _totals(totals: Totals) -> str:
    used = energy(totals.energy_mj)
    return f"{totals.net} net = {totals.gross} - {totals.fee} fee - {totals.electricity} electricity ({used})"
