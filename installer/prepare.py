#!/usr/bin/env python3
"""Prepares a checkout: the system's packages, the virtual environment, the application in it.

Standard library only, because it runs before anything is installed. It works a second time in a moment, says what it
installs and why, and asks for elevation only where it is needed.
"""

from __future__ import annotations

import argparse
import ctypes.util
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
OLDEST = (3, 11)

# What Qt loads when it shows a window or paints without one: the library, and the package of Debian and Ubuntu.
LIBRARIES = {
    "glib-2.0": "libglib2.0-0",
    "GL": "libgl1",
    "EGL": "libegl1",
    "fontconfig": "libfontconfig1",
    "xkbcommon": "libxkbcommon0",
    "dbus-1": "libdbus-1-3",
    "xcb-cursor": "libxcb-cursor0",
    "xcb-icccm": "libxcb-icccm4",
    "xcb-keysyms": "libxcb-keysyms1",
    "xcb-image": "libxcb-image0",
    "xcb-render-util": "libxcb-render-util0",
    "xcb-shape": "libxcb-shape0",
    "xcb-xkb": "libxcb-xkb1",
    "xkbcommon-x11": "libxkbcommon-x11-0",
    "wayland-cursor": "libwayland-cursor0",
}
# What the health check loads to reach a card, and for the tests a card made of software.
VULKAN_LOADER = ("vulkan", "libvulkan1")
SOFTWARE_VULKAN = (Path("/usr/share/vulkan/icd.d"), "lvp_icd*.json", "mesa-vulkan-drivers")
# Program, packages, why.
PROGRAMS = {
    "podman": (("podman", "runc", "conmon", "netavark", "uidmap", "catatonit"), "jobs run in its containers"),
    "catatonit": (("catatonit",), "Podman starts a job's program through it"),
    "busybox": (("busybox-static",), "the sample job's image is made of it"),
}
TEST_PROGRAMS = {
    "gcc": (("gcc", "libc6-dev"), "builds the stand-in for the NVIDIA driver"),
    "dockerd": (("docker.io",), "the engine tests run on Docker too"),
    "Xvfb": (("xvfb", "xauth"), "a display for the tray test"),
    "trayer": (("trayer",), "a system tray for the tray test"),
    "xdotool": (("xdotool",), "the tray test's hand on the mouse"),
    "xev": (("x11-utils",), "tells `make bench` when the icon is in the tray"),
    "import": (("imagemagick",), "the tray test's screenshots"),
    "pdftotext": (("poppler-utils",), "reads the printed passport back"),
    "dbus-run-session": (("dbus",), "a session bus for the tray test"),
}
FONT = ("fonts-inter", "fonts-dejavu-core")


def main() -> int:
    parser = argparse.ArgumentParser(description="Prepare this checkout.")
    parser.add_argument("--for", dest="purpose", choices=("run", "test"), default="run")
    parser.add_argument("--venv", type=Path, default=Path(".venv"), help="the virtual environment (default: .venv)")
    options = parser.parse_args()
    purpose: str = options.purpose
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        print(f"Python 3.11 or newer is needed; this is {found}. Install it and call: make PYTHON=python3.12 {purpose}")
        return 1
    if sys.platform == "linux" and not install_system_packages(missing_packages(purpose)):
        return 1
    prepare_environment(ROOT / options.venv)
    return 0


def missing_packages(purpose: str) -> dict[str, str]:
    """Each system package that is not there yet, with the reason for it."""
    missing: dict[str, str] = {}
    if importlib.util.find_spec("ensurepip") is None:
        missing["python3-venv"] = "makes the virtual environment"
    for library, package in LIBRARIES.items():
        if ctypes.util.find_library(library) is None:
            missing[package] = "Qt needs it for the window"
    if ctypes.util.find_library(VULKAN_LOADER[0]) is None:
        missing[VULKAN_LOADER[1]] = "the health check reaches the cards through it"
    programs = PROGRAMS | (TEST_PROGRAMS if purpose == "test" else {})
    for program, (packages, why) in programs.items():
        if not is_there(program):
            missing.update(dict.fromkeys(packages, why))
    folder, drivers, package = SOFTWARE_VULKAN
    if purpose == "test" and not any(folder.glob(drivers)):
        missing[package] = "the health check's own test runs on a card made of software"
    if purpose == "test" and not Path("/usr/include/vulkan/vulkan_core.h").exists():
        missing["libvulkan-dev"] = "Vulkan's own header, which the test of its structures is compiled with"
    if purpose == "test" and not Path("/usr/share/fonts/truetype/dejavu").is_dir():
        missing.update(dict.fromkeys(FONT, "the letters in the pictures"))
    return missing


def is_there(program: str) -> bool:
    """Whether a program can be used; the sample job's busybox must be a static one, to run in an empty image."""
    if program in {"podman", "catatonit"} and shutil.which("docker") and Path("/var/run/docker.sock").exists():
        return True
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/libexec/podman")
    if path is None or program != "busybox":
        return path is not None
    return b"ld-linux" not in Path(path).read_bytes()[:4096]


def install_system_packages(missing: dict[str, str]) -> bool:
    """Install them with apt-get, as root or through sudo. Returns whether all is there now."""
    if not missing:
        return True
    print("These packages of the system are missing:")
    for package, why in missing.items():
        print(f"  {package:<22} {why}")
    if shutil.which("apt-get") is None:
        print("This system has no apt-get: install their counterparts by hand, then call this again.")
        return False
    elevate: list[str] = []
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            print("Install them as root: apt-get install " + " ".join(missing))
            return False
        print("Installing them needs your password.")
        elevate = ["sudo"]
    environment = [*elevate, "env", "DEBIAN_FRONTEND=noninteractive"]
    get = [*environment, "apt-get", "-q", "-o", "DPkg::Lock::Timeout=600"]
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
        if subprocess.run([*get, *arguments], stdout=subprocess.DEVNULL, check=False).returncode != 0:
            print(f"apt-get {arguments[0]} failed; the lines above tell why.")
            return False
    return True


def prepare_environment(venv: Path) -> None:
    """The virtual environment with everything the lock names, and the application from this checkout."""
    wanted, stamp = fingerprint(), venv / "prepared"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    print(f"Preparing {venv.name} (a minute or two, once) ...", flush=True)
    python = venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    subprocess.run([*pip, "--require-hashes", "-r", str(LOCK)], check=True, cwd=ROOT)
    subprocess.run([*pip, "--no-deps", "-e", "."], check=True, cwd=ROOT)
    stamp.write_text(wanted, encoding="utf-8")


def fingerprint() -> str:
    """Changes when the environment has to be made again: other packages, another Python, another place."""
    digest = hashlib.sha256()
    for part in (LOCK.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), sys.version.encode(), str(ROOT).encode()):
        digest.update(part)
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
