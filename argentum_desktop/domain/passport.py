"""A card's passport: what happened to it, entry after entry, each bound to the one before and signed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from argentum_desktop.domain.health import CheckMode, CheckVerdict, Grade

SCHEMA = "argentum.gpu-passport/1"
WITNESS_SCHEMA = "argentum.gpu-witness/1"
QUESTION_SCHEMA = "argentum.gpu-question/1"
CERTIFICATE_SCHEMA = "argentum.gpu-certificate/1"
LARGEST_CERTIFICATE_BYTES = 8 * 1024
FIRST_PREVIOUS = "0" * 64
"""What stands in the first entry as the one before."""


class EntryKind(StrEnum):
    """What an entry tells of. `PassportEntry.body` holds it, as plain JSON without fractions."""

    OPENED = "opened"
    """The first: which card (`domain.health.CardIdentity`), on which machine's key."""
    CHECK = "check"
    """A `domain.health.HealthReport`, whole."""
    DAY = "day"
    """One day of work in UTC (`DayOfWork`)."""
    REPAIR = "repair"
    """The owner's own words about what was done to the card: {"words": ...}."""
    MATCHED = "matched"
    """Another passport of this card was compared with what was found here, and how that ended."""
    WITNESSED = "witnessed"
    """A market signed that it saw a report, and when."""


@dataclass(frozen=True)
class PassportEntry:
    """One entry.

    Attributes:
        number: from 1, without gaps.
        body: whole numbers, text, true, false, null, lists and objects of these; never a fraction.
        previous_sha256: of the entry before, 64 zeros for the first.
        sha256: of the schema's name, a zero byte and the canonical form of all but `sha256` and `signature`.
        public_key: of the device that wrote it (base64).
        signature: of the same bytes (base64).
    """

    number: int
    at: datetime
    kind: EntryKind
    body: Mapping[str, Any]
    previous_sha256: str
    sha256: str
    public_key: str
    signature: str


@dataclass(frozen=True)
class Passport:
    """All entries of one card, oldest first. `gpu_id` stands in the first entry too, under its signature."""

    gpu_id: str
    entries: tuple[PassportEntry, ...]
    schema: str = SCHEMA


@dataclass(frozen=True)
class DayOfWork:
    """What a card did in one day (UTC).

    Attributes:
        day: as in 2026-03-01.
        job_s: seconds in which a job ran on it.
        hottest_hour: the clock hour (0 to 23) with the highest mean temperature; None where it reports none.
        xids: NVIDIA's error numbers, each with how often it came.
        ecc_corrected: by how much the counter grew in the day; None where there is no counter.
    """

    day: str
    jobs: int
    job_s: int
    energy_mj: int
    hottest_hour: int | None = None
    hottest_hour_mean_c: int | None = None
    hottest_c: int | None = None
    xids: tuple[tuple[int, int], ...] = ()
    ecc_corrected: int | None = None
    ecc_uncorrected: int | None = None
    pcie_replays: int | None = None


@dataclass(frozen=True)
class Question:
    """What a market asks before a check. It travels sealed with the market's key.

    Attributes:
        nonce: 32 hexadecimal digits; the first eight seed the patterns.
        asked_of: the short name of the key that is to answer.
    """

    market: str
    nonce: str
    asked_of: str
    asked_at: datetime
    schema: str = QUESTION_SCHEMA


@dataclass(frozen=True)
class Witness:
    """What a market says when it has seen a report. It travels sealed (`identity.sealed`) with the market's key.

    Attributes:
        report_sha256: of the report's canonical form, as it stands in the body of its entry.
        nonce: the question that the report answers; empty when the market had asked none.
    """

    market: str
    report_id: str
    report_sha256: str
    received_at: datetime
    nonce: str = ""
    asked_at: datetime | None = None
    schema: str = WITNESS_SCHEMA


@dataclass(frozen=True)
class CertifiedCheck:
    """One check, without its words."""

    check_id: str
    verdict: CheckVerdict
    value: int | str | None = None
    unit: str = ""


@dataclass(frozen=True)
class Certificate:
    """The public short form of a passport: what a card is and how it was found, without the numbers that name it.

    It travels sealed with the key that wrote the passport's last entry.

    Attributes:
        card_digest: SHA-256 of `salt`, a zero byte and the card's id; who has the card can show that it is meant.
        salt: chosen by whoever lists it, so that the certificates of two owners cannot be told to be of one card.
        checks_left_out: how many there was no room for, the least important ones.
        entries: how long the passport is, up to the entry with `head_sha256`.
    """

    card_digest: str
    salt: str
    name: str
    vendor: str
    is_simulated: bool
    report_id: str
    app_version: str
    mode: CheckMode
    checked_at: datetime
    grade: Grade
    confidence_percent: int
    reason: str
    entries: int
    head_sha256: str
    opened_at: datetime
    score: int | None = None
    caps: tuple[str, ...] = ()
    checks: tuple[CertifiedCheck, ...] = ()
    checks_left_out: int = 0
    memory_bytes: int | None = None
    pci_id: str | None = None
    pci_subsystem: str | None = None
    vbios_version: str | None = None
    schema: str = CERTIFICATE_SCHEMA

    def is_of(self, gpu_id: str) -> bool:
        """Whether this is the card that is meant."""
        return self.card_digest == card_digest(gpu_id, self.salt)


def card_digest(gpu_id: str, salt: str) -> str:
    """What stands for a card where it is not named.

    Raises:
        ValueError: not text that can be written.
    """
    return hashlib.sha256(salt.encode("utf-8") + b"\0" + gpu_id.encode("utf-8")).hexdigest()
