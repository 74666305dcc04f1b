"""What a health check says about a card. Whole numbers and text only, so that a report has one canonical form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.stress import StressResult

SCHEMA = "argentum.gpu-health/1"


class CheckMode(StrEnum):
    """How thoroughly."""

    QUICK = "quick"
    """A minute, with a load."""
    FULL = "full"
    """Ten minutes, with a load."""
    PASSIVE = "passive"
    """Only what the driver counts, without a load."""


class CheckVerdict(StrEnum):
    """What one check says. Only `FAIL` fails a card; what could not be looked at lowers the confidence alone."""

    PASS = "pass"  # noqa: S105 - a verdict
    INFO = "info"
    WARN = "warn"
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"
    NOT_RUN = "not_run"
    ERROR = "error"


class Grade(StrEnum):
    """The whole in one letter."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    F = "F"
    """Something is wrong with it."""
    X = "X"
    """It is not what it says it is."""
    UNGRADED = "ungraded"


class Comparison(StrEnum):
    """How a value is held against its threshold."""

    AT_MOST = "<="
    AT_LEAST = ">="
    BELOW = "<"
    EQUAL = "=="


@dataclass(frozen=True)
class Threshold:
    """What the value must be for the check to pass."""

    comparison: Comparison
    value: int


@dataclass(frozen=True)
class CheckResult:
    """One check.

    Attributes:
        check_id: topic and name, as in "memory.errors"; stable over versions.
        words: what was found, one sentence for the owner.
        basis: where the threshold comes from.
        source: who said it: "load", "driver", "bus", "log", "table".
        remedy: what the owner can do; empty when there is nothing to do.
    """

    check_id: str
    title: str
    verdict: CheckVerdict
    words: str
    value: int | str | None = None
    unit: str = ""
    threshold: Threshold | None = None
    basis: str = ""
    source: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class CardIdentity:
    """Which card it was, as its driver says.

    Attributes:
        memory_bytes: of its own; None where the driver does not tell.
    """

    gpu_id: str
    name: str
    vendor: str
    is_simulated: bool
    memory_bytes: int | None = None
    pci_address: str | None = None
    pci_id: str | None = None
    pci_subsystem: str | None = None
    vbios_version: str | None = None
    serial: str | None = None
    driver: str | None = None
    driver_version: str | None = None

    @classmethod
    def of(cls, gpu: Gpu) -> CardIdentity:
        return cls(
            gpu_id=gpu.gpu_id,
            name=gpu.name,
            vendor=gpu.vendor.value,
            is_simulated=gpu.is_simulated,
            memory_bytes=gpu.memory_total_bytes,
            pci_address=gpu.pci_address,
            pci_id=gpu.pci_id,
            pci_subsystem=gpu.pci_subsystem,
            vbios_version=gpu.vbios_version,
            serial=gpu.serial,
            driver=gpu.driver,
            driver_version=gpu.driver_version,
        )


@dataclass(frozen=True)
class Samples:
    """What the card reported during the check, a column each; None where it said nothing.

    Attributes:
        at_ms: since the check began.
        phase: what was being done, as in `Stage`.
        reasons: `ThrottleReason`s joined by commas.
    """

    at_ms: tuple[int, ...] = ()
    phase: tuple[str, ...] = ()
    temperature_c: tuple[int | None, ...] = ()
    power_mw: tuple[int | None, ...] = ()
    clock_sm_mhz: tuple[int | None, ...] = ()
    fan_percent: tuple[int | None, ...] = ()
    reasons: tuple[str, ...] = ()


class Stage(StrEnum):
    """What a check is doing, in this order."""

    COUNTERS = "counters"
    BASELINE = "baseline"
    HOST_COPY = "host_copy"
    MEMORY = "memory"
    BANDWIDTH = "bandwidth"
    COMPUTE = "compute"
    COOL_DOWN = "cool_down"
    JUDGING = "judging"

    @property
    def is_load(self) -> bool:
        """Whether the card works during it."""
        return self in {Stage.HOST_COPY, Stage.MEMORY, Stage.BANDWIDTH, Stage.COMPUTE}


@dataclass(frozen=True)
class Challenge:
    """A market's question that the check answers: it shows that the check was made after it was asked."""

    nonce: str
    issuer: str
    issued_at: datetime


@dataclass(frozen=True)
class Appraisal:
    """What all checks together say.

    Attributes:
        score: 0 to 100; None when ungraded, failed or not what it says it is.
        confidence_percent: how much of what could be known of such a card was looked at.
        reason: why this grade, one sentence for the owner.
        caps: what kept the grade below what the score alone would give.
    """

    grade: Grade
    confidence_percent: int
    reason: str
    score: int | None = None
    caps: tuple[str, ...] = ()


@dataclass(frozen=True)
class HealthReport:
    """One check of one card, whole.

    Attributes:
        reference_row: the model of the reference table that it was compared with; empty when there is none.
        reference_sha256: of that table.
    """

    report_id: str
    app_version: str
    mode: CheckMode
    started_at: datetime
    ended_at: datetime
    card: CardIdentity
    checks: tuple[CheckResult, ...]
    appraisal: Appraisal
    stress: StressResult | None = None
    samples: Samples = Samples()
    reference_row: str = ""
    reference_sha256: str = ""
    challenge: Challenge | None = None
    operating_system: str = ""
    schema: str = SCHEMA

    @property
    def is_simulated(self) -> bool:
        return self.card.is_simulated

    @property
    def findings(self) -> tuple[CheckResult, ...]:
        """Every check, the most important first: what is wrong, then what tells most when it is well, then the rest."""
        return tuple(sorted(self.checks, key=_weight))


_WRONG = (CheckVerdict.FAIL, CheckVerdict.WARN, CheckVerdict.ERROR)
_OTHERS = (CheckVerdict.INFO, CheckVerdict.PASS, CheckVerdict.NOT_RUN, CheckVerdict.NOT_APPLICABLE)
# What a buyer asks first of a card that is well.
_TELLING = ("memory.errors", "heat.limit", "compute.exact", "ecc.uncorrected")


def _weight(check: CheckResult) -> tuple[int, int]:
    if check.verdict in _WRONG:
        return 0, _WRONG.index(check.verdict)
    if check.verdict is CheckVerdict.PASS and check.check_id in _TELLING:
        return 1, _TELLING.index(check.check_id)
    return 2, _OTHERS.index(check.verdict)


@dataclass(frozen=True)
class HealthSummary:
    """What a card's latest check said, in a line."""

    report_id: str
    grade: Grade
    confidence_percent: int
    mode: CheckMode
    checked_at: datetime
    reason: str
    is_simulated: bool = False

    @classmethod
    def of(cls, report: HealthReport) -> HealthSummary:
        appraisal = report.appraisal
        return cls(
            report.report_id,
            appraisal.grade,
            appraisal.confidence_percent,
            report.mode,
            report.ended_at,
            appraisal.reason,
            report.is_simulated,
        )

    def stands_after(self, before: HealthSummary | None) -> bool:
        """Whether this one, made later, says how the card stands now.

        A grade needs a load, so a check that came to none takes nothing away from one that did. What a check without a
        load found wrong in the counters is over when a later one finds it well.
        """
        return (
            before is None
            or self.grade is not Grade.UNGRADED
            or before.grade is Grade.UNGRADED
            or before.mode is CheckMode.PASSIVE
        )
