"""What the display kernel says about the state of one adapter, in the units of a reading."""

from __future__ import annotations

from typing import Any

from argentum_desktop.domain.reading import Absence
from argentum_desktop.gpus.windows.d3dkmt import AdapterGoneError, KernelAdapter
from argentum_desktop.gpus.windows.structures import AdapterPerformance, NodePerformance

_SOURCES = {
    "temperature_c": "Windows, D3DKMT",
    "fan_rpm": "Windows, D3DKMT",
    "clock_sm_mhz": "Windows, D3DKMT engine 0",
    "clock_memory_mhz": "Windows, D3DKMT",
}
_FROM_PERFORMANCE = ("temperature_c", "fan_rpm", "clock_memory_mhz")
_HERTZ_PER_MEGAHERTZ = 1_000_000
_TENTHS_PER_DEGREE = 10
_SLOWDOWN_C = range(40, 151)  # else the driver said it only because it had to say something


class CardSensors:
    """One adapter's sensors. `close` them.

    Drivers leave a zero in what they do not measure. A fan that stands still is told from one that is not there by
    the highest speed, which the driver gives for a fan that it knows. Power comes in percent of an unnamed whole: that
    is no power in watts, so there is none.
    """

    def __init__(self, kernel: KernelAdapter) -> None:
        self._kernel = kernel
        self._has_fan = False
        self._answers_performance = False
        self._answers_node = False

    def survey(self) -> tuple[dict[str, str], int | None]:
        """Find out what there is: which sensor gives which metric, and where the driver begins to slow for heat."""
        try:
            limits = self._kernel.limits()
            self._has_fan = limits is not None and limits.fan_rpm_max > 0
            self._answers_performance = self._kernel.performance() is not None
            self._answers_node = self._kernel.first_node() is not None
            values, _ = self.values()
        except AdapterGoneError:  # between the list and now: the next reading says so
            return {}, None
        slowdown_c = round(limits.temperature_warning / _TENTHS_PER_DEGREE) if limits is not None else 0
        return (
            {name: source for name, source in _SOURCES.items() if name in values},
            slowdown_c if slowdown_c in _SLOWDOWN_C else None,
        )

    def values(self) -> tuple[dict[str, Any], dict[str, Absence]]:
        """What they say now, and what they said before and do not say any more.

        Raises:
            AdapterGoneError: the adapter is no longer there.
        """
        performance, node = self._kernel.performance(), self._kernel.first_node()
        absent: dict[str, Absence] = {}
        if performance is None and self._answers_performance:
            absent.update(dict.fromkeys(_FROM_PERFORMANCE, Absence.ERROR))
        if node is None and self._answers_node:
            absent["clock_sm_mhz"] = Absence.ERROR
        return {**self._of_performance(performance), **_of_node(node)}, absent

    def close(self) -> None:
        self._kernel.close()

    def _of_performance(self, answer: AdapterPerformance | None) -> dict[str, Any]:
        if answer is None:
            return {}
        values = {
            "temperature_c": round(answer.temperature / _TENTHS_PER_DEGREE),
            "clock_memory_mhz": round(answer.memory_frequency / _HERTZ_PER_MEGAHERTZ),
        }
        known: dict[str, Any] = {name: value for name, value in values.items() if value}
        if self._has_fan or answer.fan_rpm:
            known["fan_rpm"] = answer.fan_rpm
        return known


def _of_node(answer: NodePerformance | None) -> dict[str, Any]:
    clock_mhz = round(answer.frequency / _HERTZ_PER_MEGAHERTZ) if answer is not None else 0
    return {"clock_sm_mhz": clock_mhz} if clock_mhz else {}
