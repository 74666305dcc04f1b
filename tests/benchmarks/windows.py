"""The owner's windows against brute force, and how many are answered in a second.

.venv/bin/python tests/benchmarks/windows.py [--cases 100000] [--seed N]
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from figures import Figure, of_runs
from window_oracle import CARDS, FIRST, LAST, Wall, some_availability, zones_with_jumps

from argentum_desktop.domain.availability import DatedException, OwnersWindow
from argentum_desktop.policy.windows import opening_at
from argentum_desktop.settings.schema import Availability

CASES_AT_A_JUMP = 20
CALLS = 100_000
ROUNDS = 5


def differences(cases: int, seed: int) -> tuple[int, int]:
    """How many answers there were and how many differ: at every jump of every zone, then at any instant."""
    chance, zones = random.Random(seed), zones_with_jumps()
    moments = [(zone, jump) for zone, found in zones for jump in found for _ in range(CASES_AT_A_JUMP)]
    print(f"{len(zones)} sets of rules, {sum(len(found) for _, found in zones)} jumps", flush=True)
    span_s = int((LAST - FIRST).total_seconds())
    for _ in range(cases):
        zone, _found = chance.choice(zones)
        moments.append((zone, FIRST + timedelta(seconds=chance.randrange(span_s))))
    wrong = 0
    for zone, moment in moments:
        before = (moment - timedelta(minutes=1)).astimezone(zone).replace(tzinfo=None)
        availability, gpu_id = some_availability(chance, before), chance.choice(CARDS)
        now = moment + timedelta(seconds=chance.choice([0, -1, 1, chance.randint(-90_000, 90_000)]))
        answer, truth = opening_at(availability, gpu_id, zone, now), Wall(availability, gpu_id, zone).opening(now)
        if answer != truth:
            wrong += 1
            print(f"DIFFERENT {zone} {now} {gpu_id} {availability}: {answer}, but {truth}", flush=True)
    return len(moments), wrong


def measure() -> list[Figure]:
    """For `make bench`."""
    runs = [calls_a_second() for _ in range(ROUNDS)]
    return [of_runs("windows", "openings answered", runs, "1/s")]


def calls_a_second() -> float:
    """Of `opening_at` by one core, for a usual week with an exception, at ever new instants."""
    windows = tuple(OwnersWindow.parse(text) for text in ("mon-fri 22:00-07:00", "sat,sun 00:00-24:00"))
    availability = Availability(windows=windows, exceptions=(DatedException.parse("2026-12-24 closed"),))
    zone = ZoneInfo("Europe/Paris")
    moments = [FIRST + timedelta(seconds=917 * place) for place in range(CALLS)]
    began = time.process_time()
    for moment in moments:
        opening_at(availability, "GPU-a", zone, moment)
    return CALLS / (time.process_time() - began)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=2026)
    given = parser.parse_args()
    print(f"opening_at: {calls_a_second():,.0f} calls a second")
    began = time.perf_counter()
    answers, wrong = differences(given.cases, given.seed)
    print(f"{answers:,} answers, {wrong} different from brute force, {time.perf_counter() - began:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
