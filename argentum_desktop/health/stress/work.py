"""What goes to the card and what comes back. Pure."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SLOTS = 1024
SLOT_BYTES = 16
TALLY_BYTES = SLOTS * SLOT_BYTES
TIMES_BYTES = 16
_NOTHING = bytes(TALLY_BYTES)

TASK_WORDS = 16
TASK_BYTES = 256  # the alignment that every card accepts
MOST_DISPATCHES = 512
MOST_GROUPS = 65_535


@dataclass(frozen=True)
class Buffer:
    """Memory of the card."""

    handle: Any
    size_bytes: int


@dataclass(frozen=True)
class Kernel:
    """A compiled entry of a shader."""

    handle: Any
    name: str


@dataclass(frozen=True)
class Dispatch:
    """One kernel over one buffer.

    Attributes:
        task: at most sixteen words for the kernel.
        other: the second buffer, for copies.
    """

    kernel: Kernel
    memory: Buffer
    task: tuple[int, ...]
    groups: int
    other: Buffer | None = None


@dataclass(frozen=True)
class Prepared:
    """Work that is ready to go to the card."""

    commands: Any
    staging: Any


@dataclass(frozen=True)
class Ticket:
    """Work that is on the card."""

    staging: Any
    submitted_s: float


@dataclass(frozen=True)
class Slot:
    """What kernels counted in one place; all zero when nothing was found."""

    count: int
    first: int
    last: int
    bits: int


@dataclass(frozen=True)
class Outcome:
    """A portion of work that is done.

    Attributes:
        seconds: on the card where it measures the time itself, else from handing over to the end.
        waited_s: from handing over to the end.
        found: by slot, only where something was counted.
    """

    seconds: float
    waited_s: float
    found: Mapping[int, Slot]


def task_bytes(dispatch: Dispatch) -> bytes:
    """The task as its kernel reads it."""
    return struct.pack(f"<{len(dispatch.task)}I", *dispatch.task).ljust(TASK_BYTES, b"\0")


def outcome_of(content: bytes, waited_s: float) -> Outcome:
    """From what came back: the slots, then when the work began and ended."""
    found, times = content[:TALLY_BYTES], content[TALLY_BYTES:]
    return Outcome(_seconds(times, waited_s), waited_s, _found(found) if found != _NOTHING else {})


def _found(content: bytes) -> dict[int, Slot]:
    words = struct.iter_unpack("<4I", content)
    return {
        place: Slot(count, first_inverse ^ 0xFFFF_FFFF, last, bits)
        for place, (count, first_inverse, last, bits) in enumerate(words)
        if count or bits
    }


def _seconds(times: bytes, waited_s: float) -> float:
    """The card's own measure, where it makes sense.

    wgpu is asked to turn the card's ticks into nanoseconds. Not every driver's word can be relied on, so what is far
    from the time that was waited is not believed.
    """
    began, ended = struct.unpack("<2Q", times)
    measured_s = (ended - began) * 1e-9
    return measured_s if 0.5 * waited_s <= measured_s <= waited_s else waited_s
