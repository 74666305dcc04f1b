"""What the service and its sensor process say to each other: one JSON line each way."""

from __future__ import annotations

from datetime import datetime

import msgspec

from argentum_desktop.domain.gpu import SourceReport
from argentum_desktop.domain.reading import Reading

LONGEST_LINE_BYTES = 4_000_000


class Discover(msgspec.Struct, frozen=True, tag="discover", tag_field="ask"):
    """Which cards are there?"""

    number: int


class Read(msgspec.Struct, frozen=True, tag="read", tag_field="ask"):
    """What do they report? The time is given, for a child has no clock of its own.

    Attributes:
        all_anew: also what changes slowly, and is else carried on from one reading to the next.
    """

    number: int
    now: datetime
    all_anew: bool = False


class Load(msgspec.Struct, frozen=True, tag="load", tag_field="ask"):
    """A simulated card is this busy from now on."""

    number: int
    gpu_id: str
    percent: int
    memory_used_bytes: int


class GetPowerLimit(msgspec.Struct, frozen=True, tag="get_power_limit", tag_field="ask"):
    """Which power limit is set on a card, to be set back to it later?"""

    number: int
    gpu_id: str


class SetPowerLimit(msgspec.Struct, frozen=True, tag="set_power_limit", tag_field="ask"):
    """A card draws no more than this from now on."""

    number: int
    gpu_id: str
    power_mw: int


Request = Discover | Read | Load | GetPowerLimit | SetPowerLimit


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to the request of the same number.

    Attributes:
        refusal: why there is none, in words.
        power_limit_mw: what `GetPowerLimit` asked for; None where the card does not tell.
        is_outdated: cards or drivers came or went since the list was made: a fresh process must list them anew.
    """

    number: int
    reports: tuple[SourceReport, ...] = ()
    readings: tuple[Reading, ...] = ()
    refusal: str = ""
    power_limit_mw: int | None = None
    is_outdated: bool = False
