"""The owner's windows as a calendar: what is written is read again, and stands as other programs expect it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argentum_desktop.app.calendar_files import export_calendar, import_calendar
from argentum_desktop.domain.availability import DatedException, DatedHours, OwnersWindow
from argentum_desktop.domain.window import WeeklyWindow
from argentum_desktop.errors import BadInputError, CalendarError, SettingsError
from argentum_desktop.settings.calendar.export import calendar_text
from argentum_desktop.settings.calendar.reading import read_calendar
from argentum_desktop.settings.change import change
from argentum_desktop.settings.file import load
from argentum_desktop.settings.presets import PRESETS
from argentum_desktop.settings.schema import Availability

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

hours = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda pair: pair[0] != pair[1])
cards = st.lists(st.sampled_from(["GPU-1", "GPU;2", 'a "b", c\\']), max_size=2, unique=True).map(tuple)
own_windows = st.builds(
    lambda days, pair, cards, floor, power, warm: OwnersWindow(WeeklyWindow(days, *pair), cards, floor, power, warm),
    st.frozensets(st.integers(0, 6), min_size=1),
    hours,
    cards,
    st.none() | st.decimals(0, 1000, places=3),
    st.none() | st.integers(1, 2000),
    st.none() | st.integers(40, 110),
)
exceptions = st.builds(
    lambda first, days, pair, is_open, cards: DatedException(
        DatedHours(first, first + timedelta(days), *pair, is_open), cards
    ),
    st.dates(date(2026, 5, 1), date(2026, 12, 31)),
    st.integers(0, 20),
    st.just((0, 1440)) | hours,
    st.booleans(),
    cards,
)
availabilities = st.builds(
    Availability,
    windows=st.lists(own_windows, max_size=4, unique=True).map(tuple),
    exceptions=st.lists(exceptions, max_size=4, unique=True).map(tuple),
)


@settings(deadline=None, max_examples=80)
@given(availabilities, st.sampled_from(["Europe/Paris", "UTC", "America/St_Johns", "Africa/Casablanca"]))
def test_what_is_written_is_read_again(chosen: Availability, zone: str) -> None:
    text = calendar_text(chosen, ZoneInfo(zone), NOW)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    read = read_calendar(text.encode(), ZoneInfo(zone), NOW)
    assert read.windows == chosen.windows
    assert read.exceptions == chosen.exceptions
    assert read.notes == ()


def test_a_night_that_an_exception_closes_is_no_event_elsewhere_either() -> None:
    chosen = Availability(
        windows=(OwnersWindow.parse("mon-fri 22:00-07:00"),),
        exceptions=(DatedException.parse("2026-06-03..2026-06-05 closed"), DatedException.parse("2026-06-12 closed")),
    )
    lines = calendar_text(chosen, PARIS, NOW).split("\r\n")
    assert "DTSTART;TZID=Europe/Paris:20260601T220000" in lines
    assert "RRULE:FREQ=WEEKLY;WKST=MO;BYDAY=MO,TU,WE,TH,FR" in lines
    assert "EXDATE;TZID=Europe/Paris:20260603T220000,20260604T220000" in lines
    assert "DTEND;VALUE=DATE:20260606" in lines
    assert "TZOFFSETTO:+0200" in lines


def test_the_same_choices_make_the_same_file() -> None:
    chosen = Availability(exceptions=(DatedException.parse("2026-12-24 closed"),))
    assert calendar_text(chosen, PARIS, NOW) == calendar_text(chosen, PARIS, NOW)


OWNERS_FILE = """# mine
[availability]
# nights only
windows = ["daily 22:00-07:00"]  # for now
timezone = "Europe/Paris"

[prices]
floor_per_gpu_hour = 0.07 # a lot
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(OWNERS_FILE)
    return path


def test_a_calendar_comes_into_the_file_and_leaves_the_rest_as_it_was(file: Path, tmp_path: Path) -> None:
    chosen = Availability(
        windows=(OwnersWindow(WeeklyWindow.parse("sat,sun 08:00-20:00"), ("GPU-1",), Decimal("0.30"), 200, 75),),
        exceptions=(DatedException.parse("2026-12-24 closed"),),
    )
    calendar = tmp_path / "c.ics"
    calendar.write_text(calendar_text(chosen, ZoneInfo("Asia/Tokyo"), NOW))
    done = import_calendar(file, calendar, NOW)
    assert done.read.notes == ()
    now = load(file).availability
    assert (now.windows, now.exceptions, now.timezone) == (chosen.windows, chosen.exceptions, "Asia/Tokyo")
    assert load(file) == done.settings
    assert done.backup.read_text() == OWNERS_FILE
    text = file.read_text()
    for kept in ("# mine", "# nights only", "# a lot", "floor_per_gpu_hour = 0.07"):
        assert kept in text


def test_a_calendar_of_holidays_adds_exceptions_and_keeps_the_windows(file: Path, tmp_path: Path) -> None:
    change(file, "availability", {"exceptions": (DatedException.parse("2026-12-24 closed"),)})
    calendar = tmp_path / "c.ics"
    calendar.write_text(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261225\nEND:VEVENT\n"
        "BEGIN:VEVENT\nDTSTART;TZID=Asia/Tokyo:20261231T120000\nDURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    import_calendar(file, calendar, NOW, is_closed=True)
    now = load(file).availability
    assert [str(one) for one in now.windows] == ["daily 22:00-07:00"]
    shown = ["2026-12-24 closed", "2026-12-25 closed", "2026-12-31 04:00-05:00 closed"]
    assert [str(one) for one in now.exceptions] == shown
    assert now.timezone == "Europe/Paris"


@pytest.mark.parametrize(
    ("calendar", "words"),
    [
        ("BEGIN:VCALENDAR\nEND:VCALENDAR\n", "holds nothing that can be taken over. It has no events."),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "damaged at line 2"),
        (
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Rent\nDTSTART:20260101\nRRULE:FREQ=MONTHLY\nEND:VEVENT\nEND:VCALENDAR",
            '"Rent" \\(line 2\\) is not taken over: it repeats monthly',
        ),
    ],
)
def test_a_calendar_of_no_use_changes_nothing(file: Path, tmp_path: Path, calendar: str, words: str) -> None:
    path = tmp_path / "c.ics"
    path.write_text(calendar)
    with pytest.raises(CalendarError, match=words):
        import_calendar(file, path, NOW)
    assert file.read_text() == OWNERS_FILE
    assert not (tmp_path / "settings.toml.bak").exists()


def test_a_figure_beyond_its_range_changes_nothing(file: Path, tmp_path: Path) -> None:
    chosen = Availability(windows=(OwnersWindow(WeeklyWindow.parse("daily 08:00-20:00"), power_limit_w=9000),))
    path = tmp_path / "c.ics"
    path.write_text(calendar_text(chosen, PARIS, NOW))
    with pytest.raises(SettingsError, match=r"availability\.windows .*power_limit_w must lie between 1 and 2000 W"):
        import_calendar(file, path, NOW)
    assert file.read_text() == OWNERS_FILE


def test_files_that_cannot_be_read_or_written_are_said(file: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "none.ics", tmp_path):
        with pytest.raises(CalendarError, match="cannot be read"):
            import_calendar(file, path, NOW)
    there = tmp_path / "there.ics"
    export_calendar(load(file), there, NOW)
    with pytest.raises(BadInputError, match="is there already"):
        export_calendar(load(file), there, NOW)
    export_calendar(load(file), there, NOW, is_forced=True)
    with pytest.raises(BadInputError, match="cannot be written"):
        export_calendar(load(file), tmp_path / "gone" / "x.ics", NOW)


def test_a_change_where_the_section_is_missing_makes_it(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("# short\n[jobs]\ndisk_gib = 5\n")
    change(path, "availability", {"windows": PRESETS["nights"]()})
    assert [str(one) for one in load(path).availability.windows] == ["daily 22:00-07:00"]
    assert load(path).jobs.disk_gib == 5
    assert path.read_text().startswith("# short\n")


@pytest.mark.parametrize(
    ("name", "hours"), [("nights", 63), ("outside-working-hours", 118), ("weekends", 48), ("always", 168)]
)
def test_every_preset_is_as_long_as_it_says(name: str, hours: int) -> None:
    minutes = 0
    for own in PRESETS[name]():
        length = (own.when.end_minute - own.when.start_minute) % 1440 or 1440
        minutes += length * len(own.when.days)
    assert minutes == hours * 60
