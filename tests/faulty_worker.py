"""The stress worker, a process of its own, on a card that is broken in the way its one argument says."""

from __future__ import annotations

import sys
from functools import partial

from faulty_engine import AliasedLine, CoupledBit, Fault, FaultyEngine, Full, Hangs, Lost, Slow, StuckBit, WrongSum

from argentum_desktop.health.stress import worker

FAULTS: dict[str, Fault] = {
    "none": Fault(),
    "stuck": StuckBit(slot=1, word=12_345, bit=7),
    "coupled": CoupledBit(slot=0, word=100, bit=30, source=200_000),
    "aliased": AliasedLine(slot=0, word=70_000, other_slot=2, other_word=70_000),
    "fma": WrongSum(shader="fma"),
    "integer": WrongSum(shader="integer"),
    "spill": Slow(slot=2),
    "hang": Hangs(),
    "lost": Lost(),
    "full": Full(),
}

if __name__ == "__main__":
    name = sys.argv[1]
    make = partial(FaultyEngine, fault=FAULTS[name], is_discrete=name == "spill")
    raise SystemExit(worker.main([], make))
