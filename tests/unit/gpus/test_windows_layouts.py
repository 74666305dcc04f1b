"""The memory layouts against C: those of Microsoft's documentation, and those of MinGW's headers where it is there."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from fake_windows import build

from argentum_desktop.gpus.windows import d3dkmt, devices, dxgi, pdh, structures
from argentum_desktop.gpus.windows.structures import Guid, Luid

LAYOUTS: Mapping[type[ctypes.Structure], tuple[str, str]] = {
    structures.Guid: ("GUID", "Data1 Data2 Data3 Data4"),
    structures.Luid: ("LUID", "LowPart HighPart"),
    structures.AdapterDescription: (
        "DXGI_ADAPTER_DESC1",
        (
            "Description VendorId DeviceId SubSysId Revision DedicatedVideoMemory DedicatedSystemMemory"
            " SharedSystemMemory AdapterLuid Flags"
        ),
    ),
    structures.OpenAdapter: ("D3DKMT_OPENADAPTERFROMLUID", "AdapterLuid hAdapter"),
    structures.CloseAdapter: ("D3DKMT_CLOSEADAPTER", "hAdapter"),
    structures.QueryAdapter: ("D3DKMT_QUERYADAPTERINFO", "hAdapter Type pPrivateDriverData PrivateDriverDataSize"),
    structures.AdapterAddress: ("D3DKMT_ADAPTERADDRESS", "BusNumber DeviceNumber FunctionNumber"),
    structures.AdapterType: ("D3DKMT_ADAPTERTYPE", "Value"),
    structures.NodePerformance: (
        "D3DKMT_NODE_PERFDATA",
        (
            "NodeOrdinal PhysicalAdapterIndex Frequency MaxFrequency MaxFrequencyOC Voltage VoltageMax VoltageMaxOC"
            " MaxTransitionLatency"
        ),
    ),
    structures.AdapterPerformance: (
        "D3DKMT_ADAPTER_PERFDATA",
        (
            "PhysicalAdapterIndex MemoryFrequency MaxMemoryFrequency MaxMemoryFrequencyOC MemoryBandwidth PCIEBandwidth"
            " FanRPM Power Temperature PowerStateOverride"
        ),
    ),
    structures.AdapterLimits: (
        "D3DKMT_ADAPTER_PERFDATACAPS",
        "PhysicalAdapterIndex MaxMemoryBandwidth MaxPCIEBandwidth MaxFanRPM TemperatureMax TemperatureWarning",
    ),
    structures.CounterItem: (
        "PDH_FMT_COUNTERVALUE_ITEM_W",
        "szName FmtValue.CStatus FmtValue.doubleValue",
    ),
    structures.DeviceInfo: ("SP_DEVINFO_DATA", "cbSize ClassGuid DevInst Reserved"),
    structures.PropertyKey: ("DEVPROPKEY", "fmtid pid"),
}
HEADERS = "initguid windows dxgi pdh pdhmsg setupapi cfgmgr32 devpkey devguid"
# C's word for it, and ours.
CONSTANTS = {
    "offsetof(IDXGIFactory1Vtbl, EnumAdapters1) / 8": dxgi._ENUM_ADAPTERS_1,
    "offsetof(IDXGIFactory1Vtbl, IsCurrent) / 8": dxgi._IS_CURRENT,
    "offsetof(IDXGIAdapter1Vtbl, GetDesc1) / 8": dxgi._GET_DESC_1,
    "offsetof(IDXGIAdapter1Vtbl, Release) / 8": 2,
    "DXGI_ADAPTER_FLAG_SOFTWARE": dxgi._SOFTWARE,
    "PDH_MORE_DATA": pdh._MORE_DATA,
    "PDH_FMT_DOUBLE": pdh._AS_DOUBLE,
    "DIGCF_PRESENT": devices._PRESENT,
    "DIGCF_ALLCLASSES": devices._ALL_CLASSES,
    "SPDRP_DEVICEDESC": devices._DESCRIPTION,
    "SPDRP_HARDWAREID": devices._HARDWARE_IDS,
    "SPDRP_COMPATIBLEIDS": devices._COMPATIBLE_IDS,
    "SPDRP_SERVICE": devices._SERVICE,
    "SPDRP_FRIENDLYNAME": devices._FRIENDLY_NAME,
    "SPDRP_BUSNUMBER": devices._BUS,
    "SPDRP_ADDRESS": devices._ADDRESS,
    "REG_SZ": devices._TEXT_TYPE,
    "REG_DWORD": devices._NUMBER_TYPE,
    "REG_MULTI_SZ": devices._TEXTS_TYPE,
    "DN_HAS_PROBLEM": devices._HAS_PROBLEM,
    "CM_PROB_FAILED_POST_START": 43,
    "CM_PROB_FAILED_INSTALL": 28,
    "CM_PROB_DISABLED": 22,
}


def check(compiler: str, folder: Path, includes: str, claims: list[str]) -> None:
    """The compiler itself must agree to every claim."""
    source = folder / "claims.c"
    lines = [f'_Static_assert({claim}, "{claim}");' for claim in claims]
    source.write_text("\n".join(["#include <stddef.h>", includes, *lines, ""]), encoding="utf-8")
    done = subprocess.run([compiler, "-std=c11", "-fsyntax-only", str(source)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def claims_about(names: set[str]) -> list[str]:
    claims = []
    for layout, (name, fields) in LAYOUTS.items():
        if name not in names:
            continue
        claims.append(f"sizeof({name}) == {ctypes.sizeof(layout)}")
        ours = [field[0] for field in layout._fields_ if field[0] != "value" or layout is structures.AdapterType]
        ours += ["double"] if layout is structures.CounterItem else []
        for mine, theirs in zip(ours, fields.split(), strict=True):
            claims.append(f"offsetof({name}, {theirs}) == {getattr(layout, mine).offset}")
    return claims


def test_every_layout_is_as_documented(tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    assert compiler
    names = {name for name, _ in LAYOUTS.values()}
    check(compiler, tmp_path, f'#include "{build.FOLDER / "layouts.h"}"', claims_about(names))


def test_layouts_tables_and_numbers_are_those_of_the_headers(tmp_path: Path) -> None:
    compiler = shutil.which("x86_64-w64-mingw32-gcc")
    if compiler is None:
        pytest.skip("MinGW with Windows' headers is not installed (gcc-mingw-w64-x86-64-win32)")
    includes = "#define COBJMACROS\n" + "\n".join(f"#include <{name}.h>" for name in HEADERS.split())
    names = {name for name, _ in LAYOUTS.values() if not name.startswith("D3DKMT")}  # those are not among them
    constants = [f"{theirs} == {ours}u" for theirs, ours in CONSTANTS.items()]
    check(compiler, tmp_path, includes, [*claims_about(names), *constants])


def test_a_luid_and_a_guid_survive_their_way() -> None:
    for number in (0, 0xC0DE, 0x1_0000_C0DE, 0xFFFF_FFFF_FFFF_FFFF):
        assert Luid.of(number).number == number
    text = "770aae78-f26f-4dba-a829-253c83d1b387"
    assert str(Guid.parse(text)) == text
    assert bytes(Guid.parse(text)).hex() == "78ae0a776ff2ba4da829253c83d1b387"


def test_the_kernels_kinds_of_questions_are_those_documented() -> None:
    kinds = (d3dkmt._ADDRESS, d3dkmt._TYPE, d3dkmt._NODE_PERFORMANCE, d3dkmt._PERFORMANCE, d3dkmt._LIMITS)
    assert kinds == (6, 15, 61, 62, 63)
