"""The GPUs page in each state of a health check, as pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

from fake_health import failed_report, older_report, report, ungraded_report, view
from fake_service import CHECKED, GTX_1080, NOW, RTX_3090, SIMULATED, FakeClock, FakeService, Scene, ServiceThread
from PySide6.QtCore import QSize

from argentum_desktop.domain.health import CheckMode
from argentum_desktop.ui.bridge import Bridge
from argentum_desktop.ui.dialogs.repair import RepairDialog
from argentum_desktop.ui.dialogs.start_check import StartCheckDialog
from argentum_desktop.ui.main_window import MainWindow
from argentum_desktop.ui.picture import save_picture
from argentum_desktop.ui.theme import Theme

TALL = QSize(1180, 1500)
SMALL = QSize(900, 600)
LARGE = QSize(1180, 780)


class NoExporter:
    """So that the button is there."""

    async def export(self, gpu_id: str, path: Path) -> None:
        raise NotImplementedError


Shot = Callable[[MainWindow, FakeService, ServiceThread, Bridge], Coroutine[Any, Any, None]]


async def never(window: MainWindow, _service: FakeService, _thread: ServiceThread, _bridge: Bridge) -> None:
    window.gpus.choose(GTX_1080.gpu_id)


async def checking(_window: MainWindow, service: FakeService, thread: ServiceThread, bridge: Bridge) -> None:
    for at_s in (1, 4, 9, 12, 32, 36, 41):
        seen = view(RTX_3090, NOW - timedelta(seconds=41), at_s)
        thread.do(service.check_goes_on, seen)
        await bridge.refresh()
        await asyncio.sleep(0.02)


async def result(window: MainWindow, service: FakeService, thread: ServiceThread, bridge: Bridge) -> None:
    service.reports[RTX_3090.gpu_id] = [older_report(RTX_3090, NOW - timedelta(days=92))]
    thread.do(service.check_ends, RTX_3090.gpu_id, CHECKED)
    await bridge.refresh()
    await asyncio.sleep(0.05)
    await bridge.settled()
    window.gpus.detail.history.model.tick(0, is_ticked=True)


async def everything(window: MainWindow, service: FakeService, thread: ServiceThread, bridge: Bridge) -> None:
    await result(window, service, thread, bridge)
    window.gpus.detail.health.result.more.setChecked(True)


async def failed(_window: MainWindow, service: FakeService, thread: ServiceThread, _bridge: Bridge) -> None:
    thread.do(service.check_ends, RTX_3090.gpu_id, failed_report(RTX_3090, NOW))


async def ungraded(_window: MainWindow, service: FakeService, thread: ServiceThread, _bridge: Bridge) -> None:
    thread.do(service.check_ends, RTX_3090.gpu_id, ungraded_report(RTX_3090, NOW))


async def simulated(window: MainWindow, service: FakeService, thread: ServiceThread, _bridge: Bridge) -> None:
    window.gpus.choose(SIMULATED.gpu_id)
    thread.do(service.check_ends, SIMULATED.gpu_id, report(SIMULATED, NOW - timedelta(minutes=3)))


async def compare(window: MainWindow, service: FakeService, thread: ServiceThread, bridge: Bridge) -> None:
    await result(window, service, thread, bridge)
    thread.do(service.check_ends, RTX_3090.gpu_id, report(RTX_3090, NOW, "report-2"))
    await bridge.refresh()
    await bridge.settled()
    history = window.gpus.detail.history
    history.model.tick(0, is_ticked=True)
    history.model.tick(len(history.model.rows) - 1, is_ticked=True)
    history.compare.click()


async def problem(_window: MainWindow, service: FakeService, thread: ServiceThread, _bridge: Bridge) -> None:
    thread.do(service.check_ends, RTX_3090.gpu_id, None, "You cancelled it.")


SHOTS: dict[str, tuple[Scene, Shot]] = {
    "never": (Scene.WORKING, never),
    "checking": (Scene.WORKING, checking),
    "result": (Scene.WORKING, result),
    "all-checks": (Scene.WORKING, everything),
    "failed": (Scene.WORKING, failed),
    "ungraded": (Scene.WORKING, ungraded),
    "simulated": (Scene.OUTSIDE_HOURS, simulated),
    "compare": (Scene.WORKING, compare),
    "cancelled": (Scene.WORKING, problem),
}


async def draw_health(theme: Theme, choice: str, thread: ServiceThread, folder: Path) -> None:
    """Each state, tall enough to be seen whole, and some of them in the usual sizes."""
    for name, (scene, prepare) in SHOTS.items():
        service = FakeService(scene)
        bridge = Bridge(service, thread.loop)
        window = MainWindow(bridge, theme, FakeClock(), lambda: None, NoExporter())
        window.set_tray_available(True)
        window.open_page(1)
        window.resize(TALL)
        window.show()
        await bridge.refresh()
        await bridge.settled()
        await prepare(window, service, thread, bridge)
        for size, suffix in ((TALL, ""), (LARGE, "-large"), (SMALL, "-small")):
            await save_picture(window, bridge, folder / f"gpus-{name}-{choice}{suffix}.png", size)
        if name == "checking":
            window.open_page(0)
            await save_picture(window, bridge, folder / f"overview-checking-{choice}.png")
        await bridge.close()
        window.end()
        window.deleteLater()
    for name, dialog in (
        ("ask", StartCheckDialog(None, "GeForce RTX 3090", CheckMode.QUICK)),
        ("ask-passive", StartCheckDialog(None, "GeForce RTX 3090", CheckMode.PASSIVE)),
        ("repair", RepairDialog(None, "GeForce RTX 3090")),
    ):
        dialog.open()
        await asyncio.sleep(0.05)
        dialog.grab().save(str(folder / f"dialog-{name}-{choice}.png"))
        dialog.close()
        dialog.deleteLater()
