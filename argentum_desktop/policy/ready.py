"""What follows from the owner's choices alone, worked out once for many decisions."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from argentum_desktop.domain.activity import Activity
from argentum_desktop.domain.decision import Verdict
from argentum_desktop.domain.energy import GridCarbon
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.host import HostState
from argentum_desktop.domain.money import Money, divide_half_even
from argentum_desktop.domain.tariff import Tariff
from argentum_desktop.policy.floors import floor_in_force, power_at_work_mw, wear_per_hour
from argentum_desktop.policy.tariff import MICROSECOND, own_tariff, stretches
from argentum_desktop.policy.windows import Opening, in_force_at, opening_at
from argentum_desktop.policy.words import clock_time
from argentum_desktop.settings.schema import Settings

Verdicts = tuple[Verdict, ...]

# How much of a tariff is laid out at a time.
_LAID_OUT = timedelta(days=2)
_MOST_WORDS = 256
_MW_PER_KW = 1_000_000


@dataclass(frozen=True)
class Terms:
    """What the owner wants of a card for a while; `until` is None where that never changes.

    Attributes:
        floor: the least that must be left of an hour; `floor_words` is the same as text.
    """

    since: datetime
    until: datetime | None
    floor: Money
    floor_words: str
    temperature_limit_c: int


class Ready:
    """One set of choices, made ready.

    It remembers what the windows said last of each card for as long as that holds, and lays the tariff out as far as
    it was asked for, so that a decision compares instants instead of working out the week again. Whoever asks twice
    gets the same answer, whatever was asked in between.

    Args:
        tariff: with what the owner's tariff file says; None where the settings say all.
        grid: what the grid emits; None where it is not known.
    """

    def __init__(
        self, settings: Settings, zone: ZoneInfo, tariff: Tariff | None = None, grid: GridCarbon | None = None
    ) -> None:
        self.settings = settings
        self.zone = zone
        self.grid = grid
        self._given_tariff = tariff
        self._openings: dict[str, tuple[datetime, Opening]] = {}
        self._terms: dict[str, Terms] = {}
        self._today: tuple[datetime, datetime] | None = None
        self._clock_words: dict[datetime, str] = {}
        self._prices: _LaidOutPrices | None = None
        self._said: dict[int, tuple[HostState, Activity | None, Verdicts]] = {}

    def is_of(self, settings: Settings, zone: ZoneInfo, tariff: Tariff | None, grid: GridCarbon | None) -> bool:
        """Whether it was made of these very values."""
        return self.settings is settings and self.zone is zone and self._given_tariff is tariff and self.grid is grid

    def remember(self, group: int, host: HostState, activity: Activity | None, said: Verdicts) -> None:
        """Keep what a group of rules says of this computer and this activity."""
        self._said[group] = (host, activity, said)

    def remembered(self, group: int, host: HostState, activity: Activity | None) -> Verdicts | None:
        """What was kept about these very values; None where it was about others."""
        known = self._said.get(group)
        return known[2] if known is not None and known[0] is host and known[1] is activity else None

    @cached_property
    def tariff(self) -> Tariff:
        """What electricity costs and when."""
        return self._given_tariff or own_tariff(self.settings.prices)

    @cached_property
    def wear_per_hour(self) -> Money:
        return wear_per_hour(self.settings.prices)

    def opening(self, gpu_id: str, now: datetime) -> Opening:
        """Whether this card's windows are open at `now`, and until when."""
        known = self._openings.get(gpu_id)
        if known is not None and known[0] <= now and (known[1].until is None or now < known[1].until):
            return known[1]
        opening = opening_at(self.settings.availability, gpu_id, self.zone, now)
        self._openings[gpu_id] = (now, opening)
        return opening

    def in_force(self, gpu_id: str, now: datetime) -> Terms:
        """What the owner wants of this card at `now`."""
        known = self._terms.get(gpu_id)
        if known is not None and known.since <= now and (known.until is None or now < known.until):
            return known
        found, choices = in_force_at(self.settings.availability, gpu_id, self.zone, now), self.settings
        floor = floor_in_force(choices.prices, found.floor(choices.prices.floor_per_gpu_hour))
        limit_c = found.temperature_limit_c(choices.cards.temperature_limit_c)
        self._terms[gpu_id] = terms = Terms(now, found.until, floor, str(floor), limit_c)
        return terms

    def clock_time(self, instant: datetime, now: datetime) -> str:
        """`policy.words.clock_time`, remembered for a day: until midnight the words stay the same."""
        today = self._today
        if today is None or not today[0] <= now < today[1]:
            self._today, self._clock_words = _day_of(now, self.zone), {}
        words = self._clock_words.get(instant)
        if words is None:
            if len(self._clock_words) >= _MOST_WORDS:
                self._clock_words.clear()
            words = self._clock_words[instant] = clock_time(instant, now, self.zone)
        return words

    def costs_per_hour(self, gpu: Gpu, measured_power_mw: int | None, start: datetime, end: datetime) -> int:
        """What an hour of work costs its owner on average from `start` to `end`, electricity and wear, in micros."""
        power_mw, tariff = power_at_work_mw(gpu, self.settings.prices, measured_power_mw), self.tariff
        if tariff.is_flat:
            electricity = divide_half_even(tariff.flat.micros * power_mw, _MW_PER_KW)
        elif start >= end:
            electricity = divide_half_even(self._laid_out(start).micros_at(start) * power_mw, _MW_PER_KW)
        else:
            weighted = self._laid_out(start).weighted(start, end)
            electricity = divide_half_even(weighted * power_mw, (end - start) // MICROSECOND * _MW_PER_KW)
        return electricity + self.wear_per_hour.micros

    def _laid_out(self, start: datetime) -> _LaidOutPrices:
        prices = self._prices
        if prices is None or start < prices.begin:
            prices = self._prices = _LaidOutPrices(self.tariff, self.zone, start)
        return prices


class _LaidOutPrices:
    """A tariff from an instant on, with the sum of its prices up to each change: a mean is then one subtraction."""

    def __init__(self, tariff: Tariff, zone: ZoneInfo, begin: datetime) -> None:
        self.begin = begin.astimezone(UTC)
        self._tariff = tariff
        self._zone = zone
        self._until = self.begin
        self._starts: list[datetime] = []
        self._micros: list[int] = []
        self._sums: list[int] = []
        self._sum = 0

    def weighted(self, start: datetime, end: datetime) -> int:
        """Millionths times microseconds from `start` to `end`."""
        return self._sum_until(end) - self._sum_until(start)

    def micros_at(self, at: datetime) -> int:
        self._lay_out(at)
        return self._micros[bisect_right(self._starts, at) - 1]

    def _sum_until(self, at: datetime) -> int:
        if at >= self._until:
            self._lay_out(at)
        place = bisect_right(self._starts, at) - 1
        return self._sums[place] + self._micros[place] * ((at - self._starts[place]) // MICROSECOND)

    def _lay_out(self, until: datetime) -> None:
        while self._until <= until:
            begin, self._until = self._until, self._until + _LAID_OUT
            for part in stretches(self._tariff, self._zone, begin, self._until):
                self._starts.append(part.start)
                self._micros.append(part.price.per_kwh.micros)
                self._sums.append(self._sum)
                self._sum += part.price.per_kwh.micros * part.length_us


def _day_of(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The owner's day: from its midnight to the next."""
    today = now.astimezone(zone).date()
    begin, end = (datetime.combine(today + timedelta(days=ahead), time(0), zone) for ahead in (0, 1))
    return begin.astimezone(UTC), end.astimezone(UTC)
