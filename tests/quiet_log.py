"""The watch over the log, for every test: nothing is logged as a warning or worse that the test did not announce."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator

import pytest

ExpectLog = Callable[[str], None]


class _Listener(logging.Handler):
    """Keeps the words of every warning and worse."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = f"{record.levelname} {record.name}: {record.getMessage()}"
        if record.exc_info and record.exc_info[1] is not None:
            text += f" ({record.exc_info[1]!r})"
        self.lines.append(text)


class Announced:
    """What a test said that it will see in the log."""

    def __init__(self) -> None:
        self.expected: list[str] = []
        self.allowed: list[str] = []

    def unexpected(self, lines: list[str]) -> list[str]:
        patterns = [*self.expected, *self.allowed]
        return [line for line in lines if not any(re.search(pattern, line) for pattern in patterns)]

    def missing(self, lines: list[str]) -> list[str]:
        return [pattern for pattern in self.expected if not any(re.search(pattern, line) for line in lines)]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "allow_warnings(*patterns): the log may hold these warnings and worse (regular expressions); all"
        " without a pattern",
    )


@pytest.fixture
def announced(request: pytest.FixtureRequest) -> Announced:
    found = Announced()
    for marker in request.node.iter_markers("allow_warnings"):
        found.allowed += [str(pattern) for pattern in marker.args] or [""]
    if "caplog" in request.fixturenames:
        found.allowed.append("")  # the test reads the log itself
    return found


@pytest.fixture(autouse=True)
def quiet_log(announced: Announced) -> Iterator[None]:
    listener, root = _Listener(), logging.getLogger()
    root.addHandler(listener)
    yield
    root.removeHandler(listener)
    surprises, missing = announced.unexpected(listener.lines), announced.missing(listener.lines)
    if surprises:
        pytest.fail("logged, and not announced by this test:\n" + "\n".join(surprises), pytrace=False)
    if missing:
        pytest.fail("announced, and not logged: " + ", ".join(missing), pytrace=False)


@pytest.fixture
def expect_log(announced: Announced) -> ExpectLog:
    """`expect_log("disk is full")` announces a warning or worse, which must then come."""
    return announced.expected.append
