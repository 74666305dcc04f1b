"""The sensor beside nvitop: eight NVIDIA cards of the same stand-in for the driver, read once a second by each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from shutil import which

import psutil
from fake_nvml import build
from figures import Figure

from argentum_desktop.clock import SystemClock
from argentum_desktop.gpus.watched_sensor import sensor_command

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "build" / "bench-tools"
CARDS = 8
SETTLING_S = 5.0
SPAN_S = 60.0
MOST_SHARE_PERCENT = 20.0
MOST_RESIDENT_MB = 25.0
SCREEN = (60, 160)  # rows and columns: all cards fit in full
INSTALL_S = 180.0


@dataclass(frozen=True)
class Spent:
    """What a process took.

    Attributes:
        cpu_ms: processor time of a minute.
        resident_mb: at the end.
    """

    cpu_ms: float
    resident_mb: float


def missing() -> list[str]:
    """What the stand-in for the driver cannot be built without."""
    lacking = [] if os.environ.get("CC") or which("gcc") or which("cc") else ["gcc"]
    try:
        files("nvidia-nvml-dev")
    except PackageNotFoundError:
        lacking.append("nvidia-nvml-dev")
    return lacking


def measure(folder: Path, settling_s: float = SETTLING_S, span_s: float = SPAN_S) -> list[Figure]:
    """Let both watch at the same time; without nvitop the sensor alone."""
    environment = _driver(folder)
    nvitop = _nvitop()
    with _sensor(environment) as sensor:
        if nvitop is None:
            print("Not compared: nvitop cannot be installed from PyPI.")
            return _figures(_spent({"sensor": sensor}, settling_s, span_s))
        with _on_terminal([str(nvitop), "--monitor", "full", "--interval", "1"], environment) as other:
            return _figures(_spent({"sensor": sensor, "nvitop": other}, settling_s, span_s))


def _driver(folder: Path) -> dict[str, str]:
    """Build the stand-in; returns the environment in which it is found."""
    scenario = folder / "sensor" / "scenario.txt"
    scenario.parent.mkdir(parents=True)
    library = build.compiled(folder / "sensor")
    shown = {
        "compute_mode": 0,
        "display_active": 0,
        "persistence": 1,
        "performance_state": 2,
        "encoder": 0,
        "decoder": 0,
    }
    cards = (build.server_card(index, fan=40, fan_rpm=1200, **shown) for index in range(CARDS))
    busy = (f"card {index} compute {os.getpid()} {build.GIB}" for index in range(CARDS))
    build.FakeNvml(library, scenario).follow(*cards, *busy)
    return {**os.environ, "FAKE_NVML_SCENARIO": str(scenario), "LD_LIBRARY_PATH": str(library.parent)}


def _nvitop() -> Path | None:
    """The program, installed on first use in an environment of its own."""
    program = TOOLS / "nvitop" / "bin" / "nvitop"
    if not program.exists():
        with suppress(subprocess.SubprocessError, OSError):
            subprocess.run([sys.executable, "-m", "venv", str(program.parents[1])], check=True, timeout=INSTALL_S)
            install = [str(program.with_name("pip")), "install", "--quiet", "--disable-pip-version-check", "nvitop"]
            subprocess.run(install, check=True, timeout=INSTALL_S, capture_output=True)
    return program if program.exists() else None


@contextmanager
def _sensor(environment: dict[str, str]) -> Iterator[psutil.Process]:
    """The sensor process, asked once a second as the service asks it."""
    done = threading.Event()
    with subprocess.Popen(
        sensor_command(), cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        asker = threading.Thread(target=_ask_each_second, args=(process, done))
        asker.start()
        try:
            yield psutil.Process(process.pid)
        finally:
            done.set()
            asker.join()


def _ask_each_second(process: subprocess.Popen[bytes], done: threading.Event) -> None:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the sensor has no pipes")
    clock = SystemClock()
    number, ask = 0, '"discover"'
    next_s = clock.elapsed_s()
    while True:
        process.stdin.write(f'{{"ask":{ask},"number":{number}}}\n'.encode())
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        if number and len(answer["readings"]) < CARDS:
            raise RuntimeError(f"the sensor reads {len(answer['readings'])} cards of {CARDS}")
        number, ask = number + 1, f'"read","now":"{clock.now().isoformat()}"'
        next_s += 1.0
        if done.wait(max(0.0, next_s - clock.elapsed_s())):
            process.stdin.close()
            return


@contextmanager
def _on_terminal(command: list[str], environment: dict[str, str]) -> Iterator[psutil.Process]:
    """A program that draws on a terminal; what it draws is thrown away."""
    import fcntl
    import pty
    import struct
    import termios

    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", *SCREEN, 0, 0))
    environment = {**environment, "TERM": "xterm-256color"}
    process = subprocess.Popen(
        command, env=environment, stdin=its, stdout=its, stderr=its, start_new_session=True, close_fds=True
    )
    os.close(its)
    drain = threading.Thread(target=_drain, args=(ours,))
    drain.start()
    try:
        yield psutil.Process(process.pid)
        if process.poll() is not None:
            raise RuntimeError(f"{command[0]} ended by itself")
    finally:
        process.kill()
        process.wait()
        drain.join()
        os.close(ours)


def _drain(terminal: int) -> None:
    with suppress(OSError):  # it ends with an error when nobody holds the other end any more
        while os.read(terminal, 65_536):
            pass


def _spent(processes: dict[str, psutil.Process], settling_s: float, span_s: float) -> dict[str, Spent]:
    time.sleep(settling_s)
    before, began = {name: _cpu_ms(process) for name, process in processes.items()}, time.perf_counter()
    time.sleep(span_s)
    per_minute = 60.0 / (time.perf_counter() - began)
    return {
        name: Spent((_cpu_ms(process) - before[name]) * per_minute, process.memory_info().rss / 1e6)
        for name, process in processes.items()
    }


def _cpu_ms(process: psutil.Process) -> float:
    """Of all its threads, from the kernel's books in nanoseconds: a light process uses few ticks of the other clock."""
    tasks = Path(f"/proc/{process.pid}/task")
    return sum(int((task / "schedstat").read_text("ascii").split()[0]) for task in tasks.iterdir()) / 1e6


def _figures(spent: dict[str, Spent]) -> list[Figure]:
    topic = f"Reading {CARDS} NVIDIA cards at 1 Hz, processor time a minute"
    rows = [Figure(topic, name, of_it.cpu_ms, "ms") for name, of_it in spent.items()]
    if "nvitop" in spent:
        share = 100.0 * spent["sensor"].cpu_ms / spent["nvitop"].cpu_ms
        rows.append(Figure(topic, "the sensor as a share of nvitop", share, "%", MOST_SHARE_PERCENT))
    topic = "Memory of the same, resident"
    most = {"sensor": MOST_RESIDENT_MB}
    return [*rows, *(Figure(topic, name, of_it.resident_mb, "MB", most.get(name)) for name, of_it in spent.items())]
