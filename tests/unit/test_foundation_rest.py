"""Errors, events, the clock, the home folder, shipped files: what everything else stands on."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import pytest
from quiet_log import ExpectLog

from argentum_desktop import errors
from argentum_desktop.clock import SystemClock
from argentum_desktop.errors import ArgentumError, BadInputError
from argentum_desktop.events import EventBus
from argentum_desktop.paths import HOME_VARIABLE, Home, default_home
from argentum_desktop.resources import resource

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ArgentumError)]


def test_every_error_has_a_code_of_its_own_and_an_exit_code_that_is_none_of_success() -> None:
    assert len({kind.code for kind in KINDS}) >= len(KINDS) - 1  # BadInputError's children may share, none does yet
    assert all(0 < kind.exit_code < 128 for kind in KINDS)
    assert all(kind.__doc__ for kind in KINDS)


def test_an_error_says_what_and_what_to_do() -> None:
    assert str(ArgentumError("It broke.", "Mend it.")) == "It broke. Mend it."
    assert str(ArgentumError("It broke.")) == "It broke."


# -- events -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bell:
    """An event."""

    sound: str


class LoudBell(Bell):
    """Another event, though of a kindred type."""


def test_listeners_hear_their_events_in_order() -> None:
    bus, heard = EventBus(), list[str]()
    bus.subscribe(Bell, lambda event: heard.append(f"first {event.sound}"))
    bus.subscribe(Bell, lambda event: heard.append(f"second {event.sound}"))
    bus.publish(Bell("ding"))
    bus.publish(LoudBell("dong"))
    bus.publish("unheard")
    assert heard == ["first ding", "second ding"]


def test_a_listener_that_fails_hurts_nobody(expect_log: ExpectLog) -> None:
    expect_log("a listener of Bell failed")
    bus, heard = EventBus(), list[str]()

    def fail(_: Bell) -> None:
        raise ZeroDivisionError

    bus.subscribe(Bell, fail)
    bus.subscribe(Bell, lambda event: heard.append(event.sound))
    bus.publish(Bell("ding"))
    assert heard == ["ding"]


def test_a_subscription_ends_once_and_may_end_while_it_is_told() -> None:
    bus, heard = EventBus(), list[str]()

    def once(event: Bell) -> None:
        heard.append(event.sound)
        leave()
        leave()

    leave = bus.subscribe(Bell, once)
    bus.subscribe(Bell, lambda event: heard.append(f"{event.sound}!"))
    bus.publish(Bell("ding"))
    bus.publish(Bell("dong"))
    assert heard == ["ding", "ding!", "dong!"]


# -- time -------------------------------------------------------------------------------------------------------------


async def test_the_computers_clock() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    before = clock.elapsed_s()
    await clock.sleep(0.02)
    assert 0.019 <= clock.elapsed_s() - before < 5
    if sys.platform == "linux":
        assert clock.elapsed_s() == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=5)


async def test_a_clock_that_sleeps_lets_others_work() -> None:
    ticks = list[int]()

    async def tick() -> None:
        for number in range(3):
            ticks.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(SystemClock().sleep(0.01), tick())
    assert ticks == [0, 1, 2]


# -- the home folder --------------------------------------------------------------------------------------------------


def test_a_home_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "a folder" / "home").create()
    folders = {path for path in home.root.rglob("*") if path.is_dir()} | {home.root}
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}
    assert folders == {home.root, home.device_key.parent, home.logs, home.jobs, home.engine, home.market}
    home.create()
    everything = [
        home.settings_file,
        home.agent_db,
        home.telemetry_db,
        home.device_key,
        home.control_file,
        home.lock_file,
    ]
    assert len(set(everything)) == len(everything)
    assert all(path.is_relative_to(home.root) for path in everything)


@pytest.mark.parametrize("place", ["file", "file/below", "home-with-a-file"])
def test_a_home_that_cannot_be_is_refused_in_words(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "home-with-a-file").mkdir()
    (tmp_path / "home-with-a-file" / "logs").write_text("in the way")
    with pytest.raises(BadInputError, match="cannot be used") as error:
        Home(tmp_path / place).create()
    assert "--home" in error.value.remedy
    assert "Errno" not in str(error.value)


def test_a_home_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    """As another user, because root may write everywhere."""
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom argentum_desktop.errors import BadInputError\n"
        "from argentum_desktop.paths import Home\nhome = Home(Path(sys.argv[1])).create()\nhome.root.chmod(0o555)\n"
        "if os.geteuid() == 0:\n    os.setuid(65534)\n"
        "try:\n    home.create()\nexcept BadInputError as error:\n    print('refused')\n"
    )
    result = subprocess.run([sys.executable, "-c", program, str(tmp_path / "h")], capture_output=True, text=True)
    assert result.stdout == "refused\n", result.stderr


def test_the_home_comes_from_the_environment_or_the_desktop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "chosen"))
    assert default_home() == Home(tmp_path / "chosen")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(HOME_VARIABLE, "relative")
    assert default_home() == Home(tmp_path / "relative")
    monkeypatch.setenv(HOME_VARIABLE, "")
    assert default_home().root.name == "argentum-desktop"
    assert default_home().root.is_absolute()


# -- shipped files ----------------------------------------------------------------------------------------------------


def test_a_shipped_file_is_found_from_a_checkout_and_from_a_bundle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert resource("seccomp", "argentum.json").is_file()
    (tmp_path / "resources").mkdir()
    (tmp_path / "resources" / "x.txt").write_text("bundled")
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert resource("x.txt").read_text() == "bundled"
    with pytest.raises(FileNotFoundError, match=r"seccomp/argentum\.json"):
        resource("seccomp", "argentum.json")


def test_what_was_not_shipped_is_a_fault_of_the_build() -> None:
    with pytest.raises(FileNotFoundError, match=r"icons/none\.svg"):
        resource("icons", "none.svg")
