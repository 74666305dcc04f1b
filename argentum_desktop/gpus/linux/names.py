"""What cards are called: from the lists that distributions ship, read only when a name is wanted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

# Bounds for lists of some 1.5 MB: a file without end is given up.
_LONGEST_LINE_BYTES = 4096
_MOST_LINES = 500_000
_PCI_IDS = ("usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids", "usr/share/pci.ids")
_AMDGPU_IDS = ("usr/share/libdrm/amdgpu.ids",)
_MAKERS = {0x10DE: "NVIDIA", 0x1002: "AMD", 0x8086: "Intel"}


def card_name(root: Path, vendor: int, device: int, revision: int | None = None) -> str:
    """The card's name for the owner; never empty."""
    maker = _MAKERS.get(vendor, "")
    found = _amd_name(root, device, revision) if vendor == 0x1002 and revision is not None else None
    found = found or _pci_name(root, vendor, device)
    if not found:
        return f"{maker or 'Graphics'} card {vendor:04x}:{device:04x}"
    return found if not maker or found.startswith(maker) else f"{maker} {found}"


def _amd_name(root: Path, device: int, revision: int) -> str | None:
    """From libdrm's list, lines as in "73BF,<tab>C1,<tab>AMD Radeon RX 6800 XT": it tells variants of a chip apart."""
    wanted = f"{device:04X},\t{revision:02X},".encode()
    for line in _lines(root, _AMDGPU_IDS):
        if line.startswith(wanted):
            return _tidy(line[len(wanted) :])
    return None


def _pci_name(root: Path, vendor: int, device: int) -> str | None:
    """From the PCI id list: vendors stand at the line's start, their devices behind one tab."""
    wanted = f"\t{device:04x}  ".encode()
    heading = f"{vendor:04x}  ".encode()
    is_here = False
    for line in _lines(root, _PCI_IDS):
        if line[:1] not in b"\t#\n\r":
            if is_here:
                return None
            is_here = line.startswith(heading)
        elif is_here and line.startswith(wanted):
            name = _tidy(line[len(wanted) :])
            # "Navi 21 [Radeon RX 6800]": the chip's name, and in brackets the one on the box.
            _, bracket, boxed = name.partition("[")
            return boxed.rstrip("]").strip() if bracket and boxed else name
    return None


def _lines(root: Path, places: tuple[str, ...]) -> Iterator[bytes]:
    """The lines of the first list that is there, one at a time: the sensor must stay small."""
    for place in places:
        with contextlib.suppress(OSError), (root / place).open("rb") as file:
            for _ in range(_MOST_LINES):
                line = file.readline(_LONGEST_LINE_BYTES)
                if not line:
                    return
                yield line
            return


def _tidy(name: bytes) -> str:
    text = name.decode("utf-8", "replace")
    return "".join(letter for letter in text if letter.isprintable()).strip()[:96]
