"""What a check is: what it looks at, and the function that looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from argentum_desktop.domain.health import CheckMode, CheckResult, CheckVerdict, Threshold
from argentum_desktop.domain.reading import Reading
from argentum_desktop.health.evidence import Evidence
from argentum_desktop.health.figures import has_not

NOT_GEFORCE = "NVIDIA's cards for players do not have this."
NO_LOAD = "This needs a load, and the check was made without one."


@dataclass(frozen=True)
class Subject:
    """What one check looks at: all of its result that does not depend on the card.

    Attributes:
        basis: where the threshold comes from.
        source: who is believed: "load", "driver", "bus", "log" or "table".
    """

    check_id: str
    title: str
    source: str
    basis: str = ""
    unit: str = ""
    threshold: Threshold | None = None

    def says(
        self,
        verdict: CheckVerdict,
        words: str,
        value: int | str | None = None,
        remedy: str = "",
        threshold: Threshold | None = None,
    ) -> CheckResult:
        """The result; `threshold` where the card itself names it."""
        return CheckResult(
            check_id=self.check_id,
            title=self.title,
            verdict=verdict,
            words=words,
            value=value,
            unit=self.unit if value is not None else "",
            threshold=threshold or self.threshold,
            basis=self.basis,
            source=self.source,
            remedy=remedy,
        )

    def passes(self, words: str, value: int | str | None = None, threshold: Threshold | None = None) -> CheckResult:
        return self.says(CheckVerdict.PASS, words, value, threshold=threshold)

    def tells(self, words: str, value: int | str | None = None, remedy: str = "") -> CheckResult:
        return self.says(CheckVerdict.INFO, words, value, remedy)

    def not_applicable(self, words: str) -> CheckResult:
        return self.says(CheckVerdict.NOT_APPLICABLE, words)

    def not_run(self, words: str, value: int | str | None = None, remedy: str = "") -> CheckResult:
        return self.says(CheckVerdict.NOT_RUN, words, value, remedy)

    def without_load(self, evidence: Evidence) -> CheckResult:
        """Why what needs a load was not looked at."""
        if evidence.mode is CheckMode.PASSIVE or evidence.stress is None:
            return self.not_run(NO_LOAD)
        return self.not_run("The load ended before this could be measured.")

    def missing(self, readings: Sequence[Reading], name: str) -> CheckResult:
        """Why a value that only some cards have is not there."""
        if has_not(readings, name):
            return self.not_applicable("The card does not report this.")
        return self.not_run("The driver did not tell this.")


@dataclass(frozen=True)
class Check:
    """One check as it is run.

    Attributes:
        weight: how much of the confidence it carries; 0 for what is only told.
    """

    subject: Subject
    look: Callable[[Evidence], CheckResult]
    weight: int
