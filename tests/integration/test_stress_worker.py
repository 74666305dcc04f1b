"""The process that loads a card, on Mesa's software device: what it says, how it ends, and on cards that are broken."""

from __future__ import annotations

import signal
import subprocess

import pytest
from stress_child import MIB, WORKER, Child, faulty, small_plan, started

from argentum_desktop.domain.stress import AdapterType, StressEnd, StressPhase
from argentum_desktop.health.stress.wire import Opened, Wanted

GONE_S = 1.0


def _ended(child: Child) -> float:
    """Seconds until the process was gone."""
    began_s = child.elapsed_s
    child.process.wait(timeout=5)
    return child.elapsed_s - began_s


def test_a_whole_load_tells_all_it_found_and_never_falls_silent() -> None:
    plan = small_plan(host_copy_s=0.3, memory_s=0.6, bandwidth_s=0.3, compute_s=0.6, ramp_s=0.2)
    with started(plan, total_bytes=8 * MIB) as child:
        ended = child.to_the_end()
        assert ended is not None
        assert ended.end is StressEnd.COMPLETED, ended.words
        assert child.process.wait(timeout=5) == 0
    opened = next(line for _, line in child.lines if isinstance(line, Opened)).engine
    assert opened.adapter_type is AdapterType.CPU
    assert opened.backend == "Vulkan"
    assert opened.pid == child.process.pid
    assert len(opened.shaders_sha256) == 64
    assert child.memory is not None
    assert (child.memory.errors, child.memory.tested_bytes, child.memory.coverage_percent) == (0, 4 * MIB, 50)
    assert child.memory.passes >= 6
    assert child.memory.moved_bytes > 5 * child.memory.passes * 4 * MIB
    assert child.memory.seed == "00000007"
    assert child.compute is not None
    assert child.compute.mismatches == 0
    assert child.copy is not None
    assert min(child.copy.device_mb_s or 0, child.copy.host_to_card_mb_s or 0, child.copy.card_to_host_mb_s or 0) > 0
    assert child.longest_silence_s < 1.0


def test_the_rest_in_the_middle_is_not_silent() -> None:
    with started(small_plan(memory_s=0.2, pause_s=1.5, largest_bytes=MIB)) as child:
        child.until(StressPhase.MEMORY, "resting")
        assert child.to_the_end() is not None
    assert child.longest_silence_s < 1.0
    assert child.memory is not None
    assert child.memory.errors == 0


@pytest.mark.parametrize("how", ["stdin", "terminate", "kill"])
def test_it_ends_at_once_and_keeps_what_it_told(how: str) -> None:
    with started(small_plan(memory_s=60.0)) as child:
        child.until(StressPhase.MEMORY, "4 MiB of 4 MiB")
        assert child.memory is not None
        assert child.memory.tested_bytes == 4 * MIB
        if how == "stdin":
            assert child.process.stdin is not None
            child.process.stdin.close()
        else:
            child.process.send_signal(signal.SIGTERM if how == "terminate" else signal.SIGKILL)
        assert _ended(child) < GONE_S


def test_software_is_no_card_unless_it_is_asked_for() -> None:
    with started(small_plan(memory_s=1.0), wanted=Wanted()) as child:
        ended = child.to_the_end()
    assert not child.is_open
    assert ended is not None
    assert ended.end is StressEnd.NO_ENGINE
    assert ended.words


@pytest.mark.parametrize("text", [b"", b"hello\n", b'{"plan":{}}\n', b"\xff" * 70_000])
def test_nonsense_is_refused(text: bytes) -> None:
    done = subprocess.run(WORKER, input=text, capture_output=True, timeout=20)
    assert done.returncode == 2
    assert done.stdout == b""
    assert b"not a beginning" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("fault", ["stuck", "coupled", "aliased"])
def test_bad_memory_is_found_by_the_process(fault: str) -> None:
    with started(small_plan(memory_s=5.0), faulty(fault)) as child:
        ended = child.to_the_end()
    assert ended is not None
    assert ended.end is StressEnd.COMPLETED
    assert child.memory is not None
    assert child.memory.errors > 0
    assert child.memory.errors_again


@pytest.mark.parametrize("fault", ["fma", "integer"])
def test_wrong_arithmetic_is_found_by_the_process(fault: str) -> None:
    with started(small_plan(compute_s=0.3), faulty(fault)) as child:
        assert child.to_the_end() is not None
    assert child.compute is not None
    assert child.compute.mismatches > 0


def test_a_card_whose_memory_others_hold_is_not_called_broken() -> None:
    with started(small_plan(compute_s=0.3), faulty("full")) as child:
        ended = child.to_the_end()
    assert ended is not None
    assert (ended.end, "Close other programs" in ended.words) == (StressEnd.NO_ROOM, True)


def test_memory_that_is_not_the_cards_own_is_not_counted_as_tested() -> None:
    with started(small_plan(memory_s=0.5, largest_bytes=32 * MIB), faulty("spill")) as child:
        assert child.to_the_end() is not None
    assert child.memory is not None
    assert (child.memory.spilled_bytes, child.memory.tested_bytes) == (2 * MIB, 30 * MIB)
    assert child.memory.errors == 0


def test_a_card_that_does_not_come_back_is_heard_by_its_silence_and_let_go() -> None:
    with started(small_plan(memory_s=20.0, largest_bytes=MIB), faulty("hang")) as child:
        child.until(StressPhase.MEMORY)
        child.process.send_signal(signal.SIGTERM)
        assert _ended(child) < GONE_S
        assert child.to_the_end() is None


def test_a_lost_card_is_called_lost() -> None:
    with started(small_plan(memory_s=20.0), faulty("lost")) as child:
        ended = child.to_the_end()
    assert ended is not None
    assert ended.end is StressEnd.LOST, ended.words
    assert child.memory is not None, "what was found before is kept"
