"""The four figures at the top of the overview."""

from __future__ import annotations

from argentum_desktop.agent.status import JobView, Status
from argentum_desktop.ledger.earnings import Totals
from argentum_desktop.ui import words
from argentum_desktop.ui.owner_actions import running
from argentum_desktop.ui.widgets.columns import Columns
from argentum_desktop.ui.widgets.tile import Tile

_LEAST_WIDTH = 150


class OverviewTiles(Columns):
    """Money of today and of the week, electricity, and the job or the engine."""

    def __init__(self) -> None:
        super().__init__(_LEAST_WIDTH, 4)
        net = self.tr("What stays with you: gross less the market's fee and your electricity.")
        self.today = Tile(self.tr("Net today"), net)
        self.week = Tile(self.tr("Net this week"), net)
        self.electricity = Tile(
            self.tr("Electricity today"), self.tr("What the cards drew for jobs, measured, at your tariff.")
        )
        self.work = Tile(self.tr("Running now"))
        self.place((self.today, self.week, self.electricity, self.work))

    def show_status(self, status: Status) -> None:
        self.today.show_figure(words.money(status.today.net), self._gross(status.today))
        self.week.show_figure(words.money(status.week.net), self._gross(status.week))
        self.electricity.show_figure(words.money(status.today.electricity), words.energy(status.today.energy_mj))
        jobs = running(status.jobs)
        if jobs:
            self._show_jobs(jobs)
        else:
            self.work.show_figure(self.tr("No job"), status.engine or self.tr("no container engine found"))

    def _gross(self, totals: Totals) -> str:
        return self.tr("{gross} gross").format(gross=words.money(totals.gross))

    def _show_jobs(self, jobs: list[JobView]) -> None:
        if len(jobs) > 1:
            self.work.show_figure(self.tr("%n jobs", "", len(jobs)), ", ".join(job.title for job in jobs))
            return
        job = jobs[0]
        figure = words.job_state(job) if job.progress_percent is None else words.percent(job.progress_percent)
        state = self.tr("{amount} settled") if job.is_settled else self.tr("{amount} accrued")
        self.work.show_figure(figure, state.format(amount=words.money(job.earned)))
