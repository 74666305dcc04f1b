"""Whether there is a container engine, now and later."""

from __future__ import annotations

from collections.abc import Callable

from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.notices import NoticeBoard
from argentum_desktop.errors import ArgentumError, EngineError
from argentum_desktop.runner.discovery import find_engine_and_info

PART = "engine"
LOOK_EVERY_S = 30.0
MISSING_LOOK_EVERY_S = 5.0
# So long after the last job the engine may sleep; it is woken now and then to see that it still can.
REST_AFTER_S = 90.0
RESTING_LOOK_EVERY_S = 600.0


class EngineWatch:
    """Keeps `bench.engine` true.

    Args:
        has_jobs: whether any job is under way.
    """

    def __init__(self, bench: Bench, notices: NoticeBoard, has_jobs: Callable[[], bool]) -> None:
        self._bench = bench
        self._notices = notices
        self._has_jobs = has_jobs
        self._busy_at_s = self._looked_at_s = bench.clock.elapsed_s()

    async def run(self) -> None:
        """Look for ever. An engine installed or started later is found without a restart."""
        while True:
            await self._bench.clock.sleep(MISSING_LOOK_EVERY_S if self._bench.engine_problem else LOOK_EVERY_S)
            if not self._may_rest():
                await self.look()
            if self._may_rest() and self._bench.engine is not None:
                await self._bench.engine.rest()

    async def look(self) -> None:
        """Find an engine, or see whether the one we have still answers."""
        self._looked_at_s = self._bench.clock.elapsed_s()
        try:
            await self._find_or_ask()
        except ArgentumError as error:
            self._bench.engine_info = None
            self._bench.engine_failed(error)
            self._notices.put(PART, error)

    def _may_rest(self) -> bool:
        """No job for a while, and it was well when last asked, not too long ago."""
        now_s = self._bench.clock.elapsed_s()
        if self._has_jobs():
            self._busy_at_s = now_s
        is_idle = now_s - self._busy_at_s >= REST_AFTER_S
        return is_idle and not self._bench.engine_problem and now_s - self._looked_at_s < RESTING_LOOK_EVERY_S

    async def close(self) -> None:
        if self._bench.engine is not None:
            await self._bench.engine.close()

    async def _find_or_ask(self) -> None:
        bench = self._bench
        if bench.engine is not None and bench.engine_info is not None:
            # To describe itself costs an engine a hundred times the work of an answer.
            await bench.engine.ping()
            bench.engine_is_well()
            return
        if bench.engine is None:
            bench.engine, bench.engine_info = await find_engine_and_info(
                bench.settings.jobs.engine, bench.home.engine, bench.clock
            )
        else:
            bench.engine_info = await bench.engine.info()
        if not bench.engine_info.limits_enforced:
            raise EngineError(
                f"{bench.engine_info.name} on this computer does not enforce memory and process limits.",
                "Run it as root, or give your user delegated control groups (cgroup v2), then try again.",
            )
        bench.engine_is_well()
        self._notices.take_down(PART)
