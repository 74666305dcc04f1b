"""All signals together: paces, faults of one that leave the others alone, and changes that are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from private_bus import until
from quiet_log import ExpectLog

from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.activity import FULL_SCREEN, IDLE, PROGRAMS, REMOTE
from argentum_desktop.system.activity.reader import ActivityReader, Attention
from argentum_desktop.system.activity.signal import SignalUnknownError, Stirred
from argentum_desktop.system.activity.sleep import Suspending


@dataclass
class FakeSignals:
    """Answers what it is told to, and counts."""

    tells: frozenset[str] = frozenset()
    idle: float = 5.0
    screen: str = ""
    fault: Exception | None = None
    asked: dict[str, int] = field(default_factory=dict)
    stirred: Stirred | None = None
    is_closed: bool = False

    def _count(self, name: str) -> None:
        self.asked[name] = self.asked.get(name, 0) + 1

    async def idle_s(self) -> float:
        self._count(IDLE)
        return self.idle

    async def full_screen(self) -> str:
        self._count(FULL_SCREEN)
        return self.screen

    async def is_presenting(self) -> bool:
        raise SignalUnknownError("The desktop is silent.")

    async def is_remote(self) -> bool:
        self._count(REMOTE)
        if self.fault is not None:
            raise self.fault
        return False

    async def is_metered(self) -> bool:
        await asyncio.Event().wait()  # hangs for ever
        return False

    async def watch_sleep(self, before: Suspending, after: Callable[[], None]) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.is_closed = True


@asynccontextmanager
async def reading(signals: FakeSignals, attention: Attention, changed: list[Any]) -> AsyncIterator[ActivityReader]:
    def open_with(stirred: Stirred) -> FakeSignals:
        signals.stirred = stirred
        return signals

    async def nothing() -> None:
        """Nothing to make ready."""

    reader = ActivityReader(open_with, SystemClock(), lambda: attention, lambda: changed.append(reader.activity))
    task = asyncio.create_task(reader.run(nothing, lambda: None))
    yield reader
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert signals.is_closed


async def test_what_is_not_known_has_its_reason_and_holds_up_nothing() -> None:
    signals, changed = FakeSignals(), []
    async with reading(signals, Attention(), changed) as reader:
        await until(lambda: reader.activity.idle_s == 5 and reader.activity.programs_running == ())
        await until(lambda: "silent" in reader.activity.unknown["is_presenting"])
        assert reader.activity.is_metered is None
        assert reader.activity.unknown["is_metered"] == "It has not been looked at yet."
        assert IDLE not in reader.activity.unknown
        assert reader.activity.is_remote is False
        assert changed


async def test_a_change_that_is_told_is_seen_at_once() -> None:
    signals, changed = FakeSignals(tells=frozenset({FULL_SCREEN})), []
    attention = Attention(wanted=frozenset({FULL_SCREEN}), is_urgent=True)
    async with reading(signals, attention, changed) as reader:
        await until(lambda: reader.activity.full_screen == "")
        signals.screen = "Quake"
        assert signals.stirred is not None
        signals.stirred(FULL_SCREEN)
        await until(lambda: reader.activity.full_screen == "Quake", 0.2)


async def test_only_what_nobody_tells_of_is_asked_for_often_and_only_while_it_matters() -> None:
    often = Attention(wanted=frozenset({IDLE, FULL_SCREEN}), is_urgent=True)
    seldom = Attention(wanted=frozenset({IDLE, FULL_SCREEN}))
    for attention, least, most in ((often, 3, 8), (seldom, 1, 2)):
        signals = FakeSignals(tells=frozenset({FULL_SCREEN}))
        async with reading(signals, attention, []):
            await asyncio.sleep(0.9)
        assert least <= signals.asked[IDLE] <= most
        assert signals.asked[FULL_SCREEN] == 1


async def test_a_fault_of_ours_is_logged_once_and_ends_nothing(expect_log: ExpectLog) -> None:
    expect_log("the signal is_remote failed")
    signals, changed = FakeSignals(fault=ZeroDivisionError()), []
    async with reading(signals, Attention(), changed) as reader:
        await until(lambda: reader.activity.unknown.get(REMOTE) == "It could not be read.")
        reader.look_again(REMOTE)
        await until(lambda: signals.asked[REMOTE] == 2)
        signals.fault = None
        reader.look_again()
        await until(lambda: reader.activity.is_remote is False)
        assert PROGRAMS not in reader.activity.unknown
