"""The answer to "may this run, now, here, for this?", with every rule's word on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One rule's word.

    Attributes:
        rule: the rule's stable name.
        is_yes: whether this rule allows it.
        reason: why not, in one sentence for the owner; for a yes, what was compared.
        remedy: the smallest change that would turn a no into a yes; empty where there is none.
    """

    rule: str
    is_yes: bool
    reason: str
    remedy: str = ""


@dataclass(frozen=True)
class Decision:
    """All verdicts, in the order in which they weigh: the first no is the one to tell."""

    verdicts: tuple[Verdict, ...]

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
        return self.refusals[0].remedy if self.refusals else ""
