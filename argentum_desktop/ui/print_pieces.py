"""The pieces of a printed page: each knows its height and paints itself. Lengths are in tenths of a point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QByteArray, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtSvg import QSvgRenderer

from argentum_desktop.health.passport.page_palette import GROUND, LINE, MUTED, PAPER, TEXT, TONE_COLOR
from argentum_desktop.health.passport.page_parts import (
    Cell,
    Chart,
    Column,
    Facts,
    Finding,
    Head,
    Paragraph,
    Table,
    Tone,
)
from argentum_desktop.health.passport.page_svg import FONT_MARK, sign_svg
from argentum_desktop.ui.print_text import BODY, CODE, HEADING, PT, SMALL, STRONG, TITLE, Face, Text, resolved_family

WIDTH = 510 * PT
_GAP = 6 * PT
_SIGN = 9 * PT
_LETTER_BOX = 78 * PT
_LABELS = 92 * PT
_CELL_PAD = 5 * PT


@dataclass(frozen=True)
class Piece:
    """Something that is never torn apart.

    Attributes:
        paint: with its upper edge at this place.
    """

    height: float
    paint: Callable[[QPainter, float], None]


def text_piece(text: str, face: Face, below: float = 4 * PT) -> Piece:
    laid = Text(text, face, WIDTH)
    return Piece(laid.height + below, lambda painter, y: laid.paint(painter, 0, y))


def heading(title: str) -> Piece:
    laid = Text(title, HEADING, WIDTH)

    def paint(painter: QPainter, y: float) -> None:
        _rule(painter, y + 6 * PT, LINE)
        laid.paint(painter, 0, y + 14 * PT)

    return Piece(laid.height + 20 * PT, paint)


def paragraph(block: Paragraph) -> Piece:
    if not block.is_code:
        return text_piece(block.text, SMALL if block.is_muted else BODY)
    laid = Text(block.text, CODE, WIDTH - 4 * _GAP)

    def paint(painter: QPainter, y: float) -> None:
        _box(painter, QRectF(0, y, WIDTH, laid.height + 2 * _GAP), LINE, GROUND)
        laid.paint(painter, 2 * _GAP, y + _GAP)

    return Piece(laid.height + 2 * _GAP + 5 * PT, paint)


def facts(block: Facts) -> list[Piece]:
    face = CODE if block.is_code else BODY
    return [_fact(name, value, face) for name, value in block.pairs]


def _fact(name: str, value: str, face: Face) -> Piece:
    label = Text(name, Face(BODY.size_pt, MUTED), _LABELS - _GAP)
    told = Text(value, face, WIDTH - _LABELS)

    def paint(painter: QPainter, y: float) -> None:
        label.paint(painter, 0, y)
        told.paint(painter, _LABELS, y + (0.8 * PT if face.is_code else 0))

    return Piece(max(label.height, told.height) + 2 * PT, paint)


def finding(block: Finding) -> Piece:
    left, inner = 2 * _GAP + _SIGN + _GAP, WIDTH - 4 * _GAP - _SIGN - _GAP
    title = Text(block.title, STRONG, inner * 0.8)
    verdict = Text(block.verdict, Face(BODY.size_pt, TONE_COLOR[block.tone]), inner * 0.2)
    lines = [Text(words, BODY, inner) for words in (block.words, block.remedy) if words]
    height = title.height + sum(line.height for line in lines) + 2 * _GAP

    def paint(painter: QPainter, y: float) -> None:
        _box(painter, QRectF(0, y, WIDTH, height), LINE, PAPER)
        paint_sign(painter, block.tone, 2 * _GAP, y + _GAP + 1.5 * PT)
        title.paint(painter, left, y + _GAP)
        verdict.paint(painter, left + title.width + _GAP, y + _GAP)
        top = y + _GAP + title.height
        for line in lines:
            line.paint(painter, left, top)
            top += line.height

    return Piece(height + 5 * PT, paint)


def chart(block: Chart) -> Piece:
    drawing = QSvgRenderer(QByteArray(_with_family(block.wide).encode()))
    size = drawing.defaultSize()
    height = WIDTH * size.height() / max(1, size.width())
    caption = Text(block.caption, SMALL, WIDTH)
    caption_height = caption.height if block.caption else 0.0

    def paint(painter: QPainter, y: float) -> None:
        drawing.render(painter, QRectF(0, y, WIDTH, height))
        if block.caption:
            caption.paint(painter, 0, y + height + 4 * PT)

    return Piece(height + caption_height + 12 * PT, paint)


def _with_family(svg: str) -> str:
    """The first of our families that this computer has: Qt's reader takes a single one."""
    return svg.replace(FONT_MARK, f'font-family="{resolved_family()}"', 1)


def table_head(table: Table) -> Piece:
    widths = _widths(table.columns)
    cells = [
        Text(column.title, Face(8, MUTED, is_bold=True, is_right=column.is_number), width - 2 * _CELL_PAD)
        for column, width in zip(table.columns, widths, strict=True)
    ]
    height = max(cell.height for cell in cells)

    def paint(painter: QPainter, y: float) -> None:
        x = 0.0
        for cell, width in zip(cells, widths, strict=True):
            cell.paint(painter, x + _CELL_PAD, y + height - cell.height + 2 * PT)
            x += width
        _rule(painter, y + height + 4 * PT, MUTED)

    return Piece(height + 5 * PT, paint)


def table_row(table: Table, row: Sequence[Cell]) -> Piece:
    widths = _widths(table.columns)
    cells = [
        _TableCell(cell, column, width, is_first=place == 0 and table.stacks)
        for place, (cell, column, width) in enumerate(zip(row, table.columns, widths, strict=True))
    ]
    height = max(cell.height for cell in cells) + 5 * PT

    def paint(painter: QPainter, y: float) -> None:
        x = 0.0
        for cell, width in zip(cells, widths, strict=True):
            cell.paint(painter, x + _CELL_PAD, y + 3 * PT)
            x += width
        _rule(painter, y + height, LINE)

    return Piece(height + 1 * PT, paint)


class _TableCell:
    """A sign, a text and a note below it."""

    def __init__(self, cell: Cell, column: Column, width: float, *, is_first: bool) -> None:
        self._tone = cell.tone
        self._indent = _SIGN + 4 * PT if cell.tone else 0.0
        inner = width - 2 * _CELL_PAD
        color = TONE_COLOR[cell.tone] if cell.tone else TEXT
        self._text = Text(
            cell.text, Face(8.5, color, is_bold=is_first, is_right=column.is_number), inner - self._indent
        )
        self._note = Text(cell.note, SMALL, inner) if cell.note else None
        self.height = self._text.height + (self._note.height if self._note else 0)

    def paint(self, painter: QPainter, x: float, y: float) -> None:
        if self._tone:
            paint_sign(painter, self._tone, x, y + 0.8 * PT)
        self._text.paint(painter, x + self._indent, y)
        if self._note:
            self._note.paint(painter, x, y + self._text.height)


def _widths(columns: Sequence[Column]) -> list[float]:
    whole = sum(column.share for column in columns)
    return [WIDTH * column.share / whole for column in columns]


def head_pieces(head: Head) -> list[Piece]:
    """The top of the first sheet."""
    made = [_banner(words) for words in head.banners]
    made.append(text_piece("Argentum Desktop · Passport of a graphics card", SMALL, 1 * PT))
    made.append(text_piece(head.title, TITLE, 0))
    made.append(text_piece(head.subtitle, SMALL, 8 * PT))
    made.append(_grade(head))
    made.append(text_piece(head.reason, Face(11), 4 * PT))
    return made


def _banner(words: str) -> Piece:
    laid = Text(words, Face(10, PAPER, is_bold=True), WIDTH - 4 * _GAP)

    def paint(painter: QPainter, y: float) -> None:
        color = TONE_COLOR[Tone.ATTENTION]
        _box(painter, QRectF(0, y, WIDTH, laid.height + 2 * _GAP), color, color)
        laid.paint(painter, 2 * _GAP, y + _GAP)

    return Piece(laid.height + 2 * _GAP + 12 * PT, paint)


def _grade(head: Head) -> Piece:
    color = TONE_COLOR[head.tone]
    letter = Text(head.letter, Face(46, color, is_bold=True, is_centered=True), _LETTER_BOX)
    left = _LETTER_BOX + 16 * PT
    lines = [Text(head.grade, Face(13, is_bold=True), WIDTH - left)]
    lines += [Text(line, Face(9.5, MUTED), WIDTH - left) for line in head.lines]
    height = sum(line.height for line in lines)

    def paint(painter: QPainter, y: float) -> None:
        _box(painter, QRectF(1 * PT, y + 1 * PT, _LETTER_BOX, _LETTER_BOX), color, PAPER, 2 * PT)
        letter.paint(painter, 1 * PT, y + 1 * PT + (_LETTER_BOX - letter.height) / 2)
        top = y + max(0.0, (_LETTER_BOX - height) / 2)
        for line in lines:
            line.paint(painter, left, top)
            top += line.height

    return Piece(max(height, _LETTER_BOX) + 12 * PT, paint)


def paint_sign(painter: QPainter, tone: Tone, x: float, y: float) -> None:
    QSvgRenderer(QByteArray(sign_svg(tone).encode())).render(painter, QRectF(x, y, _SIGN, _SIGN))


def _box(painter: QPainter, rect: QRectF, line: str, fill: str, width: float = 0.75 * PT) -> None:
    painter.setPen(QPen(QColor(line), width))
    painter.setBrush(QColor(fill))
    painter.drawRoundedRect(rect, 5 * PT, 5 * PT)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _rule(painter: QPainter, y: float, color: str) -> None:
    painter.setPen(QPen(QColor(color), 0.6 * PT))
    painter.drawLine(QPointF(0, y), QPointF(WIDTH, y))
