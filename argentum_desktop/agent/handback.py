"""The machine first: a running job is frozen, woken and ended as its owner wants the machine, and how quickly.

It has a task of its own beside everything else that is done for a job, and is woken by whatever may be a reason, so
that neither a long log nor a slow disk is between a signal and the freeze.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from argentum_desktop.agent.job_run import JobRun
from argentum_desktop.domain.handback import HandBack
from argentum_desktop.domain.job import Outcome
from argentum_desktop.policy.circumstances import Circumstances
from argentum_desktop.policy.handback import (
    TEMPERATURE,
    Act,
    Advice,
    Memory,
    Reason,
    Terms,
    advise,
    ends_at,
    reasons_against,
)

# Signals wake it; what no signal tells of (a window's end, the time of a pause) is looked for this often.
LOOK_EVERY_S = 1.0
_SHORTEST_S = 0.01


@dataclass(frozen=True)
class HandedBack:
    """Published when a job has made room."""

    made: HandBack


class HandingBack:
    """One running job and the machine that it stands back for."""

    def __init__(self, run: JobRun) -> None:
        self._run = run
        self._clock = run.bench.clock
        self._frozen_at = run.lease.frozen_at
        self._frozen_s = run.lease.frozen_s
        self._memory = Memory()
        if self._frozen_at is not None:
            is_paused = run.bench.current_pause() is not None
            self._memory = Memory.of_frozen(self._count_at(self._frozen_at), is_paused=is_paused)
        self._notes: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until it is to end.

        Raises:
            EngineError: the engine does not freeze it or wake it.
        """
        missed_s, self._run.missed_signal_s = self._run.missed_signal_s, None
        signal_s = self._clock.elapsed_s() if missed_s is None else missed_s
        try:
            while self._run.ending is None:
                within_s = await self._look(signal_s)
                signal_s = await self._run.next_signal(within_s)
        finally:
            if self._notes:
                await asyncio.wait(self._notes)

    async def _look(self, signal_s: float) -> float:
        """Do what this moment asks for; returns in how many seconds to look again at the latest."""
        advice = self._advice()
        if advice is None:
            return LOOK_EVERY_S
        if advice.act is Act.END:
            self._end(advice, signal_s)
        elif advice.act is Act.FREEZE and self._frozen_at is None:
            await self._freeze(advice.reason, signal_s)
        elif advice.act is Act.RUN and self._frozen_at is not None:
            await self._thaw()
        if advice.look_again_s is None:
            return LOOK_EVERY_S
        return max(_SHORTEST_S, min(LOOK_EVERY_S, advice.look_again_s))

    def _advice(self) -> Advice | None:
        """What to do now; None where the job has nothing that it could stand back for."""
        run, bench = self._run, self._run.bench
        reasons: list[Reason] = []
        for gpu_id in run.lease.gpu_ids:
            gpu, reading = bench.gpus.get(gpu_id), bench.readings.get(gpu_id)
            if reading is not None and reading.is_lost:
                run.request_end(Outcome.CARD_LOST, "The card stopped answering its driver.")
                return None
            if gpu is not None:
                at = self._circumstances(bench.circumstances(gpu, market_is_local=True))
                is_cooling = gpu_id in bench.cooling
                reasons += [one for one in reasons_against(at) if not (is_cooling and one.rule == TEMPERATURE)]
        now_s, terms = self._clock.elapsed_s(), Terms.of(bench.settings)
        self._memory, advice = advise(self._memory, reasons, now_s, terms)
        return advice

    def _circumstances(self, at: Circumstances) -> Circumstances:
        lease = self._run.lease
        ran_s = self._run.usage().billable_s
        end = ends_at(at.now, ran_s, self._run.progress_percent, lease.job.limits.wall_s)
        return replace(at, is_at_work=True, job_ends_at=end)

    # -- acts ---------------------------------------------------------------------------------------------------------

    async def _freeze(self, reason: Reason | None, signal_s: float) -> None:
        run = self._run
        run.missed_signal_s = signal_s
        await run.bench.needed_engine().pause(run.lease.container_name)
        run.missed_signal_s = None
        took_s = self._clock.elapsed_s() - signal_s
        self._frozen_at = now = self._clock.now()
        rule = reason.rule if reason is not None else ""
        made = HandBack(run.lease.lease_id, rule, now - timedelta(seconds=took_s), frozen_ms=round(took_s * 1000))
        run.bench.events.publish(HandedBack(made))
        self._note(frozen_at=now)

    async def _thaw(self) -> None:
        run, frozen_at = self._run, self._frozen_at
        await run.bench.needed_engine().unpause(run.lease.container_name)
        self._frozen_at = None
        if frozen_at is not None:
            self._frozen_s += max(0, int((self._clock.now() - frozen_at).total_seconds()))
        self._note(frozen_at=None, frozen_s=self._frozen_s)

    def _end(self, advice: Advice, signal_s: float) -> None:
        """A job that was frozen first is counted from the signal that froze it."""
        rule, words = (advice.reason.rule, advice.reason.words) if advice.reason is not None else ("", "")
        self._run.request_end(
            Outcome.RECLAIMED,
            f"The owner took the card back: {words}".rstrip(),
            rule=rule,
            notice_s=advice.notice_s,
            since_s=min(advice.since_s, signal_s),
            within_s=advice.within_s,
        )

    def _note(self, **changes: object) -> None:
        """Written down beside: the next signal does not wait for a disk. The notes keep their order."""
        note = asyncio.create_task(self._run.note_soon(**changes))
        self._notes.add(note)
        note.add_done_callback(self._notes.discard)

    def _count_at(self, past: datetime) -> float:
        """An instant as the clock's count of seconds."""
        return self._clock.elapsed_s() - max(0.0, (self._clock.now() - past).total_seconds())


def note_freed(run: JobRun) -> None:
    """Nothing of the job is left on the card: say how long that took, where somebody wanted the machine."""
    ending = run.ending
    if ending is None or ending.since_s is None:
        return
    took_s = max(0.0, run.bench.clock.elapsed_s() - ending.since_s)
    made = HandBack(
        run.lease.lease_id,
        ending.rule,
        run.bench.clock.now() - timedelta(seconds=took_s),
        freed_ms=round(took_s * 1000),
        freed_within_ms=round(ending.within_s * 1000),
    )
    run.bench.events.publish(HandedBack(made))
