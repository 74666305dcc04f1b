"""A Wayland session: a compositor of the test's own that speaks the protocols, and the real sway where it is there."""

from __future__ import annotations

import asyncio
import os
import shutil
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from private_bus import until

from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.activity import FULL_SCREEN, IDLE
from argentum_desktop.system.activity import wayland, wayland_wire
from argentum_desktop.system.activity.signal import SignalUnknownError
from argentum_desktop.system.activity.wayland import WaylandScreen
from argentum_desktop.system.activity.x11_wire import ScreenAbsentError

NOBODY = 65534


class Compositor:
    """Offers what it is told to, and remembers what was asked of it."""

    def __init__(self, *offers: tuple[str, int]) -> None:
        self.offers = offers
        self.bound: dict[int, str] = {}
        self.watch = 0
        self.watched_with: tuple[int, ...] = ()
        self.last_id = 1
        self._writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer, self.last_id, self.bound = writer, 1, {}
        try:
            while True:
                target, word = struct.unpack("<II", await reader.readexactly(8))
                self._obey(target, word & 0xFFFF, await reader.readexactly((word >> 16) - 8))
        except (EOFError, ConnectionError):
            writer.close()

    def emit(self, target: int, event: int, body: bytes = b"") -> None:
        assert self._writer is not None
        self._writer.write(struct.pack("<II", target, (8 + len(body)) << 16 | event) + body)

    def _new(self, object_id: int) -> int:
        assert object_id == self.last_id + 1, "ids must come in order"
        self.last_id = object_id
        return object_id

    def _obey(self, target: int, request: int, body: bytes) -> None:
        if target == 1:
            (made,) = struct.unpack("<I", body)
            self._new(made)
            if request == 0:
                self.emit(made, 0, struct.pack("<I", 0))
                return
            self.bound[made] = "registry"
            for number, (interface, version) in enumerate(self.offers, 1):
                self.emit(made, 0, struct.pack("<I", number) + text(interface) + struct.pack("<I", version))
        elif self.bound.get(target) == "registry":
            (number,) = struct.unpack_from("<I", body)
            version, made = struct.unpack("<II", body[-8:])
            interface, offered = self.offers[number - 1]
            assert version <= offered
            self.bound[self._new(made)] = interface
        elif self.bound.get(target, "").endswith(("notifier_v1", "idle")):
            self.watched_with = (request, *struct.unpack("<III", body))
            self.watch = self._new(self.watched_with[1])

    def object_of(self, interface: str) -> int:
        return next(object_id for object_id, bound in self.bound.items() if bound == interface)


def text(words: str) -> bytes:
    raw = words.encode() + b"\0"
    return struct.pack("<I", len(raw)) + raw + bytes(-len(raw) % 4)


@asynccontextmanager
async def a_session(folder: Path, compositor: Compositor) -> AsyncIterator[tuple[WaylandScreen, list[str]]]:
    stirred: list[str] = []
    server = await asyncio.start_unix_server(compositor.serve, folder / "wayland-7")
    where = {"XDG_RUNTIME_DIR": str(folder), "WAYLAND_DISPLAY": "wayland-7"}
    screen = WaylandScreen(where, SystemClock(), lambda *names: stirred.extend(names))
    try:
        yield screen, stirred
    finally:
        await screen.close()
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    ("notifier", "version", "request_number"),
    [("ext_idle_notifier_v1", 2, 2), ("ext_idle_notifier_v1", 1, 1), ("org_kde_kwin_idle", 1, 0)],
)
async def test_rest_and_return_are_told(tmp_path: Path, notifier: str, version: int, request_number: int) -> None:
    compositor = Compositor(("wl_output", 4), ("wl_seat", 9), (notifier, version))
    async with a_session(tmp_path, compositor) as (screen, stirred):
        assert await screen.counts_idle()
        assert not await screen.lists_windows()
        assert await screen.idle_s() == 0
        assert screen.tells == {IDLE}
        seat = compositor.object_of("wl_seat")
        arguments = (seat, 1000) if notifier == "org_kde_kwin_idle" else (1000, seat)
        assert compositor.watched_with == (request_number, compositor.watch, *arguments)
        compositor.emit(compositor.watch, 0)
        async with asyncio.timeout(5):
            while await screen.idle_s() < 1:
                await asyncio.sleep(0.01)
        compositor.emit(compositor.watch, 1)
        await until(lambda: stirred == [IDLE])
        assert await screen.idle_s() == 0


async def test_the_window_that_is_used_and_fills_the_screen_is_named(tmp_path: Path) -> None:
    compositor = Compositor(("zwlr_foreign_toplevel_manager_v1", 3))
    async with a_session(tmp_path, compositor) as (screen, stirred):
        assert await screen.full_screen() == ""
        window, manager = 0xFF000001, compositor.object_of("zwlr_foreign_toplevel_manager_v1")
        compositor.emit(manager, 0, struct.pack("<I", window))
        compositor.emit(window, 0, text("Quake III"))
        compositor.emit(window, 1, text("quake"))
        compositor.emit(window, 4, struct.pack("<III", 8, 3, 2))
        compositor.emit(window, 5)
        await until(lambda: stirred == [FULL_SCREEN])
        assert await screen.full_screen() == "quake"
        compositor.emit(window, 4, struct.pack("<II", 4, 3))  # another one is used
        compositor.emit(window, 5)
        await until(lambda: len(stirred) == 2)
        assert await screen.full_screen() == ""
        compositor.emit(window, 6)
        await until(lambda: len(stirred) == 3)
        assert await screen.full_screen() == ""


async def test_a_compositor_that_is_gone_or_hangs_or_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wayland, "AGAIN_AFTER_S", 0.0)
    monkeypatch.setattr(wayland_wire, "ANSWERS_WITHIN_S", 0.2)
    compositor = Compositor(("wl_seat", 9), ("ext_idle_notifier_v1", 2))
    async with a_session(tmp_path, compositor) as (screen, _):
        assert await screen.idle_s() == 0
        compositor.emit(1, 0, struct.pack("<II", 1, 0) + text("nonsense"))
        await until(lambda: not screen.tells)
        assert await screen.idle_s() == 0  # connected anew
        (tmp_path / "wayland-7").unlink()
        compositor.emit(1, 0, struct.pack("<II", 1, 0) + text("nonsense"))
        await until(lambda: not screen.tells)
        with pytest.raises(ScreenAbsentError):
            await screen.idle_s()
        ended = asyncio.Event()

        async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()
            ended.set()

        hanging = await asyncio.start_unix_server(hang, tmp_path / "wayland-7")
        with pytest.raises(SignalUnknownError, match="does not answer"):
            await screen.idle_s()
        hanging.close()
        await asyncio.wait_for(ended.wait(), 5)


@pytest.mark.skipif(shutil.which("sway") is None or shutil.which("foot") is None, reason="needs sway and foot")
async def test_sway_tells_of_input_and_of_a_full_screen(tmp_path: Path) -> None:
    null = asyncio.subprocess.DEVNULL
    environment = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "WAYLAND_DISPLAY"}}
    environment |= {
        "XDG_RUNTIME_DIR": str(tmp_path),
        "SWAYSOCK": str(tmp_path / "sway.sock"),
        "WLR_BACKENDS": "headless",
        "WLR_LIBINPUT_NO_DEVICES": "1",
        "WLR_RENDERER": "pixman",
    }
    (tmp_path / "config").write_text("xwayland disable\n")
    as_somebody = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    if as_somebody:  # sway does not run as root
        os.chown(tmp_path, NOBODY, NOBODY)
        # One folder more where the tests run in several processes.
        for folder in tmp_path.parents[:3]:
            folder.chmod(folder.stat().st_mode | 0o011)
    sway = await asyncio.create_subprocess_exec(
        "sway", "-c", str(tmp_path / "config"), env=environment, stdout=null, stderr=null, **as_somebody
    )
    await until(lambda: list(tmp_path.glob("wayland-?")), 15)
    environment["WAYLAND_DISPLAY"] = next(tmp_path.glob("wayland-?")).name
    stirred: list[str] = []
    screen = WaylandScreen(environment, SystemClock(), lambda *names: stirred.extend(names))
    assert await screen.counts_idle()
    assert await screen.full_screen() == ""
    terminal = await asyncio.create_subprocess_exec(
        "foot", "--fullscreen", "sleep", "60", env=environment, stdout=null, stderr=null, **as_somebody
    )
    await until(lambda: FULL_SCREEN in stirred, 15)
    assert await screen.full_screen() == "foot"
    async with asyncio.timeout(5):
        while await screen.idle_s() < 1:
            await asyncio.sleep(0.02)
    stirred.clear()
    moved = await asyncio.create_subprocess_exec(
        "swaymsg", "seat", "-", "cursor", "move", "5", "5", env=environment, stdout=null, stderr=null
    )
    assert await moved.wait() == 0
    await until(lambda: IDLE in stirred)
    assert await screen.idle_s() == 0
    await screen.close()
    for program in (terminal, sway):
        program.kill()
        await program.wait()
