"""Whose processes they are: a container's, or somebody's own."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path


def pids_of_containers(pids: Iterable[int], container_ids: Collection[str], root: Path = Path("/proc")) -> set[int]:
    """Those that run in one of these containers, by the control group that the kernel keeps them in.

    On Windows, where containers live in a machine of their own, none is found.
    """
    return {pid for pid in pids if any(container in _group(root, pid) for container in container_ids if container)}


def _group(root: Path, pid: int) -> str:
    try:
        return (root / str(pid) / "cgroup").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
