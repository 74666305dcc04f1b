"""The owner's use of a Windows computer, asked of Wine's own libraries by a real Windows Python."""

from __future__ import annotations

import json

import pytest
import wine
from wine import ROOT, windows_path

pytestmark = pytest.mark.timeout(600)  # the first run fetches CPython for Windows and makes the prefix

# psutil's build needs a library that this Python lacks, and is asked for the name of the foreground program alone.
ASK = """
import asyncio, json, sys, types
sys.modules["psutil"] = types.ModuleType("psutil")
sys.path.insert(0, sys.argv[1])
from argentum_desktop.system.activity.windows import WindowsSignals

async def nothing():
    pass

async def main():
    signals = WindowsSignals()
    names = ("idle_s", "full_screen", "is_presenting", "is_remote", "is_metered")
    said = {name: await getattr(signals, name)() for name in names}
    watching = asyncio.create_task(signals.watch_sleep(nothing, lambda: None))
    await asyncio.sleep(0.2)
    said["hears of sleep"] = not watching.done()
    watching.cancel()
    await asyncio.wait([watching])
    said["lets go"] = watching.cancelled()
    await signals.close()
    print(json.dumps(said))

asyncio.run(main())
"""


def test_windows_own_libraries_answer() -> None:
    with wine.prepare().kept_running() as windows:
        printed, _ = windows.run("-c", ASK, windows_path(ROOT))
    said = json.loads(printed)
    assert said.pop("idle_s") >= 0
    assert said == {
        "full_screen": "",
        "is_presenting": False,
        "is_remote": False,
        "is_metered": False,
        "hears of sleep": True,
        "lets go": True,
    }
