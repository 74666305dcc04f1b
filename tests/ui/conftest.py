"""The window's thread as it is in the application: Qt's loop and asyncio's are one, the service has its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest
import qasync
from desk import Desk
from fake_service import FakeClock, ServiceThread
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QApplication

from argentum_desktop.ui.garbage import GarbageCollector
from argentum_desktop.ui.theme import Theme, ThemeChoice

# Read when the application is made. The real display is for tests/integration/test_tray_on_display.py.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True)
def british() -> None:
    """The same words on every machine that runs these tests."""
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom))


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    made = Theme(qapp, ThemeChoice.DARK)
    yield made
    made.deleteLater()


@pytest.fixture
def desk(qapp: QApplication, theme: Theme) -> Iterator[Desk]:
    qapp.setQuitOnLastWindowClosed(False)
    thread = ServiceThread()
    loop = qasync.QSelectorEventLoop(qapp)
    asyncio.set_event_loop(loop)
    collector = GarbageCollector(qapp)
    yield Desk(theme, thread, loop, FakeClock(), [])
    loop.close()
    asyncio.set_event_loop(None)
    thread.stop()
    collector.stop()
