"""Real container engines for tests: each with its own socket, ended with the test that wanted it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from argentum_desktop.runner.podman_config import containers_conf, read_system_facts

DOCKERD = shutil.which("dockerd", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
PODMAN = shutil.which("podman")


def until(condition, timeout_s: float = 20.0, what: str = "it"):
    """Wait for a condition, bounded; returns its first true value."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come within {timeout_s} s")


def listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """A folder whose sockets have short names."""
    folder = Path(tempfile.mkdtemp(prefix="arg-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running(command: list[str], folder: Path, listening: Path, env: dict[str, str] | None = None) -> Iterator[int]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env={**os.environ, **(env or {})})
        try:
            until(lambda: listens(listening), what=f"{command[0]} ({(folder / 'log').read_text()[-500:]})")
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def running_podman() -> Iterator[Path]:
    """The socket of a Podman service."""
    assert PODMAN, "podman is not installed"
    with short_folder() as folder:
        config, path = folder / "containers.conf", folder / "podman.sock"
        config.write_text(containers_conf(read_system_facts()))
        command = [PODMAN, "system", "service", "--time=0", f"unix://{path}"]
        with running(command, folder, path, {"CONTAINERS_CONF": str(config)}):
            yield path


@contextlib.contextmanager
def running_docker() -> Iterator[Path]:
    """The socket of a dockerd with everything of its own, so that nobody else's containers are in it."""
    assert DOCKERD, "dockerd is not installed"
    with short_folder() as folder:
        path = folder / "docker.sock"
        places = ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/docker.pid"]
        bare = ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false", "--bridge=none"]
        try:
            with running([DOCKERD, "--host", f"unix://{path}", *places, *bare], folder, path):
                yield path
        finally:
            subprocess.run(["umount", f"{folder}/data"], capture_output=True, check=False)
