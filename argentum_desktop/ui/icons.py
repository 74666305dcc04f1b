"""The project's own SVG icons, in the theme's colours."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from argentum_desktop.resources import resource

_SCALES = (1, 2, 3)


def icon(name: str, color: QColor | str, size: int = 18) -> QIcon:
    """`resources/icons/<name>.svg`, whose strokes are `currentColor`, sharp at 100, 200 and 300 %."""
    drawing = resource("icons", f"{name}.svg").read_text("utf-8").replace("currentColor", QColor(color).name())
    made = QIcon()
    for scale in _SCALES:
        made.addPixmap(_rendered(drawing, size, scale))
    return made


def application_icon() -> QIcon:
    """The sign of the application, in its own colours."""
    drawing = resource("icons", "argentum.svg").read_text("utf-8")
    made = QIcon()
    for size in (16, 24, 32, 48, 64, 128, 256):
        made.addPixmap(_rendered(drawing, size, 1))
    return made


def _rendered(drawing: str, size: int, scale: int) -> QPixmap:
    pixmap = QPixmap(size * scale, size * scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(drawing.encode())).render(painter, QRectF(0, 0, size * scale, size * scale))
    painter.end()
    pixmap.setDevicePixelRatio(scale)
    return pixmap
