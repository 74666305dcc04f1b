"""Which of the owner's programs use a card that has a job: told to the bench with every reading."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from argentum_desktop.agent.bench import Bench
from argentum_desktop.domain.reading import Reading
from argentum_desktop.policy.card_use import use_by_owner
from argentum_desktop.system.activity.owners import owners_programs
from argentum_desktop.telemetry.sampler import ReadingsTaken

# Numbers of processes are given anew, so who is who is asked again now and then.
ASK_AGAIN_S = 30.0

Owners = Callable[[Iterable[int], Collection[str]], Mapping[int, str]]


class CardUseWatch:
    """Listens to the readings of cards whose job's container is known.

    Args:
        owners: names those processes that are in none of the given containers.
    """

    def __init__(self, bench: Bench, owners: Owners = owners_programs) -> None:
        self._bench = bench
        self._owners_of = owners
        self._asked: tuple[frozenset[int], tuple[str, ...]] = (frozenset(), ())
        self._asked_s = 0.0
        self._known: Mapping[int, str] = {}
        bench.events.subscribe(ReadingsTaken, lambda event: self._taken(event.readings))

    def _taken(self, readings: Sequence[Reading]) -> None:
        bench = self._bench
        at_work = {gpu_id: lease.lease_id for lease in bench.busy() for gpu_id in lease.gpu_ids}
        # Before the engine has named the container, its processes would be taken for the owner's.
        told = [reading for reading in readings if at_work.get(reading.gpu_id, "") in bench.containers]
        owners = self._owners({process.pid for reading in told for process in reading.processes})
        used = {reading.gpu_id: use_by_owner(reading, owners) for reading in told}
        bench.card_use = {gpu_id: use for gpu_id, use in used.items() if use is not None}

    def _owners(self, pids: set[int]) -> Mapping[int, str]:
        asked = (frozenset(pids), tuple(sorted(self._bench.containers.values())))
        now_s = self._bench.clock.elapsed_s()
        if asked != self._asked or now_s - self._asked_s > ASK_AGAIN_S:
            self._asked, self._asked_s = asked, now_s
            self._known = self._owners_of(*asked)
        return self._known
