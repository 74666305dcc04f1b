"""A load's process that misbehaves in every way a process can, followed by the part that watches it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import msgspec
import psutil
import pytest
from clocks import FakeClock
from quiet_log import ExpectLog
from samples import GPU

from argentum_desktop.clock import Clock, SystemClock
from argentum_desktop.domain.stress import (
    AdapterType,
    ComputeTest,
    CopyRates,
    MemoryTest,
    StressEnd,
    StressEngine,
    StressPhase,
    StressResult,
)
from argentum_desktop.errors import StressError
from argentum_desktop.health.stress.protocol import StressPlan, StressProgress
from argentum_desktop.health.stress.watched import WatchedStress, wanted
from argentum_desktop.health.stress.watched_run import StressPatience, WatchedRun
from argentum_desktop.health.stress.wire import Begin, Ended, Line, Measured, Opened, Progress, Wanted

PLAN = StressPlan(host_copy_s=0.1, memory_s=0.1, bandwidth_s=0.1, compute_s=0.1, seed=7)
# Long for a child that is well, short for a test.
PATIENCE = StressPatience(
    opening_s=5.0, silent_s=1.0, over_s=30.0, asked_s=0.3, farewell_s=0.5, burial_s=2.0, look_every_s=0.05
)
ENGINE = StressEngine("wgpu", "wgpu 0.32.0", "Vulkan", "card", AdapterType.DISCRETE, "0" * 64, pid=42)
MEMORY = MemoryTest(1000, 900, 800, 0, 3, 9600, 0)
COMPUTE = ComputeTest(5, 0, "fused", 1000)
COPY = CopyRates(100, 10, 10)

PRELUDE = """
import os, signal, subprocess, sys, time
def say(*lines):
    for line in lines:
        os.write(1, line if line.endswith(b"\\n") else line + b"\\n")
begin = sys.stdin.buffer.readline()
"""


def line(*said: Line) -> str:
    """The words with which a script says these lines."""
    return "say(" + ", ".join(repr(msgspec.json.encode(one)) for one in said) + ")\n"


OPEN = line(Opened(ENGINE), Measured(memory=MEMORY))


class Watch:
    """Starts scripts as loads and follows them."""

    def __init__(self) -> None:
        self.told: list[StressProgress] = []
        self.runs: list[WatchedRun] = []

    async def start(self, script: str, clock: Clock | None = None, **patience: Any) -> WatchedRun:
        command = [sys.executable, "-I", "-S", "-c", PRELUDE + script]
        stress = WatchedStress(command, clock or SystemClock(), replace(PATIENCE, **patience))
        run = await stress.start(GPU, PLAN, self.told.append)
        assert isinstance(run, WatchedRun)
        self.runs.append(run)
        return run

    async def follow(self, script: str, **patience: Any) -> StressResult:
        return await (await self.start(script, **patience)).wait()


@pytest.fixture
async def watch() -> AsyncIterator[Watch]:
    made = Watch()
    yield made
    for run in made.runs:
        run.end(StressEnd.CANCELLED)
        await run.wait()
        assert not is_alive(run.pid)


def is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def until(condition: Callable[[], bool], within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


async def test_the_pieces_become_one_result(watch: Watch) -> None:
    progress = Progress(StressPhase.MEMORY, 50, "pattern 3")
    more = Measured(memory=replace(MEMORY, passes=4))
    script = OPEN + line(progress, more, Measured(copy=COPY), Measured(compute=COMPUTE), Ended(StressEnd.COMPLETED))
    result = await watch.follow(script)
    assert result == StressResult(StressEnd.COMPLETED, "", ENGINE, replace(MEMORY, passes=4), COMPUTE, COPY)
    assert watch.told == [StressProgress(StressPhase.MEMORY, 50, "pattern 3")]


async def test_the_worker_is_told_what_to_load_and_how(watch: Watch) -> None:
    script = 'say(b\'{"tell": "ended", "end": "no_engine", "words": "%s"}\' % begin.hex().encode())'
    result = await watch.follow(script)
    begin = msgspec.json.decode(bytes.fromhex(result.words), type=Begin)
    assert begin == Begin(PLAN, Wanted(name="GeForce RTX 4070"), GPU.memory_total_bytes or 0)


def test_a_card_is_described_by_all_that_is_known_of_it() -> None:
    gpu = replace(GPU, pci_address="0000:0a:00.0", pci_id="10de:2786")
    assert wanted(gpu) == Wanted("0000:0a:00.0", 0x10DE, 0x2786, "GeForce RTX 4070")
    for nonsense in ("", "10de", "10de:", "xyz:1"):
        assert wanted(replace(gpu, pci_id=nonsense)).vendor_id == 0


@pytest.mark.parametrize("end", [StressEnd.NO_ENGINE, StressEnd.WRONG_CARD])
async def test_a_worker_that_opened_nothing_says_why(watch: Watch, end: StressEnd) -> None:
    result = await watch.follow(line(Ended(end, "No driver.")))
    assert result == StressResult(end, "No driver.")


async def test_a_lost_card_keeps_what_was_measured(watch: Watch, expect_log: ExpectLog) -> None:
    expect_log("load: lost")
    result = await watch.follow(OPEN + line(Ended(StressEnd.LOST, "Gone.")))
    assert (result.end, result.words, result.memory) == (StressEnd.LOST, "Gone.", MEMORY)


async def test_a_silent_worker_is_a_card_that_hangs(watch: Watch, expect_log: ExpectLog) -> None:
    expect_log("load: hung")
    result = await watch.follow(OPEN + "time.sleep(60)", silent_s=0.3)
    assert result.end is StressEnd.HUNG
    assert result.words == "The card has not answered its driver for 0.3 seconds under load."
    assert (result.engine, result.memory) == (ENGINE, MEMORY)


async def test_a_driver_that_does_not_open_the_card_hangs_whatever_it_says(watch: Watch, expect_log: ExpectLog) -> None:
    expect_log("load: hung")
    script = "while True:\n    " + line(Progress(StressPhase.STARTING, 0)) + "    time.sleep(0.05)"
    result = await watch.follow(script, opening_s=0.4)
    assert (result.end, result.engine) == (StressEnd.HUNG, None)
    assert "has not opened the card within 0.4 seconds" in result.words


async def test_the_patience_is_the_clocks(watch: Watch, expect_log: ExpectLog) -> None:
    expect_log("load: hung")
    clock = FakeClock()
    run = await watch.start(OPEN + line(Progress(StressPhase.MEMORY, 1)) + "time.sleep(60)", clock, look_every_s=0.5)
    await until(lambda: bool(watch.told))
    await clock.advance(0.9)
    assert not run.is_over
    await clock.advance(0.6)
    assert (await run.wait()).end is StressEnd.HUNG


class SleepyClock(SystemClock):
    """Of a computer that sleeps for an hour whenever somebody waits."""

    def __init__(self) -> None:
        self._slept_s = 0.0

    def elapsed_s(self) -> float:
        return super().elapsed_s() + self._slept_s

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        self._slept_s += 3600


async def test_a_computer_that_slept_is_not_a_card_that_hangs(watch: Watch) -> None:
    script = OPEN + "time.sleep(0.3)\n" + line(Ended(StressEnd.COMPLETED))
    run = await watch.start(script, SleepyClock())
    assert (await run.wait()).end is StressEnd.COMPLETED


NONSENSE = {
    "no JSON": "say(b'pattern 3, no errors')",
    "no object": "say(b'[]')",
    "empty line": "say(b'')",
    "no name": "say(b'{}')",
    "unknown name": 'say(b\'{"tell": "graded"}\')',
    "no text": "say(bytes(range(128, 200)))",
    "a line without an end": "say(b'[' * 200_000)",
    "deeply nested": "say(b'{\"tell\":' + b'[' * 20_000)",
    "a figure that is none": 'say(b\'{"tell": "measured", "copy": {"device_mb_s": "fast"}}\')',
    "a figure below nothing": OPEN + line(Measured(copy=CopyRates(-1))),
    "a figure beyond everything": OPEN + line(Measured(copy=CopyRates(2**63))),
    "more tested than asked for": OPEN + line(Measured(memory=replace(MEMORY, tested_bytes=901))),
    "fewer errors than none": OPEN + line(Measured(memory=replace(MEMORY, errors=-1))),
    "measured before it was open": line(Measured(memory=MEMORY)),
    "opened twice": OPEN + line(Opened(ENGINE)),
    "completed without a card": line(Ended(StressEnd.COMPLETED)),
    "more than all done": line(Progress(StressPhase.MEMORY, 101)),
    "unknown phase": 'say(b\'{"tell": "progress", "phase": "cooking", "done_percent": 1}\')',
    "unknown end": 'say(b\'{"tell": "ended", "end": "won"}\')',
    "a flood": OPEN + "while True:\n    " + line(Progress(StressPhase.MEMORY, 1)),
}


@pytest.mark.parametrize("script", NONSENSE.values(), ids=NONSENSE)
async def test_nonsense_ends_it(watch: Watch, expect_log: ExpectLog, script: str) -> None:
    expect_log("load: crashed")
    began_s = time.monotonic()
    # It could go on, and would: nothing but the nonsense ends it.
    result = await watch.follow(f"{script}\ntime.sleep(60)")
    assert result.end is StressEnd.CRASHED
    assert result.words == "The process that loads the card gave an answer without sense."
    assert time.monotonic() - began_s < 3


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "ended by SIGSEGV"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "ended by SIGKILL"),
        ("os.abort()", "ended by SIGABRT"),
        ("os._exit(3)", "exit status 3"),
        ("os._exit(0)", "exit status 0"),
        ('os.write(1, b\'{"tell": "en\'); os._exit(0)', "exit status 0"),
        ("raise RuntimeError('a fault of ours')", "exit status 1"),
    ],
)
async def test_a_death_is_told_with_its_cause(watch: Watch, expect_log: ExpectLog, script: str, words: str) -> None:
    expect_log("load: ")  # and every line of what it complained of
    result = await watch.follow(OPEN + script)
    assert result.end is StressEnd.CRASHED
    assert result.words == f"The process that loads the card died ({words})."
    assert result.memory == MEMORY
    assert not result.end.is_card_fault


async def test_what_it_complained_of_goes_into_the_log_alone(
    watch: Watch, expect_log: ExpectLog, caplog: pytest.LogCaptureFixture
) -> None:
    script = "for n in range(100): print('complaint', n, file=sys.stderr)\nprint('x' * 300_000, file=sys.stderr)\n"
    result = await watch.follow(f"{script}print('last words', file=sys.stderr, flush=True)\nos._exit(3)")
    assert "complaint" not in result.words
    assert "load: last words" in caplog.text
    assert "complaint 99" in caplog.text
    assert "complaint 50" not in caplog.text


async def test_complaints_alone_are_no_fault(watch: Watch) -> None:
    script = "os.write(2, b'error: no display\\n' * 20_000)\n"
    assert (await watch.follow(OPEN + script + line(Ended(StressEnd.COMPLETED)))).end is StressEnd.COMPLETED


async def test_a_load_that_never_ends_is_ended(watch: Watch, expect_log: ExpectLog) -> None:
    expect_log("load: crashed")
    script = OPEN + "while True:\n    " + line(Progress(StressPhase.COMPUTE, 99)) + "    time.sleep(0.05)"
    result = await watch.follow(script, over_s=0.2)
    assert result.words == "The load on the card did not end when its time was over."
    assert result.memory == MEMORY


async def test_what_is_said_after_the_end_is_not_heard(watch: Watch) -> None:
    script = OPEN + line(Ended(StressEnd.COMPLETED), Measured(memory=replace(MEMORY, errors=9)))
    result = await watch.follow(script + "say(b'nonsense')\nos._exit(9)")
    assert result == StressResult(StressEnd.COMPLETED, "", ENGINE, MEMORY)


@pytest.mark.parametrize("stubborn", ["", "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"])
async def test_ended_at_once_and_keeps_what_was_measured(watch: Watch, stubborn: str) -> None:
    run = await watch.start(f"{stubborn}{OPEN}{line(Progress(StressPhase.MEMORY, 1))}time.sleep(60)")
    await until(lambda: bool(watch.told))
    began_s = time.monotonic()
    run.end(StressEnd.TOO_HOT, "At 88 °C.")
    run.end(StressEnd.CANCELLED, "too late")
    result = await run.wait()
    assert time.monotonic() - began_s < 1.0
    assert result == StressResult(StressEnd.TOO_HOT, "At 88 °C.", ENGINE, MEMORY)
    assert not is_alive(run.pid)


async def test_ended_before_it_has_said_anything(watch: Watch) -> None:
    run = await watch.start("time.sleep(60)")
    run.end(StressEnd.CANCELLED)
    assert (await run.wait()) == StressResult(StressEnd.CANCELLED)


async def test_ending_what_has_ended_changes_nothing(watch: Watch) -> None:
    run = await watch.start(OPEN + line(Ended(StressEnd.COMPLETED)))
    first = await run.wait()
    run.end(StressEnd.CANCELLED, "too late")
    assert await run.wait() == first


async def test_whoever_stops_waiting_ends_the_load(watch: Watch) -> None:
    run = await watch.start(f"{OPEN}{line(Progress(StressPhase.MEMORY, 1))}time.sleep(60)")
    waiting = asyncio.create_task(run.wait())
    await until(lambda: bool(watch.told))
    began_s = time.monotonic()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert time.monotonic() - began_s < 1.0
    assert not is_alive(run.pid)
    assert (await run.wait()).end is StressEnd.CANCELLED


async def test_a_pipe_that_somebody_else_holds_open_is_not_waited_for(watch: Watch, expect_log: ExpectLog) -> None:
    expect_log("load: crashed")
    heir = "heir = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'])\n"
    say_heir = 'say(b\'{"tell": "progress", "phase": "memory", "done_percent": 1, "words": "%d"}\' % heir.pid)\n'
    began_s = time.monotonic()
    run = await watch.start(heir + say_heir + "time.sleep(60)")
    await until(lambda: bool(watch.told))
    heir_pid = int(watch.told[0].words)
    try:
        os.kill(run.pid, signal.SIGKILL)
        result = await run.wait()
        assert result.words == "The process that loads the card died (ended by SIGKILL)."
        assert time.monotonic() - began_s < 4
    finally:
        os.kill(heir_pid, signal.SIGKILL)
    async with asyncio.timeout(5):  # now the pipes close, and with the last of them the process is forgotten
        for pipe in (run.process.stdout, run.process.stderr):
            assert pipe is not None
            await pipe.read()
        for _ in range(10):
            await asyncio.sleep(0.001)


async def test_one_load_on_a_card_at_a_time() -> None:
    command = [sys.executable, "-I", "-S", "-c", f"{PRELUDE}{OPEN}time.sleep(60)"]
    stress = WatchedStress(command, SystemClock(), PATIENCE)
    first = await stress.start(GPU, PLAN, lambda _: None)
    with pytest.raises(StressError, match="under a load already"):
        await stress.start(GPU, PLAN, lambda _: None)
    other = await stress.start(replace(GPU, gpu_id="GPU-2"), PLAN, lambda _: None)
    for run in (first, other):
        run.end(StressEnd.CANCELLED)
        await run.wait()
    again = await stress.start(GPU, PLAN, lambda _: None)
    again.end(StressEnd.CANCELLED)
    await again.wait()


async def test_a_program_that_is_not_there_is_a_sentence() -> None:
    stress = WatchedStress(["/nowhere/argentum-desktop", "stress"], SystemClock())
    for _ in range(2):  # the card is not taken by what never started
        with pytest.raises(StressError, match="cannot be started"):
            await stress.start(GPU, PLAN, lambda _: None)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_it_comes_after_everything_else_and_inherits_nothing(watch: Watch) -> None:
    ours = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(ours, True)
    # What /proc lists is itself opened to be read: three pipes and that.
    script = (
        "nice = 0\nwhile nice < 10:\n    nice = os.getpriority(os.PRIO_PROCESS, 0)\n"
        "words = b'%d %d' % (nice, len(os.listdir('/proc/self/fd')))\n"
        'say(b\'{"tell": "ended", "end": "no_engine", "words": "%s"}\' % words)'
    )
    try:
        result = await watch.follow(script)
    finally:
        os.close(ours)
    assert result.words == "10 4"


PARENT = """
import asyncio, sys
from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.gpu import Gpu, Vendor
from argentum_desktop.health.stress.protocol import StressPlan
from argentum_desktop.health.stress.watched import WatchedStress

async def main():
    stress = WatchedStress([sys.executable, "-I", "-S", "-c", sys.argv[1]], SystemClock())
    run = await stress.start(Gpu("A", "card", Vendor.NVIDIA), StressPlan(1, 1, 1, 1), lambda _: None)
    print(run.pid, flush=True)
    await run.wait()

asyncio.run(main())
"""


def test_it_dies_with_the_service() -> None:
    """Killed without a word: the pipe closes, and by that the worker knows."""
    child = f"{PRELUDE}{OPEN}sys.stdin.buffer.read()"
    with subprocess.Popen([sys.executable, "-c", PARENT, child], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    deadline_s = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert not is_alive(pid)
