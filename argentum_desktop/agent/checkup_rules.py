"""Whether a card's health can be checked now; else why not, and what its owner can do."""

from __future__ import annotations

from collections.abc import Sequence

from argentum_desktop.agent.bench import Bench
from argentum_desktop.domain.gpu import Gpu, GpuState
from argentum_desktop.domain.health import CheckMode
from argentum_desktop.domain.lease import Lease
from argentum_desktop.errors import CheckRefusedError

_END_IT = "Wait until it has ended, or stop it (argentum-desktop stop, or Stop jobs in the tray)."


def card_to_check(gpu_id: str, mode: CheckMode, bench: Bench, busy: Sequence[Lease]) -> Gpu:
    """The card, when nothing speaks against checking it now. A pause does not: it is about jobs.

    Args:
        busy: the leases whose cards are not free.

    Raises:
        CheckRefusedError: something does.
    """
    gpu = bench.gpus.get(gpu_id)
    if gpu is None:
        raise CheckRefusedError(f"There is no card {gpu_id} in this computer.", "argentum-desktop gpus lists them.")
    _require_answering(gpu, bench)
    _require_free(gpu, bench, busy)
    if mode is not CheckMode.PASSIVE:
        _require_safe(gpu, bench)
    return gpu


def _require_answering(gpu: Gpu, bench: Bench) -> None:
    reading = bench.readings.get(gpu.gpu_id)
    if gpu.state is not GpuState.READY:
        problem = gpu.problem or "No driver answers for it."
        raise CheckRefusedError(f"{gpu.label} cannot be checked: {problem}", gpu.remedy)
    if reading is None:
        raise CheckRefusedError(f"{gpu.label} has not reported yet.", "Wait a moment, then try again.")
    if reading.is_lost:
        raise CheckRefusedError(
            f"{gpu.label} no longer answers its driver.", "Check its power cables, then restart the computer."
        )


def _require_free(gpu: Gpu, bench: Bench, busy: Sequence[Lease]) -> None:
    if gpu.gpu_id in bench.checkups:
        raise CheckRefusedError(f"{gpu.label} is being checked already.", "Wait for its end, or cancel it.")
    for other in bench.checkups:
        label = bench.gpus[other].label if other in bench.gpus else other
        raise CheckRefusedError(
            f"Another card ({label}) is being checked; one is checked at a time.",
            "Wait until that check has ended, or cancel it.",
        )
    lease = next((lease for lease in busy if gpu.gpu_id in lease.gpu_ids), None)
    if lease is not None:
        raise CheckRefusedError(f"A job runs on {gpu.label}: {lease.job.title}.", _END_IT)
    if gpu.gpu_id in bench.promised:
        raise CheckRefusedError(f"A job is just being taken for {gpu.label}.", _END_IT)


def _require_safe(gpu: Gpu, bench: Bench) -> None:
    """A load is heavy, and its owner said how warm a card may become."""
    if bench.host.on_battery:
        raise CheckRefusedError(
            "The computer runs on battery, and this check puts a heavy load on the card.",
            "Plug it in, or make a passive check, which only reads the card's counters.",
        )
    reading, limit_c = bench.readings[gpu.gpu_id], bench.settings.cards.temperature_limit_c
    if reading.temperature_c is not None and reading.temperature_c >= limit_c:
        raise CheckRefusedError(
            f"{gpu.label} is at {reading.temperature_c} °C, your limit is {limit_c} °C.",
            "Let it cool down, or raise cards.temperature_limit_c.",
        )
