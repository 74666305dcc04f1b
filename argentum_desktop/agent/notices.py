"""What the owner should know now, each thing once, for as long as it is true."""

from __future__ import annotations

import logging

from argentum_desktop.agent.status import Notice
from argentum_desktop.errors import ArgentumError

log = logging.getLogger(__name__)


class NoticeBoard:
    """Notices by the part that put them up; the part takes its own down again."""

    def __init__(self) -> None:
        self._notices: dict[str, Notice] = {}

    def put(self, part: str, error: ArgentumError) -> None:
        """Say what is wrong with `part`; a new fault of the same part replaces the old one."""
        notice = Notice(error.code, error.message, error.remedy)
        if self._notices.get(part) != notice:
            log.info("%s: %s", part, error)
        self._notices[part] = notice

    def take_down(self, part: str) -> None:
        if self._notices.pop(part, None) is not None:
            log.info("%s: all is well again", part)

    def all(self) -> tuple[Notice, ...]:
        """One of each, oldest first, the same words never twice."""
        return tuple(dict.fromkeys(self._notices.values()))
