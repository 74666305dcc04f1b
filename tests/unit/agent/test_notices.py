"""What the owner should know: each thing once, for as long as it is true."""

from __future__ import annotations

from argentum_desktop.agent.notices import NoticeBoard
from argentum_desktop.agent.status import Notice
from argentum_desktop.errors import ArgentumError, EngineMissingError, SensorError


def test_a_notice_stands_until_its_part_takes_it_down() -> None:
    board = NoticeBoard()
    board.put("engine", EngineMissingError("No engine.", "Install one."))
    board.put("sensor", SensorError("No driver."))
    assert board.all() == (Notice("engine-missing", "No engine.", "Install one."), Notice("sensor", "No driver."))
    board.take_down("engine")
    board.take_down("engine")
    board.take_down("never put up")
    assert board.all() == (Notice("sensor", "No driver."),)


def test_a_new_fault_of_the_same_part_replaces_the_old_one() -> None:
    board = NoticeBoard()
    board.put("engine", ArgentumError("One."))
    board.put("engine", ArgentumError("Two."))
    assert [notice.message for notice in board.all()] == ["Two."]


def test_the_same_words_of_two_parts_stand_once() -> None:
    board = NoticeBoard()
    board.put("a", ArgentumError("The disk is full."))
    board.put("b", ArgentumError("The disk is full."))
    assert len(board.all()) == 1
    board.take_down("a")
    assert len(board.all()) == 1
    board.take_down("b")
    assert board.all() == ()
