"""One simulated card: power follows load, heat follows power, and what a scenario wants goes wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from argentum_desktop.domain.gpu import Gpu, GpuKind, GpuState, Vendor
from argentum_desktop.domain.reading import Absence, Reading, ThrottleReason, lost
from argentum_desktop.gpus.measured import make_reading
from argentum_desktop.gpus.power_limits import NO_SUCH_CARD, out_of_range
from argentum_desktop.gpus.simulated.builds import Repair
from argentum_desktop.gpus.simulated.mishaps import MemoryErrors, MishapKind, Mishaps
from argentum_desktop.gpus.simulated.plan import LONGEST_PLAYED_S, CardPlan, Load

FAN_STARTS_C = 50.0
FAN_FULL_C = 85.0
BOOST_FADES_C = 60.0
SLOWS_BEFORE_C = 5
COOLED_BY_FAN = 0.45
LEAST_POWER_SHARE = 0.3
BRAKED_POWER_SHARE = 0.5

# A step this long is stable for the fan and the temperature that pull at each other.
_STEP_S = 0.5
_DRIVERS_OWN_BYTES = 12 * 2**20
_DRIVERS_OWN_BUSY_BYTES = 340 * 2**20


class SimulatedCard:
    """One card's state, moved forward by spans of time.

    Args:
        elapsed_s: for how long the scenario has been running already.
    """

    def __init__(self, gpu_id: str, plan: CardPlan, seed: int, elapsed_s: float = 0.0) -> None:
        self.build = plan.build
        self.gpu = _describe(gpu_id, plan)
        self.load = 0.0
        self.memory_used_bytes = 0
        self.limit_w = plan.build.limit_w
        self._plan = plan
        self._mishaps = Mishaps(plan.mishaps)
        self._elapsed_s = elapsed_s
        self._told_s = elapsed_s
        self._power_w = plan.build.idle_w
        self._temperature_c = plan.ambient_c + plan.build.idle_w * plan.build.resistance_c_per_w
        self._energy_j = 0.0
        self._fan = 0.0
        self._noise = seed * 2654435761 % 2**32

    @property
    def can_be_asked(self) -> bool:
        return self.gpu.state is GpuState.READY

    @property
    def is_lost(self) -> bool:
        return bool(self._mishaps.now(MishapKind.LOST, self._elapsed_s))

    def set_power_limit(self, power_mw: int) -> str:
        """Draw no more than this; returns why not, in words."""
        if not self.can_be_asked or self.is_lost:
            return NO_SUCH_CARD
        most_mw = round(self.build.limit_w * 1000)
        refusal = out_of_range(power_mw, round(most_mw * LEAST_POWER_SHARE), most_mw)
        if not refusal:
            self.limit_w = power_mw / 1000
        return refusal

    def move(self, span_s: float) -> None:
        """Let `span_s` seconds pass."""
        span_s = max(span_s, 0.0)
        left = min(span_s, LONGEST_PLAYED_S)
        self._elapsed_s += span_s - left
        while left > 0:
            step = min(left, _STEP_S)
            self._elapsed_s += step
            self._step(step)
            left -= step

    def play(self, span_s: float) -> None:
        """Let time pass that nobody watched: what happened in it is not told any more, what it led to is."""
        self.move(span_s)
        self._told_s = self._elapsed_s

    def hangs(self) -> float:
        """For how long the driver keeps everybody waiting this time, in seconds; mostly 0."""
        hangs = self._mishaps.began(MishapKind.HANG, self._told_s, self._elapsed_s)
        return max((mishap.figures["for_s"] for mishap in hangs), default=0.0)

    def read(self, now: datetime) -> Reading:
        told_s, self._told_s = self._told_s, self._elapsed_s
        if self.is_lost:
            return lost(self.gpu.gpu_id, now)
        values = self._values() | self._link() | self._errors(told_s)
        absent: dict[str, Absence] = {}
        for mishap in self._mishaps.now(MishapKind.BAD_VALUE, self._elapsed_s):
            if mishap.metric in values and "value" in mishap.figures:
                values[mishap.metric] = round(mishap.figures["value"])
            elif values.pop(mishap.metric, None) is not None:
                absent[mishap.metric] = Absence.ERROR
        return make_reading(self.gpu.gpu_id, now, values, absent)

    def _values(self) -> dict[str, Any]:
        """What follows from heat and work."""
        build, load = self.build, self._load_now()
        busy = load > 0
        power_w = min(self._power_w * (1 + 0.015 * self._wobble()), build.limit_w * 1.02)
        percent = min(100, max(0, round(load * 100 + (2 * self._wobble() if 0 < load < 1 else 0))))
        temperature_c = round(self._temperature_c + 0.3 * self._wobble())
        clock = self._clock_boost_mhz() + 8 * self._wobble()
        values: dict[str, Any] = {
            "temperature_c": temperature_c,
            "power_mw": round(power_w * 1000),
            "power_limit_mw": round(self.limit_w * 1000),
            "energy_mj": round(self._energy_j * 1000),
            "utilization_percent": percent,
            "memory_utilization_percent": percent * 3 // 5,
            "memory_used_bytes": min(build.memory_bytes, self._memory_now(busy=busy)),
            "clock_sm_mhz": 15 * round(clock / 15) if busy else build.clock_idle_mhz,
            "clock_memory_mhz": build.memory_clock_mhz if busy else min(405, build.memory_clock_mhz),
            "throttle_reasons": self._throttle_reasons(),
            "processes": (),
        }
        if build.has_memory_sensor:
            values["temperature_memory_c"] = temperature_c + 4 + round(10 * load)
        if build.has_hotspot_sensor:
            values["temperature_hotspot_c"] = temperature_c + 3 + round(self._power_w / 30)
        if build.fan_full_rpm:
            # As with a real card: the percentage is what was asked of the fan, the speed is what it does.
            values["fan_percent"] = round(self._fan)
            values["fan_rpm"] = round(self._turning() / 100 * build.fan_full_rpm)
        return values

    def _link(self) -> dict[str, Any]:
        """The way to the processor: slow while the card rests, as power management has it."""
        build = self.build
        if not build.pcie_width:
            return {}
        generation = build.pcie_generation if self._load_now() > 0 else 1
        return {
            "pcie_generation": min(
                generation, round(self._mishaps.worst(MishapKind.PCIE_FALLS, "generation", self._elapsed_s, generation))
            ),
            "pcie_width": min(
                build.pcie_width,
                round(self._mishaps.worst(MishapKind.PCIE_FALLS, "width", self._elapsed_s, build.pcie_width)),
            ),
            "pcie_replays": self._mishaps.counted(MishapKind.PCIE_REPLAYS, "per_minute", self._elapsed_s),
        }

    def _errors(self, told_s: float) -> dict[str, Any]:
        began = self._mishaps.began(MishapKind.XID, told_s, self._elapsed_s)
        values: dict[str, Any] = {"xid_events": tuple(round(mishap.figures["number"]) for mishap in began)}
        counted = self._mishaps.memory_errors(self._elapsed_s)
        if self.build.has_ecc:
            for name in ("ecc_corrected", "ecc_uncorrected"):
                amount = counted.corrected if name == "ecc_corrected" else counted.uncorrected
                values |= {name: amount, f"{name}_volatile": amount}
        return values | _mended(self.build.repair, counted)

    @property
    def _is_too_warm(self) -> bool:
        return self._temperature_c >= self.build.slowdown_c - SLOWS_BEFORE_C

    def _throttle_reasons(self) -> tuple[ThrottleReason, ...]:
        reasons: list[ThrottleReason] = []
        if self._power_w >= 0.98 * self.limit_w:
            reasons.append(ThrottleReason.POWER_LIMIT)
        if self._is_too_warm:
            reasons.append(ThrottleReason.TEMPERATURE)
        if self._temperature_c >= self.build.slowdown_c:
            reasons.append(ThrottleReason.HARDWARE_TEMPERATURE)
        if self._is_braked:
            reasons.append(ThrottleReason.POWER_BRAKE)
        return tuple(reasons)

    @property
    def _is_braked(self) -> bool:
        return bool(self._mishaps.now(MishapKind.POWER_BRAKE, self._elapsed_s))

    def _step(self, span_s: float) -> None:
        """First-order lags: power follows the load in a second, heat follows power in most of a minute."""
        build = self.build
        before_w = self._power_w
        self._power_w += (self._wanted_w() - self._power_w) * -math.expm1(-span_s / 1.0)
        self._energy_j += (before_w + self._power_w) / 2 * span_s
        wanted_fan = 0.0
        if self._temperature_c > FAN_STARTS_C or (self._fan > 0 and self._temperature_c > FAN_STARTS_C - 6):
            share = (self._temperature_c - FAN_STARTS_C) / (FAN_FULL_C - FAN_STARTS_C)
            wanted_fan = min(100.0, max(30.0, 30.0 + 70.0 * share))
        self._fan += (wanted_fan - self._fan) * -math.expm1(-span_s / 3.0)
        if wanted_fan == 0 and self._fan < 5:
            self._fan = 0.0
        cooled = 1 - COOLED_BY_FAN * self._turning() / 100
        clogged = self._mishaps.worst(MishapKind.OVERHEATING, "cooling_percent", self._elapsed_s, 100.0) / 100
        final_c = self._ambient_c() + self._power_w * build.resistance_c_per_w * cooled / clogged
        self._temperature_c += (final_c - self._temperature_c) * -math.expm1(-span_s / build.warm_up_s)

    def _wanted_w(self) -> float:
        """What the work would draw, less what heat and the power supply forbid."""
        build = self.build
        wanted_w = build.idle_w + (build.limit_w - build.idle_w) * math.pow(self._load_now(), 0.85)
        share = 1.0
        if self._is_too_warm:
            share = 1 - 0.08 * (self._temperature_c - (build.slowdown_c - SLOWS_BEFORE_C))
        if self._is_braked:
            share = min(share, BRAKED_POWER_SHARE)
        return max(build.idle_w, min(wanted_w, self.limit_w, build.limit_w * max(LEAST_POWER_SHARE, share)))

    def _clock_boost_mhz(self) -> float:
        boost = self.build.clock_boost_mhz - 3 * max(0.0, self._temperature_c - BOOST_FADES_C)
        if self._is_too_warm:
            boost *= 0.8
        if self._is_braked:
            boost *= 0.6
        return max(boost, float(self.build.clock_idle_mhz))

    def _turning(self) -> float:
        """How fast the fan turns, in percent: a card without one has the case's, which always does."""
        if not self.build.fan_full_rpm:
            return 60.0
        return min(self._fan, self._mishaps.worst(MishapKind.DYING_FAN, "fan_percent", self._elapsed_s, 100.0))

    def _ambient_c(self) -> float:
        hot = [mishap.figures.get("ambient_c") for mishap in self._mishaps.now(MishapKind.OVERHEATING, self._elapsed_s)]
        return max([self._plan.ambient_c, *(figure for figure in hot if figure is not None)])

    def _planned(self) -> Load:
        return next((load for load in reversed(self._plan.load) if load.at_s <= self._elapsed_s), Load(0, 0))

    def _load_now(self) -> float:
        return max(self.load, self._planned().percent / 100)

    def _memory_now(self, *, busy: bool) -> int:
        own_bytes = _DRIVERS_OWN_BUSY_BYTES if busy else _DRIVERS_OWN_BYTES
        return own_bytes + max(self.memory_used_bytes, self._planned().memory_bytes)

    def _wobble(self) -> float:
        """Between -1 and 1, the same for the same seed: one line instead of a module the sensor would have to carry."""
        self._noise = (self._noise * 1664525 + 1013904223) % 2**32
        return self._noise / 2**31 - 1


def _mended(repair: Repair, counted: MemoryErrors) -> dict[str, int]:
    """What stands in the card's own list of repairs."""
    if repair is Repair.PAGES:
        return {
            "retired_pages_sbe": counted.mended_corrected,
            "retired_pages_dbe": counted.mended_uncorrected,
            "retired_pages_pending": int(counted.is_pending),
        }
    if repair is Repair.ROWS:
        return {
            "remapped_rows_correctable": counted.mended_corrected,
            "remapped_rows_uncorrectable": counted.mended_uncorrected,
            "remapped_rows_pending": int(counted.is_pending),
            "remapped_rows_failed": int(counted.has_failed),
        }
    return {}


def _describe(gpu_id: str, plan: CardPlan) -> Gpu:
    build = plan.build
    if plan.state is not GpuState.READY:
        return Gpu(
            gpu_id, build.name, Vendor.SIMULATED, build.kind, plan.state, problem=plan.problem, remedy=plan.remedy
        )
    sensors: Sequence[tuple[str, bool, str]] = (
        ("temperature_memory_c", build.has_memory_sensor, "simulated memory sensor"),
        ("temperature_hotspot_c", build.has_hotspot_sensor, "simulated hotspot sensor"),
    )
    return Gpu(
        gpu_id=gpu_id,
        name=build.name,
        vendor=Vendor.SIMULATED,
        kind=build.kind,
        memory_total_bytes=build.memory_bytes,
        driver="simulated",
        driver_version="simulated",
        power_limit_mw=round(build.limit_w * 1000),
        power_limit_default_mw=None if build.kind is GpuKind.INTEGRATED else round(build.limit_w * 1000),
        temperature_slowdown_c=build.slowdown_c,
        temperature_shutdown_c=build.shutdown_c,
        pcie_generation_max=build.pcie_generation or None,
        pcie_width_max=build.pcie_width or None,
        sources={name: words for name, has, words in sensors if has},
    )
