"""The history of the cards as rows: chunks of readings and summaries, what is still to be summarised, and events.

A chunk's key is made of its begin and its card, so that all new rows go to the end of their table, in order of time.
Times are whole seconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from sqlite3 import Connection

from argentum_desktop.domain.reading import METRICS
from argentum_desktop.domain.summary import Span, Summary
from argentum_desktop.store.chunks import HIGHEST_NUMBER, Chunk, Column, DamagedChunkError, Level, pack, unpack

HOUR_S = 3600
# Kept beside the metrics: 1 where the energy is not the card's own count but was added up from its power.
ENERGY_INTEGRATED = "energy_integrated"
KEPT = (*(metric.name for metric in METRICS), ENERGY_INTEGRATED)

_CARD, _METRIC, _XID = "card", "metric", "xid"
_CARD_BITS = 16
_MOST_CARDS = 2**_CARD_BITS - 1
# A code is a metric's number and which of its figures; number 0 is how many readings a span had.
_VALUE, _N, _LOW, _RANGE, _EXCESS = range(5)
_FIGURES = (_N, _LOW, _RANGE, _EXCESS)
_READINGS = 0
# Enough to compare two chunks of the same place.
COUNTS = frozenset({_READINGS << 3 | _N})


@dataclass(frozen=True)
class Raw:
    """The readings of one card in one minute.

    Attributes:
        seconds: of the minute, those with a reading, in order.
        columns: by metric, a value or None for each of `seconds`.
    """

    start_s: int
    seconds: Sequence[int]
    columns: Mapping[str, Column]


@dataclass
class Names:
    """The short numbers under which cards and metrics are kept."""

    cards: dict[str, int] = field(default_factory=dict)
    metrics: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.metric_names = {number: name for name, number in self.metrics.items()}

    def codes(self, metrics: Collection[str] | None, figures: Sequence[int]) -> frozenset[int] | None:
        """The codes of these metrics' figures; of all when None."""
        if metrics is None:
            return None
        numbers = [_READINGS, *(self.metrics[name] for name in metrics if name in self.metrics)]
        return frozenset(_code(number, figure) for number in numbers for figure in figures)


def read_names(connection: Connection) -> Names:
    """The numbers given out so far."""
    rows = connection.execute("SELECT kind, number, name FROM names").fetchall()
    return Names(*({name: number for kind, number, name in rows if kind == wanted} for wanted in (_CARD, _METRIC)))


def name_all(connection: Connection, gpu_ids: Iterable[str], metrics: Iterable[str] = KEPT) -> Names:
    """The numbers of these cards and metrics, given out on first sight."""
    names = read_names(connection)
    is_new = False
    pairs = ((_CARD, names.cards, gpu_ids, _MOST_CARDS), (_METRIC, names.metrics, metrics, HIGHEST_NUMBER))
    for kind, known, wanted, most in pairs:
        for name in sorted({*wanted} - known.keys()) if kind == _CARD else wanted:
            number = max(known.values(), default=0) + 1
            if name not in known and number <= most:
                known[name], is_new = number, True
                connection.execute("INSERT INTO names VALUES (?, ?, ?)", (kind, number, name))
    return Names(names.cards, names.metrics) if is_new else names


def put_name(connection: Connection, kind: str, number: int, name: str) -> None:
    """Restore a number that was given out before; one that stands stays."""
    connection.execute("INSERT OR IGNORE INTO names VALUES (?, ?, ?)", (kind, number, name))


# -- readings ---------------------------------------------------------------------------------------------------------


def put_raw(connection: Connection, names: Names, card: int, raw: Raw) -> bool:
    """Keep a minute of readings; a second that is there already is replaced. Returns whether the minute is new."""
    found = _blob(connection, Level.SECONDS, raw.start_s, card)
    if found is not None:
        raw = _with(_raw(unpack(found), names), raw)
    columns = {_code(names.metrics[name], _VALUE): column for name, column in raw.columns.items()}
    _put(connection, Chunk(Level.SECONDS, card, raw.start_s, raw.seconds, columns))
    return found is None


def get_raw(
    connection: Connection, names: Names, card: int, first_s: int, last_s: int, metrics: Collection[str] | None = None
) -> Iterator[Raw]:
    """The minutes that touch the time from `first_s` to just before `last_s`, oldest first."""
    only = names.codes(metrics, (_VALUE,))
    for blob in _blobs(connection, Level.SECONDS, card, first_s, last_s):
        yield _raw(unpack(blob, only), names)


def _raw(chunk: Chunk, names: Names) -> Raw:
    named = {names.metric_names.get(code >> 3): column for code, column in chunk.columns.items()}
    return Raw(chunk.start_s, chunk.slots, {name: column for name, column in named.items() if name is not None})


def _with(old: Raw, new: Raw) -> Raw:
    """Both together; where both know a second, the new one stands."""
    seconds = sorted({*old.seconds, *new.seconds})
    fresh = {*new.seconds}
    columns: dict[str, Column] = {}
    for name in {**old.columns, **new.columns}:
        before, after = _by_second(old, name), _by_second(new, name)
        columns[name] = [(after if second in fresh else before).get(second) for second in seconds]
    return Raw(old.start_s, seconds, columns)


def _by_second(raw: Raw, name: str) -> dict[int, int | None]:
    return dict(zip(raw.seconds, raw.columns[name], strict=True)) if name in raw.columns else {}


# -- summaries --------------------------------------------------------------------------------------------------------


def put_spans(
    connection: Connection, names: Names, level: Level, card: int, start_s: int, spans: Mapping[int, Span]
) -> None:
    """Keep all summaries of one chunk, by the second at which each begins; what was in the chunk is replaced."""
    order = sorted(spans)
    columns: dict[int, Column] = {_code(_READINGS, _N): [spans[at].readings for at in order]}
    known = {name for span in spans.values() for name in span.metrics}
    for name in sorted(known & names.metrics.keys(), key=lambda name: names.metrics[name]):
        found = [spans[at].metrics.get(name) for at in order]
        number = names.metrics[name]
        columns[_code(number, _N)] = [summary and summary.n for summary in found]
        columns[_code(number, _LOW)] = [summary and summary.low for summary in found]
        columns[_code(number, _RANGE)] = [summary and summary.high - summary.low for summary in found]
        columns[_code(number, _EXCESS)] = [summary and summary.total - summary.n * summary.low for summary in found]
    slots = [(at - start_s) // level.step_s for at in order]
    meanings: Mapping[str, Mapping[str, int]] = {}
    if level is Level.DAYS:
        # Whose it is and what the numbers mean, once more: all that is needed should the table of names be lost.
        meanings = {
            _CARD: {gpu_id: number for gpu_id, number in names.cards.items() if number == card},
            _METRIC: names.metrics,
        }
    _put(connection, Chunk(level, card, start_s, slots, columns, meanings))


def get_spans(
    connection: Connection,
    names: Names,
    level: Level,
    card: int,
    first_s: int,
    last_s: int,
    metrics: Collection[str] | None = None,
) -> dict[int, Span]:
    """The summaries that begin from `first_s` to just before `last_s`, by begin."""
    only = names.codes(metrics, _FIGURES)
    spans: dict[int, Span] = {}
    for blob in _blobs(connection, level, card, first_s, last_s):
        spans.update((at, span) for at, span in _spans(unpack(blob, only), names) if first_s <= at < last_s)
    return spans


def _spans(chunk: Chunk, names: Names) -> Iterator[tuple[int, Span]]:
    counts = chunk.columns[_code(_READINGS, _N)]
    rows: list[dict[str, Summary]] = [{} for _ in chunk.slots]
    for code, column in chunk.columns.items():
        name = names.metric_names.get(code >> 3)
        if name is None or code & 7 != _N:
            continue
        lows, ranges, excesses = (chunk.columns[code - _N + figure] for figure in (_LOW, _RANGE, _EXCESS))
        for row, n, low, range_, excess in zip(rows, column, lows, ranges, excesses, strict=True):
            if n is not None and low is not None and range_ is not None and excess is not None:
                row[name] = Summary(n, low, excess + n * low, low + range_)
    for slot, readings, row in zip(chunk.slots, counts, rows, strict=True):
        yield chunk.start_s + slot * chunk.level.step_s, Span(readings or 0, row)


def first_hour(connection: Connection, names: Names, card: int) -> int | None:
    """When the oldest hour begins that is summarised; None when there is none."""
    row = connection.execute(
        f"SELECT key FROM days WHERE key & {_MOST_CARDS} = ? ORDER BY key LIMIT 1",  # noqa: S608 - our own words
        (card,),
    ).fetchone()
    if row is None:
        return None
    start_s = (row[0] >> _CARD_BITS) * Level.DAYS.span_s
    days = get_spans(connection, names, Level.DAYS, card, start_s, start_s + Level.DAYS.span_s, ())
    day_s = min(days)
    return min(get_spans(connection, names, Level.HOURS, card, day_s, day_s + Level.HOURS.span_s, ()), default=day_s)


def next_begin(connection: Connection, level: Level, at_s: int) -> int | None:
    """From `at_s` on, the first instant at which something of any card may be known; None when there is none."""
    found = []
    for table, span_s in ((level.table, level.span_s), ("due", HOUR_S)):
        row = connection.execute(
            f"SELECT MIN(key) FROM {table} WHERE key >= ?",  # noqa: S608
            (_key(at_s // span_s, 0),),
        ).fetchone()
        found += [] if row[0] is None else [(row[0] >> _CARD_BITS) * span_s]
    return min(found, default=None)


# -- salvage ----------------------------------------------------------------------------------------------------------


def put_salvaged(connection: Connection, chunk: Chunk, blob: bytes) -> None:
    """Put back a chunk found in a damaged file; of two for the same place the one of more readings stays.

    What summaries were made of readings that are there again may be lost, so their hour is due.
    """
    found = _blob(connection, chunk.level, chunk.start_s, chunk.card)
    if found is not None and _weight(unpack(found, COUNTS)) > _weight(chunk):
        return
    _put_blob(connection, chunk, blob)
    if chunk.level is Level.SECONDS:
        mark_due(connection, chunk.card, chunk.start_s)


def finish_salvage(connection: Connection, cards: Collection[int]) -> bool:
    """Name cards whose name is lost, and make due what summaries are missing above those that are there.

    Returns:
        False when what the numbers mean is lost: nothing can be made of any of it, and it is dropped.
    """
    names = read_names(connection)
    if not names.metrics:
        for level in Level:
            connection.execute(f"DELETE FROM {level.table}")  # noqa: S608
        connection.execute("DELETE FROM due")
        return False
    for card in {*cards} - {*names.cards.values()}:
        put_name(connection, _CARD, card, f"unknown-{card}")
    for finer, coarser in ((Level.MINUTES, Level.HOURS), (Level.HOURS, Level.DAYS)):
        for (key,) in connection.execute(f"SELECT key FROM {finer.table}").fetchall():  # noqa: S608
            card, start_s = key & _MOST_CARDS, (key >> _CARD_BITS) * finer.span_s
            chunk_s = start_s // coarser.span_s * coarser.span_s
            blob = _blob(connection, coarser, chunk_s, card)
            if blob is None or (start_s - chunk_s) // coarser.step_s not in unpack(blob, ()).slots:
                mark_due(connection, card, start_s)
    return True


def _weight(chunk: Chunk) -> tuple[int, int]:
    """How many readings it was made of, and of how many slots."""
    counts = chunk.columns.get(_code(_READINGS, _N), ())
    return sum(count or 0 for count in counts), len(chunk.slots)


# -- what is due, and what is forgotten -------------------------------------------------------------------------------


def mark_due(connection: Connection, card: int, at_s: int) -> None:
    """The hour of this instant has readings that are in no summary yet."""
    connection.execute("INSERT OR IGNORE INTO due VALUES (?)", (_key(at_s // HOUR_S, card),))


def due_hours(connection: Connection, card: int, first_s: int, last_s: int) -> list[int]:
    """A card's hours that touch this time and are still to be summarised, by begin."""
    rows = connection.execute(
        f"SELECT key FROM due WHERE key >= ? AND key < ? AND key & {_MOST_CARDS} = ?",  # noqa: S608
        (_key(first_s // HOUR_S, 0), _key(-(-last_s // HOUR_S), 0), card),
    )
    return [(key >> _CARD_BITS) * HOUR_S for (key,) in rows]


def next_due(connection: Connection, but_s: int) -> tuple[int, int] | None:
    """Card and begin of the oldest hour still to be summarised, except the hour of `but_s`."""
    row = connection.execute(
        f"SELECT key FROM due WHERE key >> {_CARD_BITS} != ? ORDER BY key LIMIT 1",  # noqa: S608
        (but_s // HOUR_S,),
    ).fetchone()
    return None if row is None else (row[0] & _MOST_CARDS, (row[0] >> _CARD_BITS) * HOUR_S)


def first_due(connection: Connection, card: int) -> int | None:
    """The oldest of a card's hours that are still to be summarised."""
    row = connection.execute(f"SELECT MIN(key) FROM due WHERE key & {_MOST_CARDS} = ?", (card,)).fetchone()  # noqa: S608
    return None if row[0] is None else (row[0] >> _CARD_BITS) * HOUR_S


def no_longer_due(connection: Connection, card: int, hour_s: int) -> None:
    connection.execute("DELETE FROM due WHERE key = ?", (_key(hour_s // HOUR_S, card),))


def forget(connection: Connection, level: Level, before_s: int, most: int) -> int:
    """Drop at most `most` of the oldest chunks that end before `before_s`; what is due stays. Returns how many went."""
    to_hours = HOUR_S // level.span_s
    hour_key = f"((key >> {_CARD_BITS}) / {to_hours} << {_CARD_BITS}) | (key & {_MOST_CARDS})"
    return connection.execute(
        f"DELETE FROM {level.table} WHERE key IN (SELECT key FROM {level.table} WHERE key < ?"  # noqa: S608
        f" AND NOT EXISTS (SELECT 1 FROM due WHERE due.key = {hour_key.replace('key', f'{level.table}.key')})"
        " ORDER BY key LIMIT ?)",
        (_key(before_s // level.span_s, 0), most),
    ).rowcount


# -- events -----------------------------------------------------------------------------------------------------------


def add_xid(connection: Connection, card: int, at_us: int, place: int, number: int) -> None:
    """Keep an error number, the `place`-th of its reading; given again, it is the same one."""
    connection.execute("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?)", (at_us, card, _XID, place, number))


def xids(connection: Connection, card: int, first_us: int, last_us: int) -> dict[tuple[int, int], int]:
    """The numbers, by time and place, oldest first."""
    rows = connection.execute(
        "SELECT at_us, place, number FROM events WHERE at_us >= ? AND at_us < ? AND card = ? AND kind = ?"
        " ORDER BY at_us, place",
        (first_us, last_us, card, _XID),
    )
    return {(at_us, place): number for at_us, place, number in rows}


# -- rows -------------------------------------------------------------------------------------------------------------


def _code(number: int, figure: int) -> int:
    return number << 3 | figure


def _key(index: int, card: int) -> int:
    return index << _CARD_BITS | card


def _put(connection: Connection, chunk: Chunk) -> None:
    _put_blob(connection, chunk, pack(chunk))


def _put_blob(connection: Connection, chunk: Chunk, blob: bytes) -> None:
    connection.execute(
        f"INSERT INTO {chunk.level.table} VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",  # noqa: S608
        (_key(chunk.start_s // chunk.level.span_s, chunk.card), blob),
    )


def _blob(connection: Connection, level: Level, start_s: int, card: int) -> bytes | None:
    row = connection.execute(
        f"SELECT body FROM {level.table} WHERE key = ?",  # noqa: S608
        (_key(start_s // level.span_s, card),),
    ).fetchone()
    return None if row is None else row[0]


def _blobs(connection: Connection, level: Level, card: int, first_s: int, last_s: int) -> Iterator[bytes]:
    rows = connection.execute(
        f"SELECT body FROM {level.table} WHERE key >= ? AND key < ? AND key & {_MOST_CARDS} = ? ORDER BY key",  # noqa: S608
        (_key(first_s // level.span_s, 0), _key(-(-last_s // level.span_s), 0), card),
    )
    for (blob,) in rows:
        if not isinstance(blob, bytes):
            raise DamagedChunkError("a row of the history without its chunk")
        yield blob
