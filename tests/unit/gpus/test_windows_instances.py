"""The names of the performance counters' instances, and the sums over them."""

from __future__ import annotations

import pytest

from argentum_desktop.domain.reading import GpuProcess
from argentum_desktop.gpus.windows.instances import (
    Instance,
    load_by_card,
    memory_by_card,
    parse_instance,
    processes_by_card,
)

ONE, OTHER = "luid_0x00000000_0x0000C0DE_phys_0", "luid_0x00000001_0x0000a18d_phys_0"
ONE_LUID, OTHER_LUID = 0xC0DE, 0x1_0000_A18D


@pytest.mark.parametrize(
    ("name", "instance"),
    [
        ("luid_0x00000000_0x0000C0DE_phys_0", Instance(0xC0DE, None, None, False)),
        ("pid_4711_luid_0x00000001_0x0000c0de_phys_1", Instance(0x1_0000_C0DE, 4711, None, False)),
        (f"pid_4_{ONE}_eng_3_engtype_3D", Instance(0xC0DE, 4, (0, 3), False)),
        (f"pid_4_{ONE}_eng_12_engtype_Compute_1", Instance(0xC0DE, 4, (0, 12), True)),
        (f"pid_4_{ONE}_eng_12_engtype_compute 1", Instance(0xC0DE, 4, (0, 12), True)),
        (f"pid_4_{ONE}_eng_9_engtype_Cuda", Instance(0xC0DE, 4, (0, 9), True)),
        (f"pid_4_{ONE}_eng_9_engtype_", Instance(0xC0DE, 4, (0, 9), False)),
    ],
)
def test_a_name_is_taken_apart(name: str, instance: Instance) -> None:
    assert parse_instance(name) == instance


@pytest.mark.parametrize(
    "name",
    [
        "",
        "_Total",
        "luid_0x_0x0000C0DE_phys_0",
        "luid_0x000000000_0x0000C0DE_phys_0",
        "pid_-1_luid_0x00000000_0x0000C0DE_phys_0",
        "pid_99999999999_luid_0x00000000_0x0000C0DE_phys_0",
        "pid_٣_luid_0x00000000_0x0000C0DE_phys_0",
        "pid_4_luid_0x00000000_0x0000C0DE_phys_0_eng_x_engtype_3D",
        "luid_0x00000000_0x0000C0DE_phys_0 ",
        "\0" * 40,
    ],
)
def test_another_name_is_nobody(name: str) -> None:
    assert parse_instance(name) is None


def test_an_engines_load_is_that_of_all_its_processes_and_a_cards_load_that_of_its_busiest_engine() -> None:
    rows = [
        (f"pid_1_{ONE}_eng_0_engtype_3D", 20.4),
        (f"pid_2_{ONE}_eng_0_engtype_3D", 30.4),
        (f"pid_1_{ONE}_eng_1_engtype_Copy", 45.0),
        (f"pid_1_{OTHER}_eng_0_engtype_3D", 7.0),
        ("_Total", 99.0),
    ]
    assert load_by_card(rows) == {ONE_LUID: 51, OTHER_LUID: 7}


def test_a_load_is_never_above_the_whole() -> None:
    assert load_by_card([(f"pid_{pid}_{ONE}_eng_0_engtype_3D", 60.0) for pid in (1, 2)]) == {ONE_LUID: 100}


def test_engines_of_linked_cards_are_not_added_up() -> None:
    rows = [(f"pid_1_luid_0x00000000_0x0000C0DE_phys_{phys}_eng_0_engtype_3D", 60.0) for phys in (0, 1)]
    assert load_by_card(rows) == {ONE_LUID: 60}


def test_the_memory_of_linked_cards_is_added_up() -> None:
    rows = [(f"luid_0x00000000_0x0000C0DE_phys_{phys}", 2.0**30) for phys in (0, 1)]
    assert memory_by_card([*rows, (OTHER, 0.0)]) == {ONE_LUID: 2**31, OTHER_LUID: 0}


@pytest.mark.parametrize("nonsense", [float("nan"), float("inf"), float("-inf"), -1.0])
def test_what_is_no_amount_is_passed_over(nonsense: float) -> None:
    name = f"pid_1_{ONE}_eng_0_engtype_3D"
    assert memory_by_card([(ONE, nonsense)]) == {}
    assert load_by_card([(name, nonsense)]) == {}
    assert processes_by_card([(f"pid_1_{ONE}", nonsense)], [(name, nonsense)]) == {}


def test_a_process_computes_when_an_engine_for_that_works_for_it() -> None:
    memory = [(f"pid_7_{ONE}", 1000.0), (f"pid_5_{ONE}", 0.0), (f"pid_7_{OTHER}", 300.0), (f"pid_6_{ONE}", 10.0)]
    engines = [
        (f"pid_7_{ONE}_eng_5_engtype_Compute_0", 40.0),
        (f"pid_7_{ONE}_eng_0_engtype_3D", 1.0),
        (f"pid_6_{ONE}_eng_5_engtype_Compute_0", 0.0),
        (f"pid_9_{ONE}_eng_0_engtype_3D", 0.5),
    ]
    assert processes_by_card(memory, engines) == {
        ONE_LUID: (GpuProcess(6, 10, False), GpuProcess(7, 1000, True), GpuProcess(9, None, False)),
        OTHER_LUID: (GpuProcess(7, 300, False),),
    }
