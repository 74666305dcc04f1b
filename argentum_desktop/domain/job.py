"""A job: what a buyer asks for, and the states it goes through on this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from argentum_desktop.domain.money import Money

SCHEMA = "argentum.job/1"
MIB = 1024 * 1024

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}){0,7}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
# The container toolkits and the dynamic loader act on these before the job's own code runs (CVE-2025-23266).
_FORBIDDEN_VARIABLES = ("LD_", "NVIDIA_", "CUDA_VISIBLE_DEVICES")


def is_safe_name(name: str) -> bool:
    """Whether a file name from outside is a plain relative path on every system: no `..`, no drive, no device."""
    if not _NAME.fullmatch(name) or len(name) > 240:
        return False
    devices = {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10))}
    return all(part.split(".")[0].lower() not in devices and not part.endswith(".") for part in name.split("/"))


@dataclass(frozen=True)
class Artifact:
    """A file known by its content."""

    name: str
    sha256: str
    size_bytes: int

    def __post_init__(self) -> None:
        if not is_safe_name(self.name):
            raise ValueError(f"{self.name!r} is not a plain file name")
        if not _SHA256.fullmatch(self.sha256):
            raise ValueError("sha256 must be 64 lower-case hexadecimal digits")
        if self.size_bytes < 0:
            raise ValueError("size_bytes cannot be negative")


@dataclass(frozen=True)
class Limits:
    """What a job may use; everything beyond is refused by the engine."""

    gpus: int = 1
    vram_mib: int = 0
    cpu_millis: int = 1000
    memory_mib: int = 1024
    disk_mib: int = 1024
    pids: int = 256
    wall_s: int = 3600

    def __post_init__(self) -> None:
        lowest = {"gpus": 0, "vram_mib": 0, "cpu_millis": 10, "memory_mib": 8, "disk_mib": 1, "pids": 1, "wall_s": 1}
        for name, least in lowest.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}")


@dataclass(frozen=True)
class JobSpec:
    """What the buyer asks for: the job's manifest.

    The image travels as an OCI archive; `image_digest` is the digest of the manifest inside it, and the only name by
    which it is ever run. Inputs appear under `/in`, read-only; what is written to `/out` goes back to the buyer. A
    line `progress: 42 %` on standard output moves the progress bar.
    """

    title: str
    image: Artifact
    image_digest: str
    command: tuple[str, ...]
    max_price_per_hour: Money
    env: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Artifact, ...] = ()
    limits: Limits = field(default_factory=Limits)
    schema: str = SCHEMA

    def __post_init__(self) -> None:
        if self.schema != SCHEMA:
            raise ValueError(f"schema must be {SCHEMA!r}")
        if not 1 <= len(self.title) <= 120 or not self.title.isprintable():
            raise ValueError("title must be 1 to 120 printable characters")
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", self.image_digest):
            raise ValueError("image_digest must be sha256: and 64 hexadecimal digits")
        if len(self.command) > 200 or any("\0" in part for part in self.command):
            raise ValueError("command must be at most 200 arguments without zero bytes")
        for name in self.env:
            if not _VARIABLE.fullmatch(name) or name.startswith(_FORBIDDEN_VARIABLES):
                raise ValueError(f"the environment variable {name!r} is not allowed")
        if len({file.name.lower() for file in self.inputs}) != len(self.inputs):
            raise ValueError("two inputs have the same name")
        if self.max_price_per_hour.micros <= 0:
            raise ValueError("max_price_per_hour must be above zero")


class JobState(StrEnum):
    """What is being done next. A state is written before its work begins, so it is also the intent."""

    ACCEPTING = "accepting"
    PREPARING = "preparing"
    CREATING = "creating"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    COLLECTING = "collecting"
    COMPLETING = "completing"
    CLEANING = "cleaning"
    CLOSED = "closed"


ALLOWED_MOVES: Mapping[JobState, frozenset[JobState]] = {
    JobState.ACCEPTING: frozenset({JobState.PREPARING, JobState.CLEANING}),
    JobState.PREPARING: frozenset({JobState.CREATING, JobState.COMPLETING}),
    JobState.CREATING: frozenset({JobState.STARTING, JobState.COMPLETING}),
    JobState.STARTING: frozenset({JobState.RUNNING, JobState.STOPPING, JobState.COMPLETING}),
    JobState.RUNNING: frozenset({JobState.STOPPING, JobState.COLLECTING}),
    JobState.STOPPING: frozenset({JobState.COLLECTING, JobState.COMPLETING}),
    JobState.COLLECTING: frozenset({JobState.COMPLETING}),
    JobState.COMPLETING: frozenset({JobState.CLEANING}),
    JobState.CLEANING: frozenset({JobState.CLOSED}),
    JobState.CLOSED: frozenset(),
}


class Outcome(StrEnum):
    """How a job ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RECLAIMED = "reclaimed"
    LEASE_LOST = "lease_lost"
    CARD_LOST = "card_lost"
