"""The rules that look at the offer: currency, price, what the job may use, whether it ends in time."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import lru_cache

from argentum_desktop.domain.decision import Change, ChangeKind, Verdict
from argentum_desktop.domain.job import MIB
from argentum_desktop.domain.money import Money, amount_words, divide_half_even
from argentum_desktop.domain.offer import PPM, Offer
from argentum_desktop.policy.circumstances import Circumstances
from argentum_desktop.policy.floors import price_for_net
from argentum_desktop.policy.gates.machine import GIB
from argentum_desktop.policy.words import clock_time
from argentum_desktop.settings.declaration import declaration
from argentum_desktop.settings.schema import Jobs

# Threads count too, so this is ample for any job, and far from what would leave the computer none for its owner.
MOST_PROCESSES = 8192
# The archive and the unpacked image lie side by side until the job begins; layers unpack to two or three times.
_IMAGE_ROOM = 4


@dataclass(frozen=True)
class Capacity:
    """The most one job may use here, from the settings and the machine."""

    memory_mib: int
    cpu_millis: int
    disk_mib: int
    wall_s: int


def capacity(at: Circumstances) -> Capacity:
    """What an offer may ask for now; the time ends with the window."""
    jobs, host = at.settings.jobs, at.host
    return Capacity(*_shares(jobs, host.memory_total_bytes, host.cpu_count), _most_wall_s(at))


def _most_wall_s(at: Circumstances) -> int:
    return int(min(at.settings.jobs.wall_hours * 3600, _open_s(at)))


def _shares(jobs: Jobs, memory_total_bytes: int, cpu_count: int) -> tuple[int, int, int]:
    """What one job may use of memory (MiB), processors (thousandths) and disk (MiB)."""
    return (
        memory_total_bytes // MIB * jobs.memory_share_percent // 100,
        cpu_count * 1000 * jobs.cpu_share_percent // 100,
        jobs.disk_gib * 1024,
    )


def offer_verdicts(offer: Offer, at: Circumstances) -> tuple[Verdict, ...]:
    """What every rule about the offer says."""
    in_time = _in_time(offer, at, _most_wall_s(at))
    return (_own_currency(offer, at), *_price(offer, at), *_resources(offer, at), in_time)


def price_and_time(offer: Offer, at: Circumstances) -> list[Verdict]:
    """The rules about the offer whose word depends on when it would run."""
    return [*_price(offer, at), _in_time(offer, at, _most_wall_s(at))]


def _open_s(at: Circumstances) -> float:
    """How much longer the window is open; without end when it is always open, and when it is shut, which is another
    rule's word.
    """
    opening = at.opening
    if not opening.is_open or opening.until is None:
        return math.inf
    return (opening.until - at.now).total_seconds()


# -- money ------------------------------------------------------------------------------------------------------------


def _own_currency(offer: Offer, at: Circumstances) -> Verdict:
    return _currency(offer.price_per_hour.currency, at.settings.prices.currency)


@lru_cache(maxsize=64)
def _currency(theirs: str, ours: str) -> Verdict:
    if theirs == ours:
        return Verdict("currency", True, ours)
    remedy = f"Set prices.currency to {theirs}."
    change = Change(ChangeKind.SETTING, remedy, "prices.currency", value=theirs)
    return Verdict("currency", False, f"The market pays in {theirs}; your prices are in {ours}.", remedy, change)


def _price(offer: Offer, at: Circumstances) -> tuple[Verdict, ...]:
    prices, currency = at.settings.prices, offer.price_per_hour.currency
    if currency != prices.currency:
        return ()
    # A lease of several cards has one price, and each card must be worth its share of it.
    cards, terms = max(1, len(offer.gpu_ids)), at.ready.in_force(at.gpu.gpu_id, at.now)
    floor = terms.floor
    share, costs = offer.price_per_hour.micros // cards, _costs_per_hour(offer, at)
    net = share - divide_half_even(share * offer.fee_ppm, PPM) - costs
    is_loss, is_low = prices.never_at_a_loss and net < 0, net < floor.micros
    left = f"{amount_words(net, currency)} an hour are left"
    if not is_loss and not is_low:
        return Verdict("loss", True, left), Verdict("floor", True, f"{left}, floor {terms.floor_words}")
    least = price_for_net(floor + Money(costs, currency), offer.fee_ppm).scaled(cards, 1)
    remedy = f"Runs for {least} an hour, {least - offer.price_per_hour} more than offered."
    change = Change(ChangeKind.PRICE, remedy, price_per_hour=least)
    spent_on = "electricity and wear" if at.ready.wear_per_hour.micros else "electricity"
    costs_more = f"It would cost {amount_words(-net, currency)} an hour more in {spent_on} than it pays."
    too_little = f"It would leave you {amount_words(net, currency)} an hour; your floor is {floor}."
    return (
        Verdict("loss", False, costs_more, remedy, change) if is_loss else Verdict("loss", True, left),
        Verdict("floor", False, too_little, remedy, change) if is_low else Verdict("floor", True, left),
    )


def _costs_per_hour(offer: Offer, at: Circumstances) -> int:
    """Electricity and wear of one card, over the hours in which the job would run at the longest, in micros."""
    end = at.now + timedelta(seconds=offer.counted_s)
    return at.ready.costs_per_hour(at.gpu, at.measured_power_mw, at.now, end)


# -- what the job may use ---------------------------------------------------------------------------------------------


def _resources(offer: Offer, at: Circumstances) -> tuple[Verdict, ...]:
    wanted, host = offer.job.limits, at.host
    most_mib, most_millis, most_disk_mib = _shares(at.settings.jobs, host.memory_total_bytes, host.cpu_count)
    memory_percent = cpu_percent = 0
    if wanted.memory_mib > most_mib or wanted.cpu_millis > most_millis:
        # The share that is named must hold what is wanted, as `capacity` counts.
        memory_percent = _percent(wanted.memory_mib, host.memory_total_bytes // MIB)
        cpu_percent = _percent(wanted.cpu_millis, host.cpu_count * 1000)
    millis, disk_gib = "thousandths of a processor", -(-wanted.disk_mib // 1024)
    return (
        _fits("memory", wanted.memory_mib, most_mib, "MiB of memory", "memory_share_percent", memory_percent),
        _fits("processor", wanted.cpu_millis, most_millis, millis, "cpu_share_percent", cpu_percent),
        _fits("disk_size", wanted.disk_mib, most_disk_mib, "MiB of disk", "disk_gib", disk_gib),
        _card_memory(offer, at),
        _fits("cards", wanted.gpus, len(offer.gpu_ids), "cards"),
        _fits("processes", wanted.pids, MOST_PROCESSES, "processes"),
        _image_fits(offer, at),
    )


def _percent(part: int, whole: int) -> int:
    return -(-part * 100 // whole) if whole else 101


@lru_cache(maxsize=2048)
def _fits(rule: str, wanted: int, most: int, unit: str, key: str = "", enough: int = 0) -> Verdict:
    """
    Args:
        key: the setting of [jobs] that allows more, and with `enough`, how much would be enough.
    """
    if wanted <= most:
        return Verdict(rule, True, f"{wanted} of {most} {unit}")
    reason = f"It asks for {wanted} {unit}; one job may use {most} here."
    if not key:
        return Verdict(rule, False, reason)
    change = _setting_to(key, enough) or Change(ChangeKind.ACT, "It needs a larger computer.")
    return Verdict(rule, False, reason, change.words, change)


def _setting_to(key: str, value: int) -> Change | None:
    """Setting one of the owner's choices so far, where it may be set so far."""
    high = next(declaration(setting).high for setting in fields(Jobs) if setting.name == key)
    if high is not None and value > high:
        return None
    return Change(ChangeKind.SETTING, f"Set jobs.{key} to {value}.", f"jobs.{key}", value=str(value))


def _card_memory(offer: Offer, at: Circumstances) -> Verdict:
    wanted, total = offer.job.limits.vram_mib, at.gpu.memory_total_bytes
    if wanted and total is None:
        reason = f"It asks for {wanted} MiB of card memory; the card does not say how much it has."
        remedy = "Update the card's driver."
        return Verdict("card_memory", False, reason, remedy, Change(ChangeKind.ACT, remedy))
    return _card_holds(wanted, (total or 0) // MIB)


@lru_cache(maxsize=512)
def _card_holds(wanted_mib: int, total_mib: int) -> Verdict:
    found = _fits("card_memory", wanted_mib, total_mib, "MiB of card memory")
    if found.is_yes:
        return found
    remedy = "It needs a larger card."
    return Verdict(found.rule, False, found.reason, remedy, Change(ChangeKind.ACT, remedy))


def _image_fits(offer: Offer, at: Circumstances) -> Verdict:
    bytes_needed = offer.job.image.size_bytes + sum([file.size_bytes for file in offer.job.inputs])
    kept_gib = at.settings.jobs.disk_gib
    missing = bytes_needed * _IMAGE_ROOM - (at.host.disk_free_bytes - kept_gib * GIB)
    if missing <= 0:
        return _image(bytes_needed * 10 // GIB)
    needed_gib = bytes_needed * _IMAGE_ROOM / GIB
    reason = f"Its image and inputs need {needed_gib:.1f} GiB of disk beside what the job may write."
    remedy = f"Free {math.ceil(missing / GIB * 10) / 10:.1f} GiB of disk."
    least = str(at.host.disk_free_bytes + missing)
    return Verdict(
        "image_size", False, reason, remedy, Change(ChangeKind.MEASURE, remedy, "disk_free_bytes", value=least)
    )


@lru_cache(maxsize=512)
def _image(tenths_gib: int) -> Verdict:
    return Verdict("image_size", True, f"{tenths_gib / 10:.1f} GiB")


# -- time -------------------------------------------------------------------------------------------------------------


def _in_time(offer: Offer, at: Circumstances, most_s: int) -> Verdict:
    wall_s = offer.job.limits.wall_s
    if wall_s <= most_s:
        return _ends_in_time(-(-wall_s // 60))
    end = clock_time(at.now + timedelta(seconds=most_s), at.now, at.zone)
    reason = f"It may take {-(-wall_s // 60)} min; jobs must end by {end} here."
    is_too_long = wall_s > at.settings.jobs.wall_hours * 3600
    change = _setting_to("wall_hours", -(-wall_s // 3600)) if is_too_long else None
    window = "Runs in a longer window." if wall_s > _open_s(at) else ""
    words = " ".join(filter(None, (window, change.words if change else "")))
    if change is None or window:
        change = Change(ChangeKind.ACT, words) if words else None
    return Verdict("time", False, reason, words, change)


@lru_cache(maxsize=2048)
def _ends_in_time(minutes: int) -> Verdict:
    return Verdict("time", True, f"at most {minutes} min")
