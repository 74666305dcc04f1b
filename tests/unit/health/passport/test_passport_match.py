"""Whether the card here is the card of a passport, in careful words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from health_samples import a_gpu, a_stress_result, an_engine, some_readings
from passport_samples import BUYER, a_passport, a_sound_report, checked, extended, repaired

from argentum_desktop.domain.gpu import Vendor
from argentum_desktop.domain.health import CardIdentity, CheckMode, HealthReport, Samples
from argentum_desktop.domain.passport import EntryKind, Passport
from argentum_desktop.domain.stress import ComputeTest, CopyRates
from argentum_desktop.errors import PassportError
from argentum_desktop.health.passport.chain import KeyStart, verify_chain
from argentum_desktop.health.passport.match import Likeness, Match, MatchVerdict, match, matched_body
from argentum_desktop.health.samples import samples_of

UUID = "GPU-5f1a7c3e"
BY_PLACE = "PCI-0000:01:00.0-10de:2204-1458:403b"


def report_of_card(**changes: Any) -> HealthReport:
    return a_sound_report(report_id="here", card=CardIdentity.of(a_gpu(**changes)))


def compared(there: dict[str, Any], here: dict[str, Any]) -> Match:
    report = replace(report_of_card(**there), report_id="there")
    return match(a_passport(checked(report), card=report.card), report_of_card(**here))


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], MatchVerdict, str]] = {
    "the same": ({}, {}, MatchVerdict.SAME_CARD, "same card, by its number"),
    "by its serial": (
        {"gpu_id": BY_PLACE, "serial": "1322"},
        {"gpu_id": BY_PLACE.replace("01:", "0a:"), "serial": "1322"},
        MatchVerdict.SAME_CARD,
        "by its serial number",
    ),
    "in another slot, newer driver and VBIOS": (
        {"pci_address": "0000:01:00.0"},
        {"pci_address": "0000:0a:00.0", "driver_version": "600", "vbios_version": "94.99"},
        MatchVerdict.SAME_CARD,
        "same card",
    ),
    "a little less memory": ({}, {"memory_total_bytes": 24 * 1024**3 - 300 * 2**20}, MatchVerdict.SAME_CARD, "same"),
    "another name for it": ({}, {"name": "GeForce RTX 3090"}, MatchVerdict.SAME_CARD, "same card"),
    "another number": ({}, {"gpu_id": "GPU-9999"}, MatchVerdict.ANOTHER_CARD, "differs in number"),
    "another serial": (
        {"gpu_id": BY_PLACE, "serial": "1"},
        {"gpu_id": BY_PLACE, "serial": "2"},
        MatchVerdict.ANOTHER_CARD,
        "serial number",
    ),
    "another model": (
        {"gpu_id": BY_PLACE},
        {"gpu_id": BY_PLACE, "pci_id": "10de:2206"},
        MatchVerdict.ANOTHER_CARD,
        "chip",
    ),
    "another board": (
        {"gpu_id": BY_PLACE},
        {"gpu_id": BY_PLACE, "pci_subsystem": "1043:87b3"},
        MatchVerdict.ANOTHER_CARD,
        "board",
    ),
    "half the memory": (
        {"gpu_id": BY_PLACE},
        {"gpu_id": BY_PLACE, "memory_total_bytes": 12 * 1024**3},
        MatchVerdict.ANOTHER_CARD,
        "memory",
    ),
    "a copied number": ({}, {"pci_id": "10de:1b07"}, MatchVerdict.ALTERED, "Take care: it has the number"),
    "a number and a serial at odds": (
        {"serial": "1"},
        {"serial": "2"},
        MatchVerdict.ALTERED,
        "differs in serial number",
    ),
    "no number at all": ({"gpu_id": BY_PLACE}, {"gpu_id": BY_PLACE}, MatchVerdict.CANNOT_TELL, "the same model"),
    "a number on one side alone": ({}, {"gpu_id": BY_PLACE}, MatchVerdict.CANNOT_TELL, "the same model"),
    "a number made of its place": (
        {"gpu_id": "GPU-7-0000:01:00.0"},
        {"gpu_id": "GPU-7-0000:01:00.0"},
        MatchVerdict.CANNOT_TELL,
        "the same model",
    ),
    "nothing known": (
        {"gpu_id": BY_PLACE, "pci_id": None, "pci_subsystem": None, "memory_total_bytes": None, "name": ""},
        {"gpu_id": BY_PLACE, "pci_id": None, "pci_subsystem": None, "memory_total_bytes": None, "name": ""},
        MatchVerdict.CANNOT_TELL,
        "Too little is known",
    ),
    "only the names, which differ": (
        {"gpu_id": BY_PLACE, "pci_id": None},
        {"gpu_id": BY_PLACE, "pci_id": None, "name": "GeForce GT 1030"},
        MatchVerdict.ANOTHER_CARD,
        "name",
    ),
    "simulated here": ({}, {"vendor": Vendor.SIMULATED}, MatchVerdict.ANOTHER_CARD, "one of the two is simulated"),
    "both simulated": (
        {"vendor": Vendor.SIMULATED, "gpu_id": "SIM-1"},
        {"vendor": Vendor.SIMULATED, "gpu_id": "SIM-1"},
        MatchVerdict.CANNOT_TELL,
        "Both are simulated",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_comparison_comes_to_a_careful_verdict(name: str) -> None:
    there, here, verdict, words = CASES[name]
    found = compared(there, here)
    assert (found.verdict, found.is_same) == (verdict, verdict is MatchVerdict.SAME_CARD)
    assert words in found.words
    expected = {MatchVerdict.SAME_CARD: 0, MatchVerdict.CANNOT_TELL: 6}.get(verdict, 1)
    assert found.exit_code == expected
    assert found.is_simulated == ("simulated" in name)


def test_what_one_side_does_not_say_is_not_known() -> None:
    found = compared({"vbios_version": None}, {})
    likeness = {trait.name: trait.likeness for trait in found.traits}
    assert likeness["vbios_version"] is Likeness.UNKNOWN
    assert likeness["serial"] is Likeness.UNKNOWN
    assert likeness["gpu_id"] is Likeness.SAME


def measured(bandwidth: int | None = 800_000, fp32: int | None = 30_000_000, **changes: Any) -> HealthReport:
    stress = a_stress_result(copy=CopyRates(bandwidth), compute=ComputeTest(1, 0, "fused", fp32), **changes)
    return a_sound_report(report_id="m", stress=stress)


def drift_of(there: HealthReport, here: HealthReport) -> dict[str, bool]:
    found = match(a_passport(checked(there)), replace(here, report_id="here"))
    return {drift.name: drift.is_beyond for drift in found.drifts}


@pytest.mark.parametrize(
    ("there", "here", "expected"),
    [
        (measured(), measured(), {"bandwidth": False, "fp32": False, "temperature": False}),
        (measured(), measured(720_000, 25_500_000), {"bandwidth": False, "fp32": False, "temperature": False}),
        (measured(), measured(711_999, 25_199_999), {"bandwidth": True, "fp32": True, "temperature": False}),
        (measured(), measured(1_600_000, 60_000_000), {"bandwidth": False, "fp32": False, "temperature": False}),
        (measured(), measured(0), {"bandwidth": True, "fp32": False, "temperature": False}),
        (measured(None), measured(), {"fp32": False, "temperature": False}),
        (measured(0), measured(), {"fp32": False, "temperature": False}),
    ],
)
def test_only_what_became_worse_beyond_its_tolerance_is_drift(
    there: HealthReport, here: HealthReport, expected: dict[str, bool]
) -> None:
    assert drift_of(there, here) == expected


def test_figures_of_different_programs_are_not_compared() -> None:
    newer = measured(1, 1, engine=an_engine(shaders_sha256="ef" * 32))
    assert drift_of(measured(), newer) == {"temperature": False}


@pytest.mark.parametrize(("hotter_c", "is_beyond"), [(10, False), (11, True), (-30, False)])
def test_a_card_that_runs_hotter(hotter_c: int, is_beyond: bool) -> None:
    hot = replace(measured(), samples=samples_of(some_readings(temperature_c=lambda second: 70 + hotter_c)))
    cool = replace(measured(), samples=samples_of(some_readings(temperature_c=lambda second: 70)))
    assert drift_of(cool, hot)["temperature"] is is_beyond


def test_heat_is_compared_between_like_checks_alone() -> None:
    full = replace(measured(), mode=CheckMode.FULL)
    assert "temperature" not in drift_of(measured(), full)
    assert "temperature" not in drift_of(measured(), replace(measured(), samples=Samples()))


def test_a_passport_that_was_never_checked_can_be_matched_by_what_it_was_opened_with() -> None:
    found = match(a_passport(repaired()), report_of_card())
    assert found.is_same
    assert (found.drifts, found.there_report_id) == ((), "")


def test_a_passport_of_nothing_cannot_be_matched() -> None:
    with pytest.raises(PassportError, match="does not say which card"):
        match(Passport("GPU-1", ()), report_of_card())


def test_the_entry_names_where_the_other_passport_ended() -> None:
    passport = a_passport(checked())
    body = matched_body(match(passport, report_of_card()))
    assert body["other"] == {
        "gpu_id": UUID,
        "entries": 2,
        "sha256": passport.entries[-1].sha256,
        "public_key": passport.entries[-1].public_key,
    }
    handed = verify_chain(extended(passport, (EntryKind.MATCHED, body), identity=BUYER))
    assert handed.is_whole
    assert handed.keys[-1].start is KeyStart.MATCHED
