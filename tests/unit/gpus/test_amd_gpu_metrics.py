"""AMD's binary table: every version's layout, cut, damaged and unknown ones."""

from __future__ import annotations

import random
import struct

import fake_sysfs
import pytest

from argentum_desktop.domain.reading import ThrottleReason
from argentum_desktop.gpus.linux.gpu_metrics import GpuMetrics, decode

UNSET16, UNSET64 = 0xFFFF, 2**64 - 1


def table_v1_0(own: int) -> bytes:
    """struct gpu_metrics_v1_0: the timestamp stands first and the energy is narrow."""
    table = struct.pack("@HBBQ6H4HI", 80, 1, 0, 123, 60, 75, 80, 1, 2, 3, 91, 33, 0, 200, 9_000)
    return table + struct.pack("@14HIHBB4x", *[1000] * 14, own, 1500, 16, 40)


def table_v1_1(version: int, size: int, own: int) -> bytes:
    """struct gpu_metrics_v1_1 and v1_2, which add to the end."""
    table = struct.pack("@HBB6H4HQQ", size, 1, version, 60, 75, 80, 1, 2, 3, 91, 33, 0, 200, 9_000, 123)
    table += struct.pack("@14HI4HII4H", *[1000] * 14, own, 1500, 16, 160, 0, 1, 2, 80, 80, 80, 80)
    return table + (struct.pack("@Q", 5) if version == 2 else b"")


def table_v1_4(energy: int, own: int, replays: int) -> bytes:
    """struct gpu_metrics_v1_4, of the first servers' cards that count their energy."""
    table = struct.pack("@HBB3HH2H4HQQ", 288, 1, 4, 70, 55, 50, 400, 88, 44, 0, 0, 0, 0, energy, 123)
    table += struct.pack("@II4HIIQQQQ", own, 0, 16, 320, 0, 0, 1, 2, 3, 4, 5, replays)
    return table + b"\xff" * (288 - len(table))


def table_v3_0(held: tuple[int, ...]) -> bytes:
    """struct gpu_metrics_v3_0, of newer processors with graphics."""
    table = struct.pack("@HBB2H16H3H8H16H4HQ", 264, 3, 0, *[4500] * 18, 40, 3000, 0, *[0] * 8, *[0] * 16, *[0] * 4, 9)
    table += struct.pack("@IHIIII16H3H", 25_000, 0, 1, 2, 3, 4, *[0] * 16, 1, 2, 3)
    table += struct.pack("=8H16H2H2x7II4x", *[1000] * 8, *[4000] * 16, 1, 2, *held, 100)
    return table


def test_the_helpers_tables_are_as_long_as_the_kernels() -> None:
    assert [len(table) for table in (table_v1_0(0), table_v1_1(1, 96, 0), table_v1_1(2, 104, 0))] == [80, 96, 104]
    assert [len(table) for table in (table_v1_4(0, 0, 0), table_v3_0((0,) * 7))] == [288, 264]


@pytest.mark.parametrize("table", [table_v1_0(7), table_v1_1(1, 96, 7), table_v1_1(2, 104, 7)])
def test_early_tables_tell_that_something_throttles_but_not_what(table: bytes) -> None:
    metrics = decode(table)
    wanted = {"hotspot_c": 75, "memory_c": 80, "load_percent": 91, "memory_load_percent": 33, "throttle_own": 7}
    assert metrics.values == wanted
    assert metrics.throttle_reasons(None) == (ThrottleReason.OTHER,)
    assert metrics.energy_mj is None


def test_an_early_table_without_a_bit_does_not_throttle() -> None:
    assert decode(table_v1_0(0)).throttle_reasons(None) == ()


def test_the_bits_that_mean_the_same_everywhere_come_first() -> None:
    metrics = decode(fake_sysfs.metrics_v1_3(throttle=1 << 34, own=5, hotspot=70))
    assert metrics.values["hotspot_c"] == 70
    assert metrics.throttle_reasons(None) == (ThrottleReason.TEMPERATURE,)
    assert decode(fake_sysfs.metrics_v1_3(throttle=UNSET64, own=5)).throttle_reasons(None) == (ThrottleReason.OTHER,)
    assert decode(fake_sysfs.metrics_v2_2(throttle=1 << 7)).throttle_reasons(None) == (ThrottleReason.POWER_LIMIT,)


@pytest.mark.parametrize(
    ("bit", "reason"),
    [
        (0, ThrottleReason.POWER_LIMIT),
        (7, ThrottleReason.POWER_LIMIT),
        (8, ThrottleReason.OTHER),
        (16, ThrottleReason.BOARD_LIMIT),
        (23, ThrottleReason.BOARD_LIMIT),
        (24, ThrottleReason.OTHER),
        (32, ThrottleReason.TEMPERATURE),
        (43, ThrottleReason.TEMPERATURE),
        (44, ThrottleReason.HARDWARE_TEMPERATURE),
        (47, ThrottleReason.HARDWARE_TEMPERATURE),
        (56, ThrottleReason.OTHER),
        (63, ThrottleReason.OTHER),
    ],
)
def test_each_bit_has_its_reason(bit: int, reason: ThrottleReason) -> None:
    assert decode(fake_sysfs.metrics_v1_3(throttle=1 << bit)).throttle_reasons(None) == (reason,)


def test_fields_that_were_not_filled_in_are_not_there() -> None:
    assert decode(fake_sysfs.metrics_v1_3(throttle=UNSET64, own=2**32 - 1)).values == {}


def test_energy_is_told_where_its_unit_is() -> None:
    metrics = decode(table_v1_4(energy=2**16 * 3600, own=0, replays=12))
    assert (metrics.energy_mj, metrics.values["replays"]) == (3_600_000, 12)
    assert decode(fake_sysfs.metrics_v1_3(energy=2**16)).energy_mj is None


def test_what_counts_its_time_throttles_while_the_count_grows() -> None:
    before, after = decode(table_v3_0((1, 1, 1, 1, 1, 1, 1))), decode(table_v3_0((1, 1, 1, 2, 9, 1, 9)))
    assert before.is_integrated
    assert before.throttle_reasons(None) is None
    # The heat of the processor's cores is not the graphics'.
    assert after.throttle_reasons(before) == (ThrottleReason.POWER_LIMIT,)
    assert after.throttle_reasons(after) == ()
    assert before.throttle_reasons(after) == ()  # started anew


@pytest.mark.parametrize("header", [(64, 1, 9), (64, 1, 200), (64, 9, 0), (64, 0, 0), (1000, 1, 6)])
def test_a_version_nobody_knows_tells_nothing(header: tuple[int, int, int]) -> None:
    assert decode(struct.pack("@HBB", *header) + bytes(2000)) == GpuMetrics(header[1:], {})


@pytest.mark.parametrize(
    "table", [b"", b"\x78", fake_sysfs.metrics_v1_3()[:-1], b"\x04\x00\x01\x03", b"\x00\x00\x01\x03" + bytes(116)]
)
def test_a_cut_table_is_an_error(table: bytes) -> None:
    with pytest.raises(ValueError, match=r"too short|shorter"):
        decode(table)


def test_no_table_however_damaged_does_more_than_fail() -> None:
    chance = random.Random(7)
    sound = [fake_sysfs.metrics_v1_3(), fake_sysfs.metrics_v2_2(), fake_sysfs.metrics_v1_8(1, (1, 2, 3, 4, 5))]
    outcomes = set()
    for _ in range(3000):
        table = bytearray(chance.choice(sound)[: chance.randrange(1, 200)])
        table[: chance.randrange(6)] = chance.randbytes(chance.randrange(6))
        try:
            decode(bytes(table)).throttle_reasons(None)
        except ValueError:
            outcomes.add("refused")
        else:
            outcomes.add("read")
    assert outcomes == {"refused", "read"}
