"""Errors that a card makes while it works on a job: afterwards its counters are looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.checkup_findings import errors_in_job
from argentum_desktop.agent.lease_book import LeaseMoved
from argentum_desktop.domain.health import CheckResult, CheckVerdict
from argentum_desktop.domain.job import JobState, Outcome
from argentum_desktop.domain.lease import Lease
from argentum_desktop.domain.reading import Reading
from argentum_desktop.health.checks.driver_errors import XIDS
from argentum_desktop.telemetry.sampler import ReadingsTaken

FAILING_XIDS = frozenset(number for number, xid in XIDS.items() if xid.verdict is CheckVerdict.FAIL)


@dataclass
class _Errors:
    """What one card did in one job."""

    xids: Counter[int] = field(default_factory=Counter)
    uncorrected_before: int | None = None
    uncorrected: int = 0
    is_lost: bool = False

    def note(self, reading: Reading) -> bool:
        """Whether the reading tells of an error that was not known."""
        failing = [number for number in reading.xid_events if number in FAILING_XIDS]
        is_newly_lost, grown = reading.is_lost and not self.is_lost, self._growth(reading)
        self.xids.update(failing)
        self.is_lost = self.is_lost or reading.is_lost
        is_news = bool(failing) or is_newly_lost or grown > self.uncorrected
        self.uncorrected = max(grown, self.uncorrected)
        return is_news

    def _growth(self, reading: Reading) -> int:
        """Of the card's own count of its life, or of the driver's since its start where there is no such count."""
        now = reading.ecc_uncorrected if reading.ecc_uncorrected is not None else reading.ecc_uncorrected_volatile
        if now is None:
            return 0
        if self.uncorrected_before is None or now < self.uncorrected_before:
            self.uncorrected_before = now
        return now - self.uncorrected_before


class CardErrors:
    """Listens to the readings of cards that have a job.

    Args:
        busy: the leases whose cards are not free.
        told: called with each card and what it did, again when it did more.
    """

    def __init__(
        self, bench: Bench, busy: Callable[[], Sequence[Lease]], told: Callable[[str, CheckResult], None]
    ) -> None:
        self._busy = busy
        self._told = told
        self._jobs: dict[tuple[str, str], _Errors] = {}
        self._bench = bench
        bench.events.subscribe(ReadingsTaken, lambda event: self._taken(event.readings))
        bench.events.subscribe(LeaseMoved, lambda event: self._moved(event.lease))

    def _taken(self, readings: Sequence[Reading]) -> None:
        leases = {gpu_id: lease for lease in self._busy() for gpu_id in lease.gpu_ids}
        self._jobs = {key: found for key, found in self._jobs.items() if _is_of(leases, key)}
        for reading in readings:
            lease = leases.get(reading.gpu_id)
            if lease is None:
                continue
            errors = self._jobs.setdefault((lease.lease_id, reading.gpu_id), _Errors())
            if errors.note(reading):
                self._tell(reading.gpu_id, lease, errors)

    def _moved(self, lease: Lease) -> None:
        """A card that is not even listed any more reports nothing; its job has lost it all the same."""
        if lease.state is not JobState.STOPPING or lease.outcome is not Outcome.CARD_LOST:
            return
        for gpu_id in lease.gpu_ids:
            reading = self._bench.readings.get(gpu_id)
            errors = self._jobs.setdefault((lease.lease_id, gpu_id), _Errors())
            if not errors.is_lost and (reading is None or reading.is_lost):
                errors.is_lost = True
                self._tell(gpu_id, lease, errors)

    def _tell(self, gpu_id: str, lease: Lease, errors: _Errors) -> None:
        xids = tuple(sorted(errors.xids.items()))
        finding = errors_in_job(lease.job.title, xids, errors.uncorrected, is_lost=errors.is_lost)
        self._told(gpu_id, finding)


def _is_of(leases: dict[str, Lease], key: tuple[str, str]) -> bool:
    lease_id, gpu_id = key
    return gpu_id in leases and leases[gpu_id].lease_id == lease_id
