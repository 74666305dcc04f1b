"""A passport on paper: A4 as PDF, its text selectable, its charts drawn as lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QBuffer, QCoreApplication, QIODevice, QMarginsF
from PySide6.QtGui import QGuiApplication, QPageLayout, QPageSize, QPainter, QPdfWriter

from argentum_desktop.errors import ArgentumError
from argentum_desktop.health.passport.page_parts import Block, Chart, Facts, Finding, Page, Paragraph, Section, Table
from argentum_desktop.ui.print_pieces import (
    WIDTH,
    Piece,
    chart,
    facts,
    finding,
    head_pieces,
    heading,
    paragraph,
    table_head,
    table_row,
)
from argentum_desktop.ui.print_text import PT, SMALL, Face, Text, has_font, plain_letters

_POINTS_PER_INCH = 72
_LEFT = 42.5 * PT
_TOP = 42 * PT
_HEIGHT = 740 * PT
_FOOT_AT = 754 * PT
_NUMBER_WIDTH = 60 * PT


class PrintingError(ArgentumError):
    """This computer cannot print the page."""

    code = "printing"


def pdf_alone(page: Page) -> bytes:
    """As `pdf_of`, for a command: also on a computer without a display, and where no window is open."""
    application = QCoreApplication.instance() or QGuiApplication(["argentum-desktop", "-platform", "offscreen"])
    document = pdf_of(page)
    del application
    return document


def pdf_of(page: Page) -> bytes:
    """The page as a PDF. Needs a `QGuiApplication`, of any platform; `pdf_alone` makes one.

    Raises:
        PrintingError: there is no font on this computer.
    """
    if not has_font():
        raise PrintingError(
            "The page cannot be printed: this computer has no fonts.",
            "Install one, such as the package fonts-dejavu-core, or export the page as HTML.",
        )
    with plain_letters():
        return _printed(page, _sheets(page))


def _printed(page: Page, sheets: Sequence[Sequence[tuple[float, Piece]]]) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = _writer(buffer, page)
    painter = QPainter(writer)
    for number, pieces in enumerate(sheets, 1):
        if number > 1:
            writer.newPage()
        painter.resetTransform()
        painter.translate(_LEFT, _TOP)
        for top, piece in pieces:
            piece.paint(painter, top)
        _paint_foot(painter, page.foot, f"{number} / {len(sheets)}")
    painter.end()
    return bytes(buffer.data().data())


def _writer(buffer: QBuffer, page: Page) -> QPdfWriter:
    made = QPdfWriter(buffer)
    made.setResolution(round(_POINTS_PER_INCH * PT))
    made.setPageLayout(
        QPageLayout(QPageSize(QPageSize.PageSizeId.A4), QPageLayout.Orientation.Portrait, QMarginsF(0, 0, 0, 0))
    )
    made.setTitle(f"{page.head.title}: passport of a graphics card")
    made.setCreator("Argentum Desktop")
    return made


def _paint_foot(painter: QPainter, words: str, number: str) -> None:
    Text(words, SMALL, WIDTH - _NUMBER_WIDTH).paint(painter, 0, _FOOT_AT)
    right = Face(SMALL.size_pt, SMALL.color, is_right=True)
    Text(number, right, _NUMBER_WIDTH).paint(painter, WIDTH - _NUMBER_WIDTH, _FOOT_AT)


@dataclass
class _Flow:
    """Lays pieces below each other, sheet after sheet."""

    sheets: list[list[tuple[float, Piece]]] = field(default_factory=lambda: [[]])
    top: float = 0.0

    def add(self, piece: Piece, room_below: float = 0.0) -> None:
        """Put it on this sheet if it fits there with `room_below`, else on the next."""
        if self.top and self.top + piece.height + room_below > _HEIGHT:
            self.next_sheet()
        self.sheets[-1].append((self.top, piece))
        self.top += piece.height

    def next_sheet(self) -> None:
        self.sheets.append([])
        self.top = 0.0

    def add_table(self, head: Piece, rows: Sequence[Piece]) -> None:
        """With its heads again on every sheet."""
        self.add(head, rows[0].height if rows else 0.0)
        for row in rows:
            if self.top + row.height > _HEIGHT:
                self.next_sheet()
                self.add(head)
            self.add(row)
        self.top += 6 * PT


def _sheets(page: Page) -> list[list[tuple[float, Piece]]]:
    flow = _Flow()
    for piece in head_pieces(page.head):
        flow.add(piece)
    for section in page.sections:
        _add_section(flow, section)
    return flow.sheets


def _add_section(flow: _Flow, section: Section) -> None:
    blocks = [_laid(block) for block in section.blocks]
    flow.add(heading(section.title), _first_height(blocks))
    for block in blocks:
        if isinstance(block, _LaidTable):
            flow.add_table(block.head, block.rows)
        else:
            for piece in block:
                flow.add(piece)


@dataclass(frozen=True)
class _LaidTable:
    """A table whose heads come again."""

    head: Piece
    rows: list[Piece]


def _first_height(blocks: Sequence[_LaidTable | list[Piece]]) -> float:
    """What a heading must not be parted from."""
    if not blocks:
        return 0.0
    first = blocks[0]
    if isinstance(first, _LaidTable):
        return first.head.height + (first.rows[0].height if first.rows else 0.0)
    return first[0].height if first else 0.0


def _laid(block: Block) -> _LaidTable | list[Piece]:
    match block:
        case Table():
            return _LaidTable(table_head(block), [table_row(block, row) for row in block.rows])
        case Facts():
            return facts(block)
        case Paragraph():
            return [paragraph(block)]
        case Finding():
            return [finding(block)]
        case Chart():
            return [chart(block)]
