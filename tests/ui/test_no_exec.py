"""No dialog or menu runs a loop of its own: that would lose tasks of the window's loop for ever."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "argentum_desktop"
WITH_QT = sorted([*PACKAGE.glob("ui/**/*.py"), *PACKAGE.glob("app/*.py")])
BLOCKING = {"exec", "exec_", "getOpenFileName", "getSaveFileName", "getExistingDirectory", "getText", "processEvents"}


def blocking_calls(source: str) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in BLOCKING
    ]


@pytest.mark.parametrize("path", WITH_QT, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_blocks_the_loop(path: Path) -> None:
    assert blocking_calls(path.read_text("utf-8")) == []


def test_the_check_finds_one() -> None:
    assert blocking_calls("dialog.exec()\n") == [1]


def test_no_function_of_the_window_is_longer_than_a_screen() -> None:
    for path in WITH_QT:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 60, f"{path.name}: {node.name}"
