"""Cards that are not there, moving as real ones do: for demonstration, screenshots and tests. Always labelled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from argentum_desktop.domain.gpu import Gpu, SourceReport, Vendor
from argentum_desktop.domain.reading import Reading, ThrottleReason
from argentum_desktop.errors import BadInputError

GIB = 2**30
AMBIENT_C = 24.0
SLOWDOWN_C = 90
FAN_STARTS_C = 50.0
FAN_FULL_C = 85.0
BOOST_FADES_C = 60.0

# A step this long is stable for the fan and the temperature that pull at each other.
_STEP_S = 0.5
# After a longer pause the card has long come to rest: nothing is gained by computing it second by second.
_LONGEST_SPAN_S = 900.0


@dataclass(frozen=True)
class Build:
    """What a simulated card is made of.

    Attributes:
        resistance_c_per_w: how much warmer each watt makes it in the end, with the fan standing still.
        warm_up_s: the time it takes to go 63 % of the way to its final temperature.
    """

    name: str
    memory_bytes: int
    limit_w: float
    idle_w: float
    clock_idle_mhz: int
    clock_boost_mhz: int
    memory_clock_mhz: int
    resistance_c_per_w: float
    warm_up_s: float


BUILDS = (
    Build("Example card 24 GB", 24 * GIB, 350.0, 22.0, 210, 1860, 9751, 0.24, 45.0),
    Build("Example card 16 GB", 16 * GIB, 285.0, 14.0, 210, 2550, 11_201, 0.25, 38.0),
    Build("Example card 12 GB", 12 * GIB, 200.0, 12.0, 210, 2475, 10_501, 0.32, 34.0),
    Build("Example card 8 GB", 8 * GIB, 130.0, 8.0, 210, 1780, 7001, 0.45, 30.0),
)


class SimulatedCard:
    """One card's state, moved forward by spans of time."""

    def __init__(self, gpu_id: str, build: Build, seed: int) -> None:
        self.build = build
        self.gpu = Gpu(
            gpu_id=gpu_id,
            name=build.name,
            vendor=Vendor.SIMULATED,
            memory_total_bytes=build.memory_bytes,
            driver_version="simulated",
            power_limit_mw=round(build.limit_w * 1000),
            temperature_slowdown_c=SLOWDOWN_C,
        )
        self.load = 0.0
        self.memory_used_bytes = 0
        self._power_w = build.idle_w
        self._temperature_c = AMBIENT_C + build.idle_w * build.resistance_c_per_w
        self._energy_j = 0.0
        self._fan = 0.0
        self._noise = seed * 2654435761 % 2**32

    def move(self, span_s: float) -> None:
        """Let `span_s` seconds pass."""
        left = min(max(span_s, 0.0), _LONGEST_SPAN_S)
        while left > 0:
            step = min(left, _STEP_S)
            self._step(step)
            left -= step

    def read(self, now: datetime) -> Reading:
        build = self.build
        busy = self.load > 0
        boost = build.clock_boost_mhz - 3 * max(0.0, self._temperature_c - BOOST_FADES_C)
        if self._is_too_warm:
            boost *= 0.8
        power_w = min(self._power_w * (1 + 0.015 * self._wobble()), build.limit_w * 1.02)
        load = min(100, max(0, round(self.load * 100 + (2 * self._wobble() if 0 < self.load < 1 else 0))))
        own_bytes = 340 * 2**20 if busy else 12 * 2**20  # what the driver keeps for itself
        return Reading(
            gpu_id=self.gpu.gpu_id,
            taken_at=now,
            temperature_c=round(self._temperature_c + 0.3 * self._wobble()),
            power_mw=round(power_w * 1000),
            energy_mj=round(self._energy_j * 1000),
            utilization_percent=load,
            memory_used_bytes=min(build.memory_bytes, own_bytes + self.memory_used_bytes),
            clock_sm_mhz=15 * round((boost + 8 * self._wobble()) / 15) if busy else build.clock_idle_mhz,
            clock_memory_mhz=build.memory_clock_mhz if busy else 405,
            fan_percent=round(self._fan),
            throttle_reasons=self._throttle_reasons(),
        )

    @property
    def _is_too_warm(self) -> bool:
        return self._temperature_c >= SLOWDOWN_C - 5

    def _throttle_reasons(self) -> tuple[ThrottleReason, ...]:
        reasons: list[ThrottleReason] = []
        if self._power_w >= 0.98 * self.build.limit_w:
            reasons.append(ThrottleReason.POWER_LIMIT)
        if self._is_too_warm:
            reasons.append(ThrottleReason.TEMPERATURE)
        return tuple(reasons)

    def _step(self, span_s: float) -> None:
        """First-order lags: power follows the load in a second, heat follows power in most of a minute."""
        build = self.build
        wanted_w = build.idle_w + (build.limit_w - build.idle_w) * self.load**0.85
        before_w = self._power_w
        self._power_w += (wanted_w - self._power_w) * -math.expm1(-span_s / 1.0)
        self._energy_j += (before_w + self._power_w) / 2 * span_s
        wanted_fan = 0.0
        if self._temperature_c > FAN_STARTS_C or (self._fan > 0 and self._temperature_c > FAN_STARTS_C - 6):
            share = (self._temperature_c - FAN_STARTS_C) / (FAN_FULL_C - FAN_STARTS_C)
            wanted_fan = min(100.0, max(30.0, 30.0 + 70.0 * share))
        self._fan += (wanted_fan - self._fan) * -math.expm1(-span_s / 3.0)
        if wanted_fan == 0 and self._fan < 5:
            self._fan = 0.0
        resistance = build.resistance_c_per_w * (1 - 0.45 * self._fan / 100)
        final_c = AMBIENT_C + self._power_w * resistance
        self._temperature_c += (final_c - self._temperature_c) * -math.expm1(-span_s / build.warm_up_s)

    def _wobble(self) -> float:
        """Between -1 and 1, the same for the same seed: one line instead of a module the sensor would have to carry."""
        self._noise = (self._noise * 1664525 + 1013904223) % 2**32
        return self._noise / 2**31 - 1


class SimulatedSource:
    """Lists and reads simulated cards; time passes for them only by the `now` they are given."""

    def __init__(self, count: int, seed: int = 1) -> None:
        self._cards = {
            f"SIM-{index}": SimulatedCard(f"SIM-{index}", BUILDS[index % len(BUILDS)], seed + index)
            for index in range(count)
        }
        self._read_at: datetime | None = None

    def discover(self) -> SourceReport:
        return SourceReport(Vendor.SIMULATED, tuple(card.gpu for card in self._cards.values()))

    def read(self, now: datetime) -> Sequence[Reading]:
        span_s = (now - self._read_at).total_seconds() if self._read_at else 0.0
        self._read_at = now
        for card in self._cards.values():
            card.move(span_s)
        return [card.read(now) for card in self._cards.values()]

    def set_load(self, gpu_id: str, percent: int, memory_used_bytes: int) -> None:
        """Say how busy a card is from now on.

        Raises:
            BadInputError: there is no such card, or the figures are impossible.
        """
        card = self._cards.get(gpu_id)
        if card is None:
            raise BadInputError(f"There is no simulated card {gpu_id}.")
        if not 0 <= percent <= 100 or memory_used_bytes < 0:
            raise BadInputError(f"A card cannot be {percent} % busy with {memory_used_bytes} bytes.")
        card.load = percent / 100
        card.memory_used_bytes = memory_used_bytes

    def close(self) -> None:
        """There is no driver to let go."""
