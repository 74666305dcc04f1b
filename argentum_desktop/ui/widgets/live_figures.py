"""What a card reports at this moment, as figures with their bars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from PySide6.QtWidgets import QHBoxLayout, QWidget

from argentum_desktop.agent.status import CardStatus
from argentum_desktop.domain.reading import Reading
from argentum_desktop.ui import words
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tokens import SPACE_16
from argentum_desktop.ui.widgets.meter import Measure

_NEVER = datetime.min.replace(tzinfo=UTC)


class LiveFigures(QWidget):
    """Temperature, power, load and memory; a page of the card itself has room for clock and fan as well."""

    def __init__(self, theme: Theme, *, is_whole: bool = False) -> None:
        super().__init__()
        self._temperature = Measure(theme, self.tr("Temperature"))
        self._power = Measure(theme, self.tr("Power"))
        self._load = Measure(theme, self.tr("Load"))
        self._memory = Measure(theme, self.tr("Memory"))
        self._clock = Measure(theme, self.tr("Clock")) if is_whole else None
        self._fan = Measure(theme, self.tr("Fan")) if is_whole else None
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_16)
        measures: Sequence[Measure | None] = (
            self._temperature,
            self._power,
            self._load,
            self._memory,
            self._clock,
            self._fan,
        )
        for measure in filter(None, measures):
            row.addWidget(measure, 1)

    def show_card(self, card: CardStatus) -> None:
        reading = card.reading or Reading(card.gpu.gpu_id, _NEVER)
        slowdown, limit, total = card.gpu.temperature_slowdown_c, card.gpu.power_limit_mw, card.gpu.memory_total_bytes

        def why(metric: str) -> str:
            return words.why_absent(card.reading, metric)

        self._temperature.show_figure(
            words.temperature(reading.temperature_c),
            "" if slowdown is None else self.tr("limit {t}").format(t=words.temperature(slowdown)),
            _share(reading.temperature_c, slowdown),
            why("temperature_c"),
        )
        self._power.show_figure(
            words.power(reading.power_mw),
            "" if limit is None else self.tr("of {limit}").format(limit=words.power(limit)),
            _share(reading.power_mw, limit),
            why("power_mw"),
        )
        self._load.show_figure(
            words.percent(reading.utilization_percent),
            self._beside_load(reading),
            _share(reading.utilization_percent, 100),
            why("utilization_percent"),
        )
        self._memory.show_figure(
            words.memory(reading.memory_used_bytes),
            "" if not total else self.tr("of {total}").format(total=words.memory(total)),
            _share(reading.memory_used_bytes, total),
            why("memory_used_bytes"),
        )
        if self._clock is not None and self._fan is not None:
            self._show_rest(self._clock, self._fan, reading, why("clock_sm_mhz"), why("fan_percent"))

    def _beside_load(self, reading: Reading) -> str:
        if self._fan is None:
            return self.tr("fan {percent}").format(percent=words.percent(reading.fan_percent))
        return ", ".join(reason.words for reason in reading.throttle_reasons)

    def _show_rest(self, clock: Measure, fan: Measure, reading: Reading, why_clock: str, why_fan: str) -> None:
        memory = reading.clock_memory_mhz
        beside = "" if memory is None else self.tr("memory {speed}").format(speed=words.clock_speed(memory))
        clock.show_figure(words.clock_speed(reading.clock_sm_mhz), beside, None, why_clock)
        turns = "" if reading.fan_rpm is None else self.tr("{n} rpm").format(n=words.number(reading.fan_rpm))
        fan.show_figure(words.percent(reading.fan_percent), turns, _share(reading.fan_percent, 100), why_fan)


def _share(value: int | None, whole: int | None) -> float | None:
    return None if value is None or not whole else value / whole
