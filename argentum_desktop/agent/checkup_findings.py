"""What the application itself adds to a health report: what it saw outside the check. Pure."""

from __future__ import annotations

from datetime import datetime

from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.health import CheckMode, CheckResult, CheckVerdict, HealthReport
from argentum_desktop.domain.reading import Reading
from argentum_desktop.errors import HealthError

INTERRUPTED, JOB_ERRORS, OTHERS = "past.interrupted", "past.job_errors", "use.others"
# A desktop that is drawn takes a few percent.
BUSY_PERCENT = 20


def other_programs(reading: Reading | None) -> tuple[CheckResult, ...]:
    """A game or a film on the card makes a check slower; it is no reason to refuse one."""
    percent = reading.utilization_percent if reading is not None else None
    if percent is None or percent < BUSY_PERCENT:
        return ()
    return (
        CheckResult(
            OTHERS,
            "At work before",
            CheckVerdict.INFO,
            f"Other programs kept the card {percent} % busy when the check began; its speed may be understated.",
            value=percent,
            unit="%",
            source="driver",
            remedy="For the card's full speed, close them and check again.",
        ),
    )


def interrupted(began_at: datetime) -> CheckResult:
    """The load began and nobody wrote down its end."""
    return CheckResult(
        INTERRUPTED,
        "Stopped under load",
        CheckVerdict.WARN,
        f"The computer or the application stopped during the load test of {began_at:%Y-%m-%d %H:%M} UTC.",
        value=f"{began_at:%Y-%m-%dT%H:%M:%SZ}",
        basis="A load is written down before it begins, and its end after it.",
        source="log",
        remedy="If the computer switched itself off, look at its power supply and the card's power cables.",
    )


def errors_in_job(title: str, xids: tuple[tuple[int, int], ...], uncorrected: int, *, is_lost: bool) -> CheckResult:
    """A job had the card when it made errors.

    Args:
        xids: NVIDIA's error numbers, each with how often it came.
        uncorrected: by how much the count of uncorrected memory errors grew.
    """
    found = [f"the error {number} (NVIDIA's Xid) {_times(count)}" for number, count in xids]
    if uncorrected:
        found.append("1 uncorrected memory error" if uncorrected == 1 else f"{uncorrected} uncorrected memory errors")
    reported = f"reported {', '.join(found)}" if found else ""
    lost = "stopped answering its driver" if is_lost else ""
    return CheckResult(
        JOB_ERRORS,
        "Errors in a job",
        CheckVerdict.WARN,
        f"While it worked on {title}, the card {' and '.join(filter(None, (reported, lost)))}.",
        value=sum(count for _, count in xids) + uncorrected + int(is_lost),
        unit="errors",
        source="driver",
        remedy="Make a full check; if it happens again, look at the card's seat, its power cables and its cooling.",
    )


def notice_of(gpu: Gpu, finding: CheckResult, report: HealthReport | None = None) -> HealthError:
    """What happened, for the owner, and what the check of the counters says to it once it was made."""
    if report is None:
        return HealthError(f"{gpu.label}: {finding.words}", finding.remedy)
    return HealthError(
        f"{gpu.label}: {finding.words} Its counters afterwards: {report.appraisal.reason}", finding.remedy
    )


def notice_after(gpu: Gpu, report: HealthReport) -> HealthError | None:
    """The notice that stands after a check: a load test clears what was suspected, a look at the counters does not."""
    if report.mode is not CheckMode.PASSIVE:
        return None
    suspicion = next((check for check in report.checks if check.check_id in {INTERRUPTED, JOB_ERRORS}), None)
    return notice_of(gpu, suspicion, report) if suspicion is not None else None


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
