"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import itertools
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "argentum_desktop"
MODULES = sorted(PACKAGE.rglob("*.py"))


def imports_of(path: Path) -> set[str]:
    """Every module named in an import, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_import_rules_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--config", str(ROOT / "pyproject.toml")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_the_core_runs_without_qt() -> None:
    """Everything below the window is imported with Qt made impossible."""
    program = """
import importlib, pkgutil, sys
for name in ("PySide6", "shiboken6", "qasync"):
    sys.modules[name] = None
import argentum_desktop
with_qt = ("ui", "app.desktop", "app.shell", "app.demo", "app.passport_export")
skipped = tuple(f"argentum_desktop.{name}" for name in with_qt)
for module in pkgutil.walk_packages(argentum_desktop.__path__, "argentum_desktop."):
    if not module.name.startswith(skipped) and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_what_only_a_load_needs_is_loaded_by_its_process_alone() -> None:
    program = """
import sys
import argentum_desktop.app.core, argentum_desktop.cli.main
print(sorted({"wgpu", "numpy", "cffi", "rendercanvas", "pynvml"} & {name.split(".")[0] for name in sys.modules}))
"""
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("foreign", "homes"),
    [
        ("pynvml", ("gpus/nvidia/",)),
        ("wgpu", ("health/stress/",)),
        ("sqlite3", ("store/", "market_server/", "agent/", "telemetry/", "app/")),
        ("httpx", ("marketplace/", "runner/", "buyer/")),
        ("PySide6", ("ui/", "app/")),
        ("qasync", ("ui/", "app/")),
        ("tomlkit", ("settings/",)),
        ("psutil", ("system/",)),
        ("uvicorn", ("market_server/",)),
        ("starlette", ("market_server/",)),
    ],
)
def test_every_foreign_thing_has_one_home(foreign: str, homes: tuple[str, ...]) -> None:
    for path in MODULES:
        here = path.relative_to(PACKAGE).as_posix()
        if any(name.split(".")[0] == foreign for name in imports_of(path)):
            assert here.startswith(homes), f"{here} imports {foreign}"


def test_sql_is_spoken_in_the_store_and_in_the_market_only() -> None:
    """Others may name a `Connection` that they hand to the store; they may not run anything on it."""
    for path in MODULES:
        here = path.relative_to(PACKAGE).as_posix()
        if here.startswith(("store/", "market_server/")):
            continue
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        names = {call.func.attr for call in calls if isinstance(call.func, ast.Attribute)}
        assert not names & {"executescript", "executemany"}, here
        assert "execute" not in names, here


def test_every_module_says_what_it_is() -> None:
    for path in MODULES:
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def test_every_room_stands_in_the_readme() -> None:
    """A visitor finds any feature by the name of its folder."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for folder in sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py")):
        assert f"{folder}/" in readme, folder


def test_the_lock_satisfies_the_declared_dependencies() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    for requirement in declared:
        name = requirement.split(">=")[0].split(";")[0].strip().lower()
        assert f"\n{name}==" in f"\n{lock}", name
    assert "://" not in lock, "a lock names packages and digests, never addresses"
