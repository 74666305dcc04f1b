"""Lists and reads the cards of every vendor on Windows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from argentum_desktop.domain.gpu import GpuState, SourceReport, Vendor
from argentum_desktop.domain.reading import VALUES, Absence, Reading, lost
from argentum_desktop.gpus.measured import make_reading
from argentum_desktop.gpus.power_limits import NO_SUCH_CARD, NOT_ON_WINDOWS
from argentum_desktop.gpus.windows.cards import AdapterFacts, describe_cards
from argentum_desktop.gpus.windows.d3dkmt import AdapterGoneError, KernelAdapter
from argentum_desktop.gpus.windows.devices import DeviceList, DisplayDevice
from argentum_desktop.gpus.windows.dxgi import Adapter, AdapterList, CoreAdapters
from argentum_desktop.gpus.windows.libraries import Libraries, guarded
from argentum_desktop.gpus.windows.pdh import CounterQuery
from argentum_desktop.gpus.windows.sensors import CardSensors
from argentum_desktop.gpus.windows.usage import COUNTER_SOURCES, COUNTERS, FAILED, Usage, sample

_NO_DXGI = (
    "Windows does not tell which graphics adapters there are.",
    "Install Windows' updates; if that does not help, install the graphics driver again.",
)
_NO_CARD = ("Windows lists no graphics card.", "If there is one, check that it sits firmly and has its power cables.")


@dataclass(frozen=True)
class _Card:
    """A card that can be read, and by what."""

    gpu_id: str
    memory_total_bytes: int | None
    luid: int
    sensors: CardSensors | None


class WindowsSource:
    """Lists and reads the cards of every vendor through Windows itself.

    NVIDIA's cards are listed here too: whoever joins the lists drops those whose PCI address NVML gave already.

    Args:
        libraries: the folder of the libraries to use instead of Windows' own.

    Attributes:
        devices: the graphics cards in Windows' list of devices at the last `discover`.
    """

    def __init__(self, libraries: Path | None = None) -> None:
        self._libraries = Libraries(libraries)
        self._device_list = DeviceList(self._libraries)
        self.devices: tuple[DisplayDevice, ...] = ()
        self._adapters: AdapterList | None = None
        self._counters: CounterQuery | None = None
        self._sensors: dict[int, CardSensors] = {}
        self._cards: tuple[_Card, ...] = ()
        self._fingerprint = b""

    def discover(self) -> SourceReport:
        self.close()
        self._fingerprint = guarded(b"", self._device_list.fingerprint)
        listed = self._list_adapters()
        usage = self._open_counters()
        facts = self._ask_about(listed, usage)
        self.devices = guarded((), self._device_list.devices)
        working, idle = describe_cards(facts, self.devices)
        self._cards = tuple(
            _Card(gpu.gpu_id, gpu.memory_total_bytes, adapter.luid, self._sensors.get(adapter.luid))
            for gpu, adapter in working
            if gpu.state is GpuState.READY
        )
        gpus = (*(gpu for gpu, _ in working), *idle)
        if self._adapters is None:
            return SourceReport(Vendor.OTHER, gpus, *_NO_DXGI)
        return SourceReport(Vendor.OTHER, gpus, *(() if gpus else _NO_CARD))

    def read(self, now: datetime, *, all_anew: bool = False) -> Sequence[Reading]:
        """One reading per card that can work: the others have nobody to ask."""
        usage = guarded(FAILED, partial(sample, self._counters)) if self._counters is not None else FAILED
        broken = dict.fromkeys(VALUES, Absence.ERROR)
        return [
            guarded(Reading(card.gpu_id, now, absent=broken), partial(_read_card, card, usage, now))
            for card in self._cards
        ]

    def power_limit_mw(self, gpu_id: str) -> int | None:
        """Windows tells none; NVIDIA's own library does, for NVIDIA's cards."""
        return None

    def set_power_limit(self, gpu_id: str, power_mw: int) -> str:
        known = any(card.gpu_id == gpu_id for card in self._cards)
        return NOT_ON_WINDOWS if known else NO_SUCH_CARD

    def is_outdated(self) -> bool:
        """Whether adapters or devices came or went since `discover`. Cheap enough for every reading."""
        if self._adapters is not None and not guarded(True, self._adapters.is_current):
            return True
        return guarded(self._fingerprint, self._device_list.fingerprint) != self._fingerprint

    def close(self) -> None:
        for sensors in self._sensors.values():
            guarded(None, sensors.close)
        if self._counters is not None:
            guarded(None, self._counters.close)
        if self._adapters is not None:
            guarded(None, self._adapters.close)
        self._sensors, self._cards, self._counters, self._adapters = {}, (), None, None

    def _list_adapters(self) -> tuple[Adapter, ...]:
        self._adapters = guarded(None, partial(AdapterList.open, self._libraries))
        return guarded((), self._adapters.adapters) if self._adapters is not None else ()

    def _open_counters(self) -> Usage:
        """The first sample: a rate has a value from the second one on, which is the first reading's."""
        self._counters = CounterQuery(self._libraries)
        guarded(None, partial(self._counters.open, COUNTERS))
        return guarded(FAILED, partial(sample, self._counters))

    def _ask_about(self, adapters: Iterable[Adapter], usage: Usage) -> list[AdapterFacts]:
        core = guarded(None, partial(CoreAdapters.open, self._libraries))
        try:
            return [guarded(AdapterFacts(each), partial(self._facts_of, each, core, usage)) for each in adapters]
        finally:
            if core is not None:
                guarded(None, core.close)

    def _facts_of(self, adapter: Adapter, core: CoreAdapters | None, usage: Usage) -> AdapterFacts:
        is_integrated = core.is_integrated(adapter.luid) if core is not None else None
        counted, failed = usage.of(adapter.luid)
        # A rate that has no value yet is an error in the first sample.
        told = {*counted, *(name for name, why in failed.items() if why is Absence.ERROR)}
        sources = {name: source for name, source in COUNTER_SOURCES.items() if name in told}
        kernel = KernelAdapter.open(self._libraries, adapter.luid)
        if kernel is None:
            return AdapterFacts(adapter, is_integrated=is_integrated, sources=sources)
        sensors = self._sensors[adapter.luid] = CardSensors(kernel)
        found, slowdown_c = sensors.survey()
        try:
            address, type_bits = kernel.address(), kernel.type_bits()
        except AdapterGoneError:
            address, type_bits = None, 0
        return AdapterFacts(adapter, address, type_bits, is_integrated, slowdown_c, {**found, **sources})


def _read_card(card: _Card, usage: Usage, now: datetime) -> Reading:
    values, absent = usage.of(card.luid)
    if card.sensors is not None:
        try:
            sensed, failed = card.sensors.values()
        except AdapterGoneError:
            return lost(card.gpu_id, now)
        values.update(sensed)
        absent.update(failed)
    used, total = values.get("memory_used_bytes"), card.memory_total_bytes
    if used is not None and total is not None and used > total:
        del values["memory_used_bytes"]
        absent["memory_used_bytes"] = Absence.ERROR
    return make_reading(card.gpu_id, now, values, absent)
