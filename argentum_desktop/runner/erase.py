"""Removing a folder in which a stranger's program did what it liked."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from argentum_desktop.runner.collect import FOLDER_FLAGS


def erase(root: Path) -> None:
    """Remove `root` and all in it: any rights, any depth, never through a link; no harm when it is gone.

    Folders in folders are lifted up to the top before they are emptied, because a program can nest them deeper than
    any path, any recursion and any number of open files reach.
    """
    try:
        top = os.open(root, FOLDER_FLAGS)
    except FileNotFoundError:
        return
    try:
        _open_up(top)
        lifted = 0
        while folders := _remove_files(top):
            for name in folders:
                lifted = _lift_and_remove(top, name, lifted)
    finally:
        os.close(top)
    root.rmdir()


def _remove_files(folder: int) -> list[str]:
    """Unlink all that is no folder; returns the folders."""
    folders = []
    for name in os.listdir(folder):
        if _is_folder(folder, name):
            folders.append(name)
        else:
            os.unlink(name, dir_fd=folder)
    return folders


def _lift_and_remove(top: int, name: str, lifted: int) -> int:
    """Move what folders are in `name` up to the top, then remove it; returns the count for the next new name."""
    _open_up_entry(top, name)
    folder = os.open(name, FOLDER_FLAGS, dir_fd=top)
    try:
        for inner in _remove_files(folder):
            _open_up_entry(folder, inner)
            while True:
                lifted += 1
                try:
                    os.mkdir(f".gone-{lifted}", dir_fd=top)
                    break
                except FileExistsError:
                    continue
            # A folder takes the place of an empty one in a single step, so no name of the job's is ever in the way.
            os.rename(inner, f".gone-{lifted}", src_dir_fd=folder, dst_dir_fd=top)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=top)
    return lifted


def _is_folder(folder: int, name: str) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)


def _open_up(folder: int) -> None:
    os.fchmod(folder, 0o700)


def _open_up_entry(folder: int, name: str) -> None:
    """Give ourselves the right to enter what was seen to be a folder; the job is no longer there to swap it."""
    os.chmod(name, 0o700, dir_fd=folder)
