"""Simulated cards under a quick check: what befalls them in the shipped scenarios is what the checks find."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from health_samples import (
    ENDS_AT_S,
    GIB,
    STARTED_AT,
    a_memory_test,
    a_stress_result,
    an_engine,
    stage_at,
)

from argentum_desktop.domain.health import CheckMode, CheckVerdict, Grade
from argentum_desktop.domain.stress import AdapterType
from argentum_desktop.gpus.simulated import SimulatedSource
from argentum_desktop.gpus.simulated.scenario import load
from argentum_desktop.health.checks import judge
from argentum_desktop.health.evidence import Evidence, StagedReading
from argentum_desktop.health.grade import appraise
from argentum_desktop.resources import resource


def checked(scenario: str | None, card: int, begins_at_s: float = 0.0) -> Evidence:
    """A quick check of one card, four readings a second, begun so far into the scenario."""
    played = load(resource("scenarios", f"{scenario}.toml")) if scenario else None
    if played is not None:
        source = SimulatedSource(0, scenario=replace(played, begins_at_s=begins_at_s))
    else:
        source = SimulatedSource(card + 1)
    gpu = source.discover().gpus[card]
    total = gpu.memory_total_bytes or 24 * GIB
    source.read(STARTED_AT)
    readings = []
    for quarter in range(1, ENDS_AT_S * 4):
        stage = stage_at(quarter / 4)
        source.set_load(gpu.gpu_id, 100 if stage.is_load else 0, total * 9 // 10 if stage.is_load else 0)
        told = source.read(STARTED_AT + timedelta(seconds=quarter / 4))
        readings += [StagedReading(quarter / 4, stage, one) for one in told if one.gpu_id == gpu.gpu_id]
    stress = a_stress_result(
        engine=an_engine(adapter_type=AdapterType.SIMULATED, pci_address=None),
        memory=a_memory_test(total_bytes=total, tested_bytes=total * 9 // 10),
    )
    return Evidence(gpu, CheckMode.QUICK, STARTED_AT, tuple(readings), stress)


def findings(evidence: Evidence) -> dict[str, CheckVerdict]:
    bad = {CheckVerdict.WARN, CheckVerdict.FAIL, CheckVerdict.ERROR}
    return {check.check_id: check.verdict for check in judge(evidence) if check.verdict in bad}


@pytest.mark.parametrize("card", range(4))
def test_simulated_cards_that_nothing_befalls_are_sound(card: int) -> None:
    evidence = checked(None, card)
    assert findings(evidence) == {}
    assert appraise(evidence, judge(evidence)).grade in {Grade.A, Grade.B}


@pytest.mark.parametrize(
    ("scenario", "card", "begins_at_s", "found", "grade"),
    [
        ("dying-fan", 0, 180.0, "fan.turns", Grade.F),
        ("lost-card", 1, 0.0, "answers.always", Grade.F),
        ("ecc-storm", 0, 90.0, "ecc.uncorrected", Grade.F),
        ("ecc-storm", 2, 40.0, "link.replays", Grade.D),
        ("ecc-storm", 2, 40.0, "power.brake", Grade.D),
        ("overheating", 0, 150.0, "heat.slowed", Grade.D),
    ],
)
def test_what_befalls_a_card_is_found(scenario: str, card: int, begins_at_s: float, found: str, grade: Grade) -> None:
    evidence = checked(scenario, card, begins_at_s)
    assert findings(evidence).get(found) is CheckVerdict.FAIL
    assert appraise(evidence, judge(evidence)).grade is grade
