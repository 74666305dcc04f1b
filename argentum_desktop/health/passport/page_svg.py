"""Drawing in SVG that browsers and Qt's small reader both understand: shapes and their attributes, no style sheet."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from argentum_desktop.health.passport.page_palette import LINE, MUTED, PAPER, TEXT, TONE_COLOR
from argentum_desktop.health.passport.page_parts import Tone

FONT_MARK = 'font-family="sans-serif"'
"""Stands once in every drawing; who paints it may put another family there."""
SIGN_SIZE = 14
_LETTER_WIDTH = 0.56  # of the font's size, on average
_HEAD_ROOM = 20.0
_FOOT_ROOM = 16.0
LABEL_PX = 11.0

# The widths in which every chart is drawn: for paper and wide screens, and for a telephone. And the room in it.
WIDE, NARROW = 720.0, 360.0
LEFT, RIGHT = 46.0, 10.0
PANEL = 104.0
GAP = 20.0
FOOT = 24.0


@dataclass
class Drawing:
    """Collects shapes from the back to the front."""

    width: float
    height: float
    parts: list[str] = field(default_factory=list)

    def rect(self, x: float, y: float, width: float, height: float, fill: str, radius: float = 0) -> None:
        if width > 0 and height > 0:
            round_corners = f' rx="{radius:.1f}"' if radius else ""
            self.parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"{round_corners} '
                f'fill="{fill}"/>'
            )

    def line(self, x1: float, y1: float, x2: float, y2: float, color: str = LINE, dashes: str = "") -> None:
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" stroke-width="1"{dashed}/>'
        )

    def polyline(self, points: Sequence[tuple[float, float]], color: str) -> None:
        if len(points) == 1:
            self.dot(*points[0], color, 1.5)
        elif points:
            places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            self.parts.append(
                f'<polyline points="{places}" fill="none" stroke="{color}" stroke-width="1.5" stroke-linejoin="round"/>'
            )

    def dot(self, x: float, y: float, color: str, radius: float = 2.5) -> None:
        self.parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{color}" stroke="{PAPER}" stroke-width="0.8"/>'
        )

    def text(
        self, x: float, y: float, text: str, *, color: str = MUTED, anchor: str = "start", is_bold: bool = False
    ) -> None:
        bold = ' font-weight="bold"' if is_bold else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{LABEL_PX:.0f}" fill="{color}" text-anchor="{anchor}"{bold}>'
            f"{escape(text)}</text>"
        )

    def svg(self, words: str) -> str:
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:.0f} {self.height:.0f}" '
            f'width="{self.width:.0f}" height="{self.height:.0f}" {FONT_MARK} role="img" '
            f"aria-label={quoteattr(words)}>{''.join(self.parts)}</svg>"
        )


def text_width(text: str) -> float:
    return len(text) * LABEL_PX * _LETTER_WIDTH


@dataclass(frozen=True)
class Span:
    """The part of a drawing that an axis crosses, and the values at its ends."""

    start: float
    end: float
    low: float
    high: float

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)


@dataclass(frozen=True)
class Panel:
    """One field of a drawing: a title, lines at round values, and a scale."""

    scale: Span
    top: float
    bottom: float

    @classmethod
    def draw(
        cls, drawing: Drawing, x: Span, top: float, height: float, title: str, values: Sequence[float],
        write: Callable[[float], str] = lambda value: f"{value:g}", is_whole: bool = False,
    ) -> Panel:  # fmt: skip
        """The field with its lines, ready for what is to be shown in it."""
        ticks = round_ticks(min(values, default=0.0), max(values, default=1.0), 4, 1.0 if is_whole else 0.0)
        scale = Span(top + height, top + _HEAD_ROOM, ticks[0], ticks[-1])
        for tick in ticks:
            y = scale.at(tick)
            drawing.line(x.start, y, x.end, y)
            drawing.text(x.start - 6, y + 4, write(tick), anchor="end")
        drawing.text(x.start, top + 11, title, color=TEXT, is_bold=True)
        return cls(scale, top + _HEAD_ROOM, top + height)


def round_ticks(low: float, high: float, most: int, least_step: float = 0.0) -> list[float]:
    """Round values, about `most` of them, that enclose `low` and `high`."""
    if high <= low:
        low, high = low - 1, low + 1
    rough = (high - low) / max(1, most - 1)
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next((factor * magnitude for factor in (1, 2, 2.5, 5) if rough <= factor * magnitude * (1 + 1e-9)),
                10 * magnitude)  # fmt: skip
    step = max(step, least_step)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 9) for index in range(first, last + 1)]


_SIGNS = {
    Tone.GOOD: '<circle cx="7" cy="7" r="6.5" fill="{color}"/>'
    '<polyline points="3.9,7.3 6.1,9.5 10.2,4.9" fill="none" stroke="{paper}" stroke-width="1.6"/>',
    Tone.NOTE: '<circle cx="7" cy="7" r="5.8" fill="{paper}" stroke="{color}" stroke-width="1.4"/>'
    '<rect x="6.2" y="6" width="1.6" height="4.4" fill="{color}"/><circle cx="7" cy="4.2" r="1" fill="{color}"/>',
    Tone.ATTENTION: '<polygon points="7,0.8 13.6,12.8 0.4,12.8" fill="{color}"/>'
    '<rect x="6.2" y="4.8" width="1.6" height="4" fill="{paper}"/><circle cx="7" cy="10.7" r="1" fill="{paper}"/>',
    Tone.FAULT: '<rect x="0.8" y="0.8" width="12.4" height="12.4" rx="1.5" fill="{color}"/>'
    '<line x1="4.2" y1="4.2" x2="9.8" y2="9.8" stroke="{paper}" stroke-width="1.8"/>'
    '<line x1="9.8" y1="4.2" x2="4.2" y2="9.8" stroke="{paper}" stroke-width="1.8"/>',
    Tone.QUIET: '<circle cx="7" cy="7" r="5.8" fill="{paper}" stroke="{color}" stroke-width="1.2"/>'
    '<line x1="4.4" y1="7" x2="9.6" y2="7" stroke="{color}" stroke-width="1.4"/>',
}


def sign_svg(tone: Tone) -> str:
    """A sign of 14 by 14 that is known by its shape: disc with a tick, ring, triangle, square with a cross."""
    shapes = _SIGNS[tone].format(color=TONE_COLOR[tone], paper=PAPER)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIGN_SIZE} {SIGN_SIZE}" width="{SIGN_SIZE}" '
        f'height="{SIGN_SIZE}" aria-hidden="true">{shapes}</svg>'
    )
