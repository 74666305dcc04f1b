"""The worker that loads a card, on the software device: how fast it reads and writes beside a plain copy, how soon it
begins, how soon it is gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from figures import Figure, of_runs
from software_card import opened
from stress_child import small_plan, started

from argentum_desktop.health.stress.copy_rates import SHAPES
from argentum_desktop.health.stress.engine import Engine
from argentum_desktop.health.stress.memory_testing import MemoryTesting
from argentum_desktop.health.stress.protocol import StressPlan
from argentum_desktop.health.stress.sizing import MIB
from argentum_desktop.health.stress.teller import Teller
from argentum_desktop.health.stress.wire import Line
from argentum_desktop.health.stress.work import Buffer, Dispatch

ROUNDS = 5
SIZE_BYTES = 512 * MIB
SPAN_S = 2.5

MOST_START_S = 2.0
MOST_CANCEL_S = 1.0
MOST_COPY_PERCENT = 125.0
"""Of what the pattern test moves: the pattern test then moves 0.8 of what the copy does."""


def measure(folder: Path, *, quick: bool = False) -> list[Figure]:
    """All of it; nothing is left in the folder."""
    rounds = 1 if quick else ROUNDS
    begins, leaves = zip(*(_begin_and_leave() for _ in range(rounds)), strict=True)
    size, span_s = (64 * MIB, 0.5) if quick else (SIZE_BYTES, SPAN_S)
    engine = opened()
    # In turn, so that whatever else this computer does meets all three.
    speeds = [_speeds(engine, size, span_s) for _ in range(rounds)]
    patterns, kernels, commands = zip(*speeds, strict=True)
    topic = f"Memory of the software device, {size // MIB} MiB, read and written"
    ratio = "as a share of the pattern test"
    return [
        of_runs("A load on a card", "from its start to the first pattern", begins, "s", MOST_START_S),
        of_runs("A load on a card", "from its cancelling to its end", leaves, "s", MOST_CANCEL_S),
        of_runs(topic, "pattern test", patterns, "GB/s"),
        of_runs(topic, "plain copy, kernel", kernels, "GB/s"),
        of_runs(topic, "plain copy, command", commands, "GB/s"),
        Figure(topic, f"copy by kernel, {ratio}", _share(kernels, patterns), "%", MOST_COPY_PERCENT),
        # Mesa's software device runs this command as one memcpy and shaders word by word: on it this is out of reach.
        Figure(topic, f"copy by command, {ratio}", _share(commands, patterns), "%", MOST_COPY_PERCENT),
    ]


def _begin_and_leave() -> tuple[float, float]:
    """Seconds until the first pattern stands in memory, and from the signal until the process is gone."""
    with started(small_plan(memory_s=30.0, largest_bytes=64 * MIB)) as child:
        while child.memory is None or not child.memory.moved_bytes:
            if child.next() is None:
                raise RuntimeError("the worker ended")
        began_s = child.elapsed_s
        child.process.terminate()
        child.process.wait()
        return began_s, child.elapsed_s - began_s


def _speeds(engine: Engine, size_bytes: int, span_s: float) -> tuple[float, float, float]:
    """GB/s of the pattern test, of the copy kernels' best shape and of the copy command, over the same buffers."""
    plan = StressPlan(0, span_s, 0, 0, ramp_s=0.0, seed=1)
    testing = MemoryTesting(engine, Teller(_nobody), plan, total_bytes=size_bytes, target_bytes=size_bytes)
    began_s = time.perf_counter()
    found = testing.run()
    took_s = time.perf_counter() - began_s
    if found.errors:
        raise RuntimeError(f"{found.errors} errors on a sound device")
    pairs = list(zip(testing.buffers[::2], testing.buffers[1::2], strict=False))
    kernel = max(_speed(pairs, span_s / len(SHAPES), partial(_copy_by_kernel, engine, shape=shape)) for shape in SHAPES)
    command = _speed(pairs, span_s, lambda here, there: engine.copy_s(here, there, here.size_bytes))
    testing.free()
    return found.moved_bytes / took_s / 1e9, kernel, command


def _speed(pairs: list[tuple[Buffer, Buffer]], span_s: float, copy: Callable[[Buffer, Buffer], float]) -> float:
    """GB/s of this way to copy, all pairs again and again for the span, everything counted."""
    moved, began_s = 0, time.perf_counter()
    while not moved or time.perf_counter() - began_s < span_s:
        for here, there in pairs:
            copy(here, there)
            moved += 2 * here.size_bytes
    return moved / (time.perf_counter() - began_s) / 1e9


def _copy_by_kernel(engine: Engine, here: Buffer, there: Buffer, shape: str) -> float:
    groups = here.size_bytes // SHAPES[shape]
    return engine.run([Dispatch(engine.kernel("copy", shape), here, (0,), groups, there)]).waited_s


def _share(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return 100.0 * median(one) / median(other)


def _nobody(_line: Line) -> None:
    """Nobody listens."""
