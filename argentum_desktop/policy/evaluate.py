"""The decision: every rule asked, every answer kept."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from datetime import timedelta

from argentum_desktop.domain.decision import Decision, Verdict
from argentum_desktop.domain.job import MIB
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.offer import Offer
from argentum_desktop.policy.floors import asking_price, net_price
from argentum_desktop.policy.gates import GATES, GIB, STOPPING_GATES, Circumstances
from argentum_desktop.policy.windows import opening_at
from argentum_desktop.policy.words import clock_time
from argentum_desktop.settings.schema import Jobs, declaration

# Threads count too, so this is ample for any job, and far from what would leave the computer none for its owner.
MOST_PROCESSES = 8192


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
    return Capacity(
        memory_mib=host.memory_total_bytes // MIB * jobs.memory_share_percent // 100,
        cpu_millis=host.cpu_count * 1000 * jobs.cpu_share_percent // 100,
        disk_mib=jobs.disk_gib * 1024,
        wall_s=int(min(jobs.wall_hours * 3600, _open_s(at))),
    )


def _open_s(at: Circumstances) -> float:
    """How much longer the window is open; without end when it is always open, and when it is shut, which is another
    rule's word.
    """
    opening = opening_at(at.settings.availability.windows, at.zone, at.now)
    if not opening.is_open or opening.until is None:
        return math.inf
    return (opening.until - at.now).total_seconds()


def may_offer(at: Circumstances) -> Decision:
    """Whether this card asks for work now."""
    return Decision(tuple(gate(at) for gate in GATES))


def may_run(offer: Offer, at: Circumstances) -> Decision:
    """Whether this offer is accepted for this card now."""
    gates = tuple(gate(at) for gate in GATES)
    return Decision((*gates, _own_currency(offer, at), *_price(offer, at), *_resources(offer, at), _in_time(offer, at)))


def must_stop(at: Circumstances) -> Verdict | None:
    """The first reason to end a job that runs on this card now; None while there is none."""
    return next((verdict for verdict in (gate(at) for gate in STOPPING_GATES) if not verdict.is_yes), None)


def _own_currency(offer: Offer, at: Circumstances) -> Verdict:
    theirs, ours = offer.price_per_hour.currency, at.settings.prices.currency
    if theirs != ours:
        reason = f"The market pays in {theirs}; your prices are in {ours}."
        return Verdict("currency", False, reason, f"Set prices.currency to {theirs}.")
    return Verdict("currency", True, ours)


def _price(offer: Offer, at: Circumstances) -> tuple[Verdict, ...]:
    prices = at.settings.prices
    if offer.price_per_hour.currency != prices.currency:
        return ()
    # A lease of several cards has one price, and each card must be worth its share of it.
    cards = max(1, len(offer.gpu_ids))
    share = Money(offer.price_per_hour.micros // cards, prices.currency)
    parts = net_price(share, offer.fee_ppm, at.gpu, prices)
    remedy = f"Runs for {asking_price(at.gpu, offer.fee_ppm, prices).scaled(cards, 1)} an hour."
    verdicts = []
    if prices.never_at_a_loss and parts.net.micros < 0:
        reason = f"It would cost {-parts.net} an hour more in electricity than it pays."
        verdicts.append(Verdict("loss", False, reason, remedy))
    else:
        verdicts.append(Verdict("loss", True, f"{parts.net} an hour are left"))
    if parts.net < prices.floor:
        reason = f"It would leave you {parts.net} an hour; your floor is {prices.floor}."
        verdicts.append(Verdict("floor", False, reason, remedy))
    else:
        verdicts.append(Verdict("floor", True, f"{parts.net} an hour, floor {prices.floor}"))
    return tuple(verdicts)


def _resources(offer: Offer, at: Circumstances) -> tuple[Verdict, ...]:
    wanted, most, host = offer.job.limits, capacity(at), at.host
    memory_remedy = _setting_to("memory_share_percent", _percent(wanted.memory_mib, host.memory_total_bytes // MIB))
    cpu_remedy = _setting_to("cpu_share_percent", _percent(wanted.cpu_millis, host.cpu_count * 1000))
    disk_remedy = _setting_to("disk_gib", -(-wanted.disk_mib // 1024))
    return (
        _fits("memory", wanted.memory_mib, most.memory_mib, "MiB of memory", memory_remedy),
        _fits("processor", wanted.cpu_millis, most.cpu_millis, "thousandths of a processor", cpu_remedy),
        _fits("disk_size", wanted.disk_mib, most.disk_mib, "MiB of disk", disk_remedy),
        _card_memory(offer, at),
        _fits("cards", wanted.gpus, len(offer.gpu_ids), "cards"),
        _fits("processes", wanted.pids, MOST_PROCESSES, "processes"),
        _image_fits(offer, at),
    )


def _percent(part: int, whole: int) -> int:
    """The least share of `whole` that holds `part`, as `capacity` counts."""
    return -(-part * 100 // whole) if whole else 101


def _setting_to(key: str, value: int, otherwise: str = "It needs a larger computer.") -> str:
    """The remedy that sets a choice of the owner's, where it may be set that far."""
    high = next(declaration(setting).high for setting in fields(Jobs) if setting.name == key)
    return f"Set jobs.{key} to {value}." if high is None or value <= high else otherwise


def _card_memory(offer: Offer, at: Circumstances) -> Verdict:
    wanted, total = offer.job.limits.vram_mib, at.gpu.memory_total_bytes
    if wanted and total is None:
        reason = f"It asks for {wanted} MiB of card memory; the card does not say how much it has."
        return Verdict("card_memory", False, reason, "Update the card's driver.")
    return _fits("card_memory", wanted, (total or 0) // MIB, "MiB of card memory", "It needs a larger card.")


def _image_fits(offer: Offer, at: Circumstances) -> Verdict:
    bytes_needed = offer.job.image.size_bytes + sum(file.size_bytes for file in offer.job.inputs)
    room = at.host.disk_free_bytes - at.settings.jobs.disk_gib * GIB
    # The archive and the unpacked image lie side by side until the job begins; layers unpack to two or three times.
    missing = bytes_needed * 4 - room
    if missing > 0:
        reason = f"Its image and inputs need {bytes_needed * 4 / GIB:.1f} GiB of disk beside what the job may write."
        return Verdict("image_size", False, reason, f"Free {math.ceil(missing / GIB * 10) / 10:.1f} GiB of disk.")
    return Verdict("image_size", True, f"{bytes_needed / GIB:.1f} GiB")


def _fits(rule: str, wanted: int, most: int, unit: str, remedy: str = "") -> Verdict:
    if wanted > most:
        return Verdict(rule, False, f"It asks for {wanted} {unit}; one job may use {most} here.", remedy)
    return Verdict(rule, True, f"{wanted} of {most} {unit}")


def _in_time(offer: Offer, at: Circumstances) -> Verdict:
    wall = offer.job.limits.wall_s
    most = capacity(at).wall_s
    minutes = -(-wall // 60)
    if wall > most:
        end = clock_time(at.now + timedelta(seconds=most), at.now, at.zone)
        is_too_long = wall > at.settings.jobs.wall_hours * 3600
        remedies = (
            "Runs in a longer window." if wall > _open_s(at) else "",
            _setting_to("wall_hours", -(-wall // 3600), "") if is_too_long else "",
        )
        reason = f"It may take {minutes} min; jobs must end by {end} here."
        return Verdict("time", False, reason, " ".join(filter(None, remedies)))
    return Verdict("time", True, f"at most {minutes} min")
