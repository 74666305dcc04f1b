"""A real Windows Python on Linux: Wine, CPython's own Windows library, and a program of four lines that starts it.

Wine and MinGW together are half a gigabyte, so whoever tests has them installed or not; without them these tests are
skipped. The rest is made once under build/wine: CPython for Windows comes out of a wheel that carries it
(panda3d, whose python311.dll is the one that the Python Software Foundation signed), its standard library from the
Python that runs the tests.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "build" / "wine"
CARRIER = "panda3d==1.10.16"
PYTHON_DLL_SHA256 = "0817a2a657a24c0d5fbb60df56960f42fc66b3039d522ec952dab83e2d869364"  # CPython 3.11.9
MINGW = "x86_64-w64-mingw32-gcc"
_WINE_PLACES = ("/usr/lib/wine", "/opt/wine-stable/bin", "/opt/wine-devel/bin", "/usr/bin")
# Neither .NET nor a browser nor a debugger: the first two ask questions, the third waits for an answer for ever.
_OVERRIDES = "mscoree,mshtml,winedbg.exe="
_START = """
#include <windows.h>
typedef int (*Main)(int, wchar_t **);
int wmain(int count, wchar_t **words) {
    HMODULE library = LoadLibraryW(L"python311.dll");
    return library ? ((Main)(void *)GetProcAddress(library, "Py_Main"))(count, words) : 250;
}
"""
_LEFT_OUT = ("site-packages", "lib-dynload", "test", "idlelib", "tkinter", "ensurepip", "turtledemo", "__pycache__")


@dataclass(frozen=True)
class Wine:
    """A prepared prefix with Python in it."""

    program: str
    prefix: Path
    python: Path

    def run(self, *words: str, timeout_s: float = 60, given: str = "", **variables: str) -> tuple[str, str]:
        """Run Python; returns what it printed on standard output and error."""
        done = subprocess.run(
            [self.program, str(self.python), *words],
            # Only pipes: with a file or a terminal instead this Python ends with "Invalid handle".
            input=given,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout_s,
            env={**_environment(self.prefix), **variables},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout, done.stderr

    @contextlib.contextmanager
    def kept_running(self) -> Iterator[Wine]:
        """Wine's own services begin with the first program and end with the last, which takes seconds: keep one."""
        words = [self.program, str(self.python), "-c", "import sys; print('here', flush=True); sys.stdin.read()"]
        environment = _environment(self.prefix)
        pipe = subprocess.PIPE
        with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment) as keeper:
            assert keeper.stdout is not None
            assert keeper.stdout.readline().strip() == b"here"
            yield self
            keeper.communicate(timeout=30)
        self.end()

    def end(self) -> None:
        """End this prefix's own server, which would stay for some seconds after the last program."""
        server = shutil.which("wineserver") or str(Path(self.program).with_name("wineserver"))
        subprocess.run([server, "-k"], env=_environment(self.prefix), capture_output=True, timeout=30)


def prepare() -> Wine:
    """The prefix under build/wine, made when it is not there yet; skips the test where it cannot be made."""
    program = next((str(path) for place in _WINE_PLACES if (path := Path(place, "wine64")).is_file()), None)
    if program is None or shutil.which(MINGW) is None:
        pytest.skip("Wine and MinGW are not installed (Debian: wine64 gcc-mingw-w64-x86-64-win32)")
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the Windows Python of these tests is 3.11 and takes its standard library from a Python 3.11")
    wine = Wine(program, HOME / "prefix", HOME / "python" / "python.exe")
    if not wine.python.is_file():
        _make_python(HOME / "python")
    if not (wine.prefix / "drive_c" / "windows").is_dir():
        _make_prefix(wine)
    return wine


def _make_python(target: Path) -> None:
    """Lay out CPython as Windows has it; put into place as a whole: half of it must not be taken for it."""
    draft = target.with_name("python.draft")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)
    (draft / "DLLs").mkdir(parents=True)
    with zipfile.ZipFile(_download(draft)) as wheel:
        for name in wheel.namelist():
            file = Path(name)
            if file.parent.name != "deploy_libs" or file.name.startswith(("api-ms", "tcl", "tk", "_tkinter")):
                continue
            top = file.suffix == ".dll" and file.name.startswith(("python", "VCRUNTIME"))
            (draft / ("" if top else "DLLs") / file.name).write_bytes(wheel.read(name))
    digest = hashlib.sha256((draft / "python311.dll").read_bytes()).hexdigest()
    assert digest == PYTHON_DLL_SHA256, "this is not CPython's own python311.dll"
    library = sysconfig.get_path("stdlib")
    shutil.copytree(library, draft / "Lib", ignore=shutil.ignore_patterns(*_LEFT_OUT, "config-*", "*.a"))
    start = draft / "start.c"
    start.write_text(_START, encoding="utf-8")
    subprocess.run([MINGW, "-O2", "-municode", "-o", str(draft / "python.exe"), str(start)], check=True)
    draft.rename(target)


def _download(folder: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    wanted = "--only-binary=:all: --platform win_amd64 --python-version 3.11 --implementation cp --abi cp311"
    done = subprocess.run([*pip, *wanted.split(), "-d", str(folder), CARRIER], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"CPython for Windows cannot be fetched: {done.stderr.strip()[-200:]}")
    return next(folder.glob("*.whl"))


def _make_prefix(wine: Wine) -> None:
    draft = wine.prefix.with_name("prefix.draft")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.rmtree(wine.prefix, ignore_errors=True)
    draft.mkdir(parents=True)
    subprocess.run([wine.program, "wineboot", "-i"], env=_environment(draft), capture_output=True, timeout=150)
    Wine(wine.program, draft, wine.python).end()
    draft.rename(wine.prefix)


def _environment(prefix: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
    return {
        **kept,
        "WINEPREFIX": str(prefix),
        "WINEARCH": "win64",
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": _OVERRIDES,
        "PYTHONPYCACHEPREFIX": r"C:\pycache",  # what Windows compiles stays out of the source tree
        "PYTHONUTF8": "1",
    }


def windows_path(path: Path) -> str:
    """The path as Windows programs see it under Wine."""
    return "Z:" + str(path).replace("/", "\\")


def install(wine: Wine, *packages: str) -> None:
    """Windows' builds of packages, for the Windows Python; once, of exactly these versions."""
    target = wine.python.parent / "Lib" / "site-packages"
    mark = target / f".{'-'.join(packages)}"
    if mark.is_file():
        return
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "pip", "install", "--quiet", "--no-deps", "--target", str(target), *packages]
    chosen = ["--python-platform", "x86_64-pc-windows-msvc", "--python-version", "3.11", "--only-binary", ":all:"]
    done = subprocess.run([*command, *chosen], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"Windows' builds of {', '.join(packages)} cannot be fetched: {done.stderr.strip()[-200:]}")
    mark.touch()
