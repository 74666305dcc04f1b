"""The reference table that ships: whole, sourced, and found by id, by name and by memory."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import pytest
from health_samples import GIB, a_gpu

from argentum_desktop.domain.gpu import Vendor
from argentum_desktop.health.reference import (
    DATASHEET_COPY_PERCENT,
    ReferenceTable,
    has_this_memory,
    is_portable,
    load_reference,
    plain_name,
)
from argentum_desktop.resources import resource


@pytest.fixture(scope="module")
def table() -> ReferenceTable:
    return load_reference()


def found(table: ReferenceTable, **changes: object) -> str | None:
    row, _ = table.find(a_gpu(**changes))
    return row.model if row else None


def test_every_row_is_whole_and_names_its_source(table: ReferenceTable) -> None:
    assert len(table.rows) >= 130
    assert len({row.model for row in table.rows}) == len(table.rows)
    for row in table.rows:
        assert row.source, row.model
        assert 50_000 < (row.bandwidth_mb_s or 0) < 10_000_000, row.model
        assert 1_000 < (row.fp32_gflops or 0) < 200_000, row.model
        assert 10_000 < (row.power_mw or 0) <= 1_000_000, row.model
        prefix = {Vendor.NVIDIA: "10de:", Vendor.AMD: "1002:", Vendor.INTEL: "8086:"}[row.vendor]
        assert all(pci_id.startswith(prefix) and len(pci_id) == 9 for pci_id in row.pci_ids), row.model


def test_nvidias_device_ids_are_of_one_chip_each(table: ReferenceTable) -> None:
    chips: dict[str, set[str]] = {}
    for row in table.rows:
        if row.vendor is Vendor.NVIDIA:
            for pci_id in row.pci_ids:
                chips.setdefault(pci_id, set()).add(row.chip)
    assert all(len(names) == 1 for names in chips.values())


def test_bus_and_bandwidth_go_together(table: ReferenceTable) -> None:
    """What a pin of the bus carries is 4 to 31 Gbit/s for GDDR, 1 to 10 for stacked memory."""
    for row in table.rows:
        if row.bus_bits and row.bandwidth_mb_s:
            pin_mbit_s = row.bandwidth_mb_s * 8 // row.bus_bits
            low, high = (1_000, 10_000) if row.bus_bits >= 2048 else (4_000, 31_000)
            assert low <= pin_mbit_s <= high, row.model


def test_the_fingerprint_is_of_the_file(table: ReferenceTable) -> None:
    assert table.sha256 == hashlib.sha256(resource("gpu_reference.csv").read_bytes()).hexdigest()


def test_the_papers_explain_every_column(table: ReferenceTable) -> None:
    header = next(csv.reader(resource("gpu_reference.csv").read_text("utf-8").splitlines()))
    papers = resource("gpu_reference.md").read_text("utf-8")
    figures = [name for name in header if name not in {"vendor", "model", "release_year", "source"}]
    missing = [name for name in figures if f"`{name}`" not in papers and not name.startswith("pcie_")]
    assert not missing
    assert all(name in papers for name in ("CC BY-SA", "PCI ID Repository", "TechPowerUp"))


@pytest.mark.parametrize(
    ("name", "pci_id", "memory_gib", "model"),
    [
        ("anything", "10de:2204", 24, "GeForce RTX 3090"),
        ("anything", "10DE:2204", 24, "GeForce RTX 3090"),
        ("NVIDIA GeForce RTX 3090", None, 24, "GeForce RTX 3090"),
        ("NVIDIA GeForce RTX 3080", None, 10, "GeForce RTX 3080"),
        ("NVIDIA GeForce RTX 3080", None, 12, "GeForce RTX 3080 12GB"),
        ("NVIDIA GeForce RTX 3060", "10de:2544", 8, "GeForce RTX 3060 8GB"),
        ("NVIDIA GeForce GTX 1060 3GB", None, 3, "GeForce GTX 1060 3GB"),
        ("NVIDIA GeForce GTX 1060", None, 6, "GeForce GTX 1060 6GB"),
        ("NVIDIA GeForce RTX 4060 Ti", "10de:2803", 8, "GeForce RTX 4060 Ti 8GB"),
        ("NVIDIA GeForce RTX 5060 Ti", "10de:2d04", 16, "GeForce RTX 5060 Ti 16GB"),
        ("NVIDIA GeForce RTX 3060", None, 24, None),
        ("NVIDIA GeForce RTX 2080 Ti", "10de:1e04", 22, "GeForce RTX 2080 Ti"),
        ("NVIDIA GeForce RTX 3060 Laptop GPU", "10de:2520", 12, None),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", None, 24, None),
        ("NVIDIA H200", "10de:2335", 140, "H200"),
        ("Quadro RTX 6000", "10de:1e30", 24, "Quadro RTX 6000"),
        ("NVIDIA GeForce 8800", "10de:0191", 1, None),
    ],
)
def test_which_row_fits(
    table: ReferenceTable, name: str, pci_id: str | None, memory_gib: int, model: str | None
) -> None:
    assert found(table, name=name, pci_id=pci_id, memory_total_bytes=memory_gib * GIB) == model


@pytest.mark.parametrize(
    ("name", "pci_id", "memory_gib", "model"),
    [
        ("AMD Radeon RX 6800 XT", "1002:73bf", 16, "Radeon RX 6800 XT"),
        ("AMD Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]", "1002:73bf", 16, None),
        ("AMD Navi 31 [Radeon RX 7900 XT/7900 XTX/7900 GRE/7900M]", "1002:744c", 20, "Radeon RX 7900 XT"),
        ("AMD Navi 22 [Radeon RX 6700/6700 XT/6750 XT]", "1002:73df", 10, None),
        ("AMD Navi 22 [Radeon RX 6700/6700 XT/6750 XT]", "1002:73df", 12, "Radeon RX 6700 XT"),
    ],
)
def test_amd_gives_one_id_to_several_models(
    table: ReferenceTable, name: str, pci_id: str, memory_gib: int, model: str | None
) -> None:
    gpu = {"vendor": Vendor.AMD, "name": name, "pci_id": pci_id, "memory_total_bytes": memory_gib * GIB}
    assert found(table, **gpu) == model
    assert table.find(a_gpu(**gpu))[1]


def test_a_driver_keeps_a_little_of_the_memory_back(table: ReferenceTable) -> None:
    row = next(row for row in table.rows if row.model == "A40")
    assert has_this_memory(row, 46_068 * 1024**2)  # what NVIDIA's driver says with error correction on
    assert not has_this_memory(row, 40 * GIB)
    assert not has_this_memory(row, None)


def test_what_a_healthy_card_copies(table: ReferenceTable, tmp_path: Path) -> None:
    row = next(row for row in table.rows if row.model == "GeForce RTX 4090")
    assert row.expected_copy_mb_s == 1_008_000 * DATASHEET_COPY_PERCENT // 100
    text = "vendor,model,bandwidth_mb_s,measured_bandwidth_mb_s\nNVIDIA,One,1000,930\nAMD,Other,,\n"
    path = tmp_path / "table.csv"
    path.write_text(text, "utf-8")
    one, other = load_reference(path).rows
    assert (one.expected_copy_mb_s, other.expected_copy_mb_s) == (930, None)
    assert (other.memory_mib, other.pci_ids) == (None, ())


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("NVIDIA GeForce RTX 3060", "rtx 3060"),
        ("AMD Radeon(TM) RX 6800 XT", "rx 6800 xt"),
        ("Intel(R) Arc(TM) A770 Graphics", "arc a770"),
        ("Tesla P100-PCIE-16GB", "p100 pcie 16gb"),
        ("GeForce GTX 1060 6 GB", "gtx 1060 6gb"),
    ],
)
def test_names_without_their_titles(name: str, plain: str) -> None:
    assert plain_name(name) == plain


@pytest.mark.parametrize("name", ["GeForce RTX 3060 Laptop GPU", "Quadro T1000 with Max-Q Design", "GeForce GTX 980M"])
def test_laptop_chips(name: str) -> None:
    assert is_portable(name)
    assert not is_portable("NVIDIA GeForce RTX 3060")
