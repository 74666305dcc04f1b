"""The same offer and circumstances with one thing changed, to see what would be said then."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from argentum_desktop.domain.activity import CPU, DISK, Activity
from argentum_desktop.domain.decision import Change, ChangeKind
from argentum_desktop.domain.offer import Offer
from argentum_desktop.policy.circumstances import Circumstances
from argentum_desktop.settings.schema import Settings

_OF_READING = {"temperature_c", "utilization_percent"}
_OF_HOST = {"disk_free_bytes", "memory_available_bytes"}
_OF_ACTIVITY = {CPU, DISK}


def changed(change: Change, offer: Offer | None, at: Circumstances) -> tuple[Offer | None, Circumstances] | None:
    """None where the change is something to do of which no value follows."""
    if change.kind is ChangeKind.TIME and change.at is not None:
        return offer, later(at, change.at)
    if change.kind is ChangeKind.PRICE and offer is not None and change.price_per_hour is not None:
        return replace(offer, price_per_hour=change.price_per_hour), at
    if change.kind is ChangeKind.SETTING:
        return offer, replace(at, settings=with_setting(at.settings, change.name, change.value))
    if change.kind is ChangeKind.MEASURE:
        return offer, _measured(at, change.name, int(change.value))
    if change.kind is ChangeKind.PROGRAM and at.activity is not None:
        return offer, replace(at, activity=_without(at.activity, change.name))
    return None


def later(at: Circumstances, now: datetime) -> Circumstances:
    """The same when it is `now`, and nobody came to the computer in between."""
    activity = at.activity
    if activity is not None and activity.idle_s is not None:
        activity = replace(activity, idle_s=activity.idle_s + (now - at.now).total_seconds())
    return replace(at, now=now, activity=activity, ready=at.ready)


def with_setting(settings: Settings, name: str, text: str) -> Settings:
    """The settings with one of them, `section.key`, set to what stands in the file as `text`."""
    section_name, _, key = name.partition(".")
    section: Any = getattr(settings, section_name)
    if key not in {setting.name for setting in fields(section)}:
        raise ValueError(f"there is no setting {name}")
    value: Any = text
    before = getattr(section, key)
    if isinstance(before, bool):
        value = text == "true"
    elif isinstance(before, int):
        value = int(text)
    elif isinstance(before, Decimal):
        value = Decimal(text)
    parts: dict[str, Any] = {section_name: replace(section, **{key: value})}
    return replace(settings, **parts)


def _measured(at: Circumstances, name: str, value: int) -> Circumstances:
    values: dict[str, Any] = {name: value}
    if name in _OF_READING and at.reading is not None:
        return replace(at, reading=replace(at.reading, **values))
    if name in _OF_HOST:
        return replace(at, host=replace(at.host, **values))
    if name in _OF_ACTIVITY and at.activity is not None:
        return replace(at, activity=replace(at.activity, **values))
    raise ValueError(f"nothing is measured as {name}")


def _without(activity: Activity, program: str) -> Activity:
    """The program closed: it neither fills the screen nor runs."""
    running = activity.programs_running
    return replace(
        activity,
        full_screen="" if activity.full_screen == program else activity.full_screen,
        programs_running=running and tuple(name for name in running if name != program),
    )
