"""NVML's clock event reasons in the words of the house."""

from __future__ import annotations

from argentum_desktop.domain.reading import ThrottleReason

_BITS = (
    (0x2, ThrottleReason.APPLICATION),
    (0x4, ThrottleReason.POWER_LIMIT),
    (0x8, ThrottleReason.HARDWARE_SLOWDOWN),
    (0x10, ThrottleReason.SYNC),
    (0x20, ThrottleReason.TEMPERATURE),
    (0x40, ThrottleReason.HARDWARE_TEMPERATURE),
    (0x80, ThrottleReason.POWER_BRAKE),
    (0x100, ThrottleReason.DISPLAY),
    (0x200, ThrottleReason.BOARD_LIMIT),
    (0x400, ThrottleReason.VOLTAGE),
)
_GPU_IDLE = 0x1  # a resting card clocks down: that is no throttling
_KNOWN = _GPU_IDLE | sum(bit for bit, _ in _BITS)


def throttle_reasons(mask: int) -> tuple[ThrottleReason, ...]:
    """The reasons in the mask; what only a later driver knows is `OTHER`."""
    if not mask & ~_GPU_IDLE:
        return ()
    other = (ThrottleReason.OTHER,) if mask & ~_KNOWN else ()
    return (*(reason for bit, reason in _BITS if mask & bit), *other)
