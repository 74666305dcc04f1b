"""What is made of Windows' answers: libraries that answer as documented, laid out byte for byte."""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from private_bus import until

from argentum_desktop.domain.activity import NOBODY_S
from argentum_desktop.system.activity.own_thread import OwnThread
from argentum_desktop.system.activity.signal import SignalUnknownError
from argentum_desktop.system.activity.windows import WindowsSignals
from argentum_desktop.system.activity.windows_calls import WindowsCalls
from argentum_desktop.system.activity.windows_sleep import WindowsSleep

SERVICES, OWN, OTHER, NONE = 0, 1, 2, 0xFFFFFFFF


def write(target: Any, layout: str, *values: int) -> None:
    """Fill what a function was given a pointer to."""
    address = ctypes.addressof(target._obj)
    ctypes.memmove(address, struct.pack(layout, *values), struct.calcsize(layout))


class Function:
    """Takes the types that ctypes wants to set."""

    def __init__(self, work: Callable[..., Any]) -> None:
        self.work = work
        self.restype: Any = None
        self.argtypes: Any = None

    def __call__(self, *arguments: Any) -> Any:
        assert len(arguments) == len(self.argtypes)
        return self.work(*arguments)


class FakeComputer:
    """A computer with Windows."""

    def __init__(self) -> None:
        self.ticks, self.last_input = 10_000, 4_000
        self.state, self.session, self.console, self.user = 5, OWN, OWN, "owner"
        self.metrics: dict[int, int] = {}
        self.cost, self.cost_failure = 1, 0
        self.released = 0
        self.subscription: Any = None
        self.lacks: set[str] = set()
        self._kept: list[Any] = []

    def open(self, name: str) -> Any:
        if name in self.lacks:
            raise OSError(name)
        functions = {
            "user32.dll": ("GetLastInputInfo", "GetSystemMetrics", "GetForegroundWindow", "GetWindowThreadProcessId"),
            "kernel32.dll": (
                "GetTickCount",
                "GetCurrentProcessId",
                "ProcessIdToSessionId",
                "WTSGetActiveConsoleSessionId",
            ),
            "shell32.dll": ("SHQueryUserNotificationState",),
            "wtsapi32.dll": ("WTSQuerySessionInformationW", "WTSFreeMemory"),
            "ole32.dll": ("CoInitializeEx", "CoCreateInstance"),
            "powrprof.dll": ("PowerRegisterSuspendResumeNotification", "PowerUnregisterSuspendResumeNotification"),
        }[name]
        present = {function: Function(getattr(self, function)) for function in functions if function not in self.lacks}
        return type("Library", (), present)

    # -- as documented ------------------------------------------------------------------------------------------------

    def GetLastInputInfo(self, info: Any) -> int:  # noqa: N802
        assert info._obj.cbSize == 8
        write(info, "<II", 8, self.last_input)
        return 1

    def GetTickCount(self) -> int:  # noqa: N802
        return self.ticks

    def GetSystemMetrics(self, index: int) -> int:  # noqa: N802
        return self.metrics.get(index, 0)

    def GetForegroundWindow(self) -> int:  # noqa: N802
        return 0x1234

    def GetWindowThreadProcessId(self, window: int, pid: Any) -> int:  # noqa: N802
        write(pid, "<I", os.getpid())
        return 7

    def GetCurrentProcessId(self) -> int:  # noqa: N802
        return 99

    def ProcessIdToSessionId(self, pid: int, session: Any) -> int:  # noqa: N802
        assert pid == 99
        write(session, "<I", self.session)
        return 1

    def WTSGetActiveConsoleSessionId(self) -> int:  # noqa: N802
        return self.console

    def WTSQuerySessionInformationW(self, server: Any, session: int, kind: int, name: Any, size: Any) -> int:  # noqa: N802
        assert (server, session, kind) == (None, self.console, 5)
        text = ctypes.create_unicode_buffer(self.user)
        self._kept.append(text)
        write(name, "<Q", ctypes.addressof(text))
        write(size, "<I", 2 * (len(self.user) + 1))
        return 1

    def WTSFreeMemory(self, memory: Any) -> None:  # noqa: N802
        assert memory.value

    def SHQueryUserNotificationState(self, state: Any) -> int:  # noqa: N802
        write(state, "<i", self.state)
        return 0

    def CoInitializeEx(self, reserved: Any, kind: int) -> int:  # noqa: N802
        self.com_thread = threading.get_ident()
        return 0

    def CoCreateInstance(self, wanted: bytes, outer: Any, context: int, interface: bytes, made: Any) -> int:  # noqa: N802
        assert threading.get_ident() == self.com_thread
        assert (len(wanted), len(interface)) == (16, 16)
        get_cost = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint32), ctypes.c_void_p)
        release = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_void_p)

        def tell(_: int, cost: Any, destination: Any) -> int:
            assert destination is None
            cost[0] = self.cost
            return self.cost_failure

        def let_go(_: int) -> int:
            self.released += 1
            return 0

        slots = (get_cost(tell), release(let_go))
        table = (ctypes.c_void_p * 4)(
            None, None, ctypes.cast(slots[1], ctypes.c_void_p), ctypes.cast(slots[0], ctypes.c_void_p)
        )
        instance = ctypes.c_void_p(ctypes.addressof(table))
        self._kept += [slots, table, instance]
        write(made, "<Q", ctypes.addressof(instance))
        return 0

    def PowerRegisterSuspendResumeNotification(self, flags: int, subscription: Any, handle: Any) -> int:  # noqa: N802
        assert flags == 2
        self.subscription = subscription._obj
        write(handle, "<Q", 0x77)
        return 0

    def PowerUnregisterSuspendResumeNotification(self, handle: Any) -> int:  # noqa: N802
        assert handle.value == 0x77
        self.subscription = None
        return 0


@pytest.fixture
def computer() -> FakeComputer:
    return FakeComputer()


@pytest.fixture
def signals(computer: FakeComputer) -> WindowsSignals:
    return WindowsSignals(WindowsCalls(computer.open))


async def test_idle_time_runs_over_the_end_of_the_count(computer: FakeComputer, signals: WindowsSignals) -> None:
    assert await signals.idle_s() == 6
    computer.ticks, computer.last_input = 500, 0xFFFFFFFF - 499
    assert await signals.idle_s() == 1


async def test_who_is_at_the_screen(computer: FakeComputer, signals: WindowsSignals) -> None:
    computer.console = OTHER
    with pytest.raises(SignalUnknownError, match="Somebody else"):
        await signals.idle_s()
    computer.user = ""  # the screen that asks for a name
    assert await signals.idle_s() == 6
    computer.console = NONE
    assert await signals.idle_s() == 6


async def test_a_service_sees_no_screen(computer: FakeComputer, signals: WindowsSignals) -> None:
    computer.session, computer.user = SERVICES, ""
    assert await signals.idle_s() == NOBODY_S
    assert await signals.full_screen() == ""
    assert await signals.is_presenting() is False
    computer.user = "owner"
    for question in (signals.idle_s, signals.full_screen, signals.is_presenting):
        with pytest.raises(SignalUnknownError, match="service"):
            await question()


@pytest.mark.parametrize(
    ("state", "is_full", "is_presenting"),
    [(1, False, False), (2, True, False), (3, True, False), (4, False, True), (5, False, False), (7, True, False)],
)
async def test_what_windows_says_of_the_screen(
    computer: FakeComputer, signals: WindowsSignals, state: int, is_full: bool, is_presenting: bool
) -> None:
    computer.state = state
    assert bool(await signals.full_screen()) is is_full
    assert await signals.is_presenting() is is_presenting


async def test_a_remote_session(computer: FakeComputer, signals: WindowsSignals) -> None:
    assert await signals.is_remote() is False
    computer.metrics[0x1000] = 1
    assert await signals.is_remote() is True


@pytest.mark.parametrize(("cost", "metered"), [(1, False), (2, True), (4, True), (0x10001, True), (0x40001, True)])
async def test_what_the_network_costs(
    computer: FakeComputer, signals: WindowsSignals, cost: int, metered: bool
) -> None:
    computer.cost = cost
    assert await signals.is_metered() is metered
    assert await signals.is_metered() is metered
    assert computer.released == 2
    await signals.close()


async def test_an_unknown_cost_and_a_windows_without_the_list(computer: FakeComputer, signals: WindowsSignals) -> None:
    computer.cost = 0
    with pytest.raises(SignalUnknownError, match="does not know"):
        await signals.is_metered()
    await signals.close()
    computer.lacks = {"ole32.dll", "shell32.dll"}
    without = WindowsSignals(WindowsCalls(computer.open))
    with pytest.raises(SignalUnknownError, match="lacks CoCreateInstance"):
        await without.is_metered()
    with pytest.raises(SignalUnknownError, match="lacks SHQueryUserNotificationState"):
        await without.full_screen()
    await without.close()


async def test_windows_waits_with_sleep_until_all_is_ready(computer: FakeComputer) -> None:
    happened: list[str] = []

    async def before() -> None:
        happened.append("before")
        await asyncio.sleep(0.05)
        happened.append("ready")

    sleep = WindowsSleep(WindowsCalls(computer.open), before, lambda: happened.append("after"))
    watching = asyncio.create_task(sleep.run())
    await until(lambda: computer.subscription is not None)
    called = computer.subscription.Callback
    await asyncio.to_thread(called, None, 0x4, None)
    assert happened == ["before", "ready"]
    await asyncio.to_thread(called, None, 0x12, None)
    await until(lambda: happened[-1] == "after")
    watching.cancel()
    await asyncio.wait([watching])
    assert computer.subscription is None


async def test_a_call_that_hangs_is_given_up_and_not_repeated() -> None:
    may_go = threading.Event()
    thread = OwnThread("hangs")
    begun = time.monotonic()
    with pytest.raises(SignalUnknownError, match="does not answer"):
        await thread.call(may_go.wait, 0.1)
    with pytest.raises(SignalUnknownError, match="earlier question"):
        await thread.call(may_go.wait, 0.1)
    assert time.monotonic() - begun < 1
    may_go.set()
    async with asyncio.timeout(5):
        while True:
            try:
                assert await thread.call(lambda: 5, 1.0) == 5
                break
            except SignalUnknownError:
                await asyncio.sleep(0.01)
    thread.end()
