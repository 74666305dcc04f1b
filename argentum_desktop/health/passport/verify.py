"""Whether a passport that was handed to us is what it says: on any computer, offline."""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from argentum_desktop import __version__
from argentum_desktop.domain.passport import DayOfWork, Passport
from argentum_desktop.errors import PassportError
from argentum_desktop.health.passport.chain import ChainState, verify_chain
from argentum_desktop.health.passport.codec import LARGEST_FILE_BYTES, read_passport
from argentum_desktop.health.passport.consistency import contradictions, too_good
from argentum_desktop.health.passport.life import Life, life_of
from argentum_desktop.health.passport.notes import notes_on
from argentum_desktop.health.passport.trust import Readers, Testimony, Trust, testimonies, trust_of, witness_faults

_DAY_S = 24 * 60 * 60
_MOST_TOLD = 50


@dataclass(frozen=True)
class Verification:
    """What was found out about a passport.

    Attributes:
        problems: why it is not sound, a sentence each; at most fifty, and a last one that says how many more there are.
        notes: what a reader should know although it is sound, a sentence each.
    """

    passport: Passport
    chain: ChainState
    life: Life
    trust: Trust
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    testimonies: tuple[Testimony, ...] = ()

    @property
    def is_sound(self) -> bool:
        return not self.problems

    @property
    def exit_code(self) -> int:
        """For the terminal: 0 when sound, else 1."""
        return 0 if self.is_sound else 1


def verify_file(path: Path, readers: Readers | None = None) -> Verification:
    """Read and verify a passport's file.

    Raises:
        PassportError: it is no passport at all, or cannot be read.
    """
    return verify_passport(read_passport(_bytes_of(path)), readers)


def verify_passport(passport: Passport, readers: Readers | None = None) -> Verification:
    """Look at everything that a passport shows by itself.

    Args:
        readers: whose keys the reader knows; nobody's where it is not given.
    """
    known = readers or Readers()
    chain, life = verify_chain(passport), life_of(passport)
    problems = [*chain.problems, *life.unreadable, *_report_problems(passport, life), *_day_problems(life)]
    problems += witness_faults(passport)
    told = testimonies(passport, known)
    notes = list(notes_on(passport, chain, life, told))
    return Verification(passport, chain, life, trust_of(life, told, known), _at_most(problems), _at_most(notes), told)


def _bytes_of(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise PassportError(f"{path} is not a file.", "Name the file that was exported.")
        if status.st_size > LARGEST_FILE_BYTES:
            raise PassportError(f"{path} is larger than any passport ({LARGEST_FILE_BYTES // 1024**2} MiB).")
        with path.open("rb") as file:
            return file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise PassportError(f"{path} cannot be read ({error.strerror}).", "Look at its name and its rights.") from error
    except ValueError as error:
        raise PassportError("That is no name that a file can have.") from error


def _report_problems(passport: Passport, life: Life) -> Iterator[str]:
    for written in life.reports:
        if written.report.card.gpu_id != passport.gpu_id:
            yield f"The report in entry {written.number} is of another card than the passport."
        for why in contradictions(written.report):
            yield f"The report in entry {written.number} contradicts itself: {why}."
        if written.report.app_version == __version__:
            for why in too_good(written.report):
                yield f"The report in entry {written.number} is better than it can be: {why}."
    for report_id, count in Counter(written.report.report_id for written in life.reports).items():
        if count > 1:
            yield f"The report {report_id} stands in the passport {count} times."


def _day_problems(life: Life) -> Iterator[str]:
    for day in life.days:
        if not _is_possible(day):
            yield f"What is written of {day.day} cannot be: no day has such figures."
    for name, count in Counter(day.day for day in life.days).items():
        if count > 1:
            yield f"The day {name} stands in the passport {count} times."


def _is_possible(day: DayOfWork) -> bool:
    counts = (day.jobs, day.energy_mj, day.ecc_corrected, day.ecc_uncorrected, day.pcie_replays)
    return (
        0 <= day.job_s <= _DAY_S
        and all(count is None or count >= 0 for count in counts)
        and all(count > 0 for _, count in day.xids)
        and (day.hottest_hour is None or 0 <= day.hottest_hour < 24)
    )


def _at_most(sentences: list[str]) -> tuple[str, ...]:
    if len(sentences) <= _MOST_TOLD:
        return tuple(sentences)
    return (*sentences[:_MOST_TOLD], f"And {len(sentences) - _MOST_TOLD} more like these.")
