"""Programs, processor and disks: the real ones of this computer, and control groups as the kernel writes them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from argentum_desktop.system.activity.load import DiskLoad, JobGroups, JobsUse, ProcessorLoad
from argentum_desktop.system.activity.owners import owners_programs
from argentum_desktop.system.activity.programs import ALL_ANEW_EVERY, LOOKS_AT_NEW, Programs, plain, running_name
from argentum_desktop.system.activity.signal import SignalUnknownError

LONG = "a-program-with-a-long-name"


@pytest.mark.skipif(sys.platform == "win32", reason="copies a program of Unix")
def test_a_chosen_program_is_found_however_it_is_written(tmp_path: Path) -> None:
    program = tmp_path / f"{LONG}.exe"
    shutil.copy("/bin/sleep", program)
    chosen = ("Blender", LONG.upper(), f"{LONG}.EXE")
    programs = Programs()
    assert programs.running(chosen) == ()
    with subprocess.Popen([program, "60"]) as running:
        for _ in range(LOOKS_AT_NEW):
            found = programs.running(chosen)
        assert found == (LONG.upper(), f"{LONG}.EXE")
        assert running_name(running.pid) == f"{LONG}.exe"
        running.kill()
    assert programs.running(chosen) == ()


def test_names_are_compared_without_case_folder_and_ending() -> None:
    assert plain(r"C:\Games\Quake.EXE") == plain("quake") == plain("/usr/games/quake")


def test_known_processes_are_not_asked_again_but_now_and_then() -> None:
    asked: list[int] = []
    names = {1: "fork-of-shell", 2: "editor"}

    def name_of(pid: int) -> str | None:
        asked.append(pid)
        return names.get(pid)

    programs = Programs(lambda: list(names), name_of)
    assert programs.running(("quake",)) == ()
    names[1] = "quake"  # it has become what it was begun for
    assert programs.running(("quake",)) == ("quake",)
    for _ in range(LOOKS_AT_NEW):
        programs.running(("quake",))
    asked.clear()
    assert programs.running(("quake",)) == ("quake",)
    assert asked == []
    for _ in range(ALL_ANEW_EVERY):
        programs.running(("quake",))
    assert set(asked) == {1, 2}
    names[3] = names.pop(1)
    assert programs.running(("quake",)) == ("quake",)
    assert programs.running(()) == ()


def test_the_processors_load_is_what_was_done_between_two_looks() -> None:
    load = ProcessorLoad()
    with pytest.raises(SignalUnknownError):
        load.percent(JobsUse())
    end = time.monotonic() + 0.4
    while time.monotonic() < end:
        sum(range(1000))
    busy = load.percent(JobsUse())
    assert 100 / (os.cpu_count() or 1) * 0.5 < busy <= 100
    end = time.monotonic() + 0.4
    while time.monotonic() < end:
        sum(range(1000))
    # A job that had all processors for all of the time leaves nothing that could be the owner's.
    assert load.percent(JobsUse(cpu_s=(os.cpu_count() or 1) * 0.6)) == 0


def group(root: Path, name: str, cpu_us: int, moved: Sequence[int]) -> None:
    place = root / "machine.slice" / name
    place.mkdir(parents=True, exist_ok=True)
    (place / "cpu.stat").write_text(f"usage_usec {cpu_us}\nuser_usec 1\nsystem_usec 1\n")
    lines = [f"8:{number * 16} rbytes={each} wbytes=10 rios=1 wios=1\n" for number, each in enumerate(moved)]
    (place / "io.stat").write_text("".join(lines))


def test_what_jobs_use_is_found_by_their_containers(tmp_path: Path) -> None:
    groups = JobGroups(tmp_path)
    group(tmp_path, "libpod-abc123.scope", 2_500_000, [100, 200])
    group(tmp_path, "docker-def456.scope", 500_000, [])
    assert groups.use(["abc123", "def456", "none", ""]) == JobsUse(3.0, 320)
    group(tmp_path, "libpod-abc123.scope", 4_500_000, [100])
    assert groups.use(["abc123"]) == JobsUse(4.5, 110)
    shutil.rmtree(tmp_path / "machine.slice" / "libpod-abc123.scope")
    assert groups.use(["abc123"]) == JobsUse()


class Disk:
    """Counters of one disk, as psutil gives them on Linux."""

    def __init__(self, busy_ms: int, moved: int) -> None:
        self.busy_time, self.read_bytes, self.write_bytes = busy_ms, moved, 0
        self.read_time = self.write_time = 0


def test_the_busiest_disk_counts_less_what_jobs_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [
        {"sda": Disk(0, 0), "sdb": Disk(500, 0)},
        {"sda": Disk(1500, 3000), "sdb": Disk(600, 1000)},
        {"sda": Disk(3000, 4000), "sdb": Disk(600, 2000)},
        {},
    ]
    monkeypatch.setattr("psutil.disk_io_counters", lambda perdisk: looks.pop(0))
    load = DiskLoad()
    with pytest.raises(SignalUnknownError):
        load.percent(JobsUse(), 10.0)
    assert load.percent(JobsUse(), 12.0) == 75
    assert load.percent(JobsUse(disk_bytes=1500), 14.0) == pytest.approx(75 * 0.25, abs=0.1)
    with pytest.raises(SignalUnknownError, match="no account"):
        load.percent(JobsUse(), 16.0)


def test_a_containers_processes_are_told_by_their_group(tmp_path: Path) -> None:
    for pid, line in ((10, "0::/machine.slice/libpod-abc123.scope/container"), (11, "0::/user.slice")):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cgroup").write_text(line + "\n")
    names = {10: "python3", 11: "blender", 12: "gone"}
    assert owners_programs([10, 11, 12], ["abc123", ""], tmp_path, names.get) == {11: "blender"}
    assert owners_programs([10, 11, 12], [], tmp_path, names.get) == {10: "python3", 11: "blender"}
    assert owners_programs([10, 11], ["abc123"], tmp_path, lambda _pid: None) == {}
