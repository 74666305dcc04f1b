"""Figures and states as the owner reads them: always with their unit, always by the computer's locale."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from PySide6.QtCore import QCoreApplication, QDate, QLocale, QTime

from argentum_desktop.agent.status import AgentState, CardStatus, JobView
from argentum_desktop.domain.job import JobState, Outcome
from argentum_desktop.domain.money import MICROS_PER_UNIT, Money
from argentum_desktop.domain.reading import Absence, Reading

translate = QCoreApplication.translate

UNKNOWN = "—"
MINUS = "\u2212"
NBSP = "\u00a0"
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "CHF": "CHF\u00a0", "JPY": "¥"}
_SMALL_MICROS = 100_000
_MJ_PER_WH = 3_600_000
_GIB = 1024**3
# Below this a guess from the progress says more about the job's start than about its end.
_PERCENT_TO_GUESS_FROM = 3


def locale() -> QLocale:
    """The owner's locale; the bare C locale, which has no money, reads as British English."""
    chosen = QLocale()
    if chosen.language() == QLocale.Language.C:
        return QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom)
    return chosen


def number(value: float, decimals: int = 0) -> str:
    return locale().toString(float(value), "f", decimals)


def money(amount: Money) -> str:
    """`€2.14`; four decimals for small change, where two would show nothing."""
    small = 0 < abs(amount.micros) < _SMALL_MICROS
    symbol = _SYMBOLS.get(amount.currency, amount.currency + NBSP)
    text = locale().toCurrencyString(abs(amount.micros) / MICROS_PER_UNIT, symbol, 4 if small else 2)
    # Some locales put a negative amount in parentheses, which only accountants read as one.
    return f"{MINUS}{text}" if amount.micros < 0 else text


def money_per_hour(amount: Money) -> str:
    return translate("Words", "{amount}/h").format(amount=money(amount))


def percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{number(value)}{NBSP}%"


def temperature(value_c: float | None) -> str:
    return UNKNOWN if value_c is None else f"{number(value_c)}{NBSP}°C"


def power(value_mw: int | None) -> str:
    return UNKNOWN if value_mw is None else f"{number(value_mw / 1000)}{NBSP}W"


def memory(value_bytes: int | None) -> str:
    """`21.4 GiB`, and `24 GiB` where there is nothing behind the point."""
    if value_bytes is None:
        return UNKNOWN
    is_whole = value_bytes >= _GIB and value_bytes % _GIB < _GIB // 20
    return f"{number(value_bytes / _GIB, 0 if is_whole else 1)}{NBSP}GiB"


def energy(value_mj: int) -> str:
    """Watt-hours below one kilowatt-hour."""
    watt_hours = value_mj / _MJ_PER_WH
    if watt_hours < 1000:
        return f"{number(watt_hours)}{NBSP}Wh"
    return f"{number(watt_hours / 1000, 1 if watt_hours >= 10_000 else 2)}{NBSP}kWh"


def duration(seconds: float) -> str:
    """`40 s`, `14 min`, `2 h 05 min`, `3 d 4 h`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return translate("Words", "{n} s").format(n=whole)
    minutes = round(whole / 60)
    if minutes < 60:
        return translate("Words", "{n} min").format(n=minutes)
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return translate("Words", "{h} h {m:02} min").format(h=hours, m=minutes)
    return translate("Words", "{d} d {h} h").format(d=hours // 24, h=hours % 24)


def clock_time(at: datetime) -> str:
    local = at.astimezone()
    return locale().toString(QTime(local.hour, local.minute), QLocale.FormatType.ShortFormat)


def short_date(day: date) -> str:
    return locale().toString(QDate(day.year, day.month, day.day), translate("Words", "ddd d MMM"))


def short_weekday(day: date) -> str:
    return locale().toString(QDate(day.year, day.month, day.day), translate("Words", "ddd d"))


def day_of_month(day: date) -> str:
    return locale().toString(QDate(day.year, day.month, day.day), translate("Words", "d MMM"))


def clock_speed(value_mhz: int | None) -> str:
    return UNKNOWN if value_mhz is None else f"{number(value_mhz)}{NBSP}MHz"


def moment(at: datetime, now: datetime) -> str:
    """The time alone today, with the day otherwise."""
    local, today = at.astimezone(), now.astimezone().date()
    if local.date() == today:
        return clock_time(at)
    if local.date() == today - timedelta(days=1):
        return translate("Words", "yesterday {time}").format(time=clock_time(at))
    return f"{short_date(local.date())} {clock_time(at)}"


def plain(text: str) -> str:
    """Words from outside, for places where Qt would otherwise guess whether they are markup (tool tips)."""
    return text.replace("<", "‹").replace(">", "›")


def without_mnemonic(text: str) -> str:
    """For menus and buttons, where an ampersand would underline the next letter."""
    return text.replace("&", "&&")


def agent_state(state: AgentState) -> str:
    return {
        AgentState.STARTING: translate("Words", "Starting"),
        AgentState.WORKING: translate("Words", "Working"),
        AgentState.IDLE: translate("Words", "Ready"),
        AgentState.PAUSED: translate("Words", "Paused"),
        AgentState.OUTSIDE_HOURS: translate("Words", "Outside your hours"),
        AgentState.ATTENTION: translate("Words", "Needs you"),
        AgentState.FAULT: translate("Words", "Fault"),
    }[state]


def job_state(job: JobView) -> str:
    """What a job does now, or how it ended."""
    if job.outcome is not None:
        return {
            Outcome.SUCCEEDED: translate("Words", "Done"),
            Outcome.FAILED: translate("Words", "Failed"),
            Outcome.CANCELLED: translate("Words", "Cancelled by the buyer"),
            Outcome.RECLAIMED: translate("Words", "Stopped for you"),
            Outcome.LEASE_LOST: translate("Words", "Taken back by the market"),
            Outcome.CARD_LOST: translate("Words", "Card lost"),
        }[job.outcome]
    if job.is_frozen:
        return translate("Words", "Paused")
    return {
        JobState.ACCEPTING: translate("Words", "Accepting"),
        JobState.PREPARING: translate("Words", "Fetching files"),
        JobState.CREATING: translate("Words", "Preparing"),
        JobState.STARTING: translate("Words", "Starting"),
        JobState.RUNNING: translate("Words", "Running"),
        JobState.STOPPING: translate("Words", "Stopping"),
        JobState.COLLECTING: translate("Words", "Collecting results"),
        JobState.COMPLETING: translate("Words", "Handing over"),
        JobState.CLEANING: translate("Words", "Tidying up"),
        JobState.CLOSED: translate("Words", "Ended"),
    }[job.state]


def time_left(job: JobView) -> str:
    """A guess from the progress, the agreed limit where there is none, nothing where neither says anything."""
    if job.state is not JobState.RUNNING or job.is_frozen:
        return ""
    done = job.progress_percent
    if done is not None and _PERCENT_TO_GUESS_FROM <= done < 100:
        return translate("Words", "about {span} left").format(span=duration(job.elapsed_s * (100 - done) / done))
    if job.wall_s > job.elapsed_s:
        return translate("Words", "at most {span} left").format(span=duration(job.wall_s - job.elapsed_s))
    return ""


def why_absent(reading: Reading | None, metric: str) -> str:
    """Why a figure is not there; empty when it is."""
    if reading is None:
        return translate("Words", "This card has not been read yet.")
    if getattr(reading, metric) is not None:
        return ""
    return {
        Absence.NOT_SUPPORTED: translate("Words", "This card or its driver does not report this."),
        Absence.LOST: translate(
            "Words", "The driver has lost this card. A restart of the computer usually brings it back."
        ),
        Absence.ERROR: translate("Words", "The driver could not read this just now."),
    }.get(reading.absent.get(metric, Absence.NOT_SUPPORTED), "")


def card_names(cards: tuple[CardStatus, ...]) -> dict[str, str]:
    """A name for each card by its id, numbered where two would be called the same."""
    labels = [card.gpu.label for card in cards]
    names: dict[str, str] = {}
    for index, card in enumerate(cards):
        label = labels[index]
        if labels.count(label) > 1:
            label = f"{label} {labels[:index].count(label) + 1}"
        names[card.gpu.gpu_id] = label
    return names
