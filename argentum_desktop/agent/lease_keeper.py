"""Keeping a lease alive, and stopping in time when it cannot be.

The market gives a job to somebody else when a lease has not been renewed for its time to live. So this side stops
before that: measured from the moment the last renewal that succeeded was *sent*, on a clock that counts sleep.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from argentum_desktop.clock import Clock
from argentum_desktop.domain.job import Outcome
from argentum_desktop.domain.lease import Lease
from argentum_desktop.errors import ArgentumError, LeaseLostError
from argentum_desktop.marketplace import wire
from argentum_desktop.marketplace.market import Market

log = logging.getLogger(__name__)

# How long before the market's limit we stop: the time it takes to end a container that will not listen.
SAFETY_MARGIN_S = 10
RETRY_AFTER_S = 5


class LeaseKeeper:
    """Beats for one lease until it is told to stop.

    Args:
        beat: makes the next heartbeat and writes down its number; called once per attempt.
        renewed: writes down when a beat that was taken had been sent.
        end: called when the job must end, with how and why.
    """

    def __init__(
        self,
        lease: Lease,
        market: Market,
        clock: Clock,
        beat: Callable[[], Awaitable[wire.Heartbeat]],
        renewed: Callable[[datetime], Awaitable[None]],
        end: Callable[[Outcome, str], None],
    ) -> None:
        self._offer = lease.offer
        self._market = market
        self._clock = clock
        self._beat = beat
        self._renewed = renewed
        self._end = end
        self._renewed_at_s = clock.elapsed_s() - self._age_s(lease)

    async def run(self) -> None:
        """Renew until cancelled or until there is nothing left to renew."""
        while True:
            sent_at, sent_at_s = self._clock.now(), self._clock.elapsed_s()
            try:
                status = await self._market.heartbeat(self._offer, await self._beat())
            except LeaseLostError as error:
                self._end(Outcome.LEASE_LOST, f"The market gave up the lease: {error.message}")
                return
            except ArgentumError as error:
                log.info("lease %s not renewed: %s", self._offer.lease_id, error)
                if not await self._wait_for_retry():
                    return
                continue
            self._renewed_at_s = sent_at_s
            await self._renewed(sent_at)
            if status.desired is wire.Desired.STOP:
                self._end(Outcome.CANCELLED, "The buyer cancelled the job.")
                return
            await self._clock.sleep(max(1, min(status.beat_every_s, self._remaining_s())))

    async def _wait_for_retry(self) -> bool:
        """Wait a little; False once the lease can no longer be counted on."""
        remaining = self._remaining_s()
        if remaining <= 0:
            self._end(Outcome.LEASE_LOST, "The market could not be reached in time, so the job was stopped.")
            return False
        await self._clock.sleep(min(RETRY_AFTER_S, remaining))
        return True

    def _remaining_s(self) -> float:
        lasts = self._offer.lease_ttl_s - SAFETY_MARGIN_S
        return self._renewed_at_s + lasts - self._clock.elapsed_s()

    def _age_s(self, lease: Lease) -> float:
        """How long ago it was last renewed, also across a restart of this program."""
        renewed_at = lease.renewed_at or lease.accepted_at
        return max(0.0, (self._clock.now() - renewed_at).total_seconds())
