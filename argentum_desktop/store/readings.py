"""The rows behind the history of the cards.

Times are whole seconds since 1970 UTC. A summary row holds, per metric, how many readings had it, and their lowest,
mean and highest value; a metric that no reading had is NULL throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from sqlite3 import Connection

from argentum_desktop.domain.reading import METRIC_NAMES

SECONDS, MINUTES, HOURS = "seconds", "minutes", "hours"

Values = tuple[int | None, ...]
"""One value per metric, in the order of `METRIC_NAMES`."""

Summary = tuple[int | None, float | None, float | None, float | None]
"""n, low, mean, high."""


@dataclass(frozen=True)
class SummaryRow:
    """One card over one span."""

    gpu_id: str
    at: int
    summaries: tuple[Summary, ...]


def card_number(connection: Connection, gpu_id: str) -> int:
    """The short number under which a card's rows are kept; given out on first sight."""
    connection.execute("INSERT OR IGNORE INTO cards (gpu_id) VALUES (?)", (gpu_id,))
    number: int = connection.execute("SELECT card FROM cards WHERE gpu_id = ?", (gpu_id,)).fetchone()[0]
    return number


def put_seconds(connection: Connection, rows: Iterable[tuple[int, str, Values]]) -> None:
    """Keep raw readings: when, which card, its values. The same second again replaces the first."""
    numbers: dict[str, int] = {}
    for at, gpu_id, values in rows:
        card = numbers.get(gpu_id) or numbers.setdefault(gpu_id, card_number(connection, gpu_id))
        connection.execute(_insert(SECONDS, 2 + len(METRIC_NAMES)), (at, card, *values))


def get_seconds(connection: Connection, start: int, end: int) -> list[tuple[int, str, Values]]:
    """Every card's raw readings from `start` to just before `end`."""
    rows = connection.execute(
        f"SELECT at, gpu_id, {', '.join(METRIC_NAMES)} FROM seconds JOIN cards USING (card)"  # noqa: S608 - our own words
        " WHERE at >= ? AND at < ? ORDER BY at, card",
        (start, end),
    )
    return [(at, gpu_id, tuple(values)) for at, gpu_id, *values in rows]


def put_summaries(connection: Connection, table: str, rows: Iterable[SummaryRow]) -> None:
    """Keep summaries of minutes or hours; the same span again replaces the first."""
    statement = _insert(table, 2 + 4 * len(METRIC_NAMES))
    for row in rows:
        flat = [value for summary in row.summaries for value in summary]
        connection.execute(statement, (card_number(connection, row.gpu_id), row.at, *flat))


def get_summaries(connection: Connection, table: str, start: int, end: int) -> list[SummaryRow]:
    """Every card's summaries of the spans that begin from `start` to just before `end`."""
    columns = ", ".join(f"{metric}_{part}" for metric in METRIC_NAMES for part in ("n", "low", "mean", "high"))
    found: list[SummaryRow] = []
    # By card, because that is how the rows lie.
    for card, gpu_id in connection.execute("SELECT card, gpu_id FROM cards").fetchall():
        rows = connection.execute(
            f"SELECT at, {columns} FROM {table} WHERE card = ? AND at >= ? AND at < ? ORDER BY at",  # noqa: S608
            (card, start, end),
        )
        found.extend(SummaryRow(gpu_id, at, _fours(flat)) for at, *flat in rows)
    return found


def get_metric(
    connection: Connection, table: str, gpu_id: str, metric: str, start: int, end: int
) -> list[tuple[int, int, float, float, float]]:
    """One metric of one card: at, n, low, mean, high for each row that has it."""
    if metric not in METRIC_NAMES:
        raise ValueError(f"{metric!r} is no metric")
    columns = (
        f"1, {metric}, {metric}, {metric}"
        if table == SECONDS
        else ", ".join(f"{metric}_{part}" for part in ("n", "low", "mean", "high"))
    )
    present = metric if table == SECONDS else f"{metric}_n"
    rows = connection.execute(
        f"SELECT at, {columns} FROM {table} WHERE card = (SELECT card FROM cards WHERE gpu_id = ?)"  # noqa: S608
        f" AND at >= ? AND at < ? AND {present} IS NOT NULL ORDER BY at",
        (gpu_id, start, end),
    )
    return rows.fetchall()


def forget_before(connection: Connection, table: str, at: int, most: int) -> int:
    """Drop rows older than `at`, at most `most` of each card's oldest at a time; returns how many went."""
    gone = 0
    for (card,) in connection.execute("SELECT card FROM cards").fetchall():
        gone += connection.execute(
            f"DELETE FROM {table} WHERE card = ? AND at IN"  # noqa: S608
            f" (SELECT at FROM {table} WHERE card = ? AND at < ? ORDER BY at LIMIT ?)",
            (card, card, at, most),
        ).rowcount
    return gone


def _insert(table: str, columns: int) -> str:
    return f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * columns)})"  # noqa: S608


def _fours(flat: Sequence[float | None]) -> tuple[Summary, ...]:
    return tuple(tuple(flat[index : index + 4]) for index in range(0, len(flat), 4))  # type: ignore[misc]
