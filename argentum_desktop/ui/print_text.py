"""Text on paper: its faces, and its lines. Lengths are in tenths of a point."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QFontMetrics,
    QGuiApplication,
    QPainter,
    QTextLayout,
    QTextOption,
)

from argentum_desktop.health.passport.page_palette import MUTED, TEXT

PT = 10.0
FAMILIES = ("Inter", "Segoe UI", "Cantarell", "Noto Sans", "Ubuntu", "DejaVu Sans")
CODE_FAMILIES = ("Cascadia Mono", "Consolas", "Noto Sans Mono", "DejaVu Sans Mono")


@dataclass(frozen=True)
class Face:
    """How a text is set: in points."""

    size_pt: float
    color: str = TEXT
    is_bold: bool = False
    is_code: bool = False
    is_right: bool = False
    is_centered: bool = False


BODY = Face(9.5)
STRONG = Face(9.5, is_bold=True)
SMALL = Face(8, MUTED)
CODE = Face(8.5, is_code=True)
HEADING = Face(12, is_bold=True)
TITLE = Face(19, is_bold=True)


class Text:
    """A text, broken into lines of one width."""

    def __init__(self, text: str, face: Face, width: float) -> None:
        self._color = QColor(face.color)
        self._layout = QTextLayout(text, _font(face))
        self._layout.setTextOption(_option(face))
        self._layout.beginLayout()
        self.height = 0.0
        self.width = 0.0
        while (line := self._layout.createLine()).isValid():
            line.setLineWidth(width)
            line.setPosition(QPointF(0, self.height))
            self.height += line.height() * 1.12
            self.width = max(self.width, line.naturalTextWidth())
        self._layout.endLayout()

    def paint(self, painter: QPainter, x: float, y: float) -> None:
        painter.setPen(self._color)
        self._layout.draw(painter, QPointF(x, y))


def _font(face: Face) -> QFont:
    made = QFont()
    made.setFamilies(list(CODE_FAMILIES if face.is_code else FAMILIES))
    made.setStyleHint(QFont.StyleHint.Monospace if face.is_code else QFont.StyleHint.SansSerif)
    made.setPixelSize(round(face.size_pt * PT))
    made.setBold(face.is_bold)
    made.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    made.setFeature(QFont.Tag("calt"), 0)
    return made


def _option(face: Face) -> QTextOption:
    made = QTextOption()
    made.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    if face.is_right:
        made.setAlignment(Qt.AlignmentFlag.AlignRight)
    elif face.is_centered:
        made.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    return made


def resolved_family() -> str:
    known = set(QFontDatabase.families())
    return next((family for family in FAMILIES if family in known), QFont().family())


@contextmanager
def plain_letters() -> Iterator[None]:
    """Every new font begins as the application's, a drawing's too, and that one has the features of its numerals.

    A feature puts other glyphs in the place of the usual ones, and Qt's PDF does not say which letters those were: they
    would be seen, but neither found nor copied. `QGuiApplication`'s own setter leaves the widgets alone.
    """
    usual = QGuiApplication.font()
    plain = QFont(usual)
    plain.clearFeatures()
    QGuiApplication.setFont(plain)
    try:
        yield
    finally:
        QGuiApplication.setFont(usual)


def has_font() -> bool:
    """Whether there is anything to write with. Fontconfig names families even where it has no font at all."""
    return QFontMetrics(_font(BODY)).inFontUcs4(ord("a"))
