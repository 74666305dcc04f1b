"""A window's thread as it is in the application, for the tests of pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from fake_service import FakeClock, FakeService, Scene, ServiceThread

from argentum_desktop.ui.bridge import Bridge
from argentum_desktop.ui.health.passport_exporter import PassportExporter
from argentum_desktop.ui.main_window import MainWindow
from argentum_desktop.ui.theme import Theme

PATIENCE_S = 5.0


async def until(is_true: Callable[[], object]) -> None:
    """Wait for a condition while the loop runs."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_true():
            await asyncio.sleep(0.005)


@dataclass
class Desk:
    """A window's thread with everything a page needs."""

    theme: Theme
    thread: ServiceThread
    loop: asyncio.AbstractEventLoop
    clock: FakeClock
    quits: list[str]
    exporter: PassportExporter | None = None
    bridges: list[Bridge] = field(default_factory=list)
    windows: list[MainWindow] = field(default_factory=list)

    def run(self, test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a test as a task of the window's loop, and leave nothing under way."""

        async def whole() -> None:
            try:
                await test()
            finally:
                for window in self.windows:
                    window.end()
                    window.deleteLater()
                for bridge in self.bridges:
                    await bridge.close()

        self.loop.run_until_complete(whole())

    def bridge(self, service: FakeService) -> Bridge:
        made = Bridge(service, self.thread.loop)
        self.bridges.append(made)
        return made

    def make_window(self, bridge: Bridge) -> MainWindow:
        made = MainWindow(bridge, self.theme, self.clock, lambda: self.quits.append("quit"), self.exporter)
        self.windows.append(made)
        return made

    async def window(self, scene: Scene = Scene.WORKING) -> tuple[MainWindow, FakeService, Bridge]:
        """A shown window that has heard the first status."""
        service = FakeService(scene)
        bridge = self.bridge(service)
        window = self.make_window(bridge)
        window.show()
        await until(lambda: bridge.latest is not None)
        await bridge.settled()
        return window, service, bridge
