"""Whether the network counts what is used of it."""

from __future__ import annotations

from pathlib import Path

from argentum_desktop.system.activity.bus import Bus, BusAbsentError, Object
from argentum_desktop.system.activity.signal import SignalUnknownError

NETWORK_MANAGER = Object(
    "org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager", "org.freedesktop.NetworkManager"
)
# NMMetered: unknown, yes, no, guess-yes, guess-no.
_METERED, _UNMETERED = {1, 3}, {2, 4}
# Modems, and phones that share their connection over a cable.
_MODEM_DRIVERS = {"cdc_mbim", "qmi_wwan", "huawei_cdc_ncm", "ipheth", "rndis_host", "cdc_ether", "cdc_ncm"}
_GATEWAY, _UP = 0x2, 0x1


async def is_metered(system_bus: Bus, root: Path = Path("/")) -> bool:
    """NetworkManager's word; where it does not run, what the kernel says of the way out.

    Raises:
        SignalUnknownError: neither knows.
    """
    try:
        word = int(await system_bus.read(NETWORK_MANAGER, "Metered"))
    except BusAbsentError:
        return is_way_out_metered(root)
    if word in _METERED:
        return True
    if word in _UNMETERED:
        return False
    raise SignalUnknownError("NetworkManager does not know whether this connection is metered.")


def is_way_out_metered(root: Path = Path("/")) -> bool:
    """By the kind of device that leads out, as NetworkManager itself guesses: modems and phones count, wires do not.

    Raises:
        SignalUnknownError: it is wireless.
    """
    device = _way_out(root)
    if device is None:
        return False  # without a way out nothing is paid for
    place = root / "sys/class/net" / device
    kind = _kind(place)
    if kind == "wwan" or device.startswith("bnep") or _driver(place) in _MODEM_DRIVERS:
        return True
    if kind == "wlan":
        raise SignalUnknownError("Only NetworkManager could say whether this wireless network is metered.")
    return False


def _way_out(root: Path) -> str | None:
    """The device of the default route with the least metric (`/proc/net/route`, then `/proc/net/ipv6_route`)."""
    found: list[tuple[int, str]] = []
    for line in _lines(root / "proc/net/route")[1:]:
        words = line.split()
        if len(words) > 7 and words[1] == "00000000" and words[7] == "00000000" and int(words[3], 16) & _UP:
            found.append((int(words[6]), words[0]))
    for line in _lines(root / "proc/net/ipv6_route"):
        words = line.split()
        if len(words) > 9 and words[0] == "0" * 32 and words[1] == "00" and int(words[8], 16) & _GATEWAY:
            found.append((int(words[5], 16), words[9]))
    return min(found)[1] if found else None


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []


def _kind(place: Path) -> str:
    for line in _lines(place / "uevent"):
        name, _, value = line.partition("=")
        if name == "DEVTYPE":
            return value
    return "wlan" if (place / "wireless").is_dir() else ""


def _driver(place: Path) -> str:
    try:
        return (place / "device/driver").resolve(strict=True).name
    except OSError:
        return ""
