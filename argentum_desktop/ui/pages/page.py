"""What the window asks of every page."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from argentum_desktop.agent.status import Status


class Page(QWidget):
    """One entry of the navigation. It is told the status only while it is in sight."""

    icon_name = ""

    def title(self) -> str:
        """The name in the navigation and above the page."""
        raise NotImplementedError

    def show_status(self, status: Status) -> None:
        """Show this, and ask for whatever else is due at its time."""
        raise NotImplementedError
