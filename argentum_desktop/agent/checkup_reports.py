"""Finished checks on their way into the passport, and a market's word about them after that."""

from __future__ import annotations

import asyncio
import logging

from argentum_desktop.agent.checkup_journal import CheckupJournal
from argentum_desktop.agent.market_witness import Asked, MarketWitness
from argentum_desktop.agent.notices import NoticeBoard
from argentum_desktop.agent.passports import Passports
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.health import Grade, HealthReport
from argentum_desktop.domain.passport import Passport
from argentum_desktop.domain.stress import StressEnd
from argentum_desktop.errors import ArgentumError, StoreError
from argentum_desktop.health.passport.trust import witness_body
from argentum_desktop.identity.keys import IdentityError

log = logging.getLogger(__name__)

_PART = "passport"


def is_worth_keeping(report: HealthReport) -> bool:
    """A check that was ended before its time says nothing, unless something was found by then."""
    is_cut_short = report.stress is not None and report.stress.end is StressEnd.CANCELLED
    return not is_cut_short or report.appraisal.grade in {Grade.F, Grade.X}


class CheckupReports:
    """A report counts from the moment it is made; what cannot be written down at once is written later."""

    def __init__(
        self, passports: Passports, journal: CheckupJournal, notices: NoticeBoard, witness: MarketWitness
    ) -> None:
        self._passports = passports
        self._journal = journal
        self._notices = notices
        self._witness = witness
        self._unwritten: list[tuple[Gpu, HealthReport, Passport | None]] = []
        self._writing = asyncio.Lock()

    def take(self, gpu: Gpu, report: HealthReport, against: Passport | None = None) -> None:
        """One more to be written, and how it compares with a passport that came with the card."""
        self._unwritten.append((gpu, report, against))
        self._passports.take_note(report)

    async def write(self) -> None:
        """In the order in which they were made."""
        async with self._writing:
            while self._unwritten:
                gpu, report, against = self._unwritten[0]
                forget = self._journal.forget(gpu.gpu_id, report.checks)
                try:
                    await self._passports.add_check(gpu, report, forget, against)
                except (StoreError, IdentityError) as error:
                    self._notices.put(_PART, error)
                    return
                except ArgentumError as error:
                    log.error("%s: the report has no place in a passport: %s", gpu.label, error)  # noqa: TRY400 - known
                del self._unwritten[0]
                self._journal.forgotten(gpu.gpu_id, report.checks)
            self._notices.take_down(_PART)

    async def bear_witness(self, gpu: Gpu, report: HealthReport, asked: Asked) -> None:
        """What a market says of a report comes after the report."""
        if any(waiting is report for _, waiting, _ in self._unwritten) or not is_worth_keeping(report):
            return
        sealed = await self._witness.statement(asked, report)
        if sealed is None:
            return
        try:
            await self._passports.add_witness(gpu, witness_body(sealed))
        except ArgentumError as error:
            log.info("%s: the witness's statement is not in the passport: %s", gpu.label, error)
