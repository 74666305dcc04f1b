"""BOINC's client and manager, idle beside us: what people who lend their computers have run for twenty years.

Measured where Debian's packages boinc-client, boinc-manager, openbox and xdotool are installed. They are not installed
for the purpose: the client's package begins to work as a service of the system.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from processes import cpu_ms, ended_with_block

PROGRAMS = ("boinc", "boincmgr", "openbox", "xdotool")
PATIENCE_S = 20.0


def missing_programs() -> list[str]:
    return [program for program in PROGRAMS if shutil.which(program) is None]


class Boinc:
    """Both programs running, the manager's window minimised."""

    def __init__(self, client: subprocess.Popen[bytes], manager: subprocess.Popen[bytes]) -> None:
        self._pids = (client.pid, manager.pid)

    def cpu_ms(self) -> float:
        """Processor time of both so far."""
        return sum(cpu_ms(pid) for pid in self._pids)


@contextlib.contextmanager
def running(environment: Mapping[str, str], folder: Path) -> Iterator[Boinc]:
    """Start both without any project, and end them with the block.

    Raises:
        TimeoutError: they do not come up.
    """
    data, home = folder / "boinc", folder / "boinc-home"
    data.mkdir()
    home.mkdir()
    env, port = {**environment, "HOME": str(home)}, str(_free_port())
    quiet = ["--no_info_fetch", "--no_gpus", "--skip_cpu_benchmarks", "--suppress_net_info", "--fetch_minimal_work"]
    client = ["boinc", "--dir", str(data), "--allow_multiple_clients", "--gui_rpc_port", port, *quiet]
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(ended_with_block(client, env=env, stderr=subprocess.DEVNULL))
        password = _password(data / "gui_rpc_auth.cfg")
        stack.enter_context(ended_with_block(["openbox"], env=env, stderr=subprocess.DEVNULL))
        place = ["-a", "-m", "-nd", "-d", str(data), "-n", "localhost", "-g", port, "-p", password]
        second = stack.enter_context(ended_with_block(["boincmgr", *place], env=env, stderr=subprocess.DEVNULL))
        _put_away(second.pid, env)
        yield Boinc(first, second)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _password(file: Path) -> str:
    end = time.monotonic() + PATIENCE_S
    while not file.exists() or not file.read_text("ascii").strip():
        if time.monotonic() > end:
            raise TimeoutError("BOINC's client does not start")
        time.sleep(0.1)
    return file.read_text("ascii").strip()


def _put_away(pid: int, env: Mapping[str, str]) -> None:
    """Refuse the welcome, which asks for a project, and minimise the window."""
    _windows(pid, env, at_least=2)
    _xdotool(env, "windowactivate", "--sync", _windows(pid, env)[-1])
    _xdotool(env, "key", "alt+F4")
    _windows(pid, env, at_least=3)  # it asks whether that was meant
    _xdotool(env, "key", "Return")
    time.sleep(1)
    for window in _windows(pid, env):
        _xdotool(env, "windowminimize", window)
    if _windows(pid, env):
        raise TimeoutError("BOINC's window does not go away")


def _windows(pid: int, env: Mapping[str, str], at_least: int = 0) -> list[str]:
    end = time.monotonic() + PATIENCE_S
    while True:
        found = _xdotool(env, "search", "--onlyvisible", "--pid", str(pid)).split()
        if len(found) >= at_least:
            return found
        if time.monotonic() > end:
            raise TimeoutError("BOINC's manager does not show its window")
        time.sleep(0.2)


def _xdotool(env: Mapping[str, str], *words: str) -> str:
    return subprocess.run(["xdotool", *words], env=env, capture_output=True, text=True, timeout=PATIENCE_S).stdout
