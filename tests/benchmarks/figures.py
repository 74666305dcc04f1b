"""The figures of a run: a table for the eye, JSON for the next run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Figure:
    """One measured thing.

    Attributes:
        runs: every single value; `value` is their median.
        at_most: the figure to head for; None where the row only stands beside another.
    """

    topic: str
    name: str
    value: float
    unit: str
    at_most: float | None = None
    runs: tuple[float, ...] = ()

    @property
    def is_reached(self) -> bool | None:
        return None if self.at_most is None else self.value <= self.at_most


def of_runs(topic: str, name: str, runs: Sequence[float], unit: str, at_most: float | None = None) -> Figure:
    """The median of several runs."""
    return Figure(topic, name, median(runs), unit, at_most, tuple(round(run, 3) for run in runs))


def table(figures: Sequence[Figure]) -> str:
    """Aligned columns, a line above each topic."""
    lines: list[str] = []
    topic = ""
    for figure in figures:
        if figure.topic != topic:
            topic = figure.topic
            lines += ["", topic, "─" * 78]
        spread = f"{min(figure.runs):.4g} to {max(figure.runs):.4g}" if len(figure.runs) > 1 else ""
        aim = "" if figure.at_most is None else f"≤ {figure.at_most:g}{'' if figure.is_reached else '  missed'}"
        lines.append(f"  {figure.name:<40}{_short(figure.value):>8} {figure.unit:<6}{spread:>14}  {aim}".rstrip())
    return "\n".join([*lines, ""])


def write_json(path: Path, figures: Sequence[Figure], machine: dict[str, object]) -> None:
    """For comparing runs and machines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{**asdict(figure), "value": round(figure.value, 3), "is_reached": figure.is_reached} for figure in figures]
    path.write_text(json.dumps({"machine": machine, "figures": rows}, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
