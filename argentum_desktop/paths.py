"""Where everything lies: one home folder, moved as a whole by `--home`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from argentum_desktop.errors import BadInputError

HOME_VARIABLE = "ARGENTUM_HOME"


@dataclass(frozen=True)
class Home:
    """The folder that holds all state of one installation."""

    root: Path

    @property
    def settings_file(self) -> Path:
        return self.root / "settings.toml"

    @property
    def agent_db(self) -> Path:
        """Jobs, decisions and postings: written with full durability."""
        return self.root / "agent.db"

    @property
    def telemetry_db(self) -> Path:
        """Readings of the cards: bounded, and the one thing whose last minute may be lost."""
        return self.root / "history.db"

    @property
    def device_key(self) -> Path:
        return self.root / "identity" / "device.key"

    @property
    def control_file(self) -> Path:
        """Where the running application says how to reach it."""
        return self.root / "control.json"

    @property
    def lock_file(self) -> Path:
        return self.root / "agent.lock"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def jobs(self) -> Path:
        """One folder per lease, gone when the job is settled."""
        return self.root / "jobs"

    @property
    def engine(self) -> Path:
        return self.root / "engine"

    @property
    def market(self) -> Path:
        """The embedded market's own database and artifacts."""
        return self.root / "market"

    def create(self) -> Home:
        """Make the folders, readable by their owner alone.

        Raises:
            BadInputError: the folder cannot be made or written.
        """
        try:
            for folder in (self.root, self.device_key.parent, self.logs, self.jobs, self.engine, self.market):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(self.root, error.strerror or str(error)) from error
        if not os.access(self.root, os.W_OK | os.X_OK):
            raise _unusable(self.root, "it cannot be written")
        return self


def _unusable(root: Path, why: str) -> BadInputError:
    return BadInputError(
        f"The folder {root} cannot be used ({why}).", "Give another one with --home, or make this one writable."
    )


def default_home() -> Home:
    """`$ARGENTUM_HOME`, else the place the desktop keeps application data."""
    chosen = os.environ.get(HOME_VARIABLE)
    return Home(Path(chosen).absolute() if chosen else Path(platformdirs.user_data_dir("argentum-desktop", False)))
