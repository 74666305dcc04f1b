"""A job's files on this machine: what goes in, what comes out, and nothing that was left behind.

Every call touches the disk and may take long: on a loop, through `asyncio.to_thread`.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from argentum_desktop.domain.job import Artifact, is_safe_name
from argentum_desktop.errors import BadInputError, DiskFullError, EngineError
from argentum_desktop.runner.collect import Collection, collect, used_bytes
from argentum_desktop.runner.erase import erase
from argentum_desktop.runner.sandbox import USER

_JOB_USER, _JOB_GROUP = (int(part) for part in USER.split(":"))


class Workspace:
    """One lease's folder below `jobs`.

    Its parent door is shut (0700), so no other local user reaches what lies inside, however open it has to be for the
    job itself, whose box sees only the two folders bound into it.
    """

    def __init__(self, jobs: Path, lease_id: str) -> None:
        if not is_safe_name(lease_id) or "/" in lease_id:
            raise BadInputError(f"The lease's name {lease_id[:60]!r} is not a plain name.")
        self.root = jobs / lease_id

    @property
    def inputs(self) -> Path:
        return self.root / "in"

    @property
    def outputs(self) -> Path:
        return self.root / "out"

    @property
    def scratch(self) -> Path:
        """For downloads and other things the job never sees."""
        return self.root / "scratch"

    def create(self) -> None:
        """Make the folders; no harm when they are there.

        Raises:
            DiskFullError: there is no room left.
            EngineError: they cannot be made.
        """
        try:
            for folder, mode in (
                (self.root, 0o700),
                (self.scratch, 0o700),
                (self.inputs, 0o755),
                (self.outputs, 0o700),
            ):
                folder.mkdir(mode=mode, parents=True, exist_ok=True)
                folder.chmod(mode)
            if os.getuid() == 0:
                os.chown(self.outputs, _JOB_USER, _JOB_GROUP)
            else:
                self.outputs.chmod(0o777)
        except OSError as error:
            raise _disk_error(error, "make the job's folder") from error

    def place(self, artifact: Artifact, file: Path) -> Path:
        """Move a downloaded input to where the job reads it, and let nobody write it any more."""
        target = self.inputs / artifact.name
        try:
            folder = self.inputs
            for part in Path(artifact.name).parent.parts:
                folder = folder / part
                folder.mkdir(mode=0o755, exist_ok=True)
                folder.chmod(0o755)
            file.chmod(0o444)
            file.replace(target)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise BadInputError(f"Two inputs are in each other's way at {artifact.name}.") from error
        except OSError as error:
            raise _disk_error(error, "place the job's input") from error
        return target

    def used_bytes(self, stop_at: int | None = None) -> int:
        """What the outputs take on the disk now; counting ends above `stop_at`."""
        return used_bytes(self.outputs, stop_at)

    def collect(self, max_bytes: int) -> Collection:
        """What the job left in its outputs: only plain files, and why anything else is not among them."""
        return collect(self.outputs, max_bytes)

    def remove(self) -> None:
        """Take everything away; no harm when it is gone.

        Raises:
            EngineError: something cannot be removed.
        """
        try:
            erase(self.root)
        except OSError as error:
            raise _disk_error(error, "remove the job's folder") from error


def _disk_error(error: OSError, doing: str) -> DiskFullError | EngineError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFullError(f"There is no room left to {doing}.", "Free some space on the disk, then resume.")
    return EngineError(f"It is not possible to {doing} ({error.strerror}).", "Look at the rights of the job folder.")
