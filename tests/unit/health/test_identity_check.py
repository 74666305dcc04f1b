"""Is a card what it says it is: one difference is told, two that do not depend on each other are believed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from health_samples import (
    GIB,
    a_gpu,
    a_memory_test,
    a_stress_result,
    an_engine,
    some_evidence,
    some_readings,
)

from argentum_desktop.domain.gpu import Gpu, GpuKind, Vendor
from argentum_desktop.domain.health import CheckVerdict
from argentum_desktop.domain.stress import AdapterType, CopyRates
from argentum_desktop.health.checks.identity import MINING_IDS, identity, model_words, votes
from argentum_desktop.health.evidence import Evidence
from argentum_desktop.health.reference import ReferenceTable, load_reference

PASS, INFO, WARN, FAIL = CheckVerdict.PASS, CheckVerdict.INFO, CheckVerdict.WARN, CheckVerdict.FAIL


@pytest.fixture(scope="module")
def table() -> ReferenceTable:
    return load_reference()


def checked(table: ReferenceTable, gpu: Gpu, copied_mb_s: int | None = None, memory_mhz: int | None = None) -> Evidence:
    row, candidates = table.find(gpu)
    readings = some_readings(gpu, clock_memory_mhz=memory_mhz)
    stress = a_stress_result(copy=CopyRates(device_mb_s=copied_mb_s))
    return some_evidence(gpu=gpu, reference=row, candidates=candidates, stress=stress, readings=readings)


def test_an_honest_card_differs_in_nothing(table: ReferenceTable) -> None:
    assert identity(checked(table, a_gpu(), 858_000, 9751)).verdict is PASS


@pytest.mark.parametrize(
    ("name", "pci_id", "memory_gib", "compute"),
    [
        ("NVIDIA H100 80GB HBM3", "10de:2330", 80, "9.0"),
        ("NVIDIA H100 PCIe", "10de:2331", 80, "9.0"),
        ("NVIDIA H200", "10de:2335", 140, "9.0"),
        ("NVIDIA A100-SXM4-80GB", "10de:20b2", 80, "8.0"),
        ("NVIDIA A100 80GB PCIe", "10de:20b5", 80, "8.0"),
        ("NVIDIA A100-PCIE-40GB", "10de:20f1", 40, "8.0"),
        ("Tesla V100-SXM2-16GB", "10de:1db1", 16, "7.0"),
        ("Tesla P100-PCIE-16GB", "10de:15f8", 16, "6.0"),
        ("Tesla P40", "10de:1b38", 24, "6.1"),
        ("Tesla M40 24GB", "10de:17fd", 24, "5.2"),
        ("Quadro RTX 8000", "10de:1e30", 48, "7.5"),
        ("NVIDIA RTX 6000 Ada Generation", "10de:26b1", 48, "8.9"),
        ("NVIDIA TITAN V", "10de:1d81", 12, "7.0"),
        ("NVIDIA GeForce GTX 1060 3GB", "10de:1c02", 3, "6.1"),
        ("NVIDIA GeForce GTX 1060 6GB", "10de:1c03", 6, "6.1"),
        ("NVIDIA GeForce RTX 3060", "10de:2504", 12, "8.6"),
        ("NVIDIA GeForce RTX 3080", "10de:220a", 12, "8.6"),
        ("NVIDIA GeForce RTX 4060 Ti", "10de:2805", 16, "8.9"),
        ("NVIDIA GeForce RTX 5060 Ti", "10de:2d04", 16, "12.0"),
        ("NVIDIA GeForce RTX 5090", "10de:2b85", 32, "12.0"),
    ],
)
def test_what_the_drivers_call_honest_cards(
    table: ReferenceTable, name: str, pci_id: str, memory_gib: int, compute: str
) -> None:
    gpu = a_gpu(name=name, pci_id=pci_id, memory_total_bytes=memory_gib * GIB * 99 // 100, compute_capability=compute)
    evidence = checked(table, gpu)
    assert (identity(evidence).verdict, votes(evidence)) == (PASS, ())
    assert evidence.reference is not None


@pytest.mark.parametrize(
    ("changes", "topic"),
    [
        ({"memory_total_bytes": 22 * GIB, "name": "NVIDIA GeForce RTX 2080 Ti", "pci_id": "10de:1e04"}, "memory"),
        ({"memory_total_bytes": 12 * GIB}, "memory"),
        ({"name": "NVIDIA GeForce RTX 4090"}, "name"),
        ({"pci_subsystem": "0000:0000"}, "board"),
        ({"compute_capability": "6.1"}, "chip"),
        ({"pci_id": "10de:1c07", "name": "NVIDIA GeForce GTX 1060 6GB", "memory_total_bytes": 6 * GIB}, "name"),
    ],
)
def test_one_difference_is_told_and_not_called_a_fake(
    table: ReferenceTable, changes: dict[str, Any], topic: str
) -> None:
    gpu = a_gpu(**changes)
    gpu = replace(gpu, compute_capability=gpu.compute_capability if topic == "chip" else None)
    evidence = checked(table, gpu)
    assert {vote.topic for vote in votes(evidence)} == {topic}
    said = identity(evidence)
    assert (said.verdict, said.value) == (WARN, 1)
    assert said.words.startswith("It differs from the model")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "NVIDIA GeForce RTX 4090", "memory_total_bytes": 12 * GIB},
        {"pci_subsystem": "0000:0000", "compute_capability": "7.5"},
        {"pci_id": "10de:1b07", "name": "NVIDIA GeForce GTX 1080 Ti", "pci_subsystem": "0000:0000"},
    ],
)
def test_two_differences_are_believed(table: ReferenceTable, changes: dict[str, Any]) -> None:
    said = identity(checked(table, a_gpu(**{"compute_capability": None} | changes)))
    assert said.verdict is FAIL
    assert said.words.startswith("It is not what it says it is")


@pytest.mark.parametrize(("percent", "has_vote"), [(59, True), (60, False), (100, False), (125, False), (126, True)])
def test_the_copy_must_go_with_the_memory_bus(table: ReferenceTable, percent: int, has_vote: bool) -> None:
    bus_mb_s = 10_000 * 2 * 384 // 8
    evidence = checked(table, a_gpu(), bus_mb_s * percent // 100, 10_000)
    assert bool(votes(evidence)) is has_vote


def test_a_load_on_another_card_says_nothing_about_the_bus(table: ReferenceTable) -> None:
    evidence = checked(table, a_gpu(), 1000, 10_000)
    software = replace(evidence, stress=replace(a_stress_result(), engine=an_engine(adapter_type=AdapterType.CPU)))
    assert votes(evidence)
    assert not votes(replace(evidence, is_confirmed=False))
    assert not votes(software)


@pytest.mark.parametrize(
    ("errors", "bad_bits", "has_vote"),
    [(GIB // 16, 0xFFFF, True), (GIB // 16 - 1, 0xFFFF, False), (GIB // 16, 0x7FFF, False), (0, 0xFFFF, False)],
)
def test_memory_that_answers_from_elsewhere(errors: int, bad_bits: int, has_vote: bool) -> None:
    memory = a_memory_test(tested_bytes=GIB, errors=errors, bad_bits=bad_bits)
    assert bool(votes(some_evidence(stress=a_stress_result(memory=memory)))) is has_vote


def test_aliased_memory_and_a_wrong_size_are_one_thing_and_not_two() -> None:
    gpu = a_gpu(memory_total_bytes=48 * GIB)
    memory = a_memory_test(errors=22 * GIB // 4, bad_bits=0xFFFFFFFF)
    said = identity(some_evidence(gpu=gpu, stress=a_stress_result(memory=memory)))
    assert (said.verdict, said.value) == (WARN, 1)


def test_an_unknown_model_is_not_judged(table: ReferenceTable) -> None:
    gpu = a_gpu(name="NVIDIA GeForce GTX 750", pci_id="10de:1381")
    assert identity(checked(table, gpu)).verdict is CheckVerdict.NOT_RUN


def test_only_the_name_could_be_looked_up(table: ReferenceTable) -> None:
    gpu = a_gpu(pci_id="10de:ffff")
    assert identity(checked(table, gpu)).verdict is INFO


@pytest.mark.parametrize("changes", [{"vendor": Vendor.SIMULATED}, {"kind": GpuKind.VIRTUAL}])
def test_what_makes_no_claim_is_not_doubted(changes: dict[str, Any]) -> None:
    gpu = a_gpu(pci_subsystem="0000:0000", compute_capability="1.0", **changes)
    assert identity(some_evidence(gpu=gpu)).verdict is CheckVerdict.NOT_APPLICABLE


def test_no_card_for_mining_is_in_the_table(table: ReferenceTable) -> None:
    assert not {pci_id for row in table.rows for pci_id in row.pci_ids} & MINING_IDS


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("NVIDIA GeForce RTX 4070 Ti SUPER", "GeForce RTX 4070 Ti SUPER", True),
        ("NVIDIA GeForce RTX 4070 Ti", "GeForce RTX 4070", False),
        ("NVIDIA GeForce GTX 1060 6 GB", "GeForce GTX 1060 3GB", True),
        ("NVIDIA L40S", "L40", False),
    ],
)
def test_the_words_that_tell_models_apart(one: str, other: str, is_same: bool) -> None:
    assert (model_words(one) == model_words(other)) is is_same
