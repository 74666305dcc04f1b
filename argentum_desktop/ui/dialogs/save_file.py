"""Asking where a file shall be written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from argentum_desktop.ui.dialogs.opened import opened


async def ask_where_to_save(
    parent: QWidget | None, title: str, name: str, kinds: Sequence[tuple[str, str]]
) -> Path | None:
    """Ask for a path.

    Args:
        name: suggested, without a suffix.
        kinds: pairs of what a kind of file is called and its suffix without the point; the first is suggested.

    Returns:
        A path whose suffix is that of one of the kinds, None when the owner went out.
    """
    dialog = QFileDialog(parent, title)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    # Whoever writes the file refuses to replace one, in words; two questions about it would contradict each other.
    dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    suffix_of = {f"{called} (*.{suffix})": suffix for called, suffix in kinds}
    dialog.setNameFilters(list(suffix_of))
    dialog.setDefaultSuffix(kinds[0][1])
    dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(suffix_of.get(chosen, kinds[0][1])))
    dialog.selectFile(f"{name}.{kinds[0][1]}")
    if not await opened(dialog) or not dialog.selectedFiles():
        return None
    path = Path(dialog.selectedFiles()[0])
    known = {suffix for _, suffix in kinds}
    if path.suffix.lower().removeprefix(".") in known:
        return path
    return path.with_name(f"{path.name}.{suffix_of.get(dialog.selectedNameFilter(), kinds[0][1])}")
