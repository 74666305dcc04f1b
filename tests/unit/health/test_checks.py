"""Every check at its threshold: just inside, on it, just outside, without a load, and where there is no such thing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from health_samples import (
    GIB,
    NOT_ON_GEFORCE,
    STARTED_AT,
    WORKER_PID,
    a_gpu,
    a_passive_evidence,
    a_reference_card,
    a_server_evidence,
    a_server_gpu,
    a_stress_result,
    an_engine,
    hushed,
    some_evidence,
    some_readings,
    with_compute,
    with_memory,
)

from argentum_desktop.domain.gpu import GpuKind, Vendor
from argentum_desktop.domain.health import CheckResult, CheckVerdict, Stage
from argentum_desktop.domain.reading import Absence, GpuProcess, ThrottleReason, lost
from argentum_desktop.domain.stress import AdapterType, CopyRates, StressEnd
from argentum_desktop.health.checks import ALL, WEIGHTS, judge
from argentum_desktop.health.checks.driver_errors import XIDS
from argentum_desktop.health.checks.subject import Check
from argentum_desktop.health.evidence import Evidence, PastError

PASS, INFO, WARN, FAIL = CheckVerdict.PASS, CheckVerdict.INFO, CheckVerdict.WARN, CheckVerdict.FAIL
NOT_APPLICABLE, NOT_RUN, ERROR = CheckVerdict.NOT_APPLICABLE, CheckVerdict.NOT_RUN, CheckVerdict.ERROR


def result(check_id: str, evidence: Evidence) -> CheckResult:
    (found,) = [check for check in judge(evidence) if check.check_id == check_id]
    return found


def verdict(check_id: str, evidence: Evidence) -> CheckVerdict:
    return result(check_id, evidence).verdict


def reading(**values: Any) -> Evidence:
    """A sound GeForce that says this in every reading."""
    return some_evidence(readings=some_readings(**values))


def silent(*names: str, why: Absence = Absence.ERROR) -> Evidence:
    """A sound card that says nothing under these names."""
    return hushed(some_evidence(), *names, why=why)


def after(second: float, then: Any, before: Any = 0) -> Any:
    return lambda now: then if now >= second else before


def copying(**rates: int | None) -> Evidence:
    return some_evidence(stress=a_stress_result(copy=CopyRates(**rates)))


def test_a_sound_card_passes_and_no_check_has_an_opinion_against_it() -> None:
    results = judge(some_evidence())
    assert [check.check_id for check in results] == [check.subject.check_id for check in ALL]
    assert {check.verdict for check in results} == {PASS, INFO, NOT_APPLICABLE}
    assert all(check.words.endswith(".") and check.title for check in results)


def test_every_id_stands_once_and_carries_a_weight() -> None:
    assert len(WEIGHTS) == len(ALL)
    assert all(weight >= 0 for weight in WEIGHTS.values())


def test_a_check_that_breaks_says_so_and_the_others_go_on(expect_log: Any) -> None:
    def breaks(_: Evidence) -> CheckResult:
        raise ZeroDivisionError

    expect_log("the check answers.always failed")
    broken = Check(ALL[0].subject, breaks, 1)
    first, second = judge(some_evidence(), (broken, ALL[2]))
    assert (first.verdict, second.verdict) == (ERROR, PASS)
    assert first.check_id == "answers.always"


@pytest.mark.parametrize("end", [StressEnd.LOST, StressEnd.HUNG])
def test_a_card_that_does_not_come_back_from_its_load_fails(end: StressEnd) -> None:
    assert verdict("answers.always", some_evidence(stress=a_stress_result(end=end))) is FAIL


@pytest.mark.parametrize(
    "end", [end for end in StressEnd if end not in {StressEnd.LOST, StressEnd.HUNG, StressEnd.COMPLETED}]
)
def test_other_ends_say_nothing_about_the_card(end: StressEnd) -> None:
    assert verdict("answers.always", some_evidence(stress=a_stress_result(end=end))) is PASS


def test_one_loss_in_the_readings_fails_and_is_counted_once() -> None:
    readings = list(some_readings())
    for place in (50, 51, 52):
        readings[place] = replace(readings[place], reading=lost("GPU-5f1a7c3e", STARTED_AT))
    found = result("answers.always", some_evidence(readings=tuple(readings)))
    assert (found.verdict, found.value) == (FAIL, 1)


def test_a_driver_that_said_nothing_is_no_answer() -> None:
    assert verdict("answers.always", some_evidence(readings=())) is NOT_RUN


@pytest.mark.parametrize(
    ("engine", "is_confirmed", "expected"),
    [
        ({}, True, PASS),
        ({}, None, PASS),
        ({}, False, WARN),
        ({"pci_address": "0000:02:00.0"}, True, WARN),
        ({"pci_address": None}, None, NOT_RUN),
        ({"pci_address": None, "adapter_type": AdapterType.UNKNOWN}, None, WARN),
        ({"pci_address": None, "adapter_type": AdapterType.UNKNOWN}, True, PASS),
        ({"adapter_type": AdapterType.CPU}, True, WARN),
        ({"adapter_type": AdapterType.SIMULATED}, True, WARN),
    ],
)
def test_the_load_must_have_been_on_this_card(
    engine: dict[str, Any], is_confirmed: bool | None, expected: CheckVerdict
) -> None:
    evidence = some_evidence(stress=a_stress_result(engine=an_engine(**engine)), is_confirmed=is_confirmed)
    assert verdict("answers.load", evidence) is expected


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        ({"errors": 0}, PASS),
        ({"errors": 1}, FAIL),
        ({"errors": 1, "errors_again": 3}, FAIL),
        ({"errors": 1, "errors_again": 0}, WARN),
        ({"errors": 0, "tested_bytes": 0}, NOT_RUN),
    ],
)
def test_memory_errors(memory: dict[str, int], expected: CheckVerdict) -> None:
    assert verdict("memory.errors", some_evidence(stress=with_memory(**memory))) is expected


def test_memory_errors_are_told_in_words() -> None:
    found = result(
        "memory.errors",
        some_evidence(stress=with_memory(errors=2, first_bad_address=0x1000, bad_bits=0b101, errors_again=2)),
    )
    assert found.words == (
        "2 values came back from its memory other than written, the first at 0x1000, 2 bits of 32 touched."
        " A second test found 2."
    )


@pytest.mark.parametrize(("tested", "expected"), [(7499, WARN), (7500, PASS), (10_000, PASS)])
def test_memory_coverage(tested: int, expected: CheckVerdict) -> None:
    evidence = some_evidence(stress=with_memory(total_bytes=10_000, tested_bytes=tested))
    assert verdict("memory.coverage", evidence) is expected


@pytest.mark.parametrize(
    ("compute", "expected"),
    [
        ({}, PASS),
        ({"mismatches": 1}, FAIL),
        ({"rounding": "separate"}, PASS),
        ({"rounding": "neither"}, FAIL),
        ({"dispatches": 0}, NOT_RUN),
    ],
)
def test_arithmetic(compute: dict[str, Any], expected: CheckVerdict) -> None:
    assert verdict("compute.exact", some_evidence(stress=with_compute(**compute))) is expected


@pytest.mark.parametrize(
    ("check_id", "values", "expected"),
    [
        ("ecc.uncorrected", {"ecc_uncorrected_volatile": 4}, PASS),
        ("ecc.uncorrected", {"ecc_uncorrected_volatile": after(30, 5, 4)}, FAIL),
        ("ecc.uncorrected", {"ecc_uncorrected": after(30, 1)}, FAIL),
        ("ecc.uncorrected", {"ecc_uncorrected": after(30, 0, 1)}, PASS),
        ("ecc.uncorrected", {"ecc_uncorrected_volatile": after(30, 0, 4)}, PASS),
        ("ecc.uncorrected", {"ecc_uncorrected_volatile": after(30, 1, 4)}, FAIL),
        ("ecc.lifetime", {"ecc_uncorrected": 0}, PASS),
        ("ecc.lifetime", {"ecc_uncorrected": 1}, WARN),
        ("ecc.remap_failed", {"remapped_rows_failed": 1}, FAIL),
        ("ecc.remap_failed", {"remapped_rows_failed": 0}, PASS),
        ("ecc.repair_pending", {"remapped_rows_pending": 1}, WARN),
        ("ecc.repair_pending", {"retired_pages_pending": 1}, WARN),
        ("ecc.repair_pending", {}, PASS),
        ("ecc.rows_remapped", {"remapped_rows_uncorrectable": 0}, PASS),
        ("ecc.rows_remapped", {"remapped_rows_uncorrectable": 1}, WARN),
        ("ecc.rows_remapped", {"remapped_rows_uncorrectable": 511}, WARN),
        ("ecc.rows_remapped", {"remapped_rows_uncorrectable": 512}, FAIL),
        ("ecc.pages_retired", {}, PASS),
        ("ecc.pages_retired", {"retired_pages_sbe": 1}, WARN),
        ("ecc.pages_retired", {"retired_pages_sbe": 62}, WARN),
        ("ecc.pages_retired", {"retired_pages_sbe": 62, "retired_pages_dbe": 1}, FAIL),
        ("ecc.pages_retired", {"retired_pages_dbe": 16}, WARN),
        ("ecc.sram", {}, NOT_RUN),
        ("facts.ecc", {}, PASS),
    ],
)
def test_a_cards_own_counts(check_id: str, values: dict[str, Any], expected: CheckVerdict) -> None:
    assert verdict(check_id, a_server_evidence(**values)) is expected


@pytest.mark.parametrize("check_id", [check_id for check_id in WEIGHTS if check_id.startswith("ecc.")])
def test_a_zero_of_a_card_that_counts_nothing_is_no_evidence(check_id: str) -> None:
    zeros = dict.fromkeys((name for name in NOT_ON_GEFORCE if not name.startswith(("temperature", "fan"))), 0)
    assert verdict(check_id, reading(**zeros)) is NOT_APPLICABLE
    assert verdict(check_id, some_evidence()) is NOT_APPLICABLE


def test_many_double_bit_pages_are_told_apart() -> None:
    few = result("ecc.pages_retired", a_server_evidence(retired_pages_dbe=15))
    many = result("ecc.pages_retired", a_server_evidence(retired_pages_dbe=16))
    assert "many" in many.words
    assert "many" not in few.words


def test_error_correction_that_is_switched_off_is_told() -> None:
    gpu = a_server_gpu()
    found = result("facts.ecc", some_evidence(gpu=gpu, readings=some_readings(gpu)))
    assert found.verdict is INFO
    assert "nvidia-smi -e 1" in found.remedy


@pytest.mark.parametrize("xid", sorted(XIDS))
def test_each_known_xid_is_judged_by_the_catalogue_and_only_warned_of_when_old(xid: int) -> None:
    now = result("errors.now", reading(xid_events=lambda second: (xid,) if second == 40 else ()))
    assert (now.verdict, now.value) == (XIDS[xid].verdict, str(xid))
    assert f"(Xid {xid})" in now.words
    old = some_evidence(past_errors=(PastError(STARTED_AT - timedelta(days=3), xid),))
    assert verdict("errors.past", old) is (INFO if XIDS[xid].verdict is INFO else WARN)


def test_the_xids_that_fail_are_those_of_a_broken_card() -> None:
    assert {number for number, xid in XIDS.items() if xid.verdict is FAIL} == {48, 64, 79, 95, 119}


def test_the_worst_of_several_xids_is_told() -> None:
    found = result("errors.now", reading(xid_events=lambda second: {20.0: (31,), 30.0: (63, 999)}.get(second, ())))
    assert (found.verdict, found.value) == (WARN, "31, 63, 999")


def test_an_unknown_xid_is_only_told() -> None:
    assert verdict("errors.now", reading(xid_events=lambda second: (999,) if second == 30 else ())) is INFO


@pytest.mark.parametrize(("why", "expected"), [(Absence.NOT_SUPPORTED, NOT_APPLICABLE), (Absence.ERROR, NOT_RUN)])
def test_a_driver_that_tells_no_errors_has_not_said_that_there_are_none(why: Absence, expected: CheckVerdict) -> None:
    assert verdict("errors.now", silent("xid_events", why=why)) is expected


@pytest.mark.parametrize(("hottest", "expected"), [(89, PASS), (90, WARN), (94, WARN), (95, FAIL)])
def test_the_temperature_against_the_cards_own_limit(hottest: int, expected: CheckVerdict) -> None:
    assert verdict("heat.limit", reading(temperature_c=after(45, hottest, 50))) is expected


def test_the_heat_before_the_load_is_not_the_loads() -> None:
    assert verdict("heat.limit", reading(temperature_c=after(8, 60, 95))) is PASS


@pytest.mark.parametrize(("slowdown", "shutdown", "expected"), [(90, 95, FAIL), (None, 95, FAIL), (None, None, WARN)])
def test_a_load_that_was_taken_off_for_heat(slowdown: int | None, shutdown: int | None, expected: CheckVerdict) -> None:
    gpu = a_gpu(temperature_slowdown_c=slowdown, temperature_shutdown_c=shutdown)
    assert verdict("heat.limit", some_evidence(gpu=gpu, stress=a_stress_result(end=StressEnd.TOO_HOT))) is expected


def test_a_card_that_names_no_limit_is_not_judged_by_another() -> None:
    gpu = a_gpu(temperature_slowdown_c=None, temperature_shutdown_c=None)
    found = result("heat.limit", some_evidence(gpu=gpu))
    assert (found.verdict, found.value) == (NOT_RUN, 71)


@pytest.mark.parametrize(
    ("check_id", "reason", "expected"),
    [
        ("heat.slowed", ThrottleReason.HARDWARE_TEMPERATURE, FAIL),
        ("heat.slowed", ThrottleReason.TEMPERATURE, WARN),
        ("heat.slowed", ThrottleReason.HARDWARE_SLOWDOWN, WARN),
        ("heat.slowed", ThrottleReason.POWER_LIMIT, PASS),
        ("power.brake", ThrottleReason.POWER_BRAKE, FAIL),
        ("power.brake", ThrottleReason.POWER_LIMIT, PASS),
        ("power.cap", ThrottleReason.POWER_LIMIT, INFO),
    ],
)
def test_what_slows_a_card(check_id: str, reason: ThrottleReason, expected: CheckVerdict) -> None:
    once = reading(throttle_reasons=lambda second: (reason,) if second == 40 else ())
    assert verdict(check_id, once) is expected


def test_what_slows_it_in_the_loads_first_second_or_at_rest_does_not_count() -> None:
    reason = ThrottleReason.HARDWARE_TEMPERATURE
    early = reading(throttle_reasons=lambda second: (reason,) if second < 9 or second >= 52 else ())
    assert verdict("heat.slowed", early) is PASS


@pytest.mark.parametrize("check_id", ["heat.slowed", "power.brake", "power.cap"])
def test_a_driver_that_does_not_say_what_slows_the_card(check_id: str) -> None:
    assert verdict(check_id, silent("throttle_reasons")) is NOT_RUN


@pytest.mark.parametrize(("hottest", "expected"), [(99, PASS), (100, WARN), (104, WARN), (105, FAIL)])
def test_the_memorys_temperature(hottest: int, expected: CheckVerdict) -> None:
    gpu = a_gpu(temperature_memory_limit_c=105)
    readings = some_readings(gpu, temperature_memory_c=after(40, hottest, 60))
    assert verdict("heat.memory", some_evidence(gpu=gpu, readings=readings)) is expected
    assert verdict("heat.memory", some_evidence(readings=readings)) is INFO


@pytest.mark.parametrize(("above", "expected"), [(30, INFO), (31, WARN)])
def test_the_hotspot(above: int, expected: CheckVerdict) -> None:
    assert verdict("heat.hotspot", reading(temperature_c=60, temperature_hotspot_c=60 + above)) is expected


def test_a_sensor_that_is_stuck_is_told() -> None:
    assert verdict("heat.sensor", reading(temperature_c=60)) is WARN
    assert verdict("heat.sensor", reading(temperature_c=60, power_mw=100_000)) is PASS


def test_the_fast_step_is_told_in_whole_numbers() -> None:
    evidence = reading(temperature_c=after(55, 60, 70), power_mw=after(52, 100_000, 300_000))
    found = result("heat.step", evidence)
    assert (found.verdict, found.value, found.unit) == (INFO, 50, "m°C/W")


@pytest.mark.parametrize(("drawn", "expected"), [(262_500, PASS), (262_000, INFO)])
def test_the_power_that_was_reached(drawn: int, expected: CheckVerdict) -> None:
    assert verdict("power.reached", reading(power_mw=drawn)) is expected


@pytest.mark.parametrize(("limit", "expected"), [(350_000, PASS), (250_000, INFO), (400_000, INFO)])
def test_a_power_limit_that_was_changed_is_told(limit: int, expected: CheckVerdict) -> None:
    assert verdict("power.limit", reading(power_limit_mw=limit)) is expected


@pytest.mark.parametrize(
    ("check_id", "values", "expected"),
    [
        ("link.width", {"pcie_width": 16}, PASS),
        ("link.width", {"pcie_width": 8}, WARN),
        ("link.width", {"pcie_width": after(20, 16, 8)}, PASS),
        ("link.generation", {"pcie_generation": 3}, WARN),
        ("link.generation", {"pcie_generation": after(20, 4, 1)}, PASS),
        ("link.replays", {"pcie_replays": 1000}, PASS),
        ("link.replays", {"pcie_replays": after(30, 14)}, PASS),
        ("link.replays", {"pcie_replays": after(30, 15)}, WARN),
        ("link.replays", {"pcie_replays": after(30, 80)}, WARN),
        ("link.replays", {"pcie_replays": after(30, 81)}, FAIL),
    ],
)
def test_the_link(check_id: str, values: dict[str, Any], expected: CheckVerdict) -> None:
    assert verdict(check_id, reading(**values)) is expected


def test_a_link_that_is_not_known_is_not_blamed_for_its_packets() -> None:
    unknown = hushed(reading(pcie_replays=after(30, 20)), "pcie_generation", "pcie_width")
    assert verdict("link.replays", unknown) is PASS


def test_a_link_that_sleeps_while_the_card_rests_is_no_fault() -> None:
    asleep = reading(pcie_generation=lambda second: 4 if 8 <= second < 52 else 1)
    assert verdict("link.generation", asleep) is PASS


@pytest.mark.parametrize(("rate", "expected"), [(2849, WARN), (2850, PASS)])
def test_the_copy_to_the_card(rate: int, expected: CheckVerdict) -> None:
    assert verdict("link.copy", copying(host_to_card_mb_s=rate, card_to_host_mb_s=9000)) is expected
    assert verdict("link.copy", copying(host_to_card_mb_s=9000, card_to_host_mb_s=rate)) is expected


@pytest.mark.parametrize("check_id", ["link.width", "link.generation", "link.replays", "link.copy"])
def test_what_sits_in_the_processor_has_no_link(check_id: str) -> None:
    assert verdict(check_id, some_evidence(gpu=a_gpu(kind=GpuKind.INTEGRATED))) is NOT_APPLICABLE


@pytest.mark.parametrize(
    ("percent", "measured", "by_datasheet"), [(74, FAIL, WARN), (75, WARN, WARN), (84, WARN, WARN), (85, PASS, PASS)]
)
def test_the_memorys_speed(percent: int, measured: CheckVerdict, by_datasheet: CheckVerdict) -> None:
    copied = copying(device_mb_s=percent * 10_000)
    known = a_reference_card(measured_bandwidth_mb_s=1_000_000)
    told = a_reference_card(measured_bandwidth_mb_s=None, bandwidth_mb_s=1_098_902)  # 91 % of it is 1 000 000
    assert verdict("speed.memory", replace(copied, reference=known)) is measured
    assert verdict("speed.memory", replace(copied, reference=told)) is by_datasheet
    assert verdict("speed.memory", replace(copied, reference=None)) is NOT_RUN


@pytest.mark.parametrize(("percent", "expected"), [(74, WARN), (75, PASS), (110, PASS)])
def test_the_speed_of_arithmetic_is_never_held_against_a_datasheet(percent: int, expected: CheckVerdict) -> None:
    computed = some_evidence(stress=with_compute(fp32_mflops=percent * 300_000))
    assert verdict("speed.compute", computed) is expected
    only_told = a_reference_card(measured_fp32_gflops=None)
    assert verdict("speed.compute", replace(computed, reference=only_told)) is NOT_RUN


@pytest.mark.parametrize(("last", "expected"), [(899, WARN), (900, PASS)])
def test_the_clock_must_hold(last: int, expected: CheckVerdict) -> None:
    assert verdict("speed.clock", reading(clock_sm_mhz=after(45, last, 1000))) is expected


def test_a_load_too_short_for_two_windows_says_nothing_about_the_clock() -> None:
    short = tuple(s for s in some_readings() if s.stage is not Stage.COMPUTE or s.at_s < 45)
    assert verdict("speed.clock", some_evidence(readings=short)) is NOT_RUN


@pytest.mark.parametrize(
    ("told", "turns", "expected"),
    [
        (31, 0, FAIL),
        (30, 0, INFO),
        (31, 1, PASS),
        (60, lambda second: 0 if 20 <= second < 26 else 1500, PASS),
        (60, lambda second: 0 if 20 <= second < 26.5 else 1500, FAIL),
        (0, 0, INFO),
    ],
)
def test_a_fan_that_stands_still_although_told_to_turn(told: int, turns: Any, expected: CheckVerdict) -> None:
    assert verdict("fan.turns", reading(fan_percent=told, fan_rpm=turns)) is expected


def test_a_card_without_a_fan_is_not_blamed_for_it() -> None:
    assert verdict("fan.turns", silent("fan_percent", "fan_rpm", why=Absence.NOT_SUPPORTED)) is NOT_APPLICABLE
    assert verdict("fan.turns", silent("fan_percent", "fan_rpm")) is NOT_RUN


@pytest.mark.parametrize(
    ("compute", "version", "remarks"),
    [("6.1", "580.95.05", True), ("6.1", "470.1", True), ("7.5", "580.95", False), ("8.6", "570.1", False)],
)
def test_a_driver_of_the_last_line_for_old_cards_is_told(compute: str, version: str, remarks: bool) -> None:
    found = result("facts.driver", some_evidence(gpu=a_gpu(compute_capability=compute, driver_version=version)))
    assert found.verdict is INFO
    assert bool(found.remedy) is remarks


def test_another_program_on_the_card_is_told() -> None:
    ours, other = GpuProcess(WORKER_PID, GIB, is_compute=True), GpuProcess(77, GIB, is_compute=True)
    screen = GpuProcess(88, GIB, is_compute=False)
    assert verdict("facts.alone", reading(processes=(ours, screen))) is PASS
    assert verdict("facts.alone", reading(processes=(ours, other))) is INFO
    assert verdict("facts.alone", reading(utilization_percent=20)) is WARN
    assert verdict("facts.alone", reading(utilization_percent=19)) is PASS
    assert verdict("facts.alone", silent("processes")) is NOT_RUN


def test_without_a_load_what_needs_one_is_not_run_and_the_counters_are_read() -> None:
    passive = {check.check_id: check.verdict for check in judge(a_passive_evidence())}
    loaded = {"answers.load", "memory.errors", "memory.coverage", "compute.exact", "heat.limit", "heat.slowed"}
    loaded |= {"heat.sensor", "heat.memory", "heat.hotspot", "heat.step", "power.brake", "power.cap", "power.reached"}
    loaded |= {"link.width", "link.generation", "link.copy", "speed.memory", "speed.compute", "speed.clock"}
    loaded |= {"facts.alone"}
    assert {check_id for check_id, said in passive.items() if said is NOT_RUN} == loaded
    assert passive["answers.always"] is passive["errors.now"] is passive["identity.card"] is PASS


def test_amd_has_no_xids_and_no_sram_flag() -> None:
    evidence = some_evidence(gpu=a_gpu(vendor=Vendor.AMD, name="Radeon RX 6800", driver="amdgpu"))
    for check_id in ("errors.now", "errors.past", "ecc.sram", "facts.ecc"):
        assert verdict(check_id, evidence) is NOT_APPLICABLE
