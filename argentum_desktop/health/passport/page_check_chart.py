"""The chart of one check, from second to second. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from argentum_desktop.domain.health import Samples, Stage
from argentum_desktop.domain.reading import ThrottleReason
from argentum_desktop.health.passport.page_palette import (
    ATTENTION,
    FAULT,
    GROUND,
    LINE,
    MUTED,
    SERIES,
)
from argentum_desktop.health.passport.page_parts import Chart
from argentum_desktop.health.passport.page_svg import (
    FOOT,
    GAP,
    LEFT,
    NARROW,
    PANEL,
    RIGHT,
    WIDE,
    Drawing,
    Panel,
    Span,
    round_ticks,
    text_width,
)
from argentum_desktop.health.passport.page_words import STAGE_WORDS, duration

_BANDS = 18.0
_LONG_MS = 180_000


def check_chart(samples: Samples, limit_c: int | None) -> Chart | None:
    """Temperature, power and clock over one check; None where the card reported none of them."""
    columns = [
        ("Temperature, °C", samples.temperature_c, 1),
        ("Power, W", samples.power_mw, 1000),
        ("Clock, MHz", samples.clock_sm_mhz, 1),
    ]
    shown = [column for column in columns if any(value is not None for value in column[1])]
    if not shown or len(samples.at_ms) < 2:
        return None
    words = "; ".join(_range_words(title, values, per) for title, values, per in shown)
    stages = "; ".join(
        f"{_stage_words(band.phase)} {duration(band.start_ms // 1000)} to {duration(band.end_ms // 1000)}"
        for band in _bands(samples)
    )
    missing = [title.split(",")[0].lower() for title, values, _ in columns if (title, values, _) not in shown]
    absent = f" The card reported no {' and no '.join(missing)}." if missing else ""
    draw = _CheckDrawing(samples, limit_c, shown).draw
    return Chart(draw(WIDE, words), draw(NARROW, words), words, f"What was done: {stages}.{absent}")


_Columns = list[tuple[str, tuple[int | None, ...], int]]


@dataclass(frozen=True)
class _Band:
    phase: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class _CheckDrawing:
    """One check from second to second."""

    samples: Samples
    limit_c: int | None
    columns: _Columns

    def draw(self, width: float, words: str) -> str:
        is_held_back = any(self.samples.reasons)
        height = _BANDS + len(self.columns) * (PANEL + GAP) + FOOT + (18 if is_held_back else 0)
        drawing = Drawing(width, height)
        x = Span(LEFT, width - RIGHT, min(self.samples.at_ms), max(self.samples.at_ms))
        bottom = _BANDS + len(self.columns) * (PANEL + GAP) - GAP
        self._draw_bands(drawing, x, bottom)
        for index, column in enumerate(self.columns):
            self._draw_column(drawing, x, _BANDS + index * (PANEL + GAP), column, SERIES[index])
        if is_held_back:
            self._draw_reasons(drawing, x, bottom + 6)
            bottom += 18
        _draw_seconds(drawing, x, bottom)
        return drawing.svg(words)

    def _draw_bands(self, drawing: Drawing, x: Span, bottom: float) -> None:
        for index, band in enumerate(_bands(self.samples)):
            start, end = x.at(band.start_ms), x.at(band.end_ms)
            drawing.rect(start, 0, end - start, bottom, GROUND if index % 2 == 0 else "#EAEEF4")
            label = _stage_words(band.phase)
            if text_width(label) + 6 <= end - start:
                drawing.text((start + end) / 2, 13, label, anchor="middle")

    def _draw_column(
        self, drawing: Drawing, x: Span, top: float, column: tuple[str, tuple[int | None, ...], int], color: str
    ) -> None:
        title, values, per = column
        known = [value / per for value in values if value is not None]
        limit = self.limit_c if title.startswith("Temperature") else None
        panel = Panel.draw(drawing, x, top, PANEL, title, [*known, *([limit] if limit is not None else [])])
        if limit is not None:
            y = panel.scale.at(limit)
            drawing.line(x.start, y, x.end, y, FAULT, "5 3")
            drawing.text(
                x.end - 2,
                y + (12 if y - panel.top < 12 else -4),
                f"to stay below {limit} °C",
                color=FAULT,
                anchor="end",
            )
        for run in _runs(self.samples.at_ms, values):
            drawing.polyline([(x.at(at), panel.scale.at(value / per)) for at, value in run], color)

    def _draw_reasons(self, drawing: Drawing, x: Span, top: float) -> None:
        """Where something kept the card from its full clock: heat stands out."""
        drawing.text(x.start - 6, top + 9, "held", anchor="end")
        for (start, end), reasons in zip(pairwise(self.samples.at_ms), self.samples.reasons, strict=False):
            if reasons:
                color = ATTENTION if any(_is_heat(name) for name in reasons.split(",")) else LINE
                drawing.rect(x.at(start), top, x.at(end) - x.at(start) + 0.3, 10, color)


def _is_heat(name: str) -> bool:
    try:
        return ThrottleReason(name).is_heat
    except ValueError:
        return False


def _bands(samples: Samples) -> list[_Band]:
    made: list[_Band] = []
    for at, phase in zip(samples.at_ms, samples.phase, strict=False):
        if made and made[-1].phase == phase:
            made[-1] = _Band(phase, made[-1].start_ms, at)
            continue
        if made:
            made[-1] = _Band(made[-1].phase, made[-1].start_ms, at)
        made.append(_Band(phase, at, at))
    return made


def _stage_words(phase: str) -> str:
    try:
        return STAGE_WORDS[Stage(phase)]
    except ValueError:
        return "other"


def _range_words(title: str, values: Sequence[int | None], per: int) -> str:
    known = [value for value in values if value is not None]
    return f"{title} from {round(min(known) / per)} to {round(max(known) / per)}"


def _runs(at: Sequence[int], values: Sequence[int | None]) -> Iterator[list[tuple[int, int]]]:
    """Unbroken parts: where nothing was reported there is no line."""
    run: list[tuple[int, int]] = []
    for moment, value in zip(at, values, strict=False):
        if value is not None:
            run.append((moment, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _draw_seconds(drawing: Drawing, x: Span, bottom: float) -> None:
    is_long = x.high - x.low > _LONG_MS
    unit_ms, unit = (60_000, "min") if is_long else (1000, "s")
    most = 9 if drawing.width > NARROW else 5
    for tick in round_ticks(x.low / unit_ms, x.high / unit_ms, most):
        if x.low <= tick * unit_ms <= x.high:
            at = x.at(tick * unit_ms)
            drawing.line(at, bottom, at, bottom + 4, MUTED)
            drawing.text(at, bottom + 17, f"{tick:g} {unit}", anchor="middle")
