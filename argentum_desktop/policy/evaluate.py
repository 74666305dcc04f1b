"""The decision: every rule asked, every answer kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from argentum_desktop.domain.decision import Decision, Verdict
from argentum_desktop.domain.job import MIB
from argentum_desktop.domain.offer import Offer
from argentum_desktop.policy.floors import net_price
from argentum_desktop.policy.gates import GATES, GIB, STOPPING_GATES, Circumstances
from argentum_desktop.policy.windows import opening_at
from argentum_desktop.policy.words import clock_time


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
    wall_s = jobs.wall_hours * 3600
    opening = opening_at(at.settings.availability.windows, at.zone, at.now)
    if opening.is_open and opening.until is not None:
        wall_s = min(wall_s, int((opening.until - at.now).total_seconds()))
    return Capacity(
        memory_mib=host.memory_total_bytes // MIB * jobs.memory_share_percent // 100,
        cpu_millis=host.cpu_count * 1000 * jobs.cpu_share_percent // 100,
        disk_mib=jobs.disk_gib * 1024,
        wall_s=wall_s,
    )


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
        return Verdict("currency", False, f"The market pays in {theirs}; your prices are in {ours}.")
    return Verdict("currency", True, ours)


def _price(offer: Offer, at: Circumstances) -> tuple[Verdict, ...]:
    prices = at.settings.prices
    if offer.price_per_hour.currency != prices.currency:
        return ()
    parts = net_price(offer.price_per_hour, offer.fee_ppm, at.gpu, prices)
    verdicts = []
    if prices.never_at_a_loss and parts.net.micros < 0:
        reason = f"It would cost {-parts.net} an hour more in electricity than it pays."
        verdicts.append(Verdict("loss", False, reason, f"Runs for {-parts.net} an hour more."))
    else:
        verdicts.append(Verdict("loss", True, f"{parts.net} an hour are left"))
    if parts.net < prices.floor:
        missing = prices.floor - parts.net
        reason = f"It would leave you {parts.net} an hour; your floor is {prices.floor}."
        verdicts.append(Verdict("floor", False, reason, f"Runs for {missing} an hour more."))
    else:
        verdicts.append(Verdict("floor", True, f"{parts.net} an hour, floor {prices.floor}"))
    return tuple(verdicts)


def _resources(offer: Offer, at: Circumstances) -> tuple[Verdict, ...]:
    wanted, most = offer.job.limits, capacity(at)
    vram_mib = (at.gpu.memory_total_bytes or 0) // MIB
    return (
        _fits("memory", wanted.memory_mib, most.memory_mib, "MiB of memory"),
        _fits("processor", wanted.cpu_millis, most.cpu_millis, "thousandths of a processor"),
        _fits("disk_size", wanted.disk_mib, most.disk_mib, "MiB of disk"),
        _fits("card_memory", wanted.vram_mib, vram_mib, "MiB of card memory"),
        _fits("cards", wanted.gpus, len(offer.gpu_ids), "cards"),
        _image_fits(offer, at),
    )


def _image_fits(offer: Offer, at: Circumstances) -> Verdict:
    bytes_needed = offer.job.image.size_bytes + sum(file.size_bytes for file in offer.job.inputs)
    room = at.host.disk_free_bytes - at.settings.jobs.disk_gib * GIB
    # The archive and the unpacked image lie side by side until the job begins; layers unpack to two or three times.
    if bytes_needed * 4 > room:
        return Verdict("image_size", False, f"Its image and inputs need {bytes_needed * 4 / GIB:.1f} GiB of disk.")
    return Verdict("image_size", True, f"{bytes_needed / GIB:.1f} GiB")


def _fits(rule: str, wanted: int, most: int, unit: str) -> Verdict:
    if wanted > most:
        return Verdict(rule, False, f"It asks for {wanted} {unit}; one job may use {most} here.")
    return Verdict(rule, True, f"{wanted} of {most} {unit}")


def _in_time(offer: Offer, at: Circumstances) -> Verdict:
    wall = offer.job.limits.wall_s
    most = capacity(at).wall_s
    if wall > most:
        end = clock_time(at.now + timedelta(seconds=most), at.now, at.zone)
        return Verdict("time", False, f"It may take {wall // 60} minutes; jobs must end by {end} here.")
    return Verdict("time", True, f"at most {wall // 60} minutes")
