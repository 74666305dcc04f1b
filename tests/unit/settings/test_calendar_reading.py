"""Calendars from other programs: what a week can say is taken over, and the rest is said."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argentum_desktop.errors import CalendarError
from argentum_desktop.settings.calendar.lines import folded
from argentum_desktop.settings.calendar.reading import ReadCalendar, read_calendar, zone_of

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
NIGHT = ("DTSTART;TZID=Europe/Paris:20260101T220000", "DTEND;TZID=Europe/Paris:20260102T070000")


def calendar(*events: tuple[str, ...]) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//Calendar//EN"]
    for number, event in enumerate(events):
        uid = () if any(line.startswith("UID:") for line in event) else (f"UID:{number}@example.com",)
        lines += ["BEGIN:VEVENT", *uid, *event, "END:VEVENT"]
    return folded([*lines, "END:VCALENDAR"]).encode()


def read(*events: tuple[str, ...], is_closed: bool = False) -> ReadCalendar:
    return read_calendar(calendar(*events), PARIS, NOW, is_closed=is_closed)


def windows_of(*events: tuple[str, ...]) -> list[str]:
    found = read(*events)
    assert not found.notes
    return [str(window) for window in found.windows]


@pytest.mark.parametrize(
    ("event", "windows"),
    [
        ((*NIGHT, "RRULE:FREQ=DAILY"), ["daily 22:00-07:00"]),
        ((*NIGHT, "RRULE:FREQ=DAILY;UNTIL=99991231T235959Z"), ["daily 22:00-07:00"]),
        ((*NIGHT, "RRULE:FREQ=WEEKLY"), ["thu 22:00-07:00"]),
        ((*NIGHT, "RRULE:FREQ=WEEKLY;WKST=SU;INTERVAL=1;BYDAY=MO,TU,WE,TH,FR"), ["mon-fri 22:00-07:00"]),
        ((NIGHT[0], "DURATION:PT9H", "RRULE:FREQ=DAILY"), ["daily 22:00-07:00"]),
        ((NIGHT[0], "DURATION:P1DT30M", "RRULE:FREQ=WEEKLY"), ["thu 22:00-24:00", "fri 00:00-22:30"]),
        (("DTSTART:20260101T220000", "DTEND:20260102T000000", "RRULE:FREQ=DAILY"), ["daily 22:00-24:00"]),
        (("DTSTART;VALUE=DATE:20260103", "RRULE:FREQ=WEEKLY;BYDAY=SA,SU"), ["sat,sun 00:00-24:00"]),
        (
            ("DTSTART;TZID=W. Europe Standard Time:20260101T220000", "DURATION:PT1H", "RRULE:FREQ=DAILY"),
            ["daily 22:00-23:00"],
        ),
        (
            ("DTSTART;TZID=/example.org/2026_1/Europe/Paris:20260101T220000", "DURATION:PT1H", "RRULE:FREQ=DAILY"),
            ["daily 22:00-23:00"],
        ),
        (
            (
                "DTSTART;TZID=Europe/Paris:20260102T180000",
                "DTEND;TZID=Europe/Paris:20260105T080000",
                "RRULE:FREQ=WEEKLY",
            ),
            ["fri 18:00-24:00", "sat 00:00-24:00", "sun 00:00-24:00", "mon 00:00-08:00"],
        ),
    ],
)
def test_what_repeats_every_week_is_a_window(event: tuple[str, ...], windows: list[str]) -> None:
    assert windows_of(event) == windows


@pytest.mark.parametrize(
    ("event", "exceptions"),
    [
        (("DTSTART;VALUE=DATE:20261224",), ["2026-12-24 open"]),
        (("DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227"), ["2026-12-24..2026-12-26 open"]),
        (("DTSTART:20261224T190000Z", "DTEND:20261224T230000Z"), ["2026-12-24 20:00-24:00 open"]),
        (("DTSTART;TZID=America/New_York:20260701T200000", "DURATION:PT2H"), ["2026-07-02 02:00-04:00 open"]),
        (
            ("DTSTART:20261224T180000", "DTEND:20261226T080000"),
            ["2026-12-24 18:00-24:00 open", "2026-12-25 open", "2026-12-26 00:00-08:00 open"],
        ),
        (
            ("DTSTART:20261201T200000", "DURATION:PT2H", "RRULE:FREQ=DAILY;COUNT=3"),
            ["2026-12-01..2026-12-03 20:00-22:00 open"],
        ),
        (
            ("DTSTART:20261201T200000", "DURATION:PT2H", "RRULE:FREQ=WEEKLY;UNTIL=20261215T210000Z",
             "EXDATE:20261208T200000"),
            ["2026-12-01 20:00-22:00 open", "2026-12-15 20:00-22:00 open"],
        ),
    ],
)  # fmt: skip
def test_what_ends_is_dates(event: tuple[str, ...], exceptions: list[str]) -> None:
    found = read(event)
    assert not found.notes
    assert not found.windows
    assert [str(one) for one in found.exceptions] == exceptions


def test_a_date_left_out_and_one_moved_are_exceptions() -> None:
    found = read(
        ("UID:a", "SUMMARY:Night", *NIGHT, "RRULE:FREQ=DAILY", "EXDATE;TZID=Europe/Paris:20260610T220000"),
        ("UID:a", "SUMMARY:Night", "RECURRENCE-ID;TZID=Europe/Paris:20260611T220000",
         "DTSTART;TZID=Europe/Paris:20260612T120000", "DURATION:PT1H"),
        ("UID:a", "RECURRENCE-ID;TZID=Europe/Paris:20260615T220000", "DTSTART;TZID=Europe/Paris:20260615T220000",
         "DURATION:PT9H", "STATUS:CANCELLED"),
    )  # fmt: skip
    assert [str(window) for window in found.windows] == ["daily 22:00-07:00"]
    assert {str(one) for one in found.exceptions} == {
        "2026-06-10 22:00-07:00 closed",
        "2026-06-11 22:00-07:00 closed",
        "2026-06-12 12:00-13:00 open",
        "2026-06-15 22:00-07:00 closed",
    }
    assert not found.notes


def test_a_date_moved_within_its_own_hours_is_open_when_it_was_moved_to() -> None:
    found = read(
        ("UID:a", *NIGHT, "RRULE:FREQ=DAILY"),
        ("UID:a", "RECURRENCE-ID;TZID=Europe/Paris:20260611T220000", "DTSTART;TZID=Europe/Paris:20260612T010000",
         "DURATION:PT1H"),
    )  # fmt: skip
    assert {str(one) for one in found.exceptions} == {
        "2026-06-11 22:00-01:00 closed",
        "2026-06-12 01:00-02:00 open",
        "2026-06-12 02:00-07:00 closed",
    }


def test_a_calendar_of_holidays_closes() -> None:
    found = read(("DTSTART;VALUE=DATE:20261225", "SUMMARY:Christmas"), is_closed=True)
    assert [str(one) for one in found.exceptions] == ["2026-12-25 closed"]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ((*NIGHT, "RRULE:FREQ=MONTHLY"), "it repeats monthly, and windows are weekly"),
        ((*NIGHT, "RRULE:FREQ=YEARLY"), "it repeats yearly"),
        ((*NIGHT, "RRULE:FREQ=WEEKLY;INTERVAL=2"), "it repeats only every 2 weeks"),
        ((*NIGHT, "RRULE:FREQ=WEEKLY;BYDAY=1MO"), "a certain day of the month"),
        ((*NIGHT, "RRULE:FREQ=DAILY;BYMONTH=1"), "it repeats by BYMONTH"),
        ((*NIGHT, "RRULE:FREQ=DAILY;COUNT=5000"), "more than 400 times"),
        (("DTSTART:20260701T120000",), "it takes no time"),
        (("DTSTART:20260701T120030", "DURATION:PT1H"), "within a minute"),
        (("DTSTART;TZID=Moon/Crater:20260701T120000", "DURATION:PT1H"), "its time zone Moon/Crater is not known"),
        (("DTSTART:20260101T220000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"), "its week is in UTC, whose clock differs"),
        (("DTSTART:20260101T220000", "DURATION:P8D", "RRULE:FREQ=WEEKLY"), "longer than a week"),
        (("DTSTART;VALUE=DATE:99991231",), "it names the year 9999"),
        (("DTSTART:00010101T000000Z", "DURATION:PT1H"), "it names the year 1"),
        (("DTSTART;VALUE=DATE:22500101",), "lies outside the years"),
        (("DTSTART:20260701T120000", "DURATION:PT1H", "RDATE;VALUE=PERIOD:20260702T120000/PT1H"), "periods"),
    ],
)
def test_what_a_week_cannot_say_is_said(event: tuple[str, ...], words: str) -> None:
    found = read(("SUMMARY:Odd", *event), (*NIGHT, "RRULE:FREQ=DAILY"))
    assert [str(window) for window in found.windows] == ["daily 22:00-07:00"]
    note = next(note for note in found.notes if words in note)
    assert note.startswith('"Odd" (line 4) is not taken over: ')
    assert len(found.notes) == 1


def test_what_is_taken_over_not_quite_is_said_too() -> None:
    found = read(
        (
            "SUMMARY:Later",
            "DTSTART:20270101T220000",
            "DURATION:PT1H",
            "RRULE:FREQ=DAILY",
            "EXRULE:FREQ=MONTHLY",
            "EXDATE:22500101T220000",
        ),
        ("SUMMARY:Old", "DTSTART:20200101T220000", "DURATION:PT1H"),
        ("SUMMARY:All", "DTSTART:20260101T000000", "DURATION:P1D", "RRULE:FREQ=DAILY", "EXDATE:20260610T000000"),
    )
    assert len(found.notes) == 5
    assert '"Later" (line 4) is left out on 2250-01-01; that is not taken over: it lies outside the years' in " ".join(
        found.notes
    )
    assert '"Later" (line 4) begins on 2027-01-01 only; it is taken over as from now.' in found.notes
    assert any("exclusion rule" in note for note in found.notes)
    assert any("left out on 2026-06-10 00:00; other windows are closed then too" in note for note in found.notes)
    assert "What lies in the past is not taken over (dates: 1)." in found.notes


def test_a_calendar_of_thousands_of_dates_is_refused() -> None:
    events = [(f"DTSTART;VALUE=DATE:{2027 + number // 300}{number % 12 + 1:02d}01",) for number in range(1001)]
    with pytest.raises(CalendarError, match="makes more than 1000 entries"):
        read(*events)


def test_other_components_are_said() -> None:
    data = calendar((*NIGHT, "RRULE:FREQ=DAILY")).replace(
        b"END:VCALENDAR", b"BEGIN:VTODO\r\nEND:VTODO\r\nEND:VCALENDAR"
    )
    assert read_calendar(data, PARIS, NOW).notes == ("VTODO is not taken over; only events are.",)


def test_the_zone_of_a_calendar_is_known_when_there_is_one() -> None:
    assert zone_of(calendar(NIGHT)) == PARIS
    assert zone_of(calendar(NIGHT, ("DTSTART;TZID=Asia/Tokyo:20260101T220000",))) is None
    assert zone_of(calendar(("DTSTART:20260101T220000Z",))) is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "This is no calendar"),
        (b"hello world", "at line 1: 'hello world' is no property|at line 1: 'hello world' has no value"),
        (b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "at line 2: the file ends before END:VCALENDAR, begun at line 1"),
        (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", "at line 3: it ends 'VCALENDAR'"),
        (b"VERSION:2.0\nBEGIN:VCALENDAR\nEND:VCALENDAR\n", "at line 1: VERSION stands outside"),
        (b"BEGIN:VCALENDAR\nX\xff:1\nEND:VCALENDAR\n", "at line 2: it is not text in UTF-8"),
        (calendar(("SUMMARY:x",)), "at line 4: the event has no DTSTART"),
        (calendar(("DTSTART:2026",)), "DTSTART is no date: '2026'"),
        (calendar(("DTSTART:20260230T120000",)), "DTSTART names a time that is none"),
        (calendar(("DTSTART:20260701T120000", "DTEND:20260701T110000")), "the event ends before it begins"),
        (calendar(("DTSTART:20260701T120000", "DURATION:soon")), "DURATION is none"),
        (calendar((*NIGHT, "RRULE:FREQ=SOMETIMES")), "at line 8: RRULE repeats in no way"),
        (calendar((*NIGHT, "RRULE:FREQ=WEEKLY;BYDAY=XX")), "names a day that is none"),
        (calendar((*NIGHT, "RRULE:FREQ=WEEKLY;COUNT=-1")), "COUNT is no count"),
        (calendar((*NIGHT, "RRULE:FREQ=WEEKLY;UNTIL=later")), "UNTIL is no date"),
        (calendar((*NIGHT, "RRULE:FREQ=DAILY", "X-ARGENTUM-FLOOR:cheap")), "X-ARGENTUM-FLOOR is no figure"),
        (b"BEGIN:VCALENDAR\n" + b"X-A:" + b"a" * (4 * 1024 * 1024), "larger than 4 MiB"),
    ],
)
def test_a_damaged_calendar_is_refused_with_the_line(data: bytes, words: str) -> None:
    with pytest.raises(CalendarError, match=words) as refused:
        read_calendar(data, PARIS, NOW)
    assert refused.value.remedy
    assert len(refused.value.message) < 300


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_any_damage_is_a_calendar_still_or_refused(data: st.DataObject) -> None:
    whole = calendar((*NIGHT, "RRULE:FREQ=DAILY;COUNT=9", "EXDATE:20260610T220000Z", "SUMMARY:Night"))
    place = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.sampled_from([b"", b":", b";", b"0", b"9", b"\n", b"\xff", b'"', b"=", b","]))
    length = data.draw(st.integers(0, 4))
    with suppress(CalendarError):
        read_calendar(whole[:place] + cut + whole[place + length :], PARIS, NOW)
