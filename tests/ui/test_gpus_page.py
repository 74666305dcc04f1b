"""The page of the cards and the health check on it: asked for, followed, cancelled, shown."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from desk import Desk, until
from fake_health import failed_report, older_report, report, ungraded_report, view
from fake_service import BASE, CHECKED, GTX_1080, NOW, RTX_3090, SIMULATED, FakeService, Scene, scene_status
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QLabel, QLineEdit, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from argentum_desktop.agent.status import CardStatus
from argentum_desktop.domain.gpu import GpuState
from argentum_desktop.domain.health import CheckMode, Grade, Stage
from argentum_desktop.errors import ArgentumError, BadInputError, CheckRefusedError
from argentum_desktop.ui.bridge import Bridge
from argentum_desktop.ui.dialogs.repair import RepairDialog
from argentum_desktop.ui.dialogs.start_check import StartCheckDialog
from argentum_desktop.ui.health.result import HealthResult
from argentum_desktop.ui.main_window import MainWindow
from argentum_desktop.ui.widgets.finding import Finding

GPUS = 1
NB = "\u00a0"
BEGAN = NOW - timedelta(seconds=41)
Dialog = TypeVar("Dialog", bound=QDialog)


def texts(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget))


def shown(window: MainWindow, kind: type[Dialog]) -> Dialog | None:
    return next((one for one in window.findChildren(kind) if one.isVisible()), None)


async def dialog_of(window: MainWindow, kind: type[Dialog]) -> Dialog:
    await until(lambda: shown(window, kind))
    found = shown(window, kind)
    assert found is not None
    return found


async def page(desk: Desk, scene: Scene = Scene.WORKING) -> tuple[MainWindow, FakeService, Bridge]:
    window, service, bridge = await desk.window(scene)
    window.open_page(GPUS)
    await bridge.settled()
    return window, service, bridge


def findings(result: HealthResult) -> list[str]:
    """From top to bottom."""
    found = sorted(result.findChildren(Finding), key=lambda one: one.y())
    return [one.accessibleName() for one in found]


async def laid_out() -> None:
    """Parts that grow with their words tell it upwards, one level a turn."""
    for _ in range(10):
        QApplication.sendPostedEvents()
        await asyncio.sleep(0)


def called(service: FakeService, name: str) -> list[tuple[object, ...]]:
    return [call[1:] for call in service.calls if call[0] == name]


def test_each_card_is_listed_with_its_grade_and_warmth(desk: Desk) -> None:
    async def test() -> None:
        window, _, _ = await page(desk)
        said = texts(window.gpus.choices).splitlines()
        assert "GeForce RTX 3090" in said
        assert f"67{NB}°C" in said
        assert f"54{NB}%" in said
        assert "not checked" in said
        names = [button.accessibleName() for button in window.gpus.choices.findChildren(QPushButton)]
        assert "Grade B, confidence 54\u00a0% · quick check, today 14:02" in names[0]

    desk.run(test)


def test_a_card_that_was_never_checked_is_told_what_a_check_brings(desk: Desk) -> None:
    async def test() -> None:
        window, _, bridge = await page(desk)
        window.gpus.choose(GTX_1080.gpu_id)
        await bridge.settled()
        health = window.gpus.detail.health
        assert "never checked" in texts(health)
        assert health.quick.isVisible()
        assert health.quick.isEnabled()
        assert not health.result.isVisible()
        assert "Each finished check is listed here" in texts(window.gpus.detail.history)

    desk.run(test)


def test_no_card_teaches(desk: Desk) -> None:
    async def test() -> None:
        window, _, _ = await page(desk, Scene.NO_CARD)
        assert window.gpus.empty.isVisible()
        assert "Install the driver" in texts(window.gpus)

    desk.run(test)


def test_nothing_begins_without_a_yes_and_the_question_comes_every_time(desk: Desk, qtbot: QtBot) -> None:
    async def test() -> None:
        window, service, bridge = await page(desk)
        for _ in range(2):
            window.gpus.detail.health.quick.click()
            dialog = await dialog_of(window, StartCheckDialog)
            said = texts(dialog)
            for expected in ("full load for a minute", "off the market", "2 °C before", "mains", "power supply"):
                assert expected in said
            qtbot.keyClick(dialog, Qt.Key.Key_Escape)
            await bridge.settled()
        window.gpus.detail.health.quick.click()
        dialog = await dialog_of(window, StartCheckDialog)
        qtbot.keyClick(dialog, Qt.Key.Key_Return)
        await bridge.settled()
        assert called(service, "start_check") == []

    desk.run(test)


def test_the_chosen_kind_is_what_begins(desk: Desk) -> None:
    async def test() -> None:
        window, service, bridge = await page(desk)
        health = window.gpus.detail.health
        health.full.click()
        dialog = await dialog_of(window, StartCheckDialog)
        assert "ten minutes" in texts(dialog)
        dialog.modes.buttons()[2].click()
        assert "not put to work" in texts(dialog)
        assert "full load" not in texts(dialog)
        dialog.start.click()
        await bridge.settled()
        assert called(service, "start_check") == [(RTX_3090.gpu_id, CheckMode.PASSIVE)]
        assert health.progress.isVisible()
        assert health.progress.kind.text() == "Counters only"
        assert not health.buttons.isVisible()

    desk.run(test)


def test_a_refused_check_says_why(desk: Desk) -> None:
    async def test() -> None:
        window, service, bridge = await page(desk)
        service.failing["start_check"] = CheckRefusedError("A job runs on this card.", "Wait for its end.")
        window.gpus.detail.health.quick.click()
        (await dialog_of(window, StartCheckDialog)).start.click()
        box = await dialog_of(window, QMessageBox)
        assert box.text() == "A job runs on this card."
        assert box.informativeText() == "Wait for its end."
        box.buttons()[0].click()
        await bridge.settled()
        assert window.gpus.detail.health.quick.isVisible()

    desk.run(test)


def test_progress_survives_leaving_the_page_and_is_told_on_the_overview(desk: Desk) -> None:
    async def test() -> None:
        window, service, bridge = await page(desk)
        progress = window.gpus.detail.health.progress
        desk.thread.do(service.check_goes_on, view(RTX_3090, BEGAN, 5))
        await until(progress.isVisible)
        window.open_page(0)
        for at_s in (12, 20, 33):
            desk.thread.do(service.check_goes_on, view(RTX_3090, BEGAN, at_s))
            await bridge.refresh()
        await until(lambda: "Health check, 27 s left" in texts(window.overview.cards))
        window.open_page(GPUS)
        assert progress.isVisible()
        assert progress.left.text() == "27 s left"
        assert progress.words.text() == "Writing and reading patterns: 27 done over 21.1 of 24.0 GB, no errors"
        assert progress.bar.value() == 550
        # The stages that passed while nobody looked are in the picture all the same.
        assert [span.name for span in progress.chart._stages] == ["At rest", "Memory", "Bandwidth"]
        assert "slows itself down at 93\u00a0°C" in progress.chart.accessibleDescription()
        assert "Health check, 27 s left" in texts(window.gpus.choices)

    desk.run(test)


def test_cancelling_is_passed_on_at_once_and_waits_for_the_end(desk: Desk) -> None:
    async def test() -> None:
        window, service, bridge = await page(desk)
        health = window.gpus.detail.health
        desk.thread.do(service.check_goes_on, view(RTX_3090, BEGAN, 20))
        await until(health.progress.isVisible)
        health.progress.cancel.click()
        assert health.progress.cancel.text() == "Cancelling …"
        assert not health.progress.cancel.isEnabled()
        await bridge.settled()
        assert called(service, "cancel_check") == [(RTX_3090.gpu_id,)]
        desk.thread.do(service.check_goes_on, view(RTX_3090, BEGAN, 21))
        await until(lambda: health.progress.left.text() == "39 s left")
        assert health.progress.cancel.text() == "Cancelling …"
        desk.thread.do(service.check_ends, RTX_3090.gpu_id, None, "You cancelled it.")
        await until(health.buttons.isVisible)
        await bridge.settled()
        assert "The check ended without a result." in texts(health)
        assert "You cancelled it." in texts(health)
        assert health.result.headline.text() == "Grade B"  # the one before still stands

    desk.run(test)


def test_a_cancel_that_fails_can_be_tried_again(desk: Desk) -> None:
    async def test() -> None:
        window, service, bridge = await page(desk)
        progress = window.gpus.detail.health.progress
        service.failing["cancel_check"] = ArgentumError("Argentum does not answer.")
        desk.thread.do(service.check_goes_on, view(RTX_3090, BEGAN, 20))
        await until(progress.isVisible)
        progress.cancel.click()
        (await dialog_of(window, QMessageBox)).buttons()[0].click()
        await bridge.settled()
        assert progress.cancel.isEnabled()
        assert progress.cancel.text() == "C&ancel the check"

    desk.run(test)


def test_a_late_status_does_not_bring_an_ended_check_back(desk: Desk) -> None:
    async def test() -> None:
        window, service, bridge = await page(desk)
        health = window.gpus.detail.health
        late = view(RTX_3090, BEGAN, 20)
        desk.thread.do(service.check_goes_on, late)
        await until(health.progress.isVisible)
        still = service.now_status
        desk.thread.do(service.check_ends, RTX_3090.gpu_id, failed_report(RTX_3090, NOW))
        await until(health.result.isVisible)
        desk.thread.do(service.show, still)
        await until(lambda: bridge.latest is still)
        await bridge.settled()
        assert health.result.isVisible()
        assert not health.progress.isVisible()

    desk.run(test)


def test_the_end_is_noticed_even_if_its_news_is_lost(desk: Desk) -> None:
    async def test() -> None:
        window, service, bridge = await page(desk)
        health = window.gpus.detail.health
        desk.thread.do(service.check_goes_on, view(RTX_3090, BEGAN, 20))
        await until(health.progress.isVisible)
        service.now_status = BASE
        await bridge.refresh()
        await until(health.buttons.isVisible)

    desk.run(test)


def test_the_result_shows_what_matters_first_and_everything_on_demand(desk: Desk) -> None:
    async def test() -> None:
        window, _, _ = await page(desk)
        result = window.gpus.detail.health.result
        said = texts(result)
        assert result.badge.grade is Grade.B
        assert result.sure.text() == f"Confidence 54{NB}% · quick check, today 14:02"
        assert findings(result) == [
            "Steadiness of the clock: warning",
            "PCIe lanes: warning",
            "Errors in the last 30 days: could not be read",
        ]
        assert "seat it again until it clicks" in said
        assert "Memory bandwidth" not in said
        assert "10 of the 12 checks that apply to this card gave an answer." in said
        assert "Not tested: Memory temperature, Errors in the last 30 days." in said
        assert "it cannot see faults that come with hours of heat" in said
        assert not result.table.isVisible()
        result.more.click()
        assert result.table.isVisible()
        assert result.model.rowCount() == 13
        row = [result.model.index(0, column).data() for column in range(4)]
        assert row[:3] == ["Steadiness of the clock", f"87{NB}%", f"≥{NB}90{NB}%"]
        spoken = result.model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
        assert spoken == "Steadiness of the clock: warning"

    desk.run(test)


def test_a_failed_and_an_ungraded_check_say_why(desk: Desk) -> None:
    async def test() -> None:
        window, service, bridge = await page(desk)
        result = window.gpus.detail.health.result
        desk.thread.do(service.check_ends, RTX_3090.gpu_id, failed_report(RTX_3090, NOW))
        await until(lambda: result.badge.grade is Grade.F)
        assert result.headline.text() == "Grade F: something is wrong with it"
        assert findings(result)[0] == "Memory errors: failed"
        assert "4,096 words read back wrong" in texts(result)
        desk.thread.do(service.check_ends, RTX_3090.gpu_id, ungraded_report(RTX_3090, NOW))
        await until(lambda: result.badge.grade is Grade.UNGRADED)
        assert result.headline.text() == "Not graded"
        assert "because too little of its memory could be tested" in texts(result)
        await bridge.refresh()
        assert "Not graded" in window.gpus.choices.findChildren(QPushButton)[0].accessibleName()

    desk.run(test)


def test_the_grade_of_a_simulated_card_is_never_shown_without_saying_so(desk: Desk) -> None:
    async def test() -> None:
        window, service, bridge = await page(desk, Scene.OUTSIDE_HOURS)
        window.gpus.choose(SIMULATED.gpu_id)
        desk.thread.do(service.check_ends, SIMULATED.gpu_id, report(SIMULATED, NOW))
        await until(lambda: window.gpus.detail.health.result.sure.text().endswith("14:32 · simulated"))
        await bridge.refresh()
        assert "simulated" in texts(window.gpus.detail.health.result).splitlines()
        assert window.gpus.detail.health.result.sure.text().endswith("simulated")
        assert "Grade B, simulated" in window.gpus.detail.history.model.index(0, 2).data()
        window.open_page(0)
        line = next(one for one in texts(window.overview.cards).splitlines() if one.endswith("today 14:32 · simulated"))
        assert line.startswith("Health: confidence")

    desk.run(test)


def test_two_checks_are_compared_side_by_side(desk: Desk, qtbot: QtBot) -> None:
    async def test() -> None:
        window, service, bridge = await page(desk)
        service.reports[RTX_3090.gpu_id] = [CHECKED, older_report(RTX_3090, NOW - timedelta(days=92))]
        desk.thread.do(service.check_ends, RTX_3090.gpu_id, failed_report(RTX_3090, NOW))
        history = window.gpus.detail.history
        await until(lambda: history.model.rowCount() == 3)
        assert not history.compare.isEnabled()
        for row in (0, 1, 2):
            index = history.model.index(row, 0)
            assert history.model.setData(index, Qt.CheckState.Checked.value, Qt.ItemDataRole.CheckStateRole)
        # The third tick took the first one's place.
        assert [one.report_id for one in history.model.ticked] == ["report-1", "report-0"]
        history.compare.click()
        comparison = window.gpus.comparison
        assert comparison.isVisible()
        rows = {
            comparison.model.index(row, 0).data(): [comparison.model.index(row, column).data() for column in (1, 2, 3)]
            for row in range(comparison.model.rowCount())
        }
        assert rows["Highest temperature"] == [f"67{NB}°C", f"74{NB}°C", f"+7{NB}°C"]
        assert rows["Memory bandwidth"] == [f"851,000{NB}MB/s", f"846,000{NB}MB/s", f"−5,000{NB}MB/s"]
        assert rows["PCIe lanes"] == ["16", "8", "−8"]
        assert rows["Memory errors"] == ["0", "0", "same"]
        assert rows["Memory temperature"] == ["not tested", "not tested", ""]
        assert (comparison.then.badge.grade, comparison.now.badge.grade) == (Grade.A, Grade.B)
        assert len(comparison.chart._curves) == 2
        qtbot.keyClick(comparison.back, Qt.Key.Key_Escape)
        assert not comparison.isVisible()
        assert history.isVisible()
        await bridge.settled()

    desk.run(test)


def test_an_earlier_check_can_be_looked_at(desk: Desk) -> None:
    async def test() -> None:
        window, service, bridge = await page(desk)
        service.reports[RTX_3090.gpu_id].append(older_report(RTX_3090, NOW - timedelta(days=92)))
        desk.thread.do(service.check_ends, RTX_3090.gpu_id, replace(CHECKED, report_id="report-2"))
        history, health = window.gpus.detail.history, window.gpus.detail.health
        await until(lambda: history.model.rowCount() == 3)
        history.table.activated.emit(history.model.index(2, 0))
        assert health.result.badge.grade is Grade.A
        assert "Sun 23 Aug" in health.result.sure.text()
        health.latest.click()
        assert health.result.badge.grade is Grade.B
        assert not health.latest.isVisible()
        await bridge.settled()

    desk.run(test)


def test_a_repair_is_written_down_in_the_owners_words(desk: Desk) -> None:
    async def test() -> None:
        window, service, bridge = await page(desk)
        window.gpus.detail.history.repair.click()
        dialog = await dialog_of(window, RepairDialog)
        assert not dialog.save.isEnabled()
        dialog.text.setPlainText("x" * 501)
        assert not dialog.save.isEnabled()
        assert dialog.left.text().startswith("1 ")
        dialog.text.setPlainText("  New paste and pads. ")
        dialog.save.click()
        await bridge.settled()
        assert called(service, "note_repair") == [(RTX_3090.gpu_id, "New paste and pads.")]
        assert "Written into the passport of GeForce RTX 3090." in texts(window.gpus.detail.history)

    desk.run(test)


class Exporter:
    """Remembers what was asked of it."""

    def __init__(self, fault: ArgentumError | None = None) -> None:
        self.asked: list[tuple[str, Path]] = []
        self.fault = fault

    async def export(self, gpu_id: str, path: Path) -> None:
        self.asked.append((gpu_id, path))
        if self.fault is not None:
            raise self.fault


@pytest.mark.parametrize(
    ("typed", "filter_", "written"),
    [("card.pdf", 0, "card.pdf"), ("card", 2, "card.json"), ("card.v2", 0, "card.v2.html")],
)
def test_a_passport_is_written_where_and_as_the_owner_says(
    desk: Desk, tmp_path: Path, typed: str, filter_: int, written: str
) -> None:
    async def test() -> None:
        desk.exporter = exporter = Exporter()
        window, _, bridge = await page(desk)
        window.gpus.detail.history.export.click()
        dialog = await dialog_of(window, QFileDialog)
        assert Path(dialog.selectedFiles()[0]).name == "passport-geforce-rtx-3090.html"
        kinds = dialog.nameFilters()
        dialog.selectNameFilter(kinds[filter_])
        dialog.filterSelected.emit(kinds[filter_])
        dialog.setDirectory(str(tmp_path))
        dialog.findChildren(QLineEdit)[0].setText(str(tmp_path / typed))
        dialog.accept()
        await bridge.settled()
        assert exporter.asked == [(RTX_3090.gpu_id, tmp_path / written)]
        assert written in texts(window.gpus.detail.history)

    desk.run(test)


def test_a_passport_that_cannot_be_written_is_told(desk: Desk, tmp_path: Path) -> None:
    async def test() -> None:
        desk.exporter = Exporter(BadInputError("The disk is full."))
        window, _, bridge = await page(desk)
        window.gpus.detail.history.export.click()
        dialog = await dialog_of(window, QFileDialog)
        dialog.selectFile(str(tmp_path / "card.html"))
        dialog.accept()
        box = await dialog_of(window, QMessageBox)
        assert box.text() == "The disk is full."
        box.buttons()[0].click()
        await bridge.settled()

    desk.run(test)


def test_without_an_exporter_none_is_offered(desk: Desk) -> None:
    async def test() -> None:
        window, _, _ = await page(desk)
        assert not window.gpus.detail.history.export.isVisible()

    desk.run(test)


def test_a_lost_card_cannot_be_checked_and_says_so(desk: Desk) -> None:
    async def test() -> None:
        window, service, _ = await page(desk)
        lost = replace(BASE.cards[0], gpu=replace(RTX_3090, state=GpuState.LOST), health=None)
        desk.thread.do(service.show, replace(BASE, cards=(lost,)))
        health = window.gpus.detail.health
        await until(lambda: not health.quick.isEnabled())
        assert "does not answer" in health.quick.toolTip()

    desk.run(test)


def test_the_overview_leads_to_the_first_check(desk: Desk, qtbot: QtBot) -> None:
    async def test() -> None:
        window, service, bridge = await desk.window()
        said = texts(window.overview.cards)
        assert "Its health was never checked." in said
        assert f"Health: confidence 54{NB}% · quick check, today 14:02" in said
        buttons = [one for one in window.overview.findChildren(QPushButton) if one.text() == "Check its health"]
        (button,) = [one for one in buttons if one.isVisible()]
        assert button.accessibleName() == "Check the health of GeForce GTX 1080 Ti"
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        dialog = await dialog_of(window, StartCheckDialog)
        assert window.gpus.isVisible()
        assert "Check the health of GeForce GTX 1080 Ti?" in texts(dialog)
        dialog.start.click()
        await bridge.settled()
        assert called(service, "start_check") == [(GTX_1080.gpu_id, CheckMode.QUICK)]

    desk.run(test)


def test_another_card_has_its_own_history_and_keeps_the_choices(desk: Desk, qtbot: QtBot) -> None:
    async def test() -> None:
        window, service, bridge = await page(desk)
        chart = window.gpus.detail.chart
        chart.metrics.buttons()[1].click()
        chart.ranges.buttons()[3].click()
        await bridge.settled()
        qtbot.mouseClick(window.gpus.choices.findChildren(QPushButton)[1], Qt.MouseButton.LeftButton)
        await bridge.settled()
        gpu_id, metric, start, end, _ = called(service, "series")[-1]
        assert (gpu_id, metric) == (GTX_1080.gpu_id, "power_mw")
        assert end - start == timedelta(days=365)  # type: ignore[operator]
        assert "Power" in chart.chart.accessibleDescription()
        assert chart.chart.readout(0)[1][0].value.endswith("W")

    desk.run(test)


def test_facts_and_figures_are_all_there(desk: Desk) -> None:
    async def test() -> None:
        window, _, _ = await page(desk)
        said = texts(window.gpus.detail)
        for expected in (
            "nvidia 580.65",
            "94.02.42.40.37",
            "PCIe 4.0 × 8 now, PCIe 4.0 × 16 at most",
            "10de:2204",
            f"1,695{NB}MHz",
            f"58{NB}%",
        ):
            assert expected in said

    desk.run(test)


def test_the_page_fits_at_its_smallest_without_scrolling_sideways(desk: Desk) -> None:
    async def test() -> None:
        window, service, bridge = await page(desk)
        service.reports[RTX_3090.gpu_id].append(older_report(RTX_3090, NOW - timedelta(days=92)))
        desk.thread.do(service.check_ends, RTX_3090.gpu_id, failed_report(RTX_3090, NOW))
        window.gpus.detail.health.result.more.setChecked(True)
        await until(lambda: window.gpus.detail.history.model.rowCount() == 3)
        window.resize(1400, 900)  # wide first: what was laid out wide must get narrow again
        await laid_out()
        window.resize(900, 600)
        await laid_out()
        right = window.mapToGlobal(QPoint(window.width(), 0)).x()
        for part in window.gpus.detail.findChildren(QWidget):
            if part.isVisible():
                assert part.mapToGlobal(QPoint(part.width(), 0)).x() <= right, part
        # And nothing is pressed together: every line of words has the height it needs.
        for label in window.gpus.detail.findChildren(QLabel):
            if label.isVisible() and label.wordWrap() and label.text():
                assert label.height() >= label.heightForWidth(label.width()), label.text()
        await bridge.settled()

    desk.run(test)


def test_the_way_with_the_tab_key_goes_from_the_cards_to_their_checks(desk: Desk, qtbot: QtBot) -> None:
    async def test() -> None:
        window, _, _ = await page(desk)
        first, health = window.gpus.choices.findChildren(QPushButton)[0], window.gpus.detail.health
        first.setFocus()
        met: list[QWidget] = []
        for _ in range(12):
            qtbot.keyClick(window, Qt.Key.Key_Tab)
            focused = QApplication.focusWidget()
            assert focused is not None
            met.append(focused)
        order = [met.index(one) for one in (health.result.more, health.quick, health.full, health.passive)]
        assert order == sorted(order)

    desk.run(test)


def test_a_page_that_is_not_seen_does_not_paint_progress(desk: Desk) -> None:
    async def test() -> None:
        window, service, bridge = await page(desk)
        progress = window.gpus.detail.health.progress
        desk.thread.do(service.check_goes_on, view(RTX_3090, BEGAN, 5))
        await until(lambda: progress.left.text() == "55 s left")
        window.hide()
        desk.thread.do(service.check_goes_on, view(RTX_3090, BEGAN, 30))
        await until(lambda: window.gpus.detail._checkups.running(RTX_3090.gpu_id).view.stage is Stage.MEMORY)
        assert progress.left.text() == "55 s left"
        window.show()
        await bridge.settled()
        await until(lambda: progress.left.text() == "30 s left")

    desk.run(test)


def test_one_card_less_moves_the_choice(desk: Desk) -> None:
    async def test() -> None:
        window, service, _ = await page(desk)
        window.gpus.choose(GTX_1080.gpu_id)
        only: tuple[CardStatus, ...] = scene_status(Scene.WORKING).cards[:1]
        desk.thread.do(service.show, replace(BASE, cards=only))
        await until(lambda: "never checked" not in texts(window.gpus.detail.health))
        assert window.gpus.detail.health.result.badge.grade is Grade.B

    desk.run(test)
