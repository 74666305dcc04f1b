"""A market as a process of its own, as the application starts it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path


class MarketProcess:
    """Started, stopped or killed by the test; the same address each time."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "market"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        address = self.data.parent / "address"
        address.unlink(missing_ok=True)
        command = ["--data", str(self.data), "--local", "--until-stdin-closes", "--address-file", str(address)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "argentum_desktop.market_server", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while not address.exists():
            assert self._process.poll() is None, "the market ended at once"
            assert time.monotonic() < deadline, "the market does not answer"
            time.sleep(0.02)
        return address.read_text("utf-8").strip()

    def kill(self) -> None:
        """As a power cut would, as far as a process can tell."""
        assert self._process is not None
        self._process.kill()
        self._end(30)

    def stop(self) -> float:
        """Close its standard input; returns how long it took to end."""
        assert self._process is not None
        assert self._process.stdin is not None
        began = time.monotonic()
        self._process.stdin.close()
        code = self._end(10)
        assert code == 0
        return time.monotonic() - began

    def close(self) -> None:
        if self._process is not None:
            self.kill()

    def _end(self, timeout_s: float) -> int:
        process, self._process = self._process, None
        assert process is not None
        try:
            return process.wait(timeout_s)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
