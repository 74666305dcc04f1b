"""How one market is set up."""

from __future__ import annotations

from dataclasses import dataclass, field

from argentum_desktop.domain.money import Money

_GIB = 1024**3


@dataclass(frozen=True)
class MarketConfig:
    """The operator's choices.

    Attributes:
        is_local: this market serves one machine; only such a one knows simulated cards and gives out starting credit.
        authorities: the host names (with port) by which it may be called, so that a request signed for another market
            is worth nothing here; empty to believe every name.
        attempts: how many accepted leases a job may lose before it is given up.
        refusals: how many offers of a job may be declined or left unanswered before it is given up.
        refusal_pause_s: how long a job is not offered again to somebody who declined it.
    """

    name: str = "Argentum market"
    currency: str = "EUR"
    fee_ppm: int = 50_000
    is_local: bool = False
    authorities: tuple[str, ...] = ()
    accept_within_s: int = 15
    lease_ttl_s: int = 90
    beat_every_s: int = 30
    round_every_s: float = 2.0
    attempts: int = 3
    refusals: int = 20
    refusal_pause_s: int = 30
    late_beat_allowance_s: int = 5
    max_wall_s: int = 7 * 24 * 3600
    max_artifact_bytes: int = 32 * _GIB
    account_quota_bytes: int = 128 * _GIB
    max_outputs: int = 1000
    starting_credit: Money | None = field(default=None)

    @property
    def credit_for_new_buyers(self) -> Money:
        """What a new buyer finds in the account: money that exists on this machine alone."""
        if not self.is_local:
            return Money.zero(self.currency)
        return self.starting_credit or Money.parse("100.00", self.currency)


def local_config() -> MarketConfig:
    """The market embedded in the application: this machine only, quick rounds, no fee to anybody."""
    return MarketConfig(name="Local market", is_local=True, round_every_s=0.5)
