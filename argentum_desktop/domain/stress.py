"""What a load on a card measured, and how it ended. Whole numbers and text only, so that it has one canonical form."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StressPhase(StrEnum):
    """What is being done to the card, in this order."""

    STARTING = "starting"
    HOST_COPY = "host_copy"
    MEMORY = "memory"
    BANDWIDTH = "bandwidth"
    COMPUTE = "compute"


class StressEnd(StrEnum):
    """Why a load ended."""

    COMPLETED = "completed"
    CANCELLED = "cancelled"
    TOO_HOT = "too_hot"
    HUNG = "hung"
    """The card or its driver did not come back."""
    LOST = "lost"
    """The driver said that the device is gone."""
    CRASHED = "crashed"
    """The process that spoke to the card died."""
    NO_ROOM = "no_room"
    """Other programs hold the card's memory."""
    NO_ENGINE = "no_engine"
    """Nothing here can compute on this card: no Vulkan or DirectX 12 driver."""
    UNWATCHED = "unwatched"
    """The driver reported no temperature any more, and a load that nobody watches is not left on a card."""
    WRONG_CARD = "wrong_card"
    """What the engine opened could not be shown to be the card that was meant."""


class AdapterType(StrEnum):
    """What the graphics system says the adapter is; WebGPU's words."""

    DISCRETE = "DiscreteGPU"
    INTEGRATED = "IntegratedGPU"
    CPU = "CPU"
    """Software that pretends: Mesa's lavapipe, Windows' WARP."""
    UNKNOWN = "Unknown"
    SIMULATED = "Simulated"


@dataclass(frozen=True)
class StressEngine:
    """What computed, and on which device it says it did.

    Attributes:
        version: of the library and of the graphics driver below it, as in "wgpu 0.32.0, NVIDIA 580.95".
        backend: Vulkan or D3D12.
        shaders_sha256: of all shader sources, so that a reader knows what ran.
        pci_address: of the device that was opened, None where the graphics system does not tell.
        pid: of the process that held the card; the driver's process list can confirm the card by it.
    """

    name: str
    version: str
    backend: str
    adapter_name: str
    adapter_type: AdapterType
    shaders_sha256: str
    pci_address: str | None = None
    vendor_id: int = 0
    device_id: int = 0
    pid: int = 0


@dataclass(frozen=True)
class MemoryTest:
    """The pattern test of the card's memory.

    Attributes:
        total_bytes: what the card has.
        target_bytes: what was free and asked for.
        tested_bytes: what was written and read back, and shown by its speed to be the card's own.
        spilled_bytes: what answered as slowly as the computer's memory: not counted as tested.
        passes: patterns completed over all of it.
        moved_bytes: read and written by the test.
        errors: words that read back wrong.
        first_bad_address: byte offset in the tested memory, None without an error.
        bad_bits: every bit that was ever wrong, as a mask of 32.
        errors_again: after a failed test, what the one repetition found; None when there was none.
        seed: what the patterns were made from, eight hexadecimal digits.
    """

    total_bytes: int
    target_bytes: int
    tested_bytes: int
    spilled_bytes: int
    passes: int
    moved_bytes: int
    errors: int
    first_bad_address: int | None = None
    last_bad_address: int | None = None
    bad_bits: int = 0
    errors_again: int | None = None
    seed: str = ""

    @property
    def coverage_percent(self) -> int:
        """Of the card's memory."""
        return self.tested_bytes * 100 // self.total_bytes if self.total_bytes else 0


@dataclass(frozen=True)
class ComputeTest:
    """Arithmetic whose every bit is known beforehand.

    Attributes:
        dispatches: how often the kernels ran.
        mismatches: results that differed from the known ones, in any bit.
        rounding: which of the two permitted ways of `fma` the card uses: "fused", "separate", or "neither".
        fp32_mflops: 32-bit arithmetic per second, in millions, at full load; None when it was not measured.
    """

    dispatches: int
    mismatches: int
    rounding: str
    fp32_mflops: int | None = None


@dataclass(frozen=True)
class CopyRates:
    """How fast bytes move, in millions per second; a copy counts what it reads and what it writes."""

    device_mb_s: int | None = None
    host_to_card_mb_s: int | None = None
    card_to_host_mb_s: int | None = None


@dataclass(frozen=True)
class StressResult:
    """All that one load found out. What was finished before it was ended is kept.

    Attributes:
        words: why it ended as it did, one sentence for the owner; empty when it was completed.
    """

    end: StressEnd
    words: str = ""
    engine: StressEngine | None = None
    memory: MemoryTest | None = None
    compute: ComputeTest | None = None
    copy: CopyRates | None = None
