"""python -m argentum_desktop.market_server: the market as a process of its own."""

import sys

from argentum_desktop.market_server.launch import serve

if __name__ == "__main__":
    sys.exit(serve())
