"""What the service and the process that loads a card say to each other: one JSON line there, then lines back.

    service → worker   Begin                                              one line; closing the pipe ends the worker
    worker  → service  Opened, then Progress and Measured…, then Ended    at least one line a second

`Opened` is left out where nothing could be opened. `Ended` is the last line; a worker that ends without it crashed.
"""

from __future__ import annotations

import msgspec

from argentum_desktop.domain.stress import ComputeTest, CopyRates, MemoryTest, StressEnd, StressEngine, StressPhase
from argentum_desktop.health.stress.protocol import StressPlan

LONGEST_LINE_BYTES = 65_536


class Wanted(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which device to open. What is not known is left empty; what is known must fit.

    Attributes:
        pci_address: domain:bus:device.function, as in 0000:0a:00.0.
        vendor_id: of the PCI bus, 0 when it is not known; likewise `device_id`.
        backend: "Vulkan" or "D3D12"; empty for the best one there is.
        allow_software: also a program that pretends to be a card will do. Tests and benchmarks alone say so.
    """

    pci_address: str | None = None
    vendor_id: int = 0
    device_id: int = 0
    name: str = ""
    backend: str = ""
    allow_software: bool = False


class Begin(msgspec.Struct, frozen=True, omit_defaults=True):
    """Load this device in this way, and begin at once.

    Attributes:
        memory_total_bytes: what the card has, as its driver says; 0 where it does not.
    """

    plan: StressPlan
    wanted: Wanted
    memory_total_bytes: int = 0


class Opened(msgspec.Struct, frozen=True, tag="opened", tag_field="tell"):
    """The device is open; the driver's list of processes shows this one from now on."""

    engine: StressEngine


class Progress(msgspec.Struct, frozen=True, omit_defaults=True, tag="progress", tag_field="tell"):
    """What is being done now; comes at least once a second, so that silence means that the card hangs."""

    phase: StressPhase
    done_percent: int
    words: str = ""


class Measured(msgspec.Struct, frozen=True, omit_defaults=True, tag="measured", tag_field="tell"):
    """What is known until now of the parts that are there; each replaces what was said of this part before.

    All three are told while they run, so that a worker that is killed loses nothing.
    """

    memory: MemoryTest | None = None
    compute: ComputeTest | None = None
    copy: CopyRates | None = None


class Ended(msgspec.Struct, frozen=True, omit_defaults=True, tag="ended", tag_field="tell"):
    """The last line.

    Attributes:
        words: why it ended as it did, one sentence for the owner; empty when it was completed.
    """

    end: StressEnd
    words: str = ""


Line = Opened | Progress | Measured | Ended
