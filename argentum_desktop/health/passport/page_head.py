"""The top of a passport's page: which card, which grade, and what must be seen before anything else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from argentum_desktop.domain.health import CardIdentity, Grade, HealthReport
from argentum_desktop.health.passport.page_parts import Head, Tone
from argentum_desktop.health.passport.page_words import GRADE_TONE, MODE_WORDS, UNKNOWN, clean, memory, moment

SIMULATED = "SIMULATED"
NOT_SOUND = "NOT SOUND"
_SIMULATED_BANNER = (
    f"{SIMULATED} · This card does not exist. Its figures come from a simulation and say nothing of any real card."
)
_NOT_SOUND_BANNER = (
    f"{NOT_SOUND} · Something in this passport does not hold together. Do not rely on what stands below."
)
_GRADE_WORDS = {
    Grade.F: "Grade F: something is wrong with it",
    Grade.X: "Grade X: it is not what it says it is",
    Grade.UNGRADED: "No grade",
}
_VENDORS = {"nvidia": "NVIDIA", "amd": "AMD", "intel": "Intel"}
_MOST_CAPS = 5


@dataclass(frozen=True)
class Subject:
    """What the page is about.

    Attributes:
        card: None where no entry describes it.
        report: the check that is shown; None where there was none.
    """

    card: CardIdentity | None
    report: HealthReport | None
    is_simulated: bool
    is_sound: bool

    @property
    def name(self) -> str:
        return clean(self.card.name, 120) if self.card else "A card that no entry describes"


def head_of(subject: Subject, zone: tzinfo) -> Head:
    name = subject.name
    report = subject.report
    is_named = "simulated" in name.lower()
    banners = (
        *((_NOT_SOUND_BANNER,) if not subject.is_sound else ()),
        *((_SIMULATED_BANNER,) if subject.is_simulated else ()),
    )
    return Head(
        title=f"{name} (simulated)" if subject.is_simulated and not is_named else name,
        subtitle=_about(subject.card) if subject.card else "",
        banners=banners,
        is_simulated=subject.is_simulated,
        letter=_letter(report),
        tone=_tone(subject),
        grade=_grade_words(report),
        lines=_lines(report, zone) if report else (),
        reason=_reason(report),
    )


def _about(card: CardIdentity) -> str:
    parts = (memory(card.memory_bytes) if card.memory_bytes else "", _VENDORS.get(card.vendor, clean(card.vendor, 40)))
    return " · ".join(part for part in parts if part)


def _letter(report: HealthReport | None) -> str:
    if report is None or report.appraisal.grade is Grade.UNGRADED:
        return UNKNOWN
    return report.appraisal.grade.value


def _tone(subject: Subject) -> Tone:
    """A grade of nothing real, or one that cannot be relied on, must not be taken for another from across the room."""
    if subject.report is None or subject.is_simulated or not subject.is_sound:
        return Tone.QUIET
    return GRADE_TONE[subject.report.appraisal.grade]


def _grade_words(report: HealthReport | None) -> str:
    if report is None:
        return "No check yet"
    appraisal = report.appraisal
    score = f", {appraisal.score} of 100 points" if appraisal.score is not None else ""
    return _GRADE_WORDS.get(appraisal.grade, f"Grade {appraisal.grade.value}{score}")


def _lines(report: HealthReport, zone: tzinfo) -> tuple[str, ...]:
    return (
        f"Confidence {report.appraisal.confidence_percent} %",
        MODE_WORDS[report.mode].capitalize(),
        f"Checked {moment(report.ended_at, zone)}",
    )


def _reason(report: HealthReport | None) -> str:
    if report is None:
        return "It was not checked yet, so there is nothing to say about its health."
    appraisal = report.appraisal
    return " ".join(clean(sentence) for sentence in (appraisal.reason, *appraisal.caps[:_MOST_CAPS]))
