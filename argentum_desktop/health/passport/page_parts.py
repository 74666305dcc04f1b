"""What a readable passport is made of. One structure, so that the page and the paper say the same."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """How something is to be taken. Each has its own shape, so that nobody has to tell colours apart."""

    GOOD = "good"
    NOTE = "note"
    ATTENTION = "attention"
    FAULT = "fault"
    QUIET = "quiet"
    """Not looked at."""


@dataclass(frozen=True)
class Cell:
    """One place in a table.

    Attributes:
        note: a second line, smaller.
        tone: puts its sign before the text.
    """

    text: str
    note: str = ""
    tone: Tone | None = None


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        share: of the paper's width, against the other columns'.
    """

    title: str
    share: int
    is_number: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under heads.

    Attributes:
        stacks: on a narrow screen each row becomes a little card; else the table is moved sideways.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    stacks: bool = False


@dataclass(frozen=True)
class Facts:
    """Names and what belongs to them. `code` is for what is compared letter by letter."""

    pairs: tuple[tuple[str, str], ...]
    is_code: bool = False


@dataclass(frozen=True)
class Paragraph:
    """A few sentences."""

    text: str
    is_muted: bool = False
    is_code: bool = False


@dataclass(frozen=True)
class Finding:
    """One thing that matters."""

    tone: Tone
    verdict: str
    title: str
    words: str
    remedy: str = ""


@dataclass(frozen=True)
class Chart:
    """A drawing as SVG, for paper and wide screens, and the same for a narrow one.

    Attributes:
        words: what it shows, for those who do not see it.
        caption: stands below it.
    """

    wide: str
    narrow: str
    words: str
    caption: str = ""


Block = Table | Facts | Paragraph | Finding | Chart


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Head:
    """The top of the page.

    Attributes:
        banners: stand across everything: that the card is simulated, that the passport is not sound.
        letter: the grade, a dash where there is none.
        lines: beside the grade, the first one large.
    """

    title: str
    subtitle: str
    banners: tuple[str, ...]
    is_simulated: bool
    letter: str
    tone: Tone
    grade: str
    lines: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Page:
    """The whole.

    Attributes:
        foot: stands at the bottom of every sheet.
    """

    head: Head
    sections: tuple[Section, ...]
    foot: str
