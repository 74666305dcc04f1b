"""Whose processes they are: a container's, or somebody's own."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from argentum_desktop.system.activity.programs import Names, running_name


def owners_programs(
    pids: Iterable[int],
    container_ids: Collection[str],
    root: Path = Path("/proc"),
    name_of: Names = running_name,
) -> dict[int, str]:
    """The names of those processes that run in none of these containers, by the control group the kernel keeps them in.

    One that cannot be looked at is left out: it has ended, or it may be the container's own. On Windows, where
    containers live in a machine of their own, that is every one.
    """
    found = {}
    for pid in pids:
        group = _group(root, pid)
        if group is None or any(container in group for container in container_ids if container):
            continue
        name = name_of(pid)
        if name:
            found[pid] = name
    return found


def _group(root: Path, pid: int) -> str | None:
    try:
        return (root / str(pid) / "cgroup").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
