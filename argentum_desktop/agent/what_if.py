"""What would have been earned under other choices, from what this computer wrote down."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from argentum_desktop.domain.decision_record import DecisionRecord
from argentum_desktop.domain.lease import Lease
from argentum_desktop.errors import ArgentumError, BadInputError
from argentum_desktop.policy.replay import Choices, Past, Replayed, replay, too_few, usable
from argentum_desktop.settings.file import parse
from argentum_desktop.settings.schema import Settings, sections
from argentum_desktop.settings.values import plain
from argentum_desktop.store import decisions, leases
from argentum_desktop.store.database import Database

LOOKED_BACK = timedelta(days=30)


class TooFewRecordsError(ArgentumError):
    """What was recorded says too little."""

    code = "too-few-records"


@dataclass(frozen=True)
class WhatIf:
    """The same weeks twice: under the choices as they are, and under the others.

    Attributes:
        since, until: the first and the last offer.
        unusable: decisions of the time that were written down without their offer.
        unknown: what such a replay cannot know, in sentences.
    """

    since: datetime
    until: datetime
    offers: int
    unusable: int
    as_they_are: Replayed
    as_asked: Replayed
    changed: tuple[str, ...]
    unknown: tuple[str, ...]


async def read_past(database: Database, now: datetime) -> Past:
    """The last weeks, as far as they are kept.

    Raises:
        StoreError: they cannot be read.
    """
    start = now - LOOKED_BACK
    records = await database.read(lambda connection: decisions.since(connection, start))
    held = await database.read(lambda connection: leases.touching(connection, start, now))
    return Past(records, {lease.lease_id: lease for lease in held})


def what_if(past: Past, now_set: Choices, asked: Choices, changed: Sequence[str]) -> WhatIf:
    """Replay under both.

    Raises:
        TooFewRecordsError: less was recorded than would say anything.
    """
    missing = too_few(past.records, now_set.zone)
    if missing:
        raise TooFewRecordsError(missing, "Let it run for some more days.")
    found = usable(past.records)
    before, after = replay(past, now_set), replay(past, asked)
    return WhatIf(
        found[0].decided_at,
        found[-1].decided_at,
        len(found),
        len(past.records) - len(found),
        before,
        after,
        tuple(changed),
        _unknown(found, past.leases, after),
    )


def with_choices(settings: Settings, changes: Sequence[str]) -> Settings:
    """The settings with some of them changed, each as it would stand in the file: `prices.floor_per_gpu_hour = 0.10`.

    Raises:
        BadInputError: names the choice that cannot be used.
    """
    document = {
        name: {setting.name: plain(getattr(getattr(settings, name), setting.name)) for setting in fields(section)}
        for name, section in sections().items()
    }
    for change in changes:
        name, equals, text = change.partition("=")
        section, _, key = name.strip().partition(".")
        if not equals or not key:
            raise BadInputError(f"{change!r} changes nothing.", "Write for example prices.floor_per_gpu_hour=0.10.")
        document.setdefault(section, {})[key] = _raw(text.strip())
    try:
        return parse(document)
    except ValueError as error:
        raise BadInputError(f"With these choices, {error}.") from error


def _raw(text: str) -> Any:
    """As TOML reads it; what it does not read is text, so that nobody has to quote twice."""
    try:
        return tomllib.loads(f"value = {text}", parse_float=Decimal)["value"]
    except tomllib.TOMLDecodeError:
        return text


_NOT_OFFERED = (
    "A market sends only offers for what a card asks: offers outside your hours, below your asking price or for larger "
    "jobs never came, and are not in this. Wider choices would have brought more than is shown."
)
_NOT_WATCHED = "Whether you would have wanted the machine back while a job ran is known only for when each offer came."


def _unknown(found: Sequence[DecisionRecord], held: Mapping[str, Lease], after: Replayed) -> tuple[str, ...]:
    words = [_NOT_OFFERED, _NOT_WATCHED]
    if after.estimated:
        words.append(
            f"{after.estimated} of the jobs never ran here. Each is taken to last the share of its time that your own "
            "jobs lasted, at the watts its card draws at work."
        )
    if after.unvalued:
        words.append(
            f"{after.unvalued} of the jobs never ran here, and too few of your own did to say how long one lasts: "
            "they are counted, and are in no amount."
        )
    if any(record.activity is None for record in found):
        words.append("For some of the offers it was not recorded what you did at the computer; it is taken as nothing.")
    if held and after.jobs < len(held):
        words.append("Jobs that ran and would have been declined are left out with their earnings and their costs.")
    return tuple(words)
