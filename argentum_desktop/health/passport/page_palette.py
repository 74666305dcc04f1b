"""The colours of the paper: the light set of the application's look, on white. Text has a contrast of at least 5:1."""

from __future__ import annotations

from argentum_desktop.health.passport.page_parts import Tone

PAPER = "#FFFFFF"
GROUND = "#F5F7FA"
LINE = "#D5DCE5"
TEXT = "#17202B"
MUTED = "#566272"
ACCENT = "#3F51D9"
WORKING = "#0B7A4B"
ATTENTION = "#8A5A00"
FAULT = "#C4271F"
SERIES = ("#3F51D9", "#0B7A4B", "#8A5A00", "#B0307A", "#0072B2", "#3B4654")

TONE_COLOR = {
    Tone.GOOD: WORKING,
    Tone.NOTE: ACCENT,
    Tone.ATTENTION: ATTENTION,
    Tone.FAULT: FAULT,
    Tone.QUIET: MUTED,
}
