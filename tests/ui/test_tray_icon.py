"""Each state is told by its shape alone, down to sixteen pixels."""

from __future__ import annotations

import itertools

import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from argentum_desktop.agent.status import AgentState
from argentum_desktop.ui.tray_icon import SIZES, state_pixmap, tray_icon

INK = QColor("#000000")


def coverage(state: AgentState, size: int, notch: int = 0) -> list[int]:
    image = state_pixmap(state, size, INK, notch).toImage().convertToFormat(QImage.Format.Format_ARGB32)
    return [image.pixelColor(x, y).alpha() for y in range(size) for x in range(size)]


def difference(one: list[int], other: list[int]) -> float:
    """The share of the ink that is elsewhere."""
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / max(sum(one), sum(other))


@pytest.mark.parametrize("size", [16, 22, 32])
def test_no_two_states_look_alike_in_one_color(qapp: QApplication, size: int) -> None:
    shapes = {state: coverage(state, size) for state in AgentState}
    for one, other in itertools.combinations(AgentState, 2):
        assert difference(shapes[one], shapes[other]) > 0.1, (one, other)


def test_a_filled_hexagon_is_working_and_an_outline_is_ready(qapp: QApplication) -> None:
    assert sum(coverage(AgentState.WORKING, 32)) > 1.4 * sum(coverage(AgentState.IDLE, 32))
    middle = 16 * 32 + 16
    assert coverage(AgentState.IDLE, 32)[middle] == 0


def test_the_notch_moves_round(qapp: QApplication) -> None:
    turns = [coverage(AgentState.WORKING, 22, notch) for notch in range(6)]
    assert all(difference(one, other) > 0.05 for one, other in itertools.combinations(turns, 2))


def test_nothing_is_cut_off_at_the_edge(qapp: QApplication) -> None:
    for state in AgentState:
        shape = coverage(state, 64)
        assert sum(shape[:64]) + sum(shape[-64:]) < 64 * 120, state


def test_the_icon_comes_in_every_size(qapp: QApplication) -> None:
    assert sorted(size.width() for size in tray_icon(AgentState.IDLE).availableSizes()) == sorted(SIZES)
