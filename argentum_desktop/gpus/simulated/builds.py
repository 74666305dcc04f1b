"""What simulated cards are made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from argentum_desktop.domain.gpu import GpuKind

GIB = 2**30
SLOWDOWN_C = 90


class Repair(StrEnum):
    """How memory is mended: NVIDIA's older cards retire pages, newer ones remap rows, those for players neither."""

    NONE = "none"
    PAGES = "pages"
    ROWS = "rows"


@dataclass(frozen=True)
class Build:
    """What a simulated card is made of.

    Attributes:
        resistance_c_per_w: how much warmer each watt makes it in the end, with the fan standing still.
        warm_up_s: the time it takes to go 63 % of the way to its final temperature.
        fan_full_rpm: the speed of its fan at 100 %; 0 for a card without a fan.
        bus_bits: the width of the way to its memory.
        cores: how many additions it makes in a clock.
        pcie_generation: of card and slot together; 0, as `pcie_width`, for what sits in the processor.
        has_memory_sensor: whether it tells how warm its memory is; likewise the hottest spot of its chip.
        has_ecc: whether it counts its memory's errors.
    """

    name: str
    memory_bytes: int
    limit_w: float
    idle_w: float
    clock_idle_mhz: int
    clock_boost_mhz: int
    memory_clock_mhz: int
    resistance_c_per_w: float
    warm_up_s: float
    kind: GpuKind = GpuKind.DISCRETE
    slowdown_c: int = SLOWDOWN_C
    shutdown_c: int = 100
    fan_full_rpm: int = 3000
    pcie_generation: int = 4
    pcie_width: int = 16
    has_memory_sensor: bool = False
    has_hotspot_sensor: bool = False
    has_ecc: bool = False
    repair: Repair = Repair.NONE
    bus_bits: int = 256
    cores: int = 4096


# What players buy: no error counters. These four are what there is when only a number of cards is asked for.
BUILDS = (
    Build(
        "Example card 24 GB",
        24 * GIB,
        350.0,
        22.0,
        210,
        1860,
        9751,
        0.24,
        45.0,
        has_memory_sensor=True,
        bus_bits=384,
        cores=10_496,
    ),
    Build("Example card 16 GB", 16 * GIB, 285.0, 14.0, 210, 2550, 11_201, 0.25, 38.0, cores=8448),
    Build("Example card 12 GB", 12 * GIB, 200.0, 12.0, 210, 2475, 10_501, 0.32, 34.0, bus_bits=192, cores=5888),
    Build(
        "Example card 8 GB", 8 * GIB, 130.0, 8.0, 210, 1780, 7001, 0.45, 30.0, pcie_width=8, bus_bits=128, cores=2560
    ),
)
WORKSTATION = Build(
    "Example workstation card 48 GB",
    48 * GIB,
    300.0,
    20.0,
    210,
    1800,
    8001,
    0.27,
    50.0,
    has_memory_sensor=True,
    has_hotspot_sensor=True,
    has_ecc=True,
    repair=Repair.ROWS,
    bus_bits=384,
    cores=10_752,
)
SERVER = Build(
    "Example server card 24 GB",
    24 * GIB,
    250.0,
    10.0,
    405,
    1530,
    3615,
    0.20,
    60.0,
    slowdown_c=89,
    shutdown_c=95,
    fan_full_rpm=0,
    pcie_generation=3,
    has_ecc=True,
    repair=Repair.PAGES,
    bus_bits=384,
    cores=3840,
)
INTEGRATED = Build(
    "Example integrated graphics",
    2 * GIB,
    25.0,
    2.0,
    300,
    1300,
    2400,
    1.8,
    20.0,
    kind=GpuKind.INTEGRATED,
    slowdown_c=95,
    shutdown_c=105,
    fan_full_rpm=0,
    pcie_generation=0,
    pcie_width=0,
    bus_bits=128,
    cores=768,
)

# By the names under which a scenario asks for them.
NAMED = {
    "24 GB": BUILDS[0],
    "16 GB": BUILDS[1],
    "12 GB": BUILDS[2],
    "8 GB": BUILDS[3],
    "workstation": WORKSTATION,
    "server": SERVER,
    "integrated": INTEGRATED,
}
