"""How much of the card's memory is tested, and in which pieces. Pure.

More than is free is never asked for: where a card's memory is full, drivers quietly hand out the computer's instead,
and a graphics system promises far more than there is.
"""

from __future__ import annotations

from collections.abc import Sequence

MIB = 1 << 20
GIB = 1 << 30

PIECE_BYTES = 256 * 1024
"""What one workgroup looks at: every buffer is made of whole ones."""

LARGEST_BUFFER_BYTES = GIB
MOST_BUFFERS = 1024
BUFFERS_WANTED = 16
"""Enough to see by its speed that one of them is not the card's own memory."""

LEAST_TIMED_BYTES = 32 * MIB
"""Below this a buffer's time is that of handing over the work: it can be held against its like, not against a copy."""

SPARE_BYTES = 512 * MIB
SPARE_PERCENT = 6
"""What is left to the screen and the driver: a little more than memtest_vulkan's 400 MiB, for less locks a desktop."""

BLIND_PERCENT = 50
"""Of the whole memory, where nobody tells how much is free."""


OWN_SHARE = 0.4
"""Of the card's own speed: what is slower is looked at. No bus is as fast as this share of the memory beside it."""


def target_bytes(
    free_bytes: int | None, budget_bytes: int | None, total_bytes: int, largest_bytes: int | None = None
) -> int:
    """How much to test.

    Args:
        free_bytes: as the driver says.
        budget_bytes: what the graphics system lets this process use; wins where it is less.
        total_bytes: what the card has, 0 where it is not known.
    """
    told = [known for known in (free_bytes, budget_bytes) if known is not None]
    room = min(told) if told else total_bytes * BLIND_PERCENT // 100
    most = max(0, room - max(SPARE_BYTES, room * SPARE_PERCENT // 100))
    if largest_bytes is not None:
        # Who asks for so much knows that it is there, even if nobody tells.
        most = min(most, largest_bytes) if told else largest_bytes
    return most // PIECE_BYTES * PIECE_BYTES


def buffer_sizes(target: int, largest_buffer_bytes: int) -> tuple[int, ...]:
    """The sizes of the buffers that make up the target: all equal, so that their speeds can be held side by side."""
    largest = min(LARGEST_BUFFER_BYTES, largest_buffer_bytes) // PIECE_BYTES * PIECE_BYTES
    target = target // PIECE_BYTES * PIECE_BYTES
    if not target or not largest:
        return ()
    count = max(-(-target // largest), min(BUFFERS_WANTED, target // MIB), 1)
    return (target // count // PIECE_BYTES * PIECE_BYTES,) * min(count, MOST_BUFFERS)


def spilled(bytes_per_s: Sequence[float], host_bytes_per_s: float | None) -> tuple[int, ...]:
    """Which buffers answer so slowly that they are the computer's memory and not the card's.

    A card's own memory is equally fast everywhere; the fast quarter of the buffers is taken as its speed, since more
    than half may have been spilled. What runs there and back over the bus moves at most twice what a copy in one
    direction does; three times leaves room for a copy that was measured slowly. Where all are as slow as that, none is
    the card's own: no card's memory is less than four times as fast as its bus.

    Args:
        bytes_per_s: read and written, of each buffer.
        host_bytes_per_s: the faster direction of the copy between computer and card; None where it was not measured.
    """
    if not bytes_per_s:
        return ()
    own = sorted(bytes_per_s)[(len(bytes_per_s) * 3) // 4]
    slow = OWN_SHARE * own
    if host_bytes_per_s is not None:
        slow = max(min(slow, 3.0 * host_bytes_per_s), 2.0 * host_bytes_per_s)
    return tuple(index for index, speed in enumerate(bytes_per_s) if speed < slow)
