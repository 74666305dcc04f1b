"""One NVIDIA card: asked what is due, and what it said before carried on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.reading import VALUES, XID_EVENTS, Absence, Reading
from argentum_desktop.gpus.measured import make_reading
from argentum_desktop.gpus.nvidia.codes import NOT_SUPPORTED, absence_for
from argentum_desktop.gpus.nvidia.events import Xids
from argentum_desktop.gpus.nvidia.fields import FieldBatch, FieldError
from argentum_desktop.gpus.nvidia.pauses import is_time_again
from argentum_desktop.gpus.nvidia.questions import FORGET_AFTER_S, OFTEN_S, QUESTIONS, Fields, Question

Batches = Callable[[tuple[int, ...]], FieldBatch]


class CardLostError(Exception):
    """The card is gone from the bus."""


class _Topic:
    """A question, and which of its ways this card goes by what it said so far."""

    __slots__ = ("question", "step")

    def __init__(self, question: Question) -> None:
        self.question = question
        self.step = 0

    @property
    def way(self) -> Any:
        """The way to try now; None when the card turned all of them down."""
        ways = self.question.ways
        return ways[self.step] if self.step < len(ways) else None


class _Round:
    """The topics of one period."""

    def __init__(self, every_s: float, topics: Iterable[_Topic]) -> None:
        self.topics = tuple(topics)
        self.names = frozenset(name for topic in self.topics for name in topic.question.names)
        self._every_s = every_s
        self._asked_at: datetime | None = None
        self._has_failed = False

    def is_due(self, now: datetime) -> bool:
        """A round in which something failed comes again soon."""
        pause_s = min(self._every_s, OFTEN_S) if self._has_failed else self._every_s
        return is_time_again(self._asked_at, now, pause_s)

    def note(self, now: datetime, *, has_failed: bool) -> None:
        self._asked_at = now
        self._has_failed = has_failed

    def field_ids(self) -> tuple[int, ...]:
        """What all those of its topics want that now go by field."""
        return tuple(field_id for topic in self.topics if isinstance(way := topic.way, Fields) for field_id in way.ids)


class NvidiaCard:
    """A card the driver listed.

    Args:
        batches: one batch per set of fields, shared by all cards.
    """

    def __init__(self, gpu: Gpu, handle: Any, nvml: Any, batches: Batches, *, is_geforce: bool) -> None:
        self.gpu = gpu
        self.handle = handle
        self.is_lost = False
        self._nvml = nvml
        self._batches = batches
        questions = [question for question in QUESTIONS if not (is_geforce and question.is_empty_on_geforce)]
        self._rounds = tuple(
            _Round(every_s, map(_Topic, of_it)) for every_s, of_it in groupby(questions, lambda one: one.every_s)
        )
        self._learned_at: datetime | None = None
        self._values: dict[str, Any] = {}
        self._absent: dict[str, Absence] = {}

    def read(self, now: datetime, xids: Xids, *, all_anew: bool = False) -> Reading:
        """What it says now. Once lost it is not asked any more: some drivers crash when it is."""
        if not self.is_lost:
            try:
                self._ask_what_is_due(now, all_anew=all_anew)
            except CardLostError:
                self.is_lost = True
        values, absent = self._values, self._absent
        if self.is_lost:
            values, absent = {}, dict.fromkeys(VALUES, Absence.LOST)
        if isinstance(xids, Absence):
            absent = {**absent, XID_EVENTS: Absence.LOST if self.is_lost else xids}
        elif xids or not self.is_lost:  # why it was lost is worth more than that it was
            values = {**values, XID_EVENTS: xids}
            absent = {name: why for name, why in absent.items() if name != XID_EVENTS}
        return make_reading(self.gpu.gpu_id, now, values, absent)

    def _ask_what_is_due(self, now: datetime, *, all_anew: bool) -> None:
        if is_time_again(self._learned_at, now, FORGET_AFTER_S):
            self._learned_at = now
            for topic in (topic for part in self._rounds for topic in part.topics):
                topic.step = 0
        first, *slower = self._rounds
        did_speak = self._speaks(first)
        self._ask(first, now)
        # A card that falls silent: what it said before is no longer worth carrying on.
        fell_silent = did_speak and not self._speaks(first)
        for part in slower:
            if all_anew or fell_silent or part.is_due(now):
                self._ask(part, now)

    def _speaks(self, part: _Round) -> bool:
        return not self._values.keys().isdisjoint(part.names)

    def _ask(self, part: _Round, now: datetime) -> None:
        ids = part.field_ids()
        fields = self._batches(ids).ask(self.handle) if ids else {}
        has_failed = False
        for topic in part.topics:
            why = self._answer(topic, fields)
            if why is Absence.LOST:
                raise CardLostError
            has_failed = has_failed or why is Absence.ERROR
        part.note(now, has_failed=has_failed)

    def _answer(self, topic: _Topic, fields: Mapping[int, int | float | FieldError]) -> Absence | None:
        """Keep what the first way that the card supports gives; returns why there is nothing."""
        why: Absence = Absence.NOT_SUPPORTED
        while (way := topic.way) is not None:
            try:
                self._keep(topic.question.names, self._values_by(way, fields))
            except self._nvml.NVMLError as error:
                why = absence_for(error.value)
            except (ValueError, OverflowError, MemoryError):  # nothing that could be a value
                why = Absence.ERROR
            else:
                return None
            if why is not Absence.NOT_SUPPORTED:
                break
            topic.step += 1
        for name in topic.question.names:
            self._values.pop(name, None)
            self._absent[name] = why
        return why

    def _values_by(self, way: Any, fields: Mapping[int, int | float | FieldError]) -> Sequence[Any]:
        if not isinstance(way, Fields):
            return way(self._nvml, self.handle)  # type: ignore[no-any-return]
        values = []
        for field_id in way.ids:
            field = fields[field_id]
            if isinstance(field, FieldError):
                raise self._nvml.NVMLError(field.code)
            if way.zero_is_empty and field == 0:
                raise self._nvml.NVMLError(NOT_SUPPORTED)
            values.append(int(field))
        return values

    def _keep(self, names: Sequence[str], values: Sequence[Any]) -> None:
        for name, value in zip(names, values, strict=True):
            self._values[name] = value
            self._absent.pop(name, None)
