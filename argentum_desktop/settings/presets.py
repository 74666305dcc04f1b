"""Weeks that many want, by name, as a beginning to change."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from argentum_desktop.domain.availability import OwnersWindow

Windows = tuple[OwnersWindow, ...]


def nights() -> Windows:
    return _windows("daily 22:00-07:00")


def outside_working_hours() -> Windows:
    return _windows("mon-fri 00:00-08:00", "mon-fri 18:00-24:00", "sat,sun 00:00-24:00")


def weekends() -> Windows:
    return _windows("sat,sun 00:00-24:00")


def always() -> Windows:
    return _windows("daily 00:00-24:00")


PRESETS: Mapping[str, Callable[[], Windows]] = {
    "nights": nights,
    "outside-working-hours": outside_working_hours,
    "weekends": weekends,
    "always": always,
}


def _windows(*texts: str) -> Windows:
    return tuple(OwnersWindow.parse(text) for text in texts)
