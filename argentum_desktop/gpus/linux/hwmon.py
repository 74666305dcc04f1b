"""A card's sensors as the kernel's hwmon shows them (Documentation/hwmon/sysfs-interface.rst)."""

from __future__ import annotations

from pathlib import Path

from argentum_desktop.gpus.linux.files import names_in, number_or_none, text_or_none


class Hwmon:
    """One hwmon folder: files as in temp2_input, some with a label that says what they measure."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._labels = {
            name.removesuffix("_label"): text_or_none(folder / name) or ""
            for name in names_in(folder)
            if name.endswith("_label")
        }

    @classmethod
    def of(cls, device: Path, driver: str) -> Hwmon | None:
        """The driver's own: i915 has further ones for each part of the chip, and other chips may sit on a board."""
        for name in names_in(device / "hwmon"):
            if text_or_none(device / "hwmon" / name / "name") == driver:
                return cls(device / "hwmon" / name)
        return None

    def labelled(self, kind: str, label: str) -> str | None:
        """Which sensor of a kind bears a label, as in "temp2" for ("temp", "junction")."""
        for sensor, text in self._labels.items():
            if sensor.startswith(kind) and text.lower() == label:
                return sensor
        return None

    def label(self, sensor: str) -> str:
        return self._labels.get(sensor, "")

    def file(self, name: str) -> Path:
        return self.folder / name

    def degrees_or_none(self, name: str) -> int | None:
        """A limit in whole degrees; None where there is none or it is nonsense."""
        value = number_or_none(self.folder / name, 1000, 200_000)
        return None if value is None else round(value / 1000)

    def milliwatts_or_none(self, name: str) -> int | None:
        """A limit; None where there is none or it is nonsense."""
        value = number_or_none(self.folder / name, 1000, 5_000_000_000)
        return None if value is None else value // 1000
