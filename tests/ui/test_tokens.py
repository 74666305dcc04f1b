"""Every text can be read: the contrast of all pairs that occur, computed."""

from __future__ import annotations

import itertools

import pytest
from PySide6.QtWidgets import QApplication

from argentum_desktop.ui.theme import Theme, ThemeChoice
from argentum_desktop.ui.tokens import DARK, LIGHT, Tokens, contrast
from argentum_desktop.ui.tray_icon import ANY_PANEL

TEXT_COLORS = ("text", "muted", "accent", "working", "attention", "fault", "paused")
GROUNDS = ("ground", "surface", "raised")


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_text_stands_out_from_what_it_stands_on(tokens: Tokens) -> None:
    for text, ground in itertools.product(TEXT_COLORS, GROUNDS):
        assert contrast(getattr(tokens, text), getattr(tokens, ground)) >= 4.5, (text, ground)
    # A control under the pointer, and the chosen page in the navigation.
    for text in ("text", "muted"):
        assert contrast(getattr(tokens, text), tokens.hover) >= 4.5, text
    for ground in (tokens.accent, tokens.accent_hover):
        assert contrast(tokens.on_accent, ground) >= 4.5


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_lines_and_signs_stand_out(tokens: Tokens) -> None:
    for color in tokens.series:
        assert contrast(color, tokens.surface) >= 3
    # A filled bar against its own empty part.
    for filled in (tokens.muted, tokens.accent):
        assert contrast(filled, tokens.track) >= 3


@pytest.mark.parametrize("panel", ["#FFFFFF", "#F5F7FA", "#1B1E23", "#000000"])
def test_the_tray_icon_stands_out_on_every_panel(panel: str) -> None:
    for ink in (ANY_PANEL.calm, ANY_PANEL.working, ANY_PANEL.attention, ANY_PANEL.fault):
        assert contrast(ink, panel) >= 3, ink


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)


def test_system_that_says_nothing_is_light(qapp: QApplication) -> None:
    theme = Theme(qapp, ThemeChoice.SYSTEM)
    assert theme.tokens is LIGHT
    theme.choose(ThemeChoice.DARK)
    assert theme.tokens is DARK
    assert qapp.palette().window().color().name().upper() == DARK.ground
    theme.deleteLater()
