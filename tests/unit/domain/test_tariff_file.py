"""Day-ahead prices from files as they are handed out: read right over both jumps of the clock, or refused by line."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import eur

from argentum_desktop.domain.money import Money
from argentum_desktop.domain.tariff import Tariff
from argentum_desktop.domain.tariff_file import TariffFile, read_tariff
from argentum_desktop.domain.timed_figures import TableError

PARIS = ZoneInfo("Europe/Paris")
HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)
MIDNIGHT = datetime(2026, 3, 1, 23, tzinfo=UTC)  # of the second of March in Paris


EXCHANGE = (
    '"MTU (CET/CEST)","Area","Day-ahead Price [EUR/MWh]"\n'
    '"02.03.2026 00:00 - 02.03.2026 01:00","BZN|FR","85.37"\n'
    '"02.03.2026 01:00 - 02.03.2026 02:00","BZN|FR","90"\n'
)
SUPPLIER = (
    "start\tend\teur_per_kwh\n2026-03-01T23:00Z\t2026-03-02T00:00Z\t0.08537\n"
    "2026-03-02T00:00Z\t2026-03-02T01:00Z\t0.09\n"
)


def read(text: str, zone: ZoneInfo = PARIS) -> TariffFile:
    return read_tariff(text, zone, "EUR")


def local_day(year: int, month: int, day: int, step: timedelta) -> list[datetime]:
    """The day's instants as the clock of Paris shows them, from midnight to midnight."""
    midnight = datetime(year, month, day, tzinfo=PARIS)
    at, end = midnight.astimezone(UTC), (midnight + timedelta(days=1)).astimezone(UTC)  # a day on the wall
    return [at + number * step for number in range(int((end - at) / step))]


def test_a_plain_table() -> None:
    found = read("time,price (EUR/MWh)\n2026-03-02 00:00,85.37\n2026-03-02 01:00,-12.5\n2026-03-02 02:00,0\n")
    assert [span.per_kwh for span in found.spans] == [eur("0.08537"), eur("-0.0125"), eur("0")]
    assert [span.start for span in found.spans] == [MIDNIGHT, MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR]
    assert found.spans[-1].end == MIDNIGHT + 3 * HOUR
    assert found.notes == ()
    assert Tariff(eur("0.30"), spans=found.spans).known_until == MIDNIGHT + 3 * HOUR


@pytest.mark.parametrize(
    "text",
    [
        "time,price (EUR/MWh)\n2026-03-02 00:00,85.37\n2026-03-02 01:00,90\n",
        "\ufefftime;Preis in EUR/MWh\r\n2026-03-02 00:00;85,37\r\n2026-03-02 01:00;90\r\n",
        EXCHANGE,
        SUPPLIER,
        "# from the supplier\n\ndatetime,ct/kWh\n2026-03-02T00:00+01:00,8.537\n2026-03-02T01:00+01:00,9\n",
        "timestamp (UTC),price €/kWh\n2026-03-01 23:00:00,8.537e-2\n2026-03-02 00:00:00,0.09\n",
        "Delivery time (America/New_York),EUR/MWh\n2026-03-01 18:00,85.37\n2026-03-01 19:00,90\n",
        "time,EUR/MWh\n2026-03-02 01:00,90\n2026-03-02 00:00,85.37\n",
    ],
    ids=["plain", "semicolons", "spans", "end", "cents", "utc", "zone", "newest first"],
)
def test_the_same_prices_in_many_shapes(text: str) -> None:
    found = read(text)
    assert [(span.start, span.end, span.per_kwh) for span in found.spans] == [
        (MIDNIGHT, MIDNIGHT + HOUR, eur("0.08537")),
        (MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR, eur("0.09")),
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([(2026, 3, 29), (2026, 10, 25), (2026, 7, 1)]),
    st.sampled_from([HOUR, QUARTER]),
    st.booleans(),
    st.lists(st.integers(-50_000, 500_000), min_size=100, max_size=100),
)
def test_a_day_of_local_times_is_the_same_day_in_instants(
    day: tuple[int, int, int], step: timedelta, is_local: bool, micros: list[int]
) -> None:
    """The hour that stands twice in October is in order, the one that March skips is not there: 23 or 25 hours."""
    instants = local_day(*day, step)
    rows = []
    for at, price in zip(instants, micros, strict=False):
        shown = at.astimezone(PARIS).replace(tzinfo=None) if is_local else at
        rows.append(f"{shown.isoformat()},{price / 1_000_000:.6f}")
    found = read("\n".join(["time,EUR/kWh", *rows]))
    assert [span.start for span in found.spans] == instants
    assert [span.per_kwh.micros for span in found.spans] == micros[: len(instants)]
    assert all(span.end - span.start == step for span in found.spans)
    assert found.notes == ()


@pytest.mark.parametrize("step", [HOUR, QUARTER])
def test_an_hour_that_the_clock_skips_and_the_file_has_all_the_same(step: timedelta) -> None:
    shown = [datetime.fromisoformat("2026-03-29") + number * step for number in range(int(timedelta(days=1) / step))]
    rows = [f"{at:%Y-%m-%d %H:%M},{number}" for number, at in enumerate(shown)]
    found = read("\n".join(["time,EUR/MWh", *rows]))
    assert [span.start for span in found.spans] == local_day(2026, 3, 29, step)
    assert all(span.end - span.start == step for span in found.spans)
    first = 2 + int(2 * HOUR / step)
    assert found.notes[0] == f"line {first}: the clock skipped 2026-03-29 02:00 in Europe/Paris; left out"
    assert len(found.notes) == int(HOUR / step)


@pytest.mark.parametrize("step", [HOUR, QUARTER])
def test_an_hour_that_the_clock_shows_twice_and_the_file_has_once(step: timedelta) -> None:
    shown = [datetime.fromisoformat("2026-10-25") + number * step for number in range(int(timedelta(days=1) / step))]
    rows = [f"{at:%Y-%m-%d %H:%M},{at.hour}" for at in shown]
    found = read("\n".join(["time,EUR/MWh", *rows]))
    assert [span.start for span in found.spans] == local_day(2026, 10, 25, step)
    assert all(span.per_kwh == Money(span.start.astimezone(PARIS).hour * 1000, "EUR") for span in found.spans)
    first = 2 + int(2 * HOUR / step)
    assert found.notes == (f"line {first}: the clock showed 2026-10-25 02:00 twice; the row holds for both",)


def test_spans_that_end_where_the_repeated_hour_does() -> None:
    rows = ["00:00 - 25.10.2026 01:00", "01:00 - 25.10.2026 02:00", "02:00 - 25.10.2026 03:00"]
    found = read("MTU (CET/CEST),EUR/MWh\n" + "\n".join(f"25.10.2026 {row},{n}" for n, row in enumerate(rows)))
    assert [(span.start, span.end) for span in found.spans] == [
        (at, at + HOUR) for at in local_day(2026, 10, 25, HOUR)[:4]
    ]


def test_quarters_of_an_hour_begin_in_the_middle_of_a_file() -> None:
    """Europe's day-ahead market did so on the first of October 2025."""
    hours = [f"{at.isoformat()},1" for at in local_day(2025, 9, 30, HOUR)]
    quarters = [f"{at.isoformat()},2" for at in local_day(2025, 10, 1, QUARTER)]
    found = read("\n".join(["time,EUR/MWh", *hours, *quarters]))
    assert len(found.spans) == 24 + 96
    assert found.spans[23].end - found.spans[23].start == HOUR
    assert found.spans[-1].end - found.spans[-1].start == QUARTER


def test_rows_without_a_figure_at_the_end_and_twice_the_same() -> None:
    found = read(
        "time,EUR/MWh\n2026-03-02 00:00,1\n2026-03-02 00:00,1\n2026-03-02 01:00,2\n2026-03-02 02:00,n/e\n"
        "2026-03-02 03:00,-\n"
    )
    assert len(found.spans) == 2
    assert found.notes == ("2 rows have no figure and were left out", "line 3 says the same as line 2; left out")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["2026-03-02 00:00,1", "2026-03-02 01:00,x"], 'line 3: "x" is no figure'),
        (["2026-03-02 00:00,1", '2026-03-02 01:00,"1 234,5"'], 'line 3: "1 234,5" is no figure'),
        (["2026-03-02 00:00,1", "2026-03-02 01:00,85,37"], "line 3: it has more columns than the header"),
        (["2026-03-02 00:00,1", "2026-03-02,1"], 'line 3: "2026-03-02" is no time'),
        (["2026-13-02 00:00,1"], 'line 2: "2026-13-02 00:00" is no time'),
        (["0001-01-01 00:00+10:00,1"], "is no time"),
        (["02/03/2026 00:00,1"], "is no time"),
        (["2026-03-02 00:00"], "line 2: it has fewer columns"),
        (["2026-03-02 00:00,1", "2026-03-02 00:00,2"], "line 3: it gives another figure than line 2"),
        (
            ["2026-03-02 00:00,1", "2026-03-02 02:00,1", "2026-03-02 01:00,1", "2026-03-02 03:00,1"],
            "line 4: it goes back in time behind line 3",
        ),
        (
            ["2026-03-02 00:00,1", "2026-03-02 01:00,1", "2026-03-02 03:00,1", "2026-03-02 04:00,1"],
            "line 4: there is a hole before it: nothing is said from 2026-03-02 01:00 to 2026-03-02 02:00 UTC",
        ),
        (
            ["2026-03-02 00:00,1", "2026-03-02 01:00,n/e", "2026-03-02 02:00,1", "2026-03-02 03:00,1"],
            "line 4: there is",
        ),
        (["2026-03-02 00:00,n/e"], "line 1: there is no row with a figure"),
        (['2026-03-02 00:00,"1'], "is no table of values"),
        (["2026-03-02 00:00 - 2026-03-02 00:00,1"], "line 2: it ends before it begins"),
        (
            ["2026-03-02 00:00 - 2026-03-02 02:00,1", "2026-03-02 01:00 - 2026-03-02 02:00,1"],
            "line 3: it begins before line 2 ends",
        ),
        (
            ["2026-03-02 00:00 - 2026-03-02 00:30,1", "2026-03-02 01:00 - 2026-03-02 02:00,1"],
            "line 3: there is a hole before it: nothing is said from 2026-03-01 23:30 to 2026-03-02 00:00 UTC",
        ),
        (["2026-03-02 00:00,999999999"], "beyond belief"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_by_line(rows: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        read("\n".join(["time,EUR/MWh", *rows]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: the table is empty"),
        ("\n\n# nothing\n", "line 1: the table is empty"),
        ("time,price\n2026-03-02 00:00,1\n", "no column is named for a figure with its unit"),
        ("hello,EUR/MWh\n2026-03-02 00:00,1\n", "no column is named for a time"),
        ("time,CHF/MWh\n2026-03-02 00:00,1\n", "the prices are in CHF, and yours in EUR"),
        ("time,price £/kWh\n2026-03-02 00:00,1\n", "the prices are in GBP, and yours in EUR"),
        ("time (Europe/Atlantis),EUR/MWh\n2026-03-02 00:00,1\n", '"Europe/Atlantis" is no known time zone'),
        ("time,EUR/MWh\n" * 200_001, "longer than five years"),
    ],
)
def test_a_header_that_cannot_be_used(text: str, words: str) -> None:
    with pytest.raises(TableError, match=re.escape(words)):
        read(text)


@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    for body in (text, f"time,EUR/MWh\n{text}", f"time,EUR/MWh\n2026-03-02 00:00,{text}"):
        with suppress(ValueError):
            spans = read(body).spans
            assert all(span.start < span.end for span in spans)
