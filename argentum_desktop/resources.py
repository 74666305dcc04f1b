"""The files that ship beside the code: icons, the seccomp profile, the licences."""

from __future__ import annotations

import sys
from pathlib import Path


def resource(*parts: str) -> Path:
    """The path of a shipped file, from a checkout, an installed wheel or a frozen bundle.

    Raises:
        FileNotFoundError: it was not shipped; a fault of the build, never of the owner.
    """
    bundle = getattr(sys, "_MEIPASS", None)
    here = Path(__file__).resolve().parent
    roots = [Path(bundle) / "resources"] if bundle else [here.parent / "resources", here / "resources"]
    for root in roots:
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise FileNotFoundError("/".join(parts))
