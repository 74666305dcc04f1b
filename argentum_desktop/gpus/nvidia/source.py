"""Lists and reads NVIDIA cards."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from argentum_desktop.domain.gpu import Gpu, SourceReport, Vendor
from argentum_desktop.domain.reading import Absence, Reading
from argentum_desktop.gpus.nvidia.values import (
    NVML_DRIVER_NOT_LOADED,
    NVML_FUNCTION_NOT_FOUND,
    NVML_LIB_RM_VERSION_MISMATCH,
    NVML_NO_PERMISSION,
    READING_METRICS,
    THROTTLE_METRIC,
    AbsentError,
    Metric,
    ask,
    throttle_reasons,
)

_INIT_WORDS = {
    NVML_DRIVER_NOT_LOADED: (
        "The NVIDIA driver is installed but not loaded.",
        "Restart the computer; if that does not help, install the driver again.",
    ),
    NVML_LIB_RM_VERSION_MISMATCH: (
        "The NVIDIA driver was updated and the running one no longer fits its library.",
        "Restart the computer to finish the update.",
    ),
    NVML_NO_PERMISSION: (
        "This account may not use the NVIDIA driver.",
        'Add the account to the group that may use /dev/nvidia0 (often "video"), then log in again.',
    ),
}
_NO_DRIVER = (
    "No NVIDIA driver is installed.",
    "If this computer has an NVIDIA card, install NVIDIA's driver and restart the application.",
)
_NO_CARD = (
    "The NVIDIA driver finds no card.",
    "If there is one, check that it sits firmly and has its power cables; older cards need an older driver.",
)


@dataclass(frozen=True)
class _Card:
    """A card the driver listed, and the handle by which it is asked."""

    gpu: Gpu
    handle: Any


class NvidiaSource:
    """Lists and reads NVIDIA cards.

    Args:
        library: the NVML library to use instead of the driver's own.
    """

    def __init__(self, library: Path | None = None) -> None:
        self._library = library
        self._nvml: Any = None
        self._cards: tuple[_Card, ...] = ()

    def discover(self) -> SourceReport:
        self.close()
        words = self._open()
        if words:
            return SourceReport(Vendor.NVIDIA, (), *words)
        cards, unanswered = self._list_cards()
        self._cards = cards
        gpus = tuple(card.gpu for card in cards)
        if unanswered:
            return SourceReport(Vendor.NVIDIA, gpus, *_words_for_unanswered(unanswered))
        return SourceReport(Vendor.NVIDIA, gpus, *(() if gpus else _NO_CARD))

    def read(self, now: datetime) -> Sequence[Reading]:
        return [self._read_card(card, now) for card in self._cards]

    def close(self) -> None:
        self._cards = ()
        if self._nvml is not None:
            with suppress(self._nvml.NVMLError):
                self._nvml.nvmlShutdown()
            self._nvml = None

    def _open(self) -> tuple[str, str] | None:
        """Load the library and start it; returns what to tell the owner when that fails."""
        try:
            library = _load_library(self._library)
        except FileNotFoundError:
            return _NO_DRIVER
        except OSError as error:
            return (f"The NVIDIA driver's library cannot be loaded ({error}).", "Install the NVIDIA driver again.")
        nvml = _nvml_over(library)
        try:
            try:
                nvml.nvmlInit()
            except nvml.NVMLError as error:
                if error.value != NVML_FUNCTION_NOT_FOUND:
                    raise
                _init_of_older_driver(nvml, library)
        except nvml.NVMLError as error:
            other = (f"The NVIDIA driver does not start ({error}).", "Restart the computer.")
            return _INIT_WORDS.get(error.value, other)
        self._nvml = nvml
        return None

    def _list_cards(self) -> tuple[tuple[_Card, ...], list[str]]:
        """The cards that answer, and a word about each that does not."""
        nvml = self._nvml
        try:
            count = int(nvml.nvmlDeviceGetCount())
        except nvml.NVMLError as error:
            return (), [f"the list of cards: {error}"]
        driver = self._text(nvml.nvmlSystemGetDriverVersion)
        cards: list[_Card] = []
        unanswered: list[str] = []
        for index in range(count):
            try:
                handle = nvml.nvmlDeviceGetHandleByIndex(index)
            except nvml.NVMLError as error:
                unanswered.append(f"card {index + 1} of {count}: {error}")
                continue
            cards.append(_Card(self._describe(handle, index, driver), handle))
        return tuple(cards), unanswered

    def _describe(self, handle: Any, index: int, driver: str | None) -> Gpu:
        nvml = self._nvml
        pci = self._pci(handle)
        return Gpu(
            gpu_id=self._text(nvml.nvmlDeviceGetUUID, handle) or (f"PCI-{'-'.join(pci)}" if pci else f"NVIDIA-{index}"),
            name=self._text(nvml.nvmlDeviceGetName, handle) or "NVIDIA card",
            vendor=Vendor.NVIDIA,
            memory_total_bytes=self._number(
                2**50,
                handle,
                lambda nvml, handle: int(nvml.nvmlDeviceGetMemoryInfo(handle, version=nvml.nvmlMemory_v2).total),
                lambda nvml, handle: int(nvml.nvmlDeviceGetMemoryInfo(handle).total),
            ),
            pci_address=pci[0] if pci else None,
            driver_version=driver,
            power_limit_mw=self._number(
                5_000_000, handle, lambda nvml, handle: int(nvml.nvmlDeviceGetEnforcedPowerLimit(handle))
            ),
            temperature_slowdown_c=self._number(
                200,
                handle,
                lambda nvml, handle: int(
                    nvml.nvmlDeviceGetTemperatureThreshold(handle, nvml.NVML_TEMPERATURE_THRESHOLD_SLOWDOWN)
                ),
            ),
        )

    def _pci(self, handle: Any) -> tuple[str, str, str] | None:
        """The card's address on the bus, its device id and its maker's id."""
        try:
            info = self._nvml.nvmlDeviceGetPciInfo(handle)
            address = info.busId if isinstance(info.busId, str) else info.busId.decode("ascii")
            domain, _, rest = address.partition(":")
            domain = f"{int(domain, 16):04x}"  # NVML writes eight digits, everybody else four
        except (self._nvml.NVMLError, ValueError):  # ValueError: not the shape of an address, or not even text
            return None
        return f"{domain}:{rest.lower()}", f"{info.pciDeviceId:08x}", f"{info.pciSubSystemId:08x}"

    def _text(self, call: Callable[..., str], *arguments: Any) -> str | None:
        try:
            answer = call(*arguments)
        except (self._nvml.NVMLError, UnicodeDecodeError):
            return None
        # What a driver says is shown to the owner and written into lists: one line, printable, bounded.
        return "".join(letter for letter in answer if letter.isprintable()).strip()[:96] or None

    def _number(self, high: int, handle: Any, *ways: Callable[[Any, Any], int]) -> int | None:
        try:
            return ask(self._nvml, Metric("", 1, high, ways), handle)
        except AbsentError:
            return None

    def _read_card(self, card: _Card, now: datetime) -> Reading:
        values: dict[str, Any] = {}
        absent: dict[str, Absence] = {}
        for metric in (*READING_METRICS, THROTTLE_METRIC):
            if Absence.LOST in absent.values():  # a lost card is not asked again: some drivers crash when it is
                absent[metric.name] = Absence.LOST
                continue
            try:
                values[metric.name] = ask(self._nvml, metric, card.handle)
            except AbsentError as gone:
                absent[metric.name] = gone.why
        if THROTTLE_METRIC.name in values:
            values[THROTTLE_METRIC.name] = tuple(throttle_reasons(values[THROTTLE_METRIC.name]))
        used, total = values.get("memory_used_bytes"), card.gpu.memory_total_bytes
        if used is not None and total is not None and used > total:
            del values["memory_used_bytes"]
            absent["memory_used_bytes"] = Absence.ERROR
        return Reading(card.gpu.gpu_id, now, **values, absent=absent)


def _words_for_unanswered(unanswered: Sequence[str]) -> tuple[str, str]:
    return (
        f"The NVIDIA driver gives no answer for {'; '.join(unanswered)}.",
        "Restart the computer; if it stays so, check the card's seat and its power cables.",
    )


def _load_library(chosen: Path | None) -> ctypes.CDLL:
    """Open NVML.

    Raises:
        FileNotFoundError: there is none.
        OSError: there is one and it cannot be used.
    """
    last: OSError = FileNotFoundError("NVML")
    for name in [str(chosen)] if chosen else _library_names():
        try:
            return ctypes.CDLL(name)
        except OSError as error:
            last = error
            # The loader's words are all there is to tell "not there" from "broken".
            if not isinstance(error, FileNotFoundError) and "No such file" in str(error):
                last = FileNotFoundError(str(error))
    raise last


def _library_names() -> list[str]:
    if os.name != "nt":
        return ["libnvidia-ml.so.1"]
    windows = Path(os.environ.get("WINDIR", r"C:\Windows"))
    programs = Path(os.environ.get("ProgramFiles", r"C:\Program Files"))  # noqa: SIM112 - Windows spells it so
    return [str(windows / "System32" / "nvml.dll"), str(programs / "NVIDIA Corporation" / "NVSMI" / "nvml.dll")]


def _nvml_over(library: ctypes.CDLL) -> Any:
    """NVIDIA's Python words for the library; imported only here, for a machine without a driver need not hold them."""
    import pynvml

    pynvml.nvmlLib = library
    pynvml._nvmlGetFunctionPointer_cache.clear()  # else it would go on calling into an earlier library
    return pynvml


def _init_of_older_driver(nvml: Any, library: ctypes.CDLL) -> None:
    """Start a library from before `nvmlInitWithFlags`.

    Raises:
        NVMLError: it does not start.
    """
    for name in ("nvmlInit_v2", "nvmlInit"):
        start = getattr(library, name, None)
        if start is not None:
            code = start()
            if code:
                raise nvml.NVMLError(code)
            return
    raise nvml.NVMLError(NVML_FUNCTION_NOT_FOUND)
