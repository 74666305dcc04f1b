"""Health checks of this computer's cards: begun, followed, ended, written down. One at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.checkup_findings import notice_after, notice_of, other_programs
from argentum_desktop.agent.checkup_journal import AnnouncedStress, CheckupJournal
from argentum_desktop.agent.checkup_reports import CheckupReports, is_worth_keeping
from argentum_desktop.agent.checkup_rules import card_to_check
from argentum_desktop.agent.checkup_tools import CheckTools, Hurry, PastEvents
from argentum_desktop.agent.loops import end_all
from argentum_desktop.agent.market_witness import Asked, MarketWitness
from argentum_desktop.agent.notices import NoticeBoard
from argentum_desktop.agent.passports import Passports
from argentum_desktop.agent.status import CheckupEnded, CheckupProgressed, CheckupView
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.health import CheckMode, CheckResult, HealthReport, Stage
from argentum_desktop.domain.lease import Lease
from argentum_desktop.domain.passport import Passport
from argentum_desktop.errors import ArgentumError, CheckRefusedError, HealthError
from argentum_desktop.health.evidence import PastError
from argentum_desktop.health.examination import Background, Examination, ExaminationProgress
from argentum_desktop.telemetry.sampler import ReadingsTaken

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
TELL_EVERY_S = 0.2
AGAIN_AFTER_S = 60.0
ENDED_WITHIN_S = 5.0
PAST_ERRORS_DAYS = 30
CANCELLED = "The check was cancelled."


@dataclass
class _UnderWay:
    """The check that is being made.

    Attributes:
        findings: what the application itself adds to the report.
        against: a passport that is to be compared with what is found.
        is_unasked: the application makes it by itself, after errors.
        asked: a market's question that the check answers.
        is_over: set once the card is free and the end was told.
    """

    gpu: Gpu
    mode: CheckMode
    started_at: datetime
    findings: tuple[CheckResult, ...]
    against: Passport | None
    is_unasked: bool
    examination: asyncio.Task[HealthReport] = field(init=False)
    task: asyncio.Task[None] = field(init=False)
    asked: Asked | None = None
    is_over: asyncio.Event = field(default_factory=asyncio.Event)
    told_at_s: float = 0.0


class Checkups:
    """Begins a check when the rules allow it, keeps `bench.checkups` and `bench.health` true, and the passport.

    Args:
        busy: the leases whose cards are not free.
        changed: told when a card begins or ends to be checked.
        witness: asked before a full check, and told of its report.
    """

    def __init__(
        self,
        bench: Bench,
        notices: NoticeBoard,
        passports: Passports,
        journal: CheckupJournal,
        tools: CheckTools,
        sampler: Hurry,
        history: PastEvents,
        busy: Callable[[], Sequence[Lease]],
        changed: Callable[[], None],
        witness: MarketWitness,
    ) -> None:
        self._bench = bench
        self._notices = notices
        self._reports = CheckupReports(passports, journal, notices, witness)
        self._journal = journal
        self._tools = tools
        self._sampler = sampler
        self._history = history
        self._busy = busy
        self._changed = changed
        self._witness = witness
        self._carrying: set[asyncio.Task[None]] = set()
        self._witnessing: set[asyncio.Task[None]] = set()
        self._now: _UnderWay | None = None
        self._ended: dict[str, CheckupEnded] = {}
        self._shown: set[str] = set()
        self._not_before_s = 0.0
        self._is_closed = False

    # -- what the owner asks ------------------------------------------------------------------------------------------

    async def begin(self, gpu_id: str, mode: CheckMode, against: Passport | None = None) -> None:
        """Begin for the owner. A look at counters that nobody asked for gives way, and is made up for here or later.

        Args:
            against: a verified passport that is said to be this card's, to be compared with what is found.

        Raises:
            CheckRefusedError: not now, and why.
        """
        if self._now is not None and self._now.is_unasked:
            await self.cancel(self._now.gpu.gpu_id)
        self.start(gpu_id, mode, against)

    def start(self, gpu_id: str, mode: CheckMode, against: Passport | None = None, *, is_unasked: bool = False) -> None:
        """Begin. From this moment on the card is off the market.

        Raises:
            CheckRefusedError: not now, and why.
        """
        if self._is_closed:
            raise CheckRefusedError("The application is ending.", "Start it again.")
        gpu = card_to_check(gpu_id, mode, self._bench, self._busy())
        reading = self._bench.readings.get(gpu_id)
        findings = (*self._journal.findings(gpu_id), *other_programs(reading))
        self._ended.pop(gpu_id, None)
        self._now = under_way = _UnderWay(gpu, mode, self._bench.clock.now(), findings, against, is_unasked)
        self._bench.checkups[gpu_id] = self._view(under_way, self._first_progress(mode))
        under_way.examination = asyncio.create_task(self._examine(under_way), name=f"check of {gpu_id}")
        under_way.task = asyncio.create_task(self._carry(under_way), name=f"report on {gpu_id}")
        _keep(under_way.task, self._carrying)
        log.info("%s: a %s check begins", gpu.label, mode)
        self._changed()

    async def cancel(self, gpu_id: str) -> None:
        """End it; the card is free when this returns."""
        under_way = self._now
        if under_way is not None and under_way.gpu.gpu_id == gpu_id:
            under_way.examination.cancel()
            over = asyncio.ensure_future(under_way.is_over.wait())
            await asyncio.wait({over, under_way.task}, return_when=asyncio.FIRST_COMPLETED)
            over.cancel()

    def ended(self, gpu_id: str) -> CheckupEnded | None:
        """How the card's last check since the start ended; None when there was none, or one is under way."""
        return self._ended.get(gpu_id)

    def want(self, gpu_id: str, finding: CheckResult) -> None:
        """Have the card's counters looked at as soon as it is free; this is to stand in the report."""
        self._journal.want(gpu_id, finding)
        self._show_finding(gpu_id, finding)

    async def run(self) -> None:
        """Make the checks that are due once their card is free, and write down what could not be written before."""
        while True:
            await self._reports.write()
            await self._journal.write()
            self._start_due()
            await self._bench.clock.sleep(LOOK_EVERY_S)

    async def close(self) -> None:
        """Take a load off at once and begin nothing more."""
        self._is_closed = True
        if self._now is not None:
            self._now.examination.cancel()
        if self._carrying:
            await asyncio.wait(self._carrying, timeout=ENDED_WITHIN_S)
        await end_all([*self._witnessing])
        await self._reports.write()

    # -- one check ----------------------------------------------------------------------------------------------------

    async def _carry(self, under_way: _UnderWay) -> None:
        try:
            report, problem = await self._examined(under_way)
            if report is not None:
                report = replace(report, checks=(*report.checks, *under_way.findings))
                problem = report.stress.words if report.stress is not None else ""
                if is_worth_keeping(report):
                    self._reports.take(under_way.gpu, report, under_way.against)
            await self._journal.load_ended()
        finally:
            self._bench.checkups.pop(under_way.gpu.gpu_id, None)
            self._now = None
            self._changed()
        await self._reports.write()
        self._told(under_way, report, problem)
        self._changed()
        if report is not None and under_way.asked is not None:
            witnessing = self._reports.bear_witness(under_way.gpu, report, under_way.asked)
            _keep(asyncio.create_task(witnessing), self._witnessing)

    async def _examined(self, under_way: _UnderWay) -> tuple[HealthReport | None, str]:
        """The report, or why there is none."""
        await asyncio.wait({under_way.examination})
        if under_way.examination.cancelled():
            return None, CANCELLED
        error = under_way.examination.exception()
        if isinstance(error, ArgentumError):
            return None, str(error)
        if error is not None:
            log.error("%s: the check failed", under_way.gpu.label, exc_info=error)
            return None, "Something unexpected happened; the log tells more."
        return under_way.examination.result(), ""

    async def _examine(self, under_way: _UnderWay) -> HealthReport:
        bench, gpu, mode = self._bench, under_way.gpu, under_way.mode
        now = bench.clock.now()
        if mode is CheckMode.FULL:
            under_way.asked = await self._witness.question()
        past = await self._history.events(gpu.gpu_id, now - timedelta(days=PAST_ERRORS_DAYS), now)
        background = Background(
            reference=self._tools.reference,
            operating_system=self._tools.operating_system,
            past_errors=tuple(PastError(event.at, event.number) for event in past),
            challenge=under_way.asked.challenge if under_way.asked is not None else None,
        )
        examination = Examination(
            gpu,
            mode,
            AnnouncedStress(self._tools.stress, lambda: self._journal.load_begins(gpu, mode, now)),
            bench.clock,
            background,
            lambda: bool(bench.host.on_battery),
            self._tools.plans[mode],
        )
        unsubscribe = bench.events.subscribe(ReadingsTaken, lambda event: examination.observe(event.readings))
        try:
            with self._sampler.hurry():
                return await examination.run(lambda progress: self._progressed(under_way, progress))
        finally:
            unsubscribe()

    # -- afterwards ---------------------------------------------------------------------------------------------------

    def _start_due(self) -> None:
        """After errors, and after a stop under load: look at the counters as soon as the card is free."""
        for gpu_id in self._journal.due():
            if gpu_id not in self._shown:
                self._show_finding(gpu_id, self._journal.findings(gpu_id)[-1])
        if self._is_closed or self._bench.clock.elapsed_s() < self._not_before_s:
            return
        for gpu_id in self._journal.due():
            try:
                self.start(gpu_id, CheckMode.PASSIVE, is_unasked=True)
            except CheckRefusedError:
                continue
            return

    def _told(self, under_way: _UnderWay, report: HealthReport | None, problem: str) -> None:
        gpu = under_way.gpu
        if report is not None and is_worth_keeping(report):
            self._show(gpu.gpu_id, notice_after(gpu, report))
        else:
            self._not_before_s = self._bench.clock.elapsed_s() + AGAIN_AFTER_S
        grade = report.appraisal.grade if report is not None else None
        log.info("%s: the %s check ended, %s %s", gpu.label, under_way.mode, grade or "without a report:", problem)
        self._ended[gpu.gpu_id] = CheckupEnded(gpu.gpu_id, report, problem)
        under_way.is_over.set()
        self._bench.events.publish(self._ended[gpu.gpu_id])

    def _show_finding(self, gpu_id: str, finding: CheckResult) -> None:
        gpu = self._bench.gpus.get(gpu_id)
        if gpu is not None:
            self._shown.add(gpu_id)
            self._show(gpu_id, notice_of(gpu, finding))

    def _show(self, gpu_id: str, notice: HealthError | None) -> None:
        if notice is None:
            self._notices.take_down(f"health {gpu_id}")
        else:
            self._notices.put(f"health {gpu_id}", notice)

    # -- progress -----------------------------------------------------------------------------------------------------

    def _progressed(self, under_way: _UnderWay, progress: ExaminationProgress) -> None:
        gpu_id, now_s = under_way.gpu.gpu_id, self._bench.clock.elapsed_s()
        before = self._bench.checkups.get(gpu_id)
        view = self._view(under_way, progress)
        self._bench.checkups[gpu_id] = view
        if before is None or before.stage is not view.stage or now_s - under_way.told_at_s >= TELL_EVERY_S:
            under_way.told_at_s = now_s
            self._bench.events.publish(CheckupProgressed(view))

    def _first_progress(self, mode: CheckMode) -> ExaminationProgress:
        return ExaminationProgress(Stage.COUNTERS, "Beginning", 0, round(self._tools.plans[mode].total_s), ())

    def _view(self, under_way: _UnderWay, progress: ExaminationProgress) -> CheckupView:
        gpu = under_way.gpu
        return CheckupView(
            gpu_id=gpu.gpu_id,
            mode=under_way.mode,
            stage=progress.stage,
            words=progress.words,
            done_percent=progress.done_percent,
            remaining_s=progress.remaining_s,
            started_at=under_way.started_at,
            temperatures_c=progress.temperatures_c,
            limit_c=gpu.temperature_slowdown_c,
        )


def _keep(task: asyncio.Task[None], tasks: set[asyncio.Task[None]]) -> None:
    """Until it is done: the loop itself keeps no task alive."""
    tasks.add(task)
    task.add_done_callback(tasks.discard)
