"""What the owner sees and can do in the window."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from desk import Desk, until
from fake_service import BASE, NO_ENGINE, NOW, RENDERING, RTX_3090, FakeService, Scene
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from argentum_desktop.agent.status import AgentState, Notice
from argentum_desktop.errors import BadInputError
from argentum_desktop.ui.main_window import MainWindow
from argentum_desktop.ui.picture import save_picture
from argentum_desktop.ui.theme import ThemeChoice


def texts(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget))


def _is_markup(text: str) -> bool:
    return "<" in text


def shown_box() -> QMessageBox | None:
    boxes = [w for w in QApplication.topLevelWidgets() if isinstance(w, QMessageBox)]
    for window in (w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow)):
        boxes += window.findChildren(QMessageBox)
    return next((box for box in boxes if box.isVisible()), None)


def answer(text: str) -> None:
    box = shown_box()
    assert box is not None
    next(button for button in box.buttons() if button.text() == text).click()


def test_the_overview_tells_the_whole_story(desk: Desk) -> None:
    async def test() -> None:
        window, _, _ = await desk.window()
        said = texts(window)
        for expected in (
            "Working until 07:00 · 0.31 €/h on GeForce RTX 3090",
            "€1.64",
            "€11.80",
            "2.07\u00a0kWh",
            "67\u00a0°C",
            "312\u00a0W",
            "21.4\u00a0GiB",
            "of 24\u00a0GiB",
            "62\u00a0% · about 14 min left",
            "23 min so far · €0.31/h · €0.12 accrued",
            "Because: its electricity costs 0.02 €/h more than the best offer pays.",
            "Lower its floor to 0.09 €/h, or wait for the night tariff at 22:00.",
            "Connected",
        ):
            assert expected in said

    desk.run(test)


def test_no_card_teaches_why_and_what_helps(desk: Desk) -> None:
    async def test() -> None:
        window, _, _ = await desk.window(Scene.NO_CARD)
        assert window.overview.no_card.isVisible()
        assert not window.overview.cards.isVisible()
        assert "the kernel module is not loaded" in texts(window.overview.no_card)
        assert "Restart the computer" in texts(window.overview.no_card)
        # Said once: not in a banner as well.
        assert not window.overview.notices.isVisible()

    desk.run(test)


def test_a_simulated_card_is_never_shown_without_saying_so(desk: Desk) -> None:
    async def test() -> None:
        window, _, _ = await desk.window(Scene.FIRST_MINUTE)
        assert "simulated" in texts(window.overview.cards).splitlines()

    desk.run(test)


def test_a_figure_that_is_not_there_is_a_dash_that_says_why(desk: Desk) -> None:
    async def test() -> None:
        window, _, _ = await desk.window(Scene.FAULT)
        dashes = [one for one in window.overview.cards.findChildren(QLabel) if one.text() == "—"]
        assert dashes
        assert "lost this card" in dashes[0].toolTip()

    desk.run(test)


def test_notices_appear_with_their_remedy_and_go_again(desk: Desk) -> None:
    async def test() -> None:
        window, service, _bridge = await desk.window(Scene.FAULT)
        assert "Install it with: sudo apt install podman" in texts(window.overview.notices)
        many = tuple(Notice(f"n{n}", f"Message {n}.", "") for n in range(5))
        desk.thread.do(service.show, replace(BASE, notices=many))
        await until(lambda: "2 more" in texts(window.overview.notices))
        desk.thread.do(service.show, BASE)
        await until(lambda: not window.overview.notices.isVisible())

    desk.run(test)


@pytest.mark.parametrize(
    ("choice", "until_"),
    [
        (0, NOW + timedelta(hours=1)),
        (1, datetime(2026, 11, 24, 8).astimezone(UTC)),
        (2, None),
    ],
)
def test_pause_for_as_long_as_chosen_and_resume(desk: Desk, choice: int, until_: datetime | None, qtbot: QtBot) -> None:
    async def test() -> None:
        window, service, _bridge = await desk.window()
        qtbot.mouseClick(window.header.pause, Qt.MouseButton.LeftButton)
        menu = window.header.pause_menu
        assert menu.isVisible()
        qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(menu.actions()[choice]).center())
        await until(window.header.resume.isVisible)
        assert ("pause", until_) in service.calls
        assert not window.header.pause.isVisible()
        qtbot.mouseClick(window.header.resume, Qt.MouseButton.LeftButton)
        await until(window.header.pause.isVisible)
        assert service.calls[-1][0] in ("resume", "recent_jobs", "series", "earnings")

    desk.run(test)


def test_stopping_names_what_is_lost_and_can_be_left(desk: Desk, qtbot: QtBot) -> None:
    async def test() -> None:
        window, service, bridge = await desk.window()
        qtbot.mouseClick(window.header.stop, Qt.MouseButton.LeftButton)
        await until(shown_box)
        box = shown_box()
        assert box is not None
        assert box.text() == f"Stop “{RENDERING.title}” now?"
        assert "23 min of work end without a result" in box.informativeText()
        qtbot.keyClick(box, Qt.Key.Key_Escape)
        await bridge.settled()
        assert ("stop_jobs",) not in service.calls
        qtbot.mouseClick(window.header.stop, Qt.MouseButton.LeftButton)
        await until(shown_box)
        answer("Stop now")
        await until(lambda: ("stop_jobs",) in service.calls)
        await until(lambda: not window.header.stop.isEnabled())

    desk.run(test)


def test_a_refused_pause_is_told(desk: Desk) -> None:
    async def test() -> None:
        window, service, bridge = await desk.window()
        service.failing["pause"] = NO_ENGINE
        window.actions_of_owner.pause_until_resumed()
        await until(shown_box)
        answer("Close")
        await bridge.settled()

    desk.run(test)


def test_a_hidden_or_minimised_window_does_nothing(desk: Desk) -> None:
    async def test() -> None:
        window, service, bridge = await desk.window()
        assert window.is_live
        for rest, wake in ((window.hide, window.show), (window.showMinimized, window.showNormal)):
            rest()
            await until(lambda: not window.is_live)
            await bridge.settled()
            before = len(service.calls)
            sentence = window.header.sentence.text()
            desk.thread.do(service.show, replace(BASE, sentence="Changed while nobody looked"))
            await until(lambda: bridge.latest is not None and "nobody" in bridge.latest.sentence)
            await asyncio.sleep(1.1)  # longer than the live interval: the point is that nothing is asked in it
            assert len(service.calls) == before
            assert window.header.sentence.text() == sentence
            wake()
            await until(lambda: "nobody looked" in window.header.sentence.text())
            service.now_status = BASE
            await bridge.refresh()

    desk.run(test)


def test_the_window_asks_once_a_second_while_it_is_seen(desk: Desk) -> None:
    async def test() -> None:
        window, service, _ = await desk.window()
        service.now_status = replace(BASE, sentence="One second later")
        await until(lambda: window.header.sentence.text() == "One second later")

    desk.run(test)


def test_closing_leaves_the_tray_in_charge(desk: Desk) -> None:
    async def test() -> None:
        window, _, _ = await desk.window()
        window.close()
        assert not window.isVisible()
        assert desk.quits == []
        window.open()
        assert window.isVisible()

    desk.run(test)


def test_without_a_tray_the_window_says_so_and_closing_asks(desk: Desk) -> None:
    async def test() -> None:
        window, _service, bridge = await desk.window()
        window.set_tray_available(False)
        assert "This desktop shows no tray icon" in texts(window)
        window.close()
        await until(shown_box)
        assert window.isVisible()
        answer("Back")
        await bridge.settled()
        assert window.isVisible()
        window.close()
        await until(shown_box)
        answer("Keep working, minimise")
        await until(window.isMinimized)
        window.showNormal()
        window.close()
        await until(shown_box)
        answer("End Argentum")
        await until(lambda: desk.quits == ["quit"])
        window.set_tray_available(True)
        assert "no tray icon" not in texts(window)

    desk.run(test)


def test_the_range_of_the_chart_is_asked_for_and_kept(desk: Desk, qtbot: QtBot) -> None:
    async def test() -> None:
        window, service, bridge = await desk.window()
        qtbot.mouseClick(window.overview.temperature.ranges.buttons()[2], Qt.MouseButton.LeftButton)
        await bridge.settled()
        asked = [call for call in service.calls if call[0] == "series" and call[1] == RTX_3090.gpu_id][-1]
        assert asked[4] - asked[3] == timedelta(days=7)
        assert "GeForce RTX 3090: lowest" in window.overview.temperature.chart.accessibleDescription()
        window.open_page(2)
        window.open_page(0)
        assert window.overview.temperature.ranges.buttons()[2].isChecked()

    desk.run(test)


def test_a_history_that_cannot_be_read_is_told_in_its_place(desk: Desk) -> None:
    async def test() -> None:
        window, service, bridge = await desk.window()
        service.failing = {
            "series": BadInputError("The history cannot be read.", "Look at the disk."),
            "earnings": NO_ENGINE,
        }
        service.now_status = replace(BASE, taken_at=NOW + timedelta(minutes=5))
        await bridge.refresh()
        await bridge.settled()
        assert window.overview.temperature.chart.message == "The history cannot be read. Look at the disk."
        assert shown_box() is None

    desk.run(test)


def test_jobs_are_listed_with_their_money_state_and_log(desk: Desk) -> None:
    async def test() -> None:
        window, service, bridge = await desk.window()
        window.open_page(2)
        await bridge.settled()
        model = window.jobs.model
        assert model.rowCount() == 6
        row = [model.index(0, column).data() for column in range(model.columnCount())]
        assert row[:2] == [RENDERING.title, "Running, 62\u00a0%"]
        assert row[3:] == ["23 min", "€0.12", "accrued"]
        assert window.jobs.facts.text() == "23 min · €0.31/h · about 14 min left"
        assert "frame 120 of 240" in window.jobs.log.toPlainText()
        window.jobs.table.selectRow(2)
        await bridge.settled()
        assert window.jobs.reason.text() == "Stopped because you started a game."
        assert ("log_tail", "lease-3", 65536) in service.calls

    desk.run(test)


def test_a_selected_job_stays_selected_when_a_new_one_arrives(desk: Desk) -> None:
    async def test() -> None:
        window, service, bridge = await desk.window()
        window.open_page(2)
        await bridge.settled()
        window.jobs.table.selectRow(2)
        fresh = replace(RENDERING, lease_id="lease-9", title="Newer")
        service.now_status = replace(BASE, jobs=(fresh, RENDERING), taken_at=NOW + timedelta(seconds=5))
        await bridge.refresh()
        await bridge.settled()
        assert window.jobs.model.rowCount() == 7
        assert window.jobs.log_title.text() == "Upscale holiday videos"

    desk.run(test)


def test_a_title_from_a_market_is_never_markup(desk: Desk) -> None:
    async def test() -> None:
        hostile = replace(RENDERING, title="<img src=x><b>free</b>")
        window, service, _bridge = await desk.window()
        desk.thread.do(service.show, replace(BASE, jobs=(hostile,), sentence=hostile.title))
        await until(lambda: window.header.sentence.text() == hostile.title)
        for label in window.findChildren(QLabel):
            assert label.textFormat() is Qt.TextFormat.PlainText or not label.text()
            assert not _is_markup(label.toolTip())

    desk.run(test)


def test_the_window_fits_at_its_smallest_without_scrolling_sideways(desk: Desk) -> None:
    async def test() -> None:
        window, _, _ = await desk.window()
        window.resize(900, 600)
        await asyncio.sleep(0)
        QApplication.sendPostedEvents()
        right = window.mapToGlobal(QPoint(window.width(), 0)).x()
        for card in (
            window.overview.tiles,
            window.overview.cards,
            window.overview.temperature,
            window.overview.earnings,
        ):
            assert card.mapToGlobal(QPoint(card.width(), 0)).x() <= right

    desk.run(test)


def test_a_picture_is_written_also_of_a_hidden_window(desk: Desk, tmp_path: Path) -> None:
    async def test() -> None:
        service = FakeService()
        bridge = desk.bridge(service)
        window = desk.make_window(bridge)
        await save_picture(window, bridge, tmp_path / "overview.png")
        assert not window.isVisible()
        image = QImage(str(tmp_path / "overview.png"))
        assert image.size() == QSize(1180, 780)
        colors = {image.pixelColor(x, y).name() for x in range(0, 1180, 7) for y in range(0, 780, 7)}
        assert len(colors) > 20  # something is drawn
        with pytest.raises(BadInputError, match="could not be written"):
            await save_picture(window, bridge, tmp_path / "missing" / "x.png")

    desk.run(test)


def test_the_theme_changes_live(desk: Desk) -> None:
    async def test() -> None:
        window, _, _ = await desk.window()
        dark = window.grab().toImage().pixelColor(600, 5)
        desk.theme.choose(ThemeChoice.LIGHT)
        light = window.grab().toImage().pixelColor(600, 5)
        assert dark.lightness() < 60 < 200 < light.lightness()

    desk.run(test)


def test_every_button_has_a_name_and_can_be_reached(desk: Desk) -> None:
    async def test() -> None:
        window, _, _ = await desk.window()
        for page in range(len(window.pages)):
            window.open_page(page)
            for button in window.findChildren(QPushButton):
                assert button.accessibleName() or button.text()
                assert button.focusPolicy() & Qt.FocusPolicy.TabFocus

    desk.run(test)


def test_state_is_in_the_header_by_shape_and_word(desk: Desk) -> None:
    async def test() -> None:
        window, service, _ = await desk.window()
        for scene, name in (
            (Scene.PAUSED, "Paused"),
            (Scene.FAULT, "Fault"),
            (Scene.OUTSIDE_HOURS, "Outside your hours"),
        ):
            desk.thread.do(service.show, FakeService(scene).now_status)
            await until(lambda expected=name: window.header._glyph.accessibleName() == expected)
        assert AgentState.FAULT

    desk.run(test)
