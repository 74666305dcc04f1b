"""What every endpoint of the market works with."""

from __future__ import annotations

from dataclasses import dataclass

from argentum_desktop.clock import Clock
from argentum_desktop.market_server.artifacts import ArtifactFolder
from argentum_desktop.market_server.authentication import Authenticator
from argentum_desktop.market_server.config import MarketConfig
from argentum_desktop.market_server.rounds import Rounds
from argentum_desktop.market_server.storage import Storage


@dataclass(frozen=True)
class MarketParts:
    """Built once by `create_app`."""

    storage: Storage
    artifacts: ArtifactFolder
    config: MarketConfig
    clock: Clock
    authenticator: Authenticator
    rounds: Rounds
