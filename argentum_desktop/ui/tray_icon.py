"""The hexagon: one shape for each state of the agent, drawn for any size from 16 pixels up."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

from argentum_desktop.agent.status import AgentState

SIZES = (16, 20, 22, 24, 32, 48, 64)
NOTCHES = 6

# Everything is drawn in a box of 32 units.
_BOX = 32.0
_CENTER = QPointF(16, 16)
_RADIUS = 15.6
_STROKE = 3.0
_FILLED = (AgentState.WORKING, AgentState.ATTENTION, AgentState.FAULT)


@dataclass(frozen=True)
class TrayInk:
    """The colours of one set of icons."""

    calm: str
    working: str
    attention: str
    fault: str

    def of(self, state: AgentState) -> QColor:
        special = {
            AgentState.WORKING: self.working,
            AgentState.ATTENTION: self.attention,
            AgentState.FAULT: self.fault,
        }
        return QColor(special.get(state, self.calm))


# A panel does not tell how bright it is. These keep 3:1 and more against a white panel and a black one alike (tested).
ANY_PANEL = TrayInk(calm="#7B8694", working="#12935F", attention="#B97A12", fault="#E5484D")
MONOCHROME_FOR_DARK = TrayInk(*("#F2F4F7",) * 4)
MONOCHROME_FOR_LIGHT = TrayInk(*("#20262E",) * 4)


def tray_icon(state: AgentState, ink: TrayInk = ANY_PANEL, notch: int = 0) -> QIcon:
    """The icon of a state in every size a panel may ask for."""
    made = QIcon()
    for size in SIZES:
        made.addPixmap(state_pixmap(state, size, ink.of(state), notch))
    return made


def state_pixmap(state: AgentState, size: int, color: QColor, notch: int = 0, ratio: float = 1.0) -> QPixmap:
    """One picture of `size` device-independent pixels.

    Args:
        notch: where the notch of a working card stands, counted clockwise from the top in sixths.
        ratio: device pixels per device-independent pixel.
    """
    pixels = round(size * ratio)
    pixmap = QPixmap(pixels, pixels)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(pixels / _BOX, pixels / _BOX)
    _draw(painter, state, color, notch)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def _draw(painter: QPainter, state: AgentState, color: QColor, notch: int) -> None:
    pen = QPen(color, _STROKE, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    if state in _FILLED:
        painter.setPen(pen)
        painter.setBrush(color)
        painter.drawPath(_hexagon(_RADIUS - _STROKE / 2))
        # What follows is cut out, so that the panel shows through and no second colour is needed.
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
        pen = QPen(Qt.GlobalColor.black, 4.2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        {AgentState.WORKING: _cut_notch, AgentState.ATTENTION: _exclaim, AgentState.FAULT: _cross}[state](
            painter, notch
        )
        return
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen)
    painter.drawPath(_hexagon(_RADIUS - _STROKE / 2))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    if state is AgentState.PAUSED:
        painter.drawRect(QRectF(10.2, 10, 4, 12))
        painter.drawRect(QRectF(17.8, 10, 4, 12))
    elif state is AgentState.OUTSIDE_HOURS:
        painter.drawPath(_crescent())
    elif state is AgentState.STARTING:
        painter.drawEllipse(_CENTER, 3.4, 3.4)


def _hexagon(radius: float) -> QPainterPath:
    path = QPainterPath()
    corners = [_around(radius, sixth * 60) for sixth in range(6)]
    path.moveTo(corners[0])
    for corner in corners[1:]:
        path.lineTo(corner)
    path.closeSubpath()
    return path


def _around(radius: float, degrees: float) -> QPointF:
    """A point at `degrees` clockwise from the top."""
    angle = math.radians(degrees - 90)
    return QPointF(_CENTER.x() + radius * math.cos(angle), _CENTER.y() + radius * math.sin(angle))


def _crescent() -> QPainterPath:
    disc, shadow = QPainterPath(), QPainterPath()
    disc.addEllipse(QPointF(15, 16.2), 7.4, 7.4)
    shadow.addEllipse(QPointF(19.4, 13.2), 6.8, 6.8)
    return disc.subtracted(shadow)


def _cut_notch(painter: QPainter, notch: int) -> None:
    painter.drawLine(_CENTER, _around(_BOX, (notch % NOTCHES) * 60 + 30))
    painter.setBrush(Qt.GlobalColor.black)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawEllipse(_CENTER, 3.6, 3.6)


def _exclaim(painter: QPainter, _notch: int) -> None:
    painter.drawLine(QPointF(16, 8), QPointF(16, 18))
    painter.drawLine(QPointF(16, 20.6), QPointF(16, 24.6))


def _cross(painter: QPainter, _notch: int) -> None:
    painter.drawLine(QPointF(10.6, 10.6), QPointF(21.4, 21.4))
    painter.drawLine(QPointF(21.4, 10.6), QPointF(10.6, 21.4))
