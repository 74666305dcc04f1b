"""Calls cross to the service's thread and back; events come out on the window's thread."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import replace

import pytest
from desk import Desk, until
from fake_service import BASE, NO_ENGINE, FakeService, ServiceThread
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from argentum_desktop.agent.status import Status, StatusChanged
from argentum_desktop.errors import ArgentumError, EngineMissingError, NotRunningError
from argentum_desktop.ui.bridge import Bridge


def open_boxes() -> list[QMessageBox]:
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, QMessageBox) and w.isVisible()]


def test_a_call_runs_on_the_services_thread_and_its_answer_comes_back(desk: Desk) -> None:
    async def test() -> None:
        service = FakeService()
        bridge = desk.bridge(service)
        assert await bridge.call(service.status) is service.now_status
        assert service.threads == {"service"}

    desk.run(test)


def test_a_known_fault_crosses_as_itself(desk: Desk) -> None:
    async def test() -> None:
        service = FakeService(failing={"pause": NO_ENGINE})
        with pytest.raises(EngineMissingError, match="No container engine answers"):
            await desk.bridge(service).call(service.pause, None)

    desk.run(test)


def test_a_call_after_the_service_ended_says_so(desk: Desk) -> None:
    async def test() -> None:
        service, thread = FakeService(), ServiceThread()
        bridge = Bridge(service, thread.loop)
        thread.stop()
        with pytest.raises(NotRunningError):
            await bridge.call(service.status)
        await bridge.close()

    desk.run(test)


def test_events_arrive_on_the_windows_thread_and_only_the_newest_counts(desk: Desk) -> None:
    async def test() -> None:
        service = FakeService()
        bridge = desk.bridge(service)
        heard: list[tuple[str, Status]] = []
        bridge.status_changed.connect(lambda status: heard.append((threading.current_thread().name, status)))
        await bridge.call(service.status)  # the subscription stands from here on
        last = replace(BASE, sentence="the last")

        def burst() -> None:
            for number in range(500):
                service.events.publish(StatusChanged(replace(BASE, sentence=str(number))))
            service.events.publish(StatusChanged(last))

        desk.thread.do(burst)
        await until(lambda: bridge.latest == last)
        assert {name for name, _ in heard} == {"MainThread"}
        assert len(heard) < 100

    desk.run(test)


def test_nothing_is_heard_after_closing(desk: Desk) -> None:
    async def test() -> None:
        service = FakeService()
        bridge = desk.bridge(service)
        await bridge.call(service.status)
        await bridge.close()
        desk.thread.do(service.show, BASE)
        await bridge.call(service.status)
        await asyncio.sleep(0.02)
        assert bridge.latest is None

    desk.run(test)


def test_a_fault_of_a_started_action_is_shown_with_its_remedy(desk: Desk, qtbot) -> None:
    async def test() -> None:
        service = FakeService(failing={"pause": NO_ENGINE})
        bridge = desk.bridge(service)
        bridge.start(bridge.change(service.pause, None))
        await until(open_boxes)
        (box,) = open_boxes()
        assert box.text() == "No container engine answers."
        assert box.informativeText() == "Install Podman and try again."
        # The loop is alive under an open message: this is what exec() would break.
        assert await bridge.call(service.status) is not None
        box.buttons()[0].click()
        await bridge.settled()
        assert not open_boxes()

    desk.run(test)


def test_a_bug_is_logged_and_told_in_words(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        faults: list[ArgentumError] = []

        async def broken() -> None:
            raise ZeroDivisionError

        bridge = desk.bridge(FakeService())
        bridge.start(broken(), failure=faults.append)
        await bridge.settled()
        assert "went wrong" in faults[0].message

    with caplog.at_level(logging.ERROR):
        desk.run(test)
    assert "ZeroDivisionError" in caplog.text
    caplog.clear()


def test_nobody_is_told_once_the_parent_is_gone(desk: Desk) -> None:
    async def test() -> None:
        import shiboken6

        told: list[object] = []
        parent = QWidget()
        service = FakeService(failing={"pause": NO_ENGINE})
        bridge = desk.bridge(service)
        bridge.start(bridge.call(service.status), parent=parent, success=told.append)
        bridge.start(bridge.call(service.pause, None), parent=parent, failure=told.append)
        shiboken6.delete(parent)
        await bridge.settled()
        assert told == []

    desk.run(test)
