"""Guards against a fault of one Qt for Python release (docs/decisions/0003-qt-version.md)."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject

CALLS = 2000


def test_void_calls_take_no_reference_from_none() -> None:
    """With the faulty wheel on Python 3.11 each call takes one, and the process dies when none are left."""
    thing = QObject()
    before = sys.getrefcount(None)
    for number in range(CALLS):
        thing.setObjectName(str(number % 2))
    assert abs(sys.getrefcount(None) - before) < CALLS // 10
