"""Lists and reads NVIDIA cards."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from argentum_desktop.domain.gpu import SourceReport, Vendor
from argentum_desktop.domain.reading import Reading
from argentum_desktop.gpus.nvidia.card import NvidiaCard
from argentum_desktop.gpus.nvidia.description import CardDescription, driver_text
from argentum_desktop.gpus.nvidia.events import XidEvents
from argentum_desktop.gpus.nvidia.fields import FieldBatch
from argentum_desktop.gpus.nvidia.library import NvmlUnavailableError, close_nvml, open_nvml
from argentum_desktop.gpus.nvidia.power import power_limit_mw, set_power_limit
from argentum_desktop.gpus.power_limits import NO_SUCH_CARD

_NO_CARD = (
    "The NVIDIA driver finds no card.",
    "If there is one, check that it sits firmly and has its power cables; older cards need an older driver.",
)
# More than any machine holds: a driver that speaks of more is not counting.
_MOST_CARDS = 128


class NvidiaSource:
    """Lists and reads NVIDIA cards.

    Args:
        library: the NVML library to use instead of the driver's own.
    """

    def __init__(self, library: Path | None = None) -> None:
        self._library = library
        self._nvml: Any = None
        self._cards: tuple[NvidiaCard, ...] = ()
        self._events: XidEvents | None = None

    def discover(self) -> SourceReport:
        self.close()
        try:
            self._nvml = open_nvml(self._library)
        except NvmlUnavailableError as error:
            return SourceReport(Vendor.NVIDIA, (), error.problem, error.remedy)
        self._cards, unanswered = _list_cards(self._nvml)
        self._events = XidEvents(self._nvml, [card.handle for card in self._cards])
        gpus = tuple(card.gpu for card in self._cards)
        if unanswered:
            return SourceReport(Vendor.NVIDIA, gpus, *_words_for_unanswered(unanswered))
        return SourceReport(Vendor.NVIDIA, gpus, *(() if gpus else _NO_CARD))

    def read(self, now: datetime, *, all_anew: bool = False) -> Sequence[Reading]:
        if self._events is None or not self._cards:
            return []
        xids = self._events.take(now, [card.is_lost for card in self._cards])
        return [card.read(now, of_it, all_anew=all_anew) for card, of_it in zip(self._cards, xids, strict=True)]

    def power_limit_mw(self, gpu_id: str) -> int | None:
        card = self._card(gpu_id)
        return None if card is None else power_limit_mw(self._nvml, card.handle)

    def set_power_limit(self, gpu_id: str, power_mw: int) -> str:
        card = self._card(gpu_id)
        return NO_SUCH_CARD if card is None else set_power_limit(self._nvml, card.handle, power_mw)

    def _card(self, gpu_id: str) -> NvidiaCard | None:
        """A card that answers: some drivers crash when a lost one is asked."""
        return next((card for card in self._cards if card.gpu.gpu_id == gpu_id and not card.is_lost), None)

    def close(self) -> None:
        self._cards = ()
        if self._events is not None:
            self._events.close()
            self._events = None
        if self._nvml is not None:
            close_nvml(self._nvml)
            self._nvml = None


def _list_cards(nvml: Any) -> tuple[tuple[NvidiaCard, ...], list[str]]:
    """The cards that answer, and a word about each that does not."""
    try:
        count = int(nvml.nvmlDeviceGetCount())
    except nvml.NVMLError as error:
        return (), [f"the list of cards: {error}"]
    if count > _MOST_CARDS:
        return (), [f"the list of cards: it speaks of {count}"]
    version = driver_text(nvml, nvml.nvmlSystemGetDriverVersion)
    batches = functools.cache(lambda ids: FieldBatch(nvml, ids))
    cards: dict[str, NvidiaCard] = {}
    unanswered: list[str] = []
    for index in range(count):
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
        except nvml.NVMLError as error:
            unanswered.append(f"card {index + 1} of {count}: {error}")
            continue
        about = CardDescription(nvml, handle, index)
        gpu = about.gpu(version)
        if gpu.gpu_id in cards:
            unanswered.append(f"card {index + 1} of {count}: it says that it is another one")
            continue
        cards[gpu.gpu_id] = NvidiaCard(gpu, handle, nvml, batches, is_geforce=about.is_geforce)
    return tuple(cards.values()), unanswered


def _words_for_unanswered(unanswered: Sequence[str]) -> tuple[str, str]:
    return (
        f"The NVIDIA driver gives no answer for {'; '.join(unanswered)}.",
        "Restart the computer; if it stays so, check the card's seat and its power cables.",
    )
