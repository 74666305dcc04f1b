"""NVIDIA's error events (XID): told once, to the right card, and no harm where there are none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fake_nvml import build
from fake_nvml.build import FakeNvml, card

from argentum_desktop.domain.reading import XID_EVENTS, Absence, Reading
from argentum_desktop.gpus.nvidia import events
from argentum_desktop.gpus.nvidia.source import NvidiaSource

fake_nvml = build.fake_nvml

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def source(fake_nvml: FakeNvml) -> Iterator[NvidiaSource]:
    found = NvidiaSource(fake_nvml.library)
    yield found
    found.close()


def read(source: NvidiaSource, second: float) -> list[Reading]:
    return list(source.read(NOW + timedelta(seconds=second)))


def test_an_error_is_told_once_and_by_its_card(source: NvidiaSource, fake_nvml: FakeNvml) -> None:
    fake_nvml.follow(card(0), card(1), "card 1 xid 2 31", "card 1 xid 2 43", "card 0 xid 5 48")
    source.discover()
    told = [[reading.xid_events for reading in read(source, second)] for second in range(4)]
    assert told == [[(), ()], [(), (31, 43)], [(48,), ()], [(), ()]]


def test_a_number_without_sense_is_not_told(source: NvidiaSource, fake_nvml: FakeNvml) -> None:
    fake_nvml.follow(card(0), "card 0 xid 1 0", "card 0 xid 1 4000000000", "card 0 xid 1 79")
    source.discover()
    assert read(source, 0)[0].xid_events == (79,)


def test_a_flood_is_told_bit_by_bit(source: NvidiaSource, fake_nvml: FakeNvml) -> None:
    fake_nvml.follow(card(0), card(1), *(f"card {index} xid 1 {13 + at}" for index in (0, 1) for at in range(60)))
    source.discover()
    told = [[len(reading.xid_events) for reading in read(source, second)] for second in range(3)]
    assert told == [[60, 4], [0, 56], [0, 0]]


def test_why_a_card_was_lost_is_told_with_the_loss(source: NvidiaSource, fake_nvml: FakeNvml) -> None:
    fake_nvml.follow(card(0, lost_after=75), "card 0 xid 5 79")
    source.discover()
    readings = [read(source, second)[0] for second in range(7)]
    told = next(reading for reading in readings if reading.xid_events)
    assert told.xid_events == (79,)
    assert readings[-1].absent[XID_EVENTS] is Absence.LOST


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("error nvmlEventSetCreate 3", Absence.NOT_SUPPORTED),
        ("error nvmlEventSetCreate 13", Absence.NOT_SUPPORTED),
        ("error nvmlEventSetCreate 999", Absence.ERROR),
        ("card 0 error nvmlDeviceRegisterEvents 3", Absence.NOT_SUPPORTED),
        ("card 0 error nvmlDeviceRegisterEvents 4", Absence.ERROR),
        ("error nvmlEventSetWait_v2 3", Absence.NOT_SUPPORTED),
        ("error nvmlEventSetWait_v2 15", Absence.ERROR),
        ("error nvmlEventSetWait_v2 999", Absence.ERROR),
    ],
)
def test_without_events_the_rest_is_read(source: NvidiaSource, fake_nvml: FakeNvml, line: str, why: Absence) -> None:
    fake_nvml.follow(card(0), line)
    source.discover()
    for second in range(3):
        (reading,) = read(source, second)
        assert (reading.xid_events, reading.absent[XID_EVENTS]) == ((), why)
        assert reading.temperature_c == 61


def test_one_card_without_events_does_not_silence_the_other(source: NvidiaSource, fake_nvml: FakeNvml) -> None:
    fake_nvml.follow(card(0), card(1), "card 0 error nvmlDeviceRegisterEvents 3", "card 1 xid 1 31")
    source.discover()
    mute, other = read(source, 0)
    assert mute.absent[XID_EVENTS] is Absence.NOT_SUPPORTED
    assert other.xid_events == (31,)


def test_a_queue_that_fails_is_opened_anew_after_a_pause(
    source: NvidiaSource, fake_nvml: FakeNvml, tmp_path: Path
) -> None:
    calls = tmp_path / "calls.txt"
    fake_nvml.follow(card(0), "error nvmlEventSetWait_v2 999", f"calls {calls}")
    source.discover()
    for second in range(12):
        read(source, second)
    assert calls.read_text().count("nvmlEventSetCreate") == 3
    assert calls.read_text().count("nvmlEventSetFree") == 3


def test_only_linux_has_events(source: NvidiaSource, fake_nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_nvml.follow(card(0), "card 0 xid 1 79", "crash nvmlEventSetCreate")
    source.discover()
    monkeypatch.setattr(events.sys, "platform", "win32")
    (reading,) = read(source, 0)
    assert (reading.xid_events, reading.absent[XID_EVENTS]) == ((), Absence.NOT_SUPPORTED)
