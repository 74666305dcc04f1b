"""The child process that speaks to the drivers.

A driver can hang for ever, take the process down with it, or be replaced under its feet: all of that happens here and
never to the service. The child answers one line for one line, keeps nothing, and ends when its standard input does.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from argentum_desktop.domain.gpu import SourceReport
from argentum_desktop.errors import BadInputError
from argentum_desktop.gpus.discovery import AMD, INTEL, all_cards, doubles
from argentum_desktop.gpus.nvidia.source import NvidiaSource
from argentum_desktop.gpus.power_limits import NO_SUCH_CARD
from argentum_desktop.gpus.sensor_wire import (
    Answer,
    Discover,
    GetPowerLimit,
    Load,
    Read,
    Request,
    SetPowerLimit,
)
from argentum_desktop.gpus.source import GpuSource

if TYPE_CHECKING:
    from argentum_desktop.gpus.linux.pci import PciBus
    from argentum_desktop.gpus.simulated import SimulatedSource
    from argentum_desktop.gpus.windows.bus import WindowsBus

# How long a driver call in progress is waited for once nobody listens any more.
FAREWELL_S = 1.0

STDIN, STDOUT, STDERR = 0, 1, 2


class SensorProcess:
    """Answers requests from the sources it was given.

    Args:
        bus: tells of the cards that no source lists, and when cards or drivers come and go; None where there is none.
    """

    def __init__(
        self,
        sources: Sequence[GpuSource],
        simulated: SimulatedSource | None = None,
        bus: PciBus | WindowsBus | None = None,
    ) -> None:
        self._sources = tuple(sources)
        self._simulated = simulated
        self._bus = bus
        self._twice: tuple[frozenset[str], ...] = (frozenset(),) * len(self._sources)
        self._source_of: dict[str, GpuSource] = {}
        self._is_outdated = False

    def answer(self, request: Request) -> Answer:
        match request:
            case Discover():
                return Answer(request.number, reports=self._discover())
            case Read():
                return self._read(request)
            case Load():
                return Answer(request.number, refusal=self._load(request))
            case GetPowerLimit():
                source = self._source_of.get(request.gpu_id)
                limit_mw = source.power_limit_mw(request.gpu_id) if source is not None else None
                return Answer(request.number, power_limit_mw=limit_mw)
            case SetPowerLimit():
                source = self._source_of.get(request.gpu_id)
                refusal = source.set_power_limit(request.gpu_id, request.power_mw) if source else NO_SUCH_CARD
                return Answer(request.number, refusal=refusal)

    def _discover(self) -> tuple[SourceReport, ...]:
        if self._bus is not None:
            self._bus.remember()  # before the listing: what comes or goes meanwhile is not missed
        self._is_outdated = False
        reports = tuple(source.discover() for source in self._sources)
        self._twice = doubles(reports)
        self._source_of = {
            gpu.gpu_id: source
            for source, report, twice in zip(self._sources, reports, self._twice, strict=True)
            for gpu in report.gpus
            if gpu.gpu_id not in twice
        }
        if self._bus is None:
            return all_cards(reports)
        return all_cards(reports, self._bus.cards(), self._bus.name)

    def _read(self, request: Read) -> Answer:
        readings = tuple(
            reading
            for source, twice in zip(self._sources, self._twice, strict=True)
            for reading in source.read(request.now, all_anew=request.all_anew)
            if reading.gpu_id not in twice
        )
        if self._bus is not None and not self._is_outdated:
            self._is_outdated = self._bus.has_changed(request.now)
        return Answer(request.number, readings=readings, is_outdated=self._is_outdated)

    def close(self) -> None:
        for source in self._sources:
            source.close()

    def _load(self, request: Load) -> str:
        if self._simulated is None:
            return "There are no simulated cards."
        try:
            self._simulated.set_load(request.gpu_id, request.percent, request.memory_used_bytes)
        except BadInputError as error:
            return str(error)
        return ""


def main(argv: Sequence[str]) -> int:
    """Serve until standard input ends; returns the exit status."""
    options = _parse(argv)
    # Ctrl+C reaches every process of the terminal; the service decides when the sensor ends, by closing the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    simulated = _simulated(options)
    bus = _bus(options.sysfs)
    process = SensorProcess(_sources(options, simulated, bus), simulated, bus)
    try:
        with _take_answers_pipe() as answers:
            return _serve(process, answers)
    finally:
        process.close()


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sensor", description="Reads the cards for the application.")
    parser.add_argument("--simulated", type=int, default=0, metavar="N", help="add N simulated cards")
    parser.add_argument("--scenario", type=Path, default=None, metavar="FILE", help="add the cards of a scenario")
    parser.add_argument("--scenario-began-at", type=datetime.fromisoformat, default=None, metavar="INSTANT")
    parser.add_argument("--library", type=Path, default=None, metavar="FILE", help="another NVML library")
    parser.add_argument("--sysfs", type=Path, default=Path("/"), metavar="DIR", help="where /sys and /proc are found")
    return parser.parse_args(argv)


def _sources(
    options: argparse.Namespace, simulated: SimulatedSource | None, bus: PciBus | WindowsBus | None
) -> tuple[GpuSource, ...]:
    """Whom to ask; of two that list a card the first counts. A vendor whose cards are not here costs no memory."""
    sources: list[GpuSource] = [NvidiaSource(options.library)]
    if os.name == "nt":
        from argentum_desktop.gpus.windows.bus import WindowsBus

        if isinstance(bus, WindowsBus):
            sources.append(bus.source)
    vendors = {card.vendor for card in bus.cards()} if bus is not None else set()
    if AMD in vendors:
        from argentum_desktop.gpus.linux.amd import amd_source

        sources.append(amd_source(options.sysfs))
    if INTEL in vendors:
        from argentum_desktop.gpus.linux.intel import intel_source

        sources.append(intel_source(options.sysfs))
    if simulated is not None:
        sources.append(simulated)
    return tuple(sources)


def _bus(root: Path) -> PciBus | WindowsBus | None:
    """The list of what is plugged in, where the system shows one."""
    if os.name == "nt":
        from argentum_desktop.gpus.windows.bus import WindowsBus
        from argentum_desktop.gpus.windows.source import WindowsSource

        return WindowsBus(WindowsSource())
    if sys.platform != "linux":
        return None
    from argentum_desktop.gpus.linux.pci import PciBus

    bus = PciBus(root)
    return bus if bus.is_there else None


def _simulated(options: argparse.Namespace) -> SimulatedSource | None:
    """The simulated cards that are asked for; what only they need is imported only for them."""
    if not options.simulated and options.scenario is None:
        return None
    from argentum_desktop.gpus.simulated import SimulatedSource

    if options.scenario is None:
        return SimulatedSource(options.simulated)
    from argentum_desktop.gpus.simulated.scenario import load

    return SimulatedSource(options.simulated, scenario=load(options.scenario), began_at=options.scenario_began_at)


def _take_answers_pipe() -> BinaryIO:
    """Keep the pipe of answers to ourselves: what a driver prints must not land between two of them."""
    answers = os.fdopen(os.dup(STDOUT), "wb")
    os.dup2(STDERR, STDOUT)
    return answers


def _serve(process: SensorProcess, answers: BinaryIO) -> int:
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    # The reader is a thread of its own so that a child whose driver hangs still notices that its parent is gone.
    threading.Thread(target=_read_lines, args=(lines,), daemon=True).start()
    decoder = msgspec.json.Decoder(Request)
    encoder = msgspec.json.Encoder()
    while line := lines.get():
        try:
            request = decoder.decode(line)
        except msgspec.MsgspecError as error:
            print(f"not a request: {error}", file=sys.stderr)  # noqa: T201 - this is the log of a child
            return 2
        try:
            answers.write(encoder.encode(process.answer(request)) + b"\n")
            answers.flush()
        except BrokenPipeError:
            break
    return 0


def _read_lines(lines: queue.SimpleQueue[bytes]) -> None:
    """Pass on whole lines, then an empty one; read without `sys.stdin`, whose lock would be held at the exit."""
    rest = b""
    with contextlib.suppress(OSError):
        while chunk := os.read(STDIN, 65_536):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                lines.put(line + b"\n")
    lines.put(b"")
    threading.Event().wait(FAREWELL_S)
    os._exit(0)  # the main thread would be gone by now, did it not hang in a driver


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
