"""The process that puts the load on one card.

A driver can hang for ever, lose its card or take the process down with it: all of that happens here and never to the
service. The process is told what to do in one line, says how it goes, and ends when its standard input does. Whoever
wants the load off the card kills it: nothing here has to be tidied up.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, BinaryIO, NoReturn

import msgspec

from argentum_desktop.domain.stress import CopyRates, StressEnd, StressPhase
from argentum_desktop.errors import StressError
from argentum_desktop.health.stress.compute_testing import ComputeTesting
from argentum_desktop.health.stress.copy_rates import Bandwidth, HostCopy, faster_direction
from argentum_desktop.health.stress.engine import LOST_WORDS, Engine, adapters, when_lost
from argentum_desktop.health.stress.matching import Match, NoMatch, choose
from argentum_desktop.health.stress.memory_testing import MemoryTesting
from argentum_desktop.health.stress.sizing import target_bytes
from argentum_desktop.health.stress.stopped import NoRoomError, StoppedError
from argentum_desktop.health.stress.teller import Teller
from argentum_desktop.health.stress.vulkan.device import VulkanDevice
from argentum_desktop.health.stress.vulkan.probe import vulkan_devices
from argentum_desktop.health.stress.wire import LONGEST_LINE_BYTES, Begin, Ended, Line, Opened, Progress

MakeEngine = Callable[[Any, Match], Engine]

STDIN, STDOUT, STDERR = 0, 1, 2


class Worker:
    """One load from beginning to end.

    Args:
        make_engine: opens the adapter that was chosen.
    """

    def __init__(self, begin: Begin, teller: Teller, make_engine: MakeEngine = Engine) -> None:
        plan = begin.plan
        self._plan = plan if plan.seed else replace(plan, seed=random.SystemRandom().getrandbits(32))
        self._begin = begin
        self._teller = teller
        self._make_engine = make_engine

    def run(self) -> Ended:
        """Do it all; the answer is the last line."""
        try:
            engine, match = self._open()
            self._load(engine, match)
        except StoppedError as stopped:
            return Ended(stopped.end, stopped.words)
        except NoRoomError:
            words = "The card has no memory left for the test. Close other programs that use it."
            return Ended(StressEnd.NO_ROOM, words)
        return Ended(StressEnd.COMPLETED)

    def _open(self) -> tuple[Engine, Match]:
        self._teller.say(Progress(StressPhase.STARTING, 0, "looking for the card"))
        found = adapters()
        match = choose([adapter.info for adapter in found], _vulkan(), self._begin.wanted)
        if isinstance(match, NoMatch):
            raise StoppedError(match.end, match.words)
        engine = self._make_engine(found[match.index], match)
        self._teller.say(Opened(engine.describe()))
        return engine, match

    def _load(self, engine: Engine, match: Match) -> None:
        plan, teller = self._plan, self._teller
        rates = CopyRates()
        if plan.host_copy_s > 0:
            rates = HostCopy(engine, teller, plan.host_copy_s, plan.largest_bytes).run()
            teller.measured(copy=rates)
        if plan.memory_s > 0:
            self._test_memory(engine, match.device, rates)
        if plan.bandwidth_s > 0:
            rates = Bandwidth(engine, teller, plan.bandwidth_s, plan.largest_bytes, rates).run()
            teller.measured(copy=rates)
        if plan.compute_s > 0:
            teller.measured(compute=ComputeTesting(engine, teller, plan.compute_s, plan.ramp_s).run())

    def _test_memory(self, engine: Engine, device: VulkanDevice | None, rates: CopyRates) -> None:
        total_bytes = self._begin.memory_total_bytes or (device.own_memory_bytes if device else 0)
        budget_bytes = device.own_budget_bytes if device else None
        testing = MemoryTesting(
            engine,
            self._teller,
            self._plan,
            total_bytes=total_bytes,
            target_bytes=target_bytes(self._plan.free_bytes, budget_bytes, total_bytes, self._plan.largest_bytes),
            host_bytes_per_s=faster_direction(rates),
        )
        try:
            self._teller.measured(memory=testing.run())
        except StoppedError:
            self._teller.measured(memory=testing.result())
            raise
        testing.free()


def main(argv: Sequence[str], make_engine: MakeEngine = Engine) -> int:
    """Load the card as one line of standard input says; returns the exit status."""
    if argv:
        print("this program takes no arguments: it is told what to do on its standard input", file=sys.stderr)  # noqa: T201
        return 2
    # Ctrl+C reaches every process of the terminal; the service decides when the load ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with _take_lines_pipe() as lines:
        try:
            begin = msgspec.json.decode(_first_line(), type=Begin)
        except msgspec.MsgspecError as error:
            print(f"not a beginning: {error}", file=sys.stderr)  # noqa: T201 - this is the log of a child
            return 2
        threading.Thread(target=_end_with_input, daemon=True).start()
        say = _Lines(lines)
        when_lost(lambda: say.goodbye(Ended(StressEnd.LOST, LOST_WORDS)))
        try:
            say.goodbye(Worker(begin, Teller(say), make_engine).run())
        except BrokenPipeError:  # nobody listens any more
            return 0


class _Lines:
    """Sends lines at once, from whichever thread."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._encoder = msgspec.json.Encoder()
        self._lock = threading.RLock()

    def __call__(self, line: Line) -> None:
        with self._lock:
            self._pipe.write(self._encoder.encode(line) + b"\n")
            self._pipe.flush()

    def goodbye(self, line: Ended) -> NoReturn:
        """Send the last line and end the process.

        The driver's own threads are not waited for: what it tidies up at the exit is where many of them crash.
        """
        with self._lock, contextlib.suppress(BrokenPipeError):
            self(line)
            sys.stderr.flush()
            os._exit(0)
        os._exit(0)


def _vulkan() -> tuple[VulkanDevice, ...]:
    """Vulkan's own list; where there is no Vulkan, DirectX is left."""
    try:
        return vulkan_devices()
    except StressError as error:
        print(error, file=sys.stderr)  # noqa: T201 - this is the log of a child
        return ()


def _take_lines_pipe() -> BinaryIO:
    """Keep the pipe of lines to ourselves: what a driver prints must not land between two of them."""
    lines = os.fdopen(os.dup(STDOUT), "wb")
    os.dup2(STDERR, STDOUT)
    return lines


def _first_line() -> bytes:
    """Read without `sys.stdin`, whose lock would be held at the exit."""
    line = b""
    while not line.endswith(b"\n") and len(line) <= LONGEST_LINE_BYTES:
        byte = os.read(STDIN, 1)
        if not byte:
            break
        line += byte
    return line


def _end_with_input() -> None:
    """Nobody wants the load any more when standard input closes: end at once, wherever the main thread is."""
    with contextlib.suppress(OSError):
        while os.read(STDIN, 4096):
            pass
    os._exit(0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
