"""The week and the next change as somebody reads them in a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from argentum_desktop.agent.report_windows import import_text, next_json, next_text, week_json, week_text
from argentum_desktop.domain.availability import DatedException, OwnersWindow
from argentum_desktop.domain.window import WeeklyWindow
from argentum_desktop.settings.schema import Availability, Settings

PARIS = ZoneInfo("Europe/Paris")
CARDS = {"GPU-a": "RTX 3090", "GPU-b": "RTX 4090"}
NIGHTS = ("mon-fri 22:00-07:00", "sat,sun 00:00-24:00")


def settings(*windows: str | OwnersWindow, exceptions: tuple[str, ...] = (), minutes: int = 0) -> Settings:
    return Settings(
        availability=Availability(
            windows=tuple(OwnersWindow.parse(own) if isinstance(own, str) else own for own in windows),
            exceptions=tuple(DatedException.parse(text) for text in exceptions),
            finish_within_minutes=minutes,
        )
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


def test_a_week_with_a_holiday() -> None:
    chosen = settings(*NIGHTS, exceptions=("2026-12-24 closed", "2026-12-28 12:00-14:00 open"))
    assert week_text(chosen, CARDS, PARIS, at("2026-12-23 13:00")).splitlines() == [
        "Hours in which jobs may run, by the clock of Europe/Paris.",
        "",
        "All cards",
        "  Wed 2026-12-23   00:00-07:00  22:00-24:00",
        "  Thu 2026-12-24   closed   (2026-12-24 closed)",
        "  Fri 2026-12-25   00:00-07:00  22:00-24:00",
        "  Sat 2026-12-26   00:00-24:00",
        "  Sun 2026-12-27   00:00-24:00",
        "  Mon 2026-12-28   12:00-14:00  22:00-24:00   (2026-12-28 12:00-14:00 open)",
        "  Tue 2026-12-29   00:00-07:00  22:00-24:00",
    ]


def test_cards_with_their_own_windows_are_shown_apart_with_what_holds_in_them() -> None:
    quiet = OwnersWindow(WeeklyWindow.parse("daily 01:00-02:00"), ("GPU-b",), Decimal("0.30"), 200, 75)
    lines = week_text(settings(*NIGHTS, quiet, minutes=15), CARDS, PARIS, at("2026-06-01 13:00")).splitlines()
    assert lines[2] == "RTX 3090"
    assert lines[11] == "RTX 4090"
    assert lines[13] == "  Tue 2026-06-02   00:00-07:00  22:00-24:00"
    assert lines[19] == "  daily 01:00-02:00: floor 0.30 EUR/h, at most 200 W, at most 75 °C"
    assert lines[-1] == "A job that ends within 15 min after a window's end may finish."


def test_the_night_of_the_jump_is_named() -> None:
    spring = week_text(settings("daily 01:00-03:30"), CARDS, PARIS, at("2026-03-29 00:30"))
    assert "  Sun 2026-03-29   01:00-03:30   (the clock jumps after 01:59:59 to 03:00)" in spring
    autumn = week_text(settings("daily 02:00-02:30"), CARDS, PARIS, at("2026-10-25 00:30"))
    assert "  Sun 2026-10-25   02:00-02:30  02:00-02:30   (the clock jumps after 02:59:59 to 02:00)" in autumn


@pytest.mark.parametrize(
    ("windows", "exceptions", "now", "line"),
    [
        (NIGHTS, (), "2026-06-01 13:00", "closed until 22:00. The window mon-fri 22:00-07:00 begins."),
        (NIGHTS, (), "2026-06-01 23:00", "open until tomorrow 07:00. The window mon-fri 22:00-07:00 ends."),
        (NIGHTS, ("2026-06-02 closed",), "2026-06-01 23:00",
         "open until tomorrow 00:00. The exception 2026-06-02 closed begins."),
        (NIGHTS, ("2026-06-02 closed",), "2026-06-02 23:00",
         "closed until tomorrow 00:00. The exception 2026-06-02 closed ends."),
        ((), ("2026-06-02 12:00-13:00 open",), "2026-06-02 12:30",
         "open until 13:00. The exception 2026-06-02 12:00-13:00 open ends."),
        (("daily 02:30-06:00",), (), "2026-03-29 01:00",
         "closed until 03:00. The window daily 02:30-06:00 begins. The clock jumps then."),
        (("daily 00:00-24:00",), (), "2026-06-01 13:00", "open at all times."),
        ((), (), "2026-06-01 13:00", "closed at all times. You set no hours in which jobs may run."),
    ],
)  # fmt: skip
def test_the_next_change_and_why(windows: tuple[str, ...], exceptions: tuple[str, ...], now: str, line: str) -> None:
    chosen = settings(*windows, exceptions=exceptions)
    assert next_text(chosen, CARDS, PARIS, at(now)) == f"All cards: {line}"


def test_the_same_for_programs() -> None:
    chosen = settings(OwnersWindow(WeeklyWindow.parse("daily 22:00-07:00"), power_limit_w=200))
    now = at("2026-06-01 13:00")
    assert next_json(chosen, {"GPU-a": "x"}, PARIS, now) == {
        "timezone": "Europe/Paris",
        "cards": [
            {
                "gpu_id": "GPU-a",
                "is_open": False,
                "changes_at": "2026-06-01T20:00:00+00:00",
                "why": "The window daily 22:00-07:00 begins.",
            }
        ],
    }
    week = week_json(chosen, {"GPU-a": "x"}, PARIS, now)["cards"][0]["open"]
    assert len(week) == 7
    assert week[0] == {
        "from": "2026-06-01T20:00:00+00:00",
        "until": "2026-06-02T05:00:00+00:00",
        "floor_per_gpu_hour": "0.05",
        "power_limit_w": 200,
        "temperature_limit_c": 87,
    }


def test_what_an_import_did_is_said_without_letting_it_steer_the_terminal() -> None:
    windows = [OwnersWindow(WeeklyWindow.parse("daily 22:00-07:00"), ("GPU-a",))]
    lines = import_text(windows, [DatedException.parse("2026-12-24 closed")], ["An\x1b[2J odd one."]).splitlines()
    assert lines == [
        "Windows     1",
        "    daily 22:00-07:00 for GPU-a",
        "Exceptions  1",
        "    2026-12-24 closed",
        "Note        An [2J odd one.",
    ]
