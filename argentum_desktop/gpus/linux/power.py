"""A card's power limit as hwmon shows it: a file that the administrator may write.

amdgpu: power1_cap with power1_cap_min and _max (Documentation/gpu/amdgpu/thermal.rst). i915 and xe: power1_max and
others, which have no bounds; zero there stands for "no limit" (Documentation/ABI/testing/sysfs-driver-intel-*-hwmon).
All of them in microwatts.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from argentum_desktop.gpus import power_limits
from argentum_desktop.gpus.linux.hwmon import Hwmon

_NOT_ALLOWED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NOT_HERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EOPNOTSUPP, errno.ENODEV, errno.ENOSYS})


@dataclass(frozen=True)
class PowerCap:
    """The file of one card's limit.

    Attributes:
        name: as in "power1_cap".
    """

    hwmon: Hwmon
    name: str

    def limit_mw(self) -> int | None:
        return self.hwmon.milliwatts_or_none(self.name)

    def set(self, power_mw: int) -> str:
        """Returns why it was not done; nothing once it is in force."""
        low_mw = self.hwmon.milliwatts_or_none(f"{self.name}_min")
        high_mw = self.hwmon.milliwatts_or_none(f"{self.name}_max")
        refusal = power_limits.out_of_range(power_mw, low_mw, high_mw)
        if refusal:
            return refusal
        try:
            _write(self.hwmon.file(self.name), str(power_mw * 1000).encode())
        except OSError as error:
            if error.errno in _NOT_ALLOWED:
                return power_limits.NO_PERMISSION
            if error.errno in _NOT_HERE:
                return power_limits.NOT_HERE
            return power_limits.driver_refuses(error.strerror or str(error))
        return ""


def _write(file: Path, content: bytes) -> None:
    """In one call, as a driver wants it; never making a file, never waiting.

    Raises:
        OSError: it cannot be written.
    """
    handle = os.open(file, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        os.write(handle, content + b"\n")
    finally:
        os.close(handle)
