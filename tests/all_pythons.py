#!/usr/bin/env python3
"""Runs every test on each supported Python that this machine has, each in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUPPORTED = ("3.11", "3.12", "3.13")


def find(version: str) -> Path | None:
    """A Python of this version: on the path, or among those of pyenv."""
    on_path = shutil.which(f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for candidate in (*([Path(on_path)] if on_path else []), *sorted(pyenv.glob(f"{version}.*/bin/python{version}"))):
        # pyenv's shims are there for versions that are not chosen, and fail.
        if subprocess.run([str(candidate), "-c", ""], capture_output=True).returncode == 0:
            return candidate
    return None


def main() -> int:
    failed = []
    for version in SUPPORTED:
        python = find(version)
        if python is None:
            print(f"== Python {version} is not on this machine", flush=True)
            continue
        print(f"== Python {version}", flush=True)
        venv = f"build/venv-{version}"
        prepare = [str(python), "installer/prepare.py", "--for", "test", "--venv", venv]
        test = [f"{venv}/bin/python", "-m", "pytest", "-q"]
        if any(subprocess.run(command, cwd=ROOT).returncode != 0 for command in (prepare, test)):
            failed.append(version)
    print(f"failed on: {', '.join(failed)}" if failed else "all passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
