"""The load as the service sees it: started in a process of its own, followed, and taken off at any moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from argentum_desktop.clock import Clock
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.errors import StressError
from argentum_desktop.health.stress.protocol import StressPlan, StressProgress, StressRun
from argentum_desktop.health.stress.watched_run import StressPatience, WatchedRun
from argentum_desktop.health.stress.wire import LONGEST_LINE_BYTES, Begin, Wanted
from argentum_desktop.system.child import start_child
from argentum_desktop.system.program import own_command


def stress_command() -> list[str]:
    """How the worker is started, from source and from the frozen program."""
    return own_command("stress", "argentum_desktop.health.stress.worker")


class WatchedStress:
    """Puts loads on real cards, each in its own process, and never two on one card. A `StressTest`.

    Args:
        command: what to start, as `stress_command` writes it.
        allow_software: also a program that pretends to be a card will do. Tests and benchmarks alone say so.
    """

    def __init__(
        self,
        command: Sequence[str],
        clock: Clock,
        patience: StressPatience | None = None,
        *,
        allow_software: bool = False,
    ) -> None:
        self._command = tuple(command)
        self._clock = clock
        self._patience = patience or StressPatience()
        self._allow_software = allow_software
        self._runs: dict[str, WatchedRun | None] = {}

    async def start(self, gpu: Gpu, plan: StressPlan, tell: Callable[[StressProgress], None]) -> StressRun:
        if self._is_loaded(gpu.gpu_id):
            raise StressError(f"{gpu.label} is under a load already.", "Wait until it ends, or cancel it.")
        self._runs[gpu.gpu_id] = None  # taken, before the first wait
        try:
            process = await start_child(self._command, LONGEST_LINE_BYTES, is_in_background=True)
        except BaseException as error:
            del self._runs[gpu.gpu_id]
            if isinstance(error, OSError):
                words = f"The process that loads a card cannot be started ({error.strerror})."
                raise StressError(words, "Start the application again; if this stays, install it again.") from error
            raise
        begin = Begin(plan, wanted(gpu, allow_software=self._allow_software), gpu.memory_total_bytes or 0)
        run = self._runs[gpu.gpu_id] = WatchedRun(process, begin, tell, self._clock, self._patience)
        return run

    def _is_loaded(self, gpu_id: str) -> bool:
        if gpu_id not in self._runs:
            return False
        run = self._runs[gpu_id]
        return run is None or not run.is_over


def wanted(gpu: Gpu, *, allow_software: bool = False) -> Wanted:
    """What the worker must find: everything by which a card is known beyond its driver."""
    vendor, _, device = (gpu.pci_id or "").partition(":")
    try:
        ids = (int(vendor, 16), int(device, 16))
    except ValueError:
        ids = (0, 0)
    return Wanted(
        pci_address=gpu.pci_address,
        vendor_id=ids[0],
        device_id=ids[1],
        name=gpu.name,
        allow_software=allow_software,
    )
