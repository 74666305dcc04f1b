"""The configuration under which our own Podman service runs. Facts in, text out."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

# Podman's built-in default for both limits; above the machine's own, every container fails to start.
PODMAN_DEFAULT_LIMIT = 1_048_576


@dataclass(frozen=True)
class SystemFacts:
    """What decides how Podman must be configured here."""

    unified_control_groups: bool
    has_systemd: bool
    has_runc: bool
    open_files_hard: int
    processes_hard: int


def read_system_facts() -> SystemFacts:
    """Look at this machine. Only where Podman runs natively: Windows has no such limits to ask for."""
    import resource

    return SystemFacts(
        unified_control_groups=Path("/sys/fs/cgroup/cgroup.controllers").exists(),
        has_systemd=Path("/run/systemd/system").is_dir(),
        has_runc=shutil.which("runc", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin") is not None,
        open_files_hard=_bounded(resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
        processes_hard=_bounded(resource.getrlimit(resource.RLIMIT_NPROC)[1]),
    )


def _bounded(hard_limit: int) -> int:
    # "No limit" is -1.
    return PODMAN_DEFAULT_LIMIT if hard_limit < 0 else min(hard_limit, PODMAN_DEFAULT_LIMIT)


def containers_conf(facts: SystemFacts) -> str:
    """The text of a `containers.conf`; nothing in /etc is touched, and nothing there changes what our jobs get."""
    lines = ["# Written by Argentum Desktop at each start of its container service.", "[containers]"]
    if min(facts.open_files_hard, facts.processes_hard) < PODMAN_DEFAULT_LIMIT:
        files, processes = min(facts.open_files_hard, 1024), min(facts.processes_hard, 4096)
        lines.append(f'default_ulimits = ["nofile={files}:{files}", "nproc={processes}:{processes}"]')
    # No journal is asked for events: there may be none, and a file can be bounded.
    lines += ["[engine]", 'events_logger = "file"']
    if not facts.unified_control_groups and facts.has_runc:
        # crun refuses the mixture of old and new control groups.
        lines.append('runtime = "runc"')
    if not facts.has_systemd:
        lines.append('cgroup_manager = "cgroupfs"')
    return "\n".join(lines) + "\n"
