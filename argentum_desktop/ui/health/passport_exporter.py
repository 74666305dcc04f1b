"""How a card's passport gets into a file."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class PassportExporter(Protocol):
    """Writes by the file's suffix: html, pdf or json."""

    async def export(self, gpu_id: str, path: Path) -> None:
        """Write the passport of a card; a file that is there is never replaced. Called on the window's loop.

        Raises:
            ArgentumError: there is no passport yet, the file is there already, or cannot be written.
        """
        ...
