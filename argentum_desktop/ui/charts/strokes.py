"""Long lines, stroked in short pieces: Qt's time to fill or stroke one path grows with the square of its length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter, QPolygonF

_PIECE = 16


def pieces(count: int) -> Iterator[slice]:
    """Short runs that share their ends."""
    return (slice(start, start + _PIECE + 1) for start in range(0, count - 1, _PIECE))


def stroke(painter: QPainter, places: Sequence[QPointF]) -> None:
    """Draw one line through all of them, with the painter's pen."""
    for piece in pieces(len(places)):
        painter.drawPolyline(QPolygonF(list(places[piece])))
    if len(places) == 1:
        painter.drawPoint(places[0])
