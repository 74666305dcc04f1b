"""Scenario files: what they can say, and one clear sentence where they say what cannot be."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from argentum_desktop.domain.gpu import GpuKind, GpuState
from argentum_desktop.domain.reading import VALUES, Absence, Reading, ThrottleReason
from argentum_desktop.errors import BadInputError
from argentum_desktop.gpus.simulated.scenario import chosen_scenario, load, shipped
from argentum_desktop.gpus.simulated.source import SimulatedSource

DATA = Path(__file__).resolve().parents[2] / "data" / "scenarios"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SHIPPED = ("dying-fan", "ecc-storm", "healthy", "lost-card", "overheating")


def played(path: Path, seconds: int) -> list[list[Reading]]:
    source = SimulatedSource(0, scenario=load(path))
    return [list(source.read(NOW + timedelta(seconds=second))) for second in range(seconds)]


def path_of(name: str) -> Path:
    path = chosen_scenario(name)
    assert path is not None
    return path


# -- those that ship --------------------------------------------------------------------------------------------------


def test_the_shipped_ones_are_found_by_name() -> None:
    assert tuple(shipped()) == SHIPPED
    for name in SHIPPED:
        assert path_of(name).is_absolute()
    assert chosen_scenario("") is None
    assert chosen_scenario(str(path_of("healthy"))) == path_of("healthy")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_one_explains_every_value_for_ten_minutes(name: str) -> None:
    for readings in played(path_of(name), 600)[::7]:
        for reading in readings:
            for value in VALUES:
                present = getattr(reading, value) is not None and value not in reading.absent
                assert present != (value in reading.absent), value
            assert reading.temperature_c is None or 15 < reading.temperature_c < 105


def test_the_healthy_one_is_healthy() -> None:
    for readings in played(path_of("healthy"), 300)[::10]:
        for reading in readings:
            assert reading.throttled_by_heat == 0
            assert set(reading.absent.values()) <= {Absence.NOT_SUPPORTED}
            assert not reading.ecc_corrected
    assert load(path_of("healthy")).plans[-1].build.kind is GpuKind.INTEGRATED


def test_overheating_slows_and_cools_down_again() -> None:
    first = [readings[0] for readings in played(path_of("overheating"), 400)]
    hot = first[60]
    assert ThrottleReason.HARDWARE_TEMPERATURE in hot.throttle_reasons
    assert (hot.temperature_c or 0) >= 90
    assert (hot.power_mw or 0) < 0.6 * (first[-1].power_mw or 0)
    assert first[-1].throttled_by_heat == 0


def test_a_dying_fan_is_asked_for_everything_and_does_nothing() -> None:
    reading = played(path_of("dying-fan"), 30)[-1][0]
    assert (reading.fan_percent or 0) > 90
    assert reading.fan_rpm == 0
    assert reading.throttled_by_heat == 1


def test_an_ecc_storm_is_counted_and_mended() -> None:
    rows = played(path_of("ecc-storm"), 240)
    first, last = rows[0], rows[-1]
    assert (last[0].ecc_corrected or 0) > (first[0].ecc_corrected or 0) + 3000
    assert last[0].remapped_rows_failed == 1
    assert (last[1].retired_pages_sbe or 0) > (first[1].retired_pages_sbe or 0)
    assert last[1].absent["remapped_rows_failed"] is Absence.NOT_SUPPORTED
    assert 48 in {xid for readings in rows for xid in readings[0].xid_events}
    assert (last[2].pcie_width, last[2].pcie_generation) == (4, 1)
    assert any(ThrottleReason.POWER_BRAKE in readings[2].throttle_reasons for readings in rows)


def test_a_lost_card_comes_back_and_the_others_go_on() -> None:
    rows = played(path_of("lost-card"), 120)
    assert rows[0][1].is_lost
    assert set(rows[0][1].absent) == set(VALUES)
    assert not rows[-1][1].is_lost
    assert all(readings[0].temperature_c for readings in rows)
    nonsense = rows[0][2]
    assert (nonsense.absent["temperature_c"], nonsense.absent["power_mw"]) == (Absence.ERROR, Absence.ERROR)
    listed = SimulatedSource(0, scenario=load(path_of("lost-card"))).discover().gpus
    states = [gpu.state for gpu in listed]
    assert states == [GpuState.READY, GpuState.READY, GpuState.NO_DRIVER, GpuState.PASSED_THROUGH, GpuState.READY]
    assert all(gpu.problem and gpu.remedy for gpu in listed if gpu.state is not GpuState.READY)


# -- what a file can say ----------------------------------------------------------------------------------------------


def test_every_key_does_what_it_says() -> None:
    source = SimulatedSource(1, scenario=load(DATA / "everything.toml"))
    first, ignored, usual = source.discover().gpus
    assert (first.gpu_id, first.name, first.memory_total_bytes) == ("SIM-0", "One of everything", 32 * 2**30)
    assert (first.power_limit_mw, first.temperature_slowdown_c, first.temperature_shutdown_c) == (250_000, 85, 95)
    assert (first.pcie_generation_max, first.pcie_width_max) == (5, 8)
    assert set(first.sources) == {"temperature_memory_c"}
    assert (ignored.state, ignored.problem, ignored.remedy) == (GpuState.IGNORED, "Left out.", "Leave it.")
    assert (usual.gpu_id, usual.name) == ("SIM-2", "Example card 24 GB")
    rows = [source.read(NOW + timedelta(seconds=second)) for second in range(30)]
    assert all([reading.gpu_id for reading in readings] == ["SIM-0", "SIM-2"] for readings in rows)
    card = [readings[0] for readings in rows]
    assert card[3].memory_used_bytes == 340 * 2**20
    assert card[12].memory_used_bytes == 340 * 2**20 + int(20.5 * 2**30)
    assert (card[3].utilization_percent or 0) < 55 < (card[12].utilization_percent or 0)
    assert (card[4].pcie_generation, card[4].pcie_width) == (5, 8)
    assert (card[7].pcie_generation, card[7].pcie_width) == (2, 1)
    assert [reading.xid_events for reading in card[6:13]] == [(), (31,), (), (), (), (), (31,)]
    assert (card[14].ecc_corrected, card[14].ecc_uncorrected_volatile) == (90, 1)
    assert (card[14].remapped_rows_correctable, card[14].remapped_rows_failed) == (5, 1)
    assert ThrottleReason.POWER_BRAKE in card[13].throttle_reasons
    assert card[16].absent == {
        **dict.fromkeys(("retired_pages_sbe", "retired_pages_dbe", "retired_pages_pending"), Absence.NOT_SUPPORTED),
        **dict.fromkeys(("temperature_c", "power_mw", "fan_percent"), Absence.ERROR),
        "temperature_hotspot_c": Absence.NOT_SUPPORTED,
    }
    assert [reading.is_lost for reading in card[19:26]] == [False, True, True, True, True, True, False]
    assert card[28].pcie_replays == 23


def test_a_sensor_that_was_started_anew_goes_on_with_the_scenario() -> None:
    scenario = load(DATA / "everything.toml")
    one = SimulatedSource(0, scenario=scenario, began_at=NOW)
    rows = [one.read(NOW + timedelta(seconds=second))[0] for second in range(20)]
    another = SimulatedSource(0, scenario=scenario, began_at=NOW)
    another.set_load("SIM-0", 100, 0)
    taken_up = another.read(NOW + timedelta(seconds=19))[0]
    for name in ("ecc_corrected", "remapped_rows_uncorrectable", "pcie_replays", "memory_used_bytes"):
        assert getattr(taken_up, name) == getattr(rows[-1], name), name
    assert taken_up.utilization_percent == 100
    assert taken_up.xid_events == ()
    late = SimulatedSource(0, scenario=scenario, began_at=NOW).read(NOW + timedelta(days=30))[0]
    assert late.ecc_corrected == 100
    assert late.pcie_replays == 30 * 86_400 - 5


# -- what it cannot say -----------------------------------------------------------------------------------------------

CARD = "[[card]]\n"
EVENT = f'{CARD}build = "workstation"\n[[card.event]]\n'
WRONG = {
    "no TOML": ("[[card", "is not valid TOML"),
    "deep": ("x = " + "[" * 5000, "is not valid TOML"),
    "empty": ("", "there must be 1 to 16 tables [[card]], not 0"),
    "too many": (CARD * 17, "not 17"),
    "a word for tables": ("card = 3", "card must be a list of tables"),
    "another table": (f"{CARD}[cards]\n", "the key 'cards' is not known (did you mean card?)"),
    "unknown build": (f'{CARD}build = "24GB"', "card 1: build '24GB' is not known (did you mean 24 GB?)"),
    "far build": (f'{CARD}build = "Voodoo"', "known are 12 GB, 16 GB, 24 GB, 8 GB"),
    "unknown key": (
        f"{CARD}power_limt_w = 3",
        "card 1: the key 'power_limt_w' is not known (did you mean power_limit_w",
    ),
    "second card": (f"{CARD}{CARD}colour = 1", "card 2: the key 'colour'"),
    "no number": (f'{CARD}ambient_c = "warm"', "card 1: ambient_c must be a number from -20 to 60, not 'warm'"),
    "yes for a number": (f"{CARD}ambient_c = true", "ambient_c must be a number"),
    "not finite": (f"{CARD}ambient_c = nan", "ambient_c must be a number"),
    "endless": (f"{CARD}ambient_c = " + "9" * 4000, "ambient_c must be a number"),
    "more digits than Python reads": (f"{CARD}ambient_c = " + "9" * 5000, "is not valid TOML"),
    "half a clock": (f"{CARD}clock_boost_mhz = 1000.5", "must be a whole number from 15 to 5000, not 1000.5"),
    "two lines": (f'{CARD}name = "a\\u001b[2Jb"', "name must be one line of text"),
    "no flag": (f"{CARD}ecc = 1", "ecc must be true or false, not 1"),
    "no state": (f'{CARD}state = "broken"', "card 1: state 'broken' is not known"),
    "a ready card with a problem": (f'{CARD}problem = "none"', "is ready and needs neither problem nor remedy"),
    "idle above the limit": (f"{CARD}power_limit_w = 10", "idle_w must be less than power_limit_w (10)"),
    "shutdown below slowdown": (f"{CARD}slowdown_c = 110", "slowdown_c must be less than shutdown_c (100)"),
    "load backwards": (f"{CARD}load = [{{at_s = 5, percent = 1}}, {{at_s = 5, percent = 2}}]", "card 1, load 2: at_s"),
    "load without": (f"{CARD}load = [{{at_s = 5}}]", "card 1, load 1: percent is missing"),
    "load too large": (f"{CARD}load = [{{percent = 1, memory_gib = 25}}]", "memory_gib must be a number from 0 to 24"),
    "nothing happens": (f"{EVENT}at_s = 1", "card 1, event 1: what is missing"),
    "unknown event": (f'{EVENT}what = "ecc_strom"', "event 1: what 'ecc_strom' is not known (did you mean ecc_storm?)"),
    "no time": (f'{EVENT}what = "lost"', "card 1, event 1 (lost): at_s is missing"),
    "foreign figure": (f'{EVENT}what = "lost"\nat_s = 1\nnumber = 79', "the key 'number' is not known"),
    "ends before": (f'{EVENT}what = "lost"\nat_s = 5\nuntil_s = 5', "until_s must be later than at_s (5)"),
    "for ever and again": (f'{EVENT}what = "lost"\nat_s = 5\nevery_s = 9', "must end, so give it until_s"),
    "too often": (f'{EVENT}what = "lost"\nat_s = 5\nuntil_s = 9\nevery_s = 4', "every_s must be longer than it lasts"),
    "a moment that lasts": (f'{EVENT}what = "xid"\nat_s = 5\nuntil_s = 9', "event 1 (xid): the key 'until_s'"),
    "no metric": (f'{EVENT}what = "bad_value"\nat_s = 5', "metric is missing"),
    "unknown metric": (f'{EVENT}what = "bad_value"\nat_s = 5\nmetric = "power"', "metric 'power' is not known"),
    "errors that nobody counts": (f'{CARD}[[card.event]]\nwhat = "ecc_storm"\nat_s = 1', "give it ecc = true"),
    "no fan": (f'{CARD}build = "server"\n[[card.event]]\nwhat = "dying_fan"\nat_s = 1', "this card has no fan"),
}


@pytest.mark.parametrize("case", sorted(WRONG))
def test_a_wrong_file_is_one_sentence_that_names_the_place(tmp_path: Path, case: str) -> None:
    text, words = WRONG[case]
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(BadInputError) as told:
        chosen_scenario(str(file))
    assert words in str(told.value)
    assert str(file) in str(told.value)
    assert str(told.value).isprintable()
    assert len(str(told.value)) < 600
    assert told.value.exit_code == 2


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "large.toml").write_bytes(b"#" * 1_100_000)
    for name, words in {
        "none.toml": "No such file",
        "": "Is a directory",
        "binary.toml": "not text in UTF-8",
        "large.toml": "larger than",
    }.items():
        with pytest.raises(BadInputError, match=words):
            chosen_scenario(str(tmp_path / name))
    if os.name == "posix":
        (tmp_path / "marked.toml").write_bytes(b"\xef\xbb\xbf[[card]]\n")
        assert chosen_scenario(str(tmp_path / "marked.toml"))


def test_a_name_that_is_none_is_answered_with_those_that_are() -> None:
    with pytest.raises(BadInputError) as told:
        chosen_scenario("overheatin")
    assert "did you mean overheating?" in told.value.message
    assert all(name in told.value.remedy for name in SHIPPED)
