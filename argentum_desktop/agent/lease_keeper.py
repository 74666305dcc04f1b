"""Keeping a lease alive, and stopping in time when it cannot be.

The market gives a job to somebody else when a lease has not been renewed for its time to live. So this side stops
before that: measured from the moment the last renewal that succeeded was *sent*, on a clock that counts sleep.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from argentum_desktop.clock import Clock
from argentum_desktop.domain.job import Outcome
from argentum_desktop.domain.lease import Lease
from argentum_desktop.errors import ArgentumError, LeaseLostError, StoreError
from argentum_desktop.marketplace import wire
from argentum_desktop.marketplace.errors import MarketMaintenanceError
from argentum_desktop.marketplace.market import Market

log = logging.getLogger(__name__)

# How long before the market's limit we stop: the time it takes to end a container that will not listen.
SAFETY_MARGIN_S = 10
RETRY_AFTER_S = 5
# After a restart the time may be over already; the market is asked once all the same, it alone knows.
LEAST_ATTEMPT_S = 5


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
                status = await self._renew()
            except LeaseLostError as error:
                self._end(Outcome.LEASE_LOST, f"The market gave up the lease: {error.message}")
                return
            if status is None:
                if not await self._wait_for_retry():
                    return
                continue
            self._renewed_at_s = sent_at_s
            await self._note(sent_at)
            if status.desired is wire.Desired.STOP:
                self._end(Outcome.CANCELLED, "The buyer cancelled the job.")
                return
            # Half of what is left at most, so that there is time for a second try whatever the market asks for.
            await self._clock.sleep(max(1.0, min(status.beat_every_s, self._remaining_s() / 2)))

    async def _renew(self) -> wire.LeaseStatus | None:
        """Send one beat; None when it was not taken in the time that is left.

        Raises:
            LeaseLostError: the market has given the lease up.
        """
        renewing = asyncio.ensure_future(self._send())
        # A market that takes the beat and never answers must not keep us past our limit.
        limit = asyncio.ensure_future(self._clock.sleep(max(LEAST_ATTEMPT_S, self._remaining_s())))
        try:
            await asyncio.wait({renewing, limit}, return_when=asyncio.FIRST_COMPLETED)
            return renewing.result() if renewing.done() else None
        except LeaseLostError:
            raise
        except MarketMaintenanceError as error:
            # It can write nothing down now, so it cannot give the job to somebody else either: wait for it.
            log.info("lease %s waits for the market: %s", self._offer.lease_id, error)
            self._renewed_at_s += max(0.0, 2 * RETRY_AFTER_S - self._remaining_s())
        except ArgentumError as error:
            log.info("lease %s not renewed: %s", self._offer.lease_id, error)
        except Exception:
            # Whatever goes wrong here, somebody must still end the job in time.
            log.exception("lease %s not renewed", self._offer.lease_id)
        finally:
            for task in (renewing, limit):
                task.cancel()
            await asyncio.gather(renewing, limit, return_exceptions=True)
        return None

    async def _send(self) -> wire.LeaseStatus:
        return await self._market.heartbeat(self._offer, await self._beat())

    async def _note(self, sent_at: datetime) -> None:
        try:
            await self._renewed(sent_at)
        except StoreError as error:
            # It matters only to the next start, which will then think the lease older than it is.
            log.info("lease %s: the renewal could not be written down: %s", self._offer.lease_id, error)

    async def _wait_for_retry(self) -> bool:
        """Wait a little; False once the lease can no longer be counted on."""
        await self._clock.sleep(max(0.0, min(RETRY_AFTER_S, self._remaining_s())))
        if self._remaining_s() > 0:
            return True
        self._end(Outcome.LEASE_LOST, "The market could not be reached in time, so the job was stopped.")
        return False

    def _remaining_s(self) -> float:
        lasts = self._offer.lease_ttl_s - SAFETY_MARGIN_S
        return self._renewed_at_s + lasts - self._clock.elapsed_s()

    def _age_s(self, lease: Lease) -> float:
        """How long ago it was last renewed, also across a restart of this program."""
        renewed_at = lease.renewed_at or lease.accepted_at
        return max(0.0, (self._clock.now() - renewed_at).total_seconds())
