"""Nothing of Qt's is ever destroyed on the service's thread."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication

from argentum_desktop.ui.garbage import GarbageCollector


@pytest.fixture
def collector(qapp: QApplication) -> Iterator[GarbageCollector]:
    made = GarbageCollector(qapp)
    yield made
    made.stop()


def make_garbage(destroyed_on: list[int]) -> None:
    """A QObject that only the cyclic collector can free."""
    thing = QObject()
    thing.destroyed.connect(lambda: destroyed_on.append(threading.get_ident()), Qt.ConnectionType.DirectConnection)
    thing.itself = thing  # type: ignore[attr-defined]


def work_hard() -> None:
    """Enough allocations for many automatic collections."""
    for _ in range(20):
        rows = [[number] for number in range(5_000)]
        rows.clear()


def test_garbage_waits_for_the_windows_thread(collector: GarbageCollector) -> None:
    destroyed_on: list[int] = []
    make_garbage(destroyed_on)
    other = threading.Thread(target=work_hard)
    other.start()
    other.join()
    assert destroyed_on == []
    held = [[number] for number in range(2_000)]
    collector.collect_what_is_due()
    assert held
    assert destroyed_on == [threading.get_ident()]


def test_without_it_the_other_thread_collects() -> None:
    """What this guards against happens: the same garbage, the collector as Python has it."""
    destroyed_on: list[int] = []
    assert gc.isenabled()
    make_garbage(destroyed_on)
    other = threading.Thread(target=work_hard)
    other.start()
    other.join()
    assert destroyed_on
    assert destroyed_on[0] != threading.get_ident()


def test_python_has_its_collector_back_afterwards(qapp: QApplication) -> None:
    collector = GarbageCollector(qapp)
    assert not gc.isenabled()
    collector.stop()
    assert gc.isenabled()
