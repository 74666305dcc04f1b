"""Scenario files: which simulated cards there are, and what befalls them when. TOML; examples in resources/scenarios.

Checked by the application before the sensor reads them, so that a wrong one is a sentence and not a dead child.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from argentum_desktop.domain.gpu import GpuKind, GpuState
from argentum_desktop.domain.reading import METRIC_NAMES
from argentum_desktop.errors import BadInputError
from argentum_desktop.gpus.simulated.builds import GIB, NAMED, Build, Repair
from argentum_desktop.gpus.simulated.mishaps import Mishap, MishapKind, Span
from argentum_desktop.gpus.simulated.plan import AMBIENT_C, LONGEST_PLAYED_S, CardPlan, Load, Scenario
from argentum_desktop.gpus.simulated.table import Table, one_of
from argentum_desktop.resources import resource

MOST_CARDS = 16
MOST_BYTES = 1_000_000
LATEST_S = 10 * 365 * 86_400.0

# What each mishap can be told, with what is taken where nothing is said, and the range; None: must or need not be said.
_FIGURES: Mapping[MishapKind, Mapping[str, tuple[float | None, float, float]]] = {
    MishapKind.OVERHEATING: {"cooling_percent": (40, 10, 100), "ambient_c": (None, -20, 60)},
    MishapKind.DYING_FAN: {"fan_percent": (0, 0, 100)},
    MishapKind.ECC_STORM: {
        "corrected_per_minute": (600, 0, 1_000_000),
        "uncorrected_per_minute": (0, 0, 10_000),
        "mends_after": (200, 1, 1_000_000),
        "spares": (64, 1, 10_000),
    },
    MishapKind.XID: {"number": (79, 1, 999)},
    MishapKind.PCIE_REPLAYS: {"per_minute": (60, 0, 1_000_000)},
    MishapKind.PCIE_FALLS: {"generation": (1, 1, 6), "width": (4, 1, 16)},
    MishapKind.POWER_BRAKE: {},
    MishapKind.LOST: {},
    MishapKind.BAD_VALUE: {"value": (None, -(2**63), 2**64)},
    MishapKind.HANG: {"for_s": (3600, 0.1, 86_400)},
}
_WHY_NOT_READY: Mapping[GpuState, tuple[str, str]] = {
    GpuState.NO_DRIVER: ("No driver is installed for this card.", "Install the driver of its maker."),
    GpuState.IGNORED: ("The driver does not list this card: it is too old for this driver.", "Install an older one."),
    GpuState.PASSED_THROUGH: ("A virtual machine has this card.", "Take it away from the virtual machine."),
    GpuState.LOST: ("The card does not answer any more.", "Switch the computer off and on again."),
}


def chosen_scenario(words: str) -> Path | None:
    """The scenario that is meant by these words, found and checked; None where there are none.

    Args:
        words: the name of a shipped one, or the path of a file.

    Raises:
        BadInputError: there is no such scenario, or it cannot be used.
    """
    if not words:
        return None
    path = _find(words)
    load(path)
    return path.absolute()


def shipped() -> Sequence[str]:
    """The names of the scenarios that come with the application."""
    return sorted(path.stem for path in resource("scenarios").glob("*.toml"))


def load(path: Path) -> Scenario:
    """Read and check a scenario.

    Raises:
        BadInputError: it cannot be read, or says something that makes no sense.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise BadInputError(f"The scenario {path} is larger than a scenario can be.")
        document = tomllib.loads(data.decode("utf-8-sig"))
    except OSError as error:
        raise BadInputError(f"The scenario {path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"The scenario {path} is not text in UTF-8 (byte {error.start}).") from error
    except (ValueError, RecursionError) as error:
        why = str(error) or "nested too deep"
        raise BadInputError(f"The scenario {path} is not valid TOML: {why}.") from error
    try:
        return parse(document)
    except ValueError as error:
        raise BadInputError(f"In the scenario {path}, {error}.") from error


def parse(document: Mapping[str, Any]) -> Scenario:
    """Turn the file's tables into a scenario.

    Raises:
        ValueError: names the place and what is allowed there.
    """
    top = Table(document, "")
    top.text("title", "")
    begins_at_s = top.number("begins_at_s", 0, 0, LONGEST_PLAYED_S)
    tables = top.tables("card")
    top.refuse_others()
    if not 1 <= len(tables) <= MOST_CARDS:
        raise ValueError(f"there must be 1 to {MOST_CARDS} tables [[card]], not {len(tables)}")
    plans = tuple(_card(Table(table, f"card {number}")) for number, table in enumerate(tables, 1))
    return Scenario(plans, begins_at_s)


def _find(words: str) -> Path:
    path = Path(words).expanduser()
    is_path = path.suffix == ".toml" or path.name != words
    if is_path:
        return path
    names = shipped()
    if words in names:
        return resource("scenarios", f"{words}.toml")
    near = difflib.get_close_matches(words, names, 1)
    meant = f"; did you mean {near[0]}?" if near else "."
    raise BadInputError(
        f"There is no scenario {words[:40]!r}{meant}",
        f"There are {', '.join(names)}; anything else is the path of a file that ends in .toml.",
    )


def _card(table: Table) -> CardPlan:
    build = _build(table)
    state = table.word("state", GpuState, GpuState.READY)
    problem, remedy = _WHY_NOT_READY.get(state, ("", ""))
    plan = CardPlan(
        build=build,
        ambient_c=table.number("ambient_c", AMBIENT_C, -20, 60),
        state=state,
        problem=table.text("problem", problem),
        remedy=table.text("remedy", remedy),
        load=_loads(table, build),
        mishaps=tuple(
            _mishap(Table(event, f"{table.place}, event {number}"), build)
            for number, event in enumerate(table.tables("event"), 1)
        ),
    )
    table.refuse_others()
    if state is GpuState.READY and (table.has("problem") or table.has("remedy")):
        raise ValueError(f"{table.place} is ready and needs neither problem nor remedy")
    return plan


def _build(table: Table) -> Build:
    """A named build, or parts of one replaced by own figures."""
    base = NAMED[one_of(table.text("build", "24 GB"), list(NAMED), f"{table.place}: build")]
    whole = table.whole
    made = replace(
        base,
        name=table.text("name", base.name),
        kind=table.word("kind", GpuKind, base.kind),
        memory_bytes=round(table.number("memory_gib", base.memory_bytes / GIB, 0.25, 1024) * GIB),
        limit_w=table.number("power_limit_w", base.limit_w, 5, 2000),
        idle_w=table.number("idle_w", base.idle_w, 0.1, 500),
        clock_idle_mhz=whole("clock_idle_mhz", base.clock_idle_mhz, 15, 5000),
        clock_boost_mhz=whole("clock_boost_mhz", base.clock_boost_mhz, 15, 5000),
        memory_clock_mhz=whole("memory_clock_mhz", base.memory_clock_mhz, 100, 50_000),
        resistance_c_per_w=table.number("resistance_c_per_w", base.resistance_c_per_w, 0.01, 10),
        warm_up_s=table.number("warm_up_s", base.warm_up_s, 5, 3600),
        slowdown_c=whole("slowdown_c", base.slowdown_c, 50, 120),
        shutdown_c=whole("shutdown_c", base.shutdown_c, 55, 130),
        fan_full_rpm=whole("fan_full_rpm", base.fan_full_rpm, 0, 30_000),
        pcie_generation=whole("pcie_generation", base.pcie_generation, 0, 6),
        pcie_width=whole("pcie_width", base.pcie_width, 0, 16),
        has_memory_sensor=table.flag("memory_sensor", base.has_memory_sensor),
        has_hotspot_sensor=table.flag("hotspot_sensor", base.has_hotspot_sensor),
        has_ecc=table.flag("ecc", base.has_ecc),
        repair=table.word("repair", Repair, base.repair),
    )
    if made.idle_w >= made.limit_w:
        raise ValueError(f"{table.place}: idle_w must be less than power_limit_w ({made.limit_w:g})")
    if made.slowdown_c >= made.shutdown_c:
        raise ValueError(f"{table.place}: slowdown_c must be less than shutdown_c ({made.shutdown_c})")
    return made


def _loads(table: Table, build: Build) -> tuple[Load, ...]:
    loads: list[Load] = []
    for number, raw in enumerate(table.tables("load"), 1):
        step = Table(raw, f"{table.place}, load {number}")
        memory_gib = step.number("memory_gib", 0, 0, build.memory_bytes / GIB)
        at_s, percent = step.number("at_s", 0, 0, LATEST_S), step.whole("percent", None, 0, 100)
        step.refuse_others()
        if loads and at_s <= loads[-1].at_s:
            raise ValueError(f"{step.place}: at_s must be later than {loads[-1].at_s:g}")
        loads.append(Load(at_s, percent, round(memory_gib * GIB)))
    return tuple(loads)


def _mishap(table: Table, build: Build) -> Mishap:
    kind = MishapKind(one_of(table.text("what", None), [kind.value for kind in MishapKind], f"{table.place}: what"))
    table.place += f" ({kind.value})"
    figures = {}
    for name, (default, low, high) in _FIGURES[kind].items():
        if default is not None or table.has(name):
            figures[name] = table.number(name, default, low, high)
    metric = ""
    if kind is MishapKind.BAD_VALUE:
        metric = one_of(table.text("metric", None), list(METRIC_NAMES), f"{table.place}: metric")
    if kind is MishapKind.ECC_STORM and not build.has_ecc:
        raise ValueError(f"{table.place}: this card counts no memory errors; give it ecc = true")
    if kind is MishapKind.DYING_FAN and not build.fan_full_rpm:
        raise ValueError(f"{table.place}: this card has no fan")
    span = _span(table, kind)
    table.refuse_others()
    return Mishap(kind, span, figures, metric)


def _span(table: Table, kind: MishapKind) -> Span:
    at_s = table.number("at_s", None, 0, LATEST_S)
    until_s = table.number("until_s", None, 0, LATEST_S) if table.has("until_s") and not kind.is_instant else None
    every_s = table.number("every_s", None, 1, LATEST_S) if table.has("every_s") else None
    if until_s is not None and until_s <= at_s:
        raise ValueError(f"{table.place}: until_s must be later than at_s ({at_s:g})")
    if every_s is not None and not kind.is_instant:
        if until_s is None:
            raise ValueError(f"{table.place}: what comes again every_s must end, so give it until_s")
        if every_s <= until_s - at_s:
            raise ValueError(f"{table.place}: every_s must be longer than it lasts ({until_s - at_s:g} s)")
    return Span(at_s, until_s, every_s)
