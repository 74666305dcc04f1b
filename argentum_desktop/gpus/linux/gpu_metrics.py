"""AMD's gpu_metrics: one binary table with everything its firmware measures.

Layouts: struct gpu_metrics_v1_0 ... v3_0 in drivers/gpu/drm/amd/include/kgd_pp_interface.h of Linux 6.x, natural
alignment, the machine's own byte order. A field whose bits are all ones was not filled in (smu_cmn.c,
smu_cmn_init_soft_gpu_metrics). Bits of the throttle status: drivers/gpu/drm/amd/pm/swsmu/inc/amdgpu_smu.h. Units:
degrees Celsius, percent, and for energy 2^-16 J, which the header states from v1_4 on; what the earlier ones count in
is not said, and on RDNA they are 32 bits wide and would wrap every few minutes, so they are not used.

Of v1_9 on the table is a list with types of its own; such a table, as any unknown one, tells nothing here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from argentum_desktop.domain.reading import ThrottleReason

HEADER = struct.Struct("=HBB")

# Fields: (offset, struct's letter).
_Fields = Mapping[str, tuple[int, str]]

# What throttled since the card was started, in some unit of time: a card is throttled while one of these grows.
HELD = {
    "held_prochot": ThrottleReason.HARDWARE_TEMPERATURE,
    "held_power": ThrottleReason.POWER_LIMIT,
    "held_power_2": ThrottleReason.POWER_LIMIT,
    "held_power_3": ThrottleReason.POWER_LIMIT,
    "held_chip": ThrottleReason.TEMPERATURE,
    "held_regulators": ThrottleReason.TEMPERATURE,
    "held_memory": ThrottleReason.TEMPERATURE,
}


def _held(offset: int) -> _Fields:
    """Five residencies in a row: prochot, ppt, socket_thm, vr_thm, hbm_thm."""
    names = ("held_prochot", "held_power", "held_chip", "held_regulators", "held_memory")
    return {name: (offset + 4 * index, "I") for index, name in enumerate(names)}


# v1_1 to v1_3 grew at the end.
_V1: _Fields = {
    "hotspot_c": (6, "H"),
    "memory_c": (8, "H"),
    "load_percent": (16, "H"),
    "memory_load_percent": (18, "H"),
    "throttle_own": (68, "I"),
}
_V1_SERVER: _Fields = {
    "hotspot_c": (4, "H"),
    "memory_c": (6, "H"),
    "load_percent": (12, "H"),
    "memory_load_percent": (14, "H"),
}
_LAYOUTS: Mapping[tuple[int, int], _Fields] = {
    (1, 0): {
        "hotspot_c": (18, "H"),
        "memory_c": (20, "H"),
        "load_percent": (28, "H"),
        "memory_load_percent": (30, "H"),
        "throttle_own": (68, "I"),
    },
    (1, 1): _V1,
    (1, 2): _V1,
    (1, 3): {**_V1, "throttle": (112, "Q")},
    (1, 4): {**_V1_SERVER, "energy": (24, "Q"), "throttle_own": (40, "I"), "replays": (88, "Q")},
    (1, 5): {**_V1_SERVER, "energy": (56, "Q"), "throttle_own": (72, "I"), "replays": (120, "Q")},
    (1, 6): {**_V1_SERVER, "energy": (16, "Q"), **_held(36), "replays": (104, "Q")},
    (1, 7): {**_V1_SERVER, "energy": (24, "Q"), **_held(44), "replays": (112, "Q")},
    (1, 8): {**_V1_SERVER, "energy": (24, "Q"), **_held(44), "replays": (112, "Q")},
    # Integrated graphics; load and power come in other units from one chip to the next and are taken elsewhere.
    (2, 0): {"throttle_own": (112, "I")},
    (2, 1): {"throttle_own": (108, "I")},
    (2, 2): {"throttle_own": (108, "I"), "throttle": (120, "Q")},
    (2, 3): {"throttle_own": (108, "I"), "throttle": (120, "Q")},
    (2, 4): {"throttle_own": (108, "I"), "throttle": (120, "Q")},
    (3, 0): {
        name: (228 + 4 * index, "I")
        for index, name in enumerate(("held_prochot", "held_power", "held_power_2", "held_power_3"))
    }
    | {"held_chip": (248, "I")},
}
# An earlier v1_6 was in the kernel for a while, laid out otherwise and of another size.
_EXACT_BYTES = {(1, 6): 1664}


@dataclass(frozen=True)
class GpuMetrics:
    """What a table says.

    Attributes:
        version: format and content, as in (1, 3).
        values: the fields that were filled in, by our names.
    """

    version: tuple[int, int]
    values: Mapping[str, int]

    @property
    def is_integrated(self) -> bool:
        """Formats 2 and 3 are those of processors with graphics."""
        return self.version[0] in {2, 3}

    @property
    def energy_mj(self) -> int | None:
        energy = self.values.get("energy")
        return None if energy is None else energy * 1000 >> 16

    def throttle_reasons(self, before: GpuMetrics | None) -> tuple[ThrottleReason, ...] | None:
        """What slows the card, None where the table does not say.

        Args:
            before: the table read before, for tables that count how long each reason held.
        """
        if "throttle" in self.values:
            return tuple(dict.fromkeys(_reasons(self.values["throttle"])))
        if "throttle_own" in self.values:  # its bits mean something else on every chip: only whether there is one
            return (ThrottleReason.OTHER,) if self.values["throttle_own"] else ()
        held = {name: reason for name, reason in HELD.items() if name in self.values}
        if not held or before is None:
            return None
        return tuple(
            dict.fromkeys(
                reason
                for name, reason in held.items()
                if self.values[name] > before.values.get(name, self.values[name])
            )
        )


def decode(table: bytes) -> GpuMetrics:
    """Read a table.

    Raises:
        ValueError: it is cut off, or not such a table at all.
    """
    if len(table) < HEADER.size:
        raise ValueError("too short for a header")
    size, format_revision, content_revision = HEADER.unpack_from(table)
    version = (format_revision, content_revision)
    if not HEADER.size <= size <= len(table):
        raise ValueError("shorter than it says")
    fields = _LAYOUTS.get(version, {})
    if _EXACT_BYTES.get(version, size) != size:
        fields = {}
    values = {}
    for name, (offset, letter) in fields.items():
        width = struct.calcsize(f"={letter}")
        if offset + width > size:
            raise ValueError("too short for its version")
        (value,) = struct.unpack_from(f"={letter}", table, offset)
        if value != (1 << 8 * width) - 1:
            values[name] = value
    return GpuMetrics(version, values)


def _reasons(bits: int) -> Iterator[ThrottleReason]:
    """The bits that mean the same on every chip: 0-7 power, 16-23 current, 32-43 heat, 44-47 heat told by a wire."""
    if bits & 0xFF:
        yield ThrottleReason.POWER_LIMIT
    if bits & 0xFF << 16:
        yield ThrottleReason.BOARD_LIMIT
    if bits & 0xFFF << 32:
        yield ThrottleReason.TEMPERATURE
    if bits & 0xF << 44:
        yield ThrottleReason.HARDWARE_TEMPERATURE
    if bits & ~(0xFF | 0xFF << 16 | 0xFFFF << 32):
        yield ThrottleReason.OTHER
