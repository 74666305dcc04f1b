"""The answer to "may this run, now, here, for this?", with every rule's word on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from argentum_desktop.domain.money import Money


class ChangeKind(StrEnum):
    """What would have to be otherwise."""

    TIME = "time"
    PRICE = "price"
    MEASURE = "measure"
    """Something that is measured: a temperature, a load, free memory."""
    PROGRAM = "program"
    SETTING = "setting"
    ACT = "act"
    """Something to do that no figure says: resume, plug it in, update a driver."""


@dataclass(frozen=True)
class Change:
    """One thing that would turn a rule's no into a yes, as small as it can be.

    Attributes:
        words: for the owner, as in "Runs from 22:00."
        name: of the measure, the program or the setting.
        at: the first instant at which it is a yes.
        price_per_hour: the least price of the whole offer.
        value: what the measure must reach, or what the setting must be set to, as it would stand in the file.
    """

    kind: ChangeKind
    words: str
    name: str = ""
    at: datetime | None = None
    price_per_hour: Money | None = None
    value: str = ""


@dataclass(frozen=True)
class Verdict:
    """One rule's word.

    Attributes:
        rule: the rule's stable name.
        is_yes: whether this rule allows it.
        reason: why not, in one sentence for the owner; for a yes, what was compared.
        remedy: the smallest change that would turn a no into a yes; empty where there is none.
        change: the same change, to be computed with; None where no figure can say it.
    """

    rule: str
    is_yes: bool
    reason: str
    remedy: str = ""
    change: Change | None = None


@dataclass(frozen=True)
class Flip:
    """What would turn a whole decision into a yes.

    Attributes:
        single: the smallest single change that is enough; None where it takes more than one.
        changes: all that it takes, one for each rule that only a change can satisfy, waiting first.
        open_at: the first instant at which every rule that depends on the time alone says yes; None where waiting
            helps none of them.
        is_complete: whether `changes` is enough; not so where a rule says no to which nothing can be changed.
    """

    single: Change | None
    changes: tuple[Change, ...]
    open_at: datetime | None
    is_complete: bool

    @property
    def words(self) -> str:
        """In one line for the owner; empty where nothing can be done."""
        if self.single is not None:
            return self.single.words
        words = " ".join(change.words for change in self.changes)
        return f"It takes all of this: {words}" if len(self.changes) > 1 else words


@dataclass(frozen=True)
class Decision:
    """All verdicts, in the order in which they weigh: the first no is the one to tell.

    Attributes:
        flip: what would make it a yes; None for a yes, and while nobody asked for it.
    """

    verdicts: tuple[Verdict, ...]
    flip: Flip | None = None

    @property
    def is_yes(self) -> bool:
        return all(verdict.is_yes for verdict in self.verdicts)

    @property
    def refusals(self) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.verdicts if not verdict.is_yes)

    @property
    def reason(self) -> str:
        """Why not, in one sentence; empty for a yes."""
        return self.refusals[0].reason if self.refusals else ""

    @property
    def remedy(self) -> str:
        """What would help: all that it takes where that is known, else what helps the first no."""
        if self.flip is not None and self.flip.words:
            return self.flip.words
        return self.refusals[0].remedy if self.refusals else ""
