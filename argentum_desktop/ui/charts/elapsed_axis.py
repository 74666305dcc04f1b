"""Ticks of an axis that counts from the beginning of something. No widget in here."""

from __future__ import annotations

_STEPS_S = (5, 10, 15, 30, 60, 120, 300, 600)


def elapsed_ticks(length_s: float, most: int) -> list[int]:
    """Round numbers of seconds from nought, at most about `most` of them, none beyond the end."""
    step = next((one for one in _STEPS_S if length_s / one <= most), _STEPS_S[-1])
    return list(range(0, int(length_s) + 1, step))


def elapsed_text(seconds: float) -> str:
    """`0:30`, `9:05`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
