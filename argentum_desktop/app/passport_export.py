"""The window's way to a passport's file."""

from __future__ import annotations

from pathlib import Path

from argentum_desktop.app.passport_files import export_passport
from argentum_desktop.ui.bridge import Bridge


class PassportExport:
    """A `ui.health.passport_exporter.PassportExporter`: asks the running service, and writes as the command does."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    async def export(self, gpu_id: str, path: Path) -> None:
        passport = await self._bridge.call(self._bridge.service.passport, gpu_id)
        export_passport(passport, path)
