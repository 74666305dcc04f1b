"""python -m argentum_desktop: the same as the command argentum-desktop."""

import sys

from argentum_desktop.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
