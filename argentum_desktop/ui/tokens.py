"""The values the look is made of. Every pair of text and background keeps a contrast of at least 4.5:1 (tested)."""

from __future__ import annotations

from dataclasses import dataclass

SPACE_4, SPACE_8, SPACE_12, SPACE_16, SPACE_24, SPACE_32 = 4, 8, 12, 16, 24, 32
RADIUS_CONTROL = 6
RADIUS_CARD = 10
CHART_LINE_PX = 1.5


@dataclass(frozen=True)
class Tokens:
    """One set of colours.

    Attributes:
        ground: behind everything; `surface` is a card on it, `raised` what lies above a card.
        hover: a control under the pointer.
        track: the empty part of a bar.
    """

    is_dark: bool
    ground: str
    surface: str
    raised: str
    hover: str
    track: str
    line: str
    text: str
    muted: str
    accent: str
    accent_hover: str
    on_accent: str
    working: str
    attention: str
    fault: str
    paused: str
    series: tuple[str, ...]


DARK = Tokens(
    is_dark=True,
    ground="#0E1116",
    surface="#161B22",
    raised="#1E252E",
    hover="#28313D",
    track="#28313D",
    line="#2C3541",
    text="#E8ECF1",
    muted="#9AA6B4",
    accent="#8EA2FF",
    accent_hover="#A5B5FF",
    on_accent="#0B1020",
    working="#3CCB8F",
    attention="#E8B04A",
    fault="#FF7B72",
    paused="#9AA6B4",
    series=("#8EA2FF", "#3CCB8F", "#E8B04A", "#F48FB1", "#56B4E9", "#D0D7E2"),
)

LIGHT = Tokens(
    is_dark=False,
    ground="#F5F7FA",
    surface="#FFFFFF",
    raised="#FFFFFF",
    hover="#EBEFF5",
    track="#E6EBF1",
    line="#D5DCE5",
    text="#17202B",
    muted="#566272",
    accent="#3F51D9",
    accent_hover="#3443BE",
    on_accent="#FFFFFF",
    working="#0B7A4B",
    attention="#8A5A00",
    fault="#C4271F",
    paused="#566272",
    series=("#3F51D9", "#0B7A4B", "#8A5A00", "#B0307A", "#0072B2", "#3B4654"),
)


def luminance(color: str) -> float:
    """Relative luminance of `#RRGGBB`, as the Web Content Accessibility Guidelines define it."""
    channels = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
