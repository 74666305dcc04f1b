"""Honest examples of the house's values, for tests that change one thing about them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from argentum_desktop.domain.energy import EnergyBill
from argentum_desktop.domain.gpu import Gpu, Vendor
from argentum_desktop.domain.job import MIB, Artifact, JobSpec, JobState, Limits, Outcome
from argentum_desktop.domain.lease import Lease
from argentum_desktop.domain.money import Money, energy_cost, price_for
from argentum_desktop.domain.offer import PPM, Offer
from argentum_desktop.domain.reading import Reading
from argentum_desktop.domain.receipt import Receipt

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GPU = Gpu("GPU-1", "GeForce RTX 4070", Vendor.NVIDIA, memory_total_bytes=12 * 1024 * MIB, power_limit_mw=200_000)
IMAGE = Artifact("image.tar", "a" * 64, 1000)


def eur(text: str) -> Money:
    return -Money.parse(text[1:], "EUR") if text.startswith("-") else Money.parse(text, "EUR")


def job(**limits: Any) -> JobSpec:
    return JobSpec("Mandelbrot", IMAGE, f"sha256:{'b' * 64}", ("run",), eur("1.00"), limits=Limits(**limits))


def offer(**changes: Any) -> Offer:
    made = Offer(
        lease_id="lse_1",
        job_id="job_1",
        fence=1,
        job=job(),
        gpu_ids=(GPU.gpu_id,),
        price_per_hour=eur("0.40"),
        fee_ppm=50_000,
        accept_within_s=15,
        lease_ttl_s=60,
        beat_every_s=20,
        issued_at=NOON,
    )
    return replace(made, **changes)


def lease(state: JobState = JobState.RUNNING, **changes: Any) -> Lease:
    made = Lease("local", offer(), state, accepted_at=NOON, started_at=NOON, renewed_at=NOON)
    return replace(made, **changes)


def receipt(of: Lease, billable_s: int = 3600, outcome: Outcome = Outcome.SUCCEEDED) -> Receipt:
    gross = price_for(of.price_per_hour, billable_s)
    fee = gross.scaled(of.offer.fee_ppm, PPM)
    return Receipt(of.lease_id, of.offer.job_id, outcome, billable_s, of.price_per_hour, gross, fee)


def bill(of: Lease, per_kwh: Money, carbon_mg: int | None = None, words: str = "") -> EnergyBill:
    return EnergyBill(of.usage.energy_mj, energy_cost(per_kwh, of.usage.energy_mj), carbon_mg, words)


def reading(second: float = 0, gpu_id: str = GPU.gpu_id, **values: Any) -> Reading:
    return Reading(gpu_id, NOON + timedelta(seconds=second), **values)
