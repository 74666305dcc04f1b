"""How many decisions a second one processor makes: each about another offer, reading and instant."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from figures import Figure, of_runs
from samples import GPU, NOON, job, offer, reading
from surroundings import HOST, PARIS

from argentum_desktop.domain.activity import Activity
from argentum_desktop.domain.availability import DatedException, OwnersWindow
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.offer import Offer
from argentum_desktop.domain.reading import Reading
from argentum_desktop.domain.tariff import TariffLine
from argentum_desktop.policy.circumstances import Circumstances
from argentum_desktop.policy.evaluate import decide
from argentum_desktop.policy.flip import flipped
from argentum_desktop.policy.ready import Ready
from argentum_desktop.settings.schema import Availability, Presence, Prices, Settings

LEAST_PER_SECOND = 50_000
MOST_US = 1e6 / LEAST_PER_SECOND
ROUNDS, COUNT = 40, 2_000
AWAY = Activity(600.0, "", False, False, False, (), 3.0, 4.0)
SETTINGS = Settings(
    availability=Availability(
        windows=(
            OwnersWindow.parse("mon-fri 22:00-07:00"),
            replace(OwnersWindow.parse("sat,sun 08:00-23:00"), floor=Decimal("0.06"), temperature_limit_c=80),
        ),
        exceptions=(DatedException.parse("2026-12-24 closed"),),
    ),
    presence=Presence(idle_minutes=5, programs=("blender", "obs"), cpu_busy_percent=50),
    prices=Prices(tariff=(TariffLine.parse("daily 22:00-06:00 0.18"),), wear_per_gpu_hour=Decimal("0.01")),
)


def measure(quick: bool = False) -> list[Figure]:
    """Processor time, not the clock's: other programs of the machine are no part of it."""
    rounds, count = (3, COUNT) if quick else (ROUNDS, COUNT)
    topic = "A decision: every rule asked, in processor time"
    dear, cheap = _offers(200_000), _offers(60_000)
    # Best of the rounds decides about the promise: whatever else runs on the machine only ever makes one slower.
    accepted, refused = (_runs_us(decide, offers, rounds, count) for offers in (dear, cheap))
    flips = _runs_us(flipped, cheap, 1 if quick else 3, 10)
    return [
        of_runs(topic, "an offer that is accepted", accepted, "µs"),
        of_runs(topic, "an offer that pays too little", refused, "µs"),
        of_runs(topic, "the same, with what would make it a yes", flips, "µs"),
        Figure(topic, "an offer that is accepted, best round", min(accepted), "µs", MOST_US),
        Figure(topic, "decisions a second, best round", 1e6 / min(accepted), "/s"),
    ]


def _offers(micros: int) -> Sequence[Offer]:
    return [
        offer(price_per_hour=Money(micros + number * 7, "EUR"), job=job(wall_s=600 + number, memory_mib=512 + number))
        for number in range(1000)
    ]


def _readings() -> Sequence[Reading]:
    return [reading(temperature_c=40 + number % 35, utilization_percent=number % 20) for number in range(1000)]


def _runs_us(
    ask: Callable[[Offer | None, Circumstances], object], offers: Sequence[Offer], rounds: int, count: int
) -> list[float]:
    ready, readings = Ready(SETTINGS, PARIS), _readings()
    taken_us = []
    for _ in range(rounds):
        began = time.process_time()
        for number in range(count):
            at = Circumstances(
                GPU,
                readings[number % 1000],
                HOST,
                SETTINGS,
                PARIS,
                NOON + timedelta(seconds=number % 30_000),
                activity=AWAY,
                measured_power_mw=180_000,
                ready=ready,
            )
            ask(offers[number % 1000], at)
        taken_us.append((time.process_time() - began) / count * 1e6)
    return taken_us
