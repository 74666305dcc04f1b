"""What desktops themselves say over the session bus: how long nobody touched them, and who keeps the screen awake."""

from __future__ import annotations

from collections.abc import Callable

from argentum_desktop.system.activity.bus import Bus, BusAbsentError, Object
from argentum_desktop.system.activity.signal import SignalUnknownError

_MUTTER = Object("org.gnome.Mutter.IdleMonitor", "/org/gnome/Mutter/IdleMonitor/Core", "org.gnome.Mutter.IdleMonitor")
_SCREEN_SAVER = Object("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver", "org.freedesktop.ScreenSaver")
_BUS = Object("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
_KDE = "org.kde.screensaver"

_GNOME_SESSION = Object("org.gnome.SessionManager", "/org/gnome/SessionManager", "org.gnome.SessionManager")
_KDE_POWER = "org.kde.Solid.PowerManagement"
_KDE_POLICY = Object(_KDE_POWER, f"/{_KDE_POWER.replace('.', '/')}/PolicyAgent", f"{_KDE_POWER}.PolicyAgent")
_POWER = "org.freedesktop.PowerManagement"
_POWER_INHIBIT = Object(_POWER, f"/{_POWER.replace('.', '/')}/Inhibit", f"{_POWER}.Inhibit")
# "The session being marked as idle" of GNOME's session manager, "change of screen settings" of KDE's policy agent.
_GNOME_IDLE, _KDE_SCREEN = 8, 4
_INHIBITED = (
    (_GNOME_SESSION, "IsInhibited", "u", (_GNOME_IDLE,)),
    (_KDE_POLICY, "HasInhibition", "u", (_KDE_SCREEN,)),
    (_POWER_INHIBIT, "HasInhibit", "", ()),
)


class IdleMonitor:
    """GNOME's own count of idle time; it also tells at once when somebody comes back.

    Args:
        stirred: called then.
    """

    def __init__(self, session_bus: Bus, stirred: Callable[[], None]) -> None:
        self._bus = session_bus
        self._stirred = stirred
        self._is_listening = False
        self._watch: int | None = None

    @property
    def tells(self) -> bool:
        """Whether the next return will be told."""
        return self._watch is not None

    async def idle_s(self) -> float:
        """Raises `BusAbsentError` on other desktops."""
        (idle_ms,) = await self._bus.ask(_MUTTER, "GetIdletime")
        if not self._is_listening:
            self._is_listening = True
            await self._bus.listen(_MUTTER, "WatchFired", self._fired)
        if idle_ms < 1000:
            self._watch = None  # a watch on the next return is only taken by one who is away
        elif self._watch is None:
            (self._watch,) = await self._bus.ask(_MUTTER, "AddUserActiveWatch")
        return float(idle_ms) / 1000

    def _fired(self, watch: int) -> None:
        if watch == self._watch:
            self._watch = None
            self._stirred()


async def screen_saver_idle_s(session_bus: Bus, *, is_wayland: bool) -> float:
    """What the desktop's screen saver counts.

    Raises:
        BusAbsentError: it does not count.
        SignalUnknownError: what it says cannot be believed.
    """
    (idle,) = await session_bus.ask(_SCREEN_SAVER, "GetSessionIdleTime")
    if is_wayland and not idle:
        # KDE's counted nothing on Wayland and said 0, before it learned to refuse.
        raise SignalUnknownError("The desktop's screen saver does not count idle time on Wayland.")
    (is_kde,) = await session_bus.ask(_BUS, "NameHasOwner", "s", _KDE)
    # The others count seconds, as the name's first owner did; KDE hands on the milliseconds of its own library.
    return float(idle) / 1000 if is_kde else float(idle)


async def screen_kept_awake(session_bus: Bus) -> bool | None:
    """Whether a program keeps the screen awake to be looked at; None where no desktop keeps such a list."""
    answers = []
    refusal: SignalUnknownError | None = None
    for target, question, signature, arguments in _INHIBITED:
        try:
            (answer,) = await session_bus.ask(target, question, signature, *arguments)
        except BusAbsentError:
            continue
        except SignalUnknownError as error:
            refusal = error
            continue
        answers.append(bool(answer))
    if not answers and refusal is not None:
        raise refusal
    return any(answers) if answers else None
