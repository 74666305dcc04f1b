"""The provider's side: claims and what becomes of leases."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from argentum_desktop.domain.job import MIB, JobSpec, is_safe_name
from argentum_desktop.domain.offer import Offer
from argentum_desktop.errors import StoreError
from argentum_desktop.market_server import bodies, leases
from argentum_desktop.market_server.artifacts import LogGapError
from argentum_desktop.market_server.authentication import SignedRequest
from argentum_desktop.market_server.config import MarketConfig
from argentum_desktop.market_server.parts import MarketParts
from argentum_desktop.market_server.problems import STATUS, ProblemError, invalid, not_found
from argentum_desktop.market_server.records import LeaseRecord, OutputRecord, to_us
from argentum_desktop.market_server.settlement import job_of
from argentum_desktop.market_server.storage import Work
from argentum_desktop.marketplace.codec import decode
from argentum_desktop.marketplace.wire import (
    Claim,
    Completion,
    Decline,
    Empty,
    Heartbeat,
    LeaseCall,
    LeaseStatus,
    LogPosition,
    ProblemType,
    Role,
)

B = TypeVar("B")
LeaseStep = Callable[[Work, MarketConfig, LeaseRecord, B, int], LeaseRecord]

LOG_PIECE_BYTES = MIB
_RANGE = re.compile(r"bytes (?P<first>[0-9]{1,15})-(?P<last>[0-9]{1,15})/\*")


class LeasesApi:
    """Endpoints under `/v1/claims` and `/v1/leases`."""

    def __init__(self, parts: MarketParts) -> None:
        self._market = parts

    def endpoints(self) -> list[tuple[str, str, bodies.Endpoint]]:
        lease = "/v1/leases/{lease_id}"
        return [
            ("POST", "/v1/claims", self.claim),
            ("GET", lease, self.status),
            ("POST", f"{lease}/accept", self.accept),
            ("POST", f"{lease}/decline", self.decline),
            ("POST", f"{lease}/start", self.start),
            ("POST", f"{lease}/heartbeat", self.heartbeat),
            ("POST", f"{lease}/complete", self.complete),
            ("GET", lease + "/artifacts/{sha256}", self.artifact),
            ("PATCH", f"{lease}/log", self.append_log),
            ("PUT", lease + "/outputs/{name:path}", self.put_output),
        ]

    async def claim(self, request: Request) -> Response:
        account, signed = await self._market.authenticator.account(request, Role.PROVIDER)
        claim = await bodies.read_value(request, signed.body_sha256, Claim)
        offer = await self._while_connected(request, account.account_id, claim)
        return bodies.answer(offer) if offer is not None else Response(status_code=204)

    async def status(self, request: Request) -> Response:
        account, _ = await self._market.authenticator.account(request, Role.PROVIDER)
        lease_id, now_us = request.path_params["lease_id"], self._now_us()

        def look(work: Work) -> LeaseStatus:
            lease = leases.of_provider(work, account.account_id, lease_id)
            return leases.status_of(work, self._market.config, lease, now_us)

        return bodies.answer(await self._market.storage.run(look))

    async def accept(self, request: Request) -> Response:
        return await self._step(
            request,
            LeaseCall,
            lambda work, config, lease, body, now: leases.accept(work, config, lease, body.fence, now),
        )

    async def decline(self, request: Request) -> Response:
        return await self._step(request, Decline, leases.decline, frees=True)

    async def start(self, request: Request) -> Response:
        return await self._step(
            request,
            LeaseCall,
            lambda work, config, lease, body, now: leases.start(work, config, lease, body.fence, now),
        )

    async def heartbeat(self, request: Request) -> Response:
        return await self._step(request, Heartbeat, leases.heartbeat)

    async def complete(self, request: Request) -> Response:
        return await self._step(request, Completion, leases.complete, frees=True)

    async def artifact(self, request: Request) -> Response:
        """The image or an input of the job, to who holds its lease now and to nobody else."""
        lease, _ = await self._live_lease(request)
        sha256 = request.path_params["sha256"]
        spec = await self._market.storage.run(lambda work: decode(JobSpec, job_of(work, lease).spec))
        if sha256 not in {file.sha256 for file in (spec.image, *spec.inputs)}:
            raise not_found("file of this job")
        return await file_answer(self._market.artifacts.path_of(sha256))

    async def append_log(self, request: Request) -> Response:
        lease, signed = await self._live_lease(request)
        found = _RANGE.fullmatch(request.headers.get("content-range", ""))
        if found is None:
            raise invalid("Content-Range must be bytes FIRST-LAST/*")
        data = await bodies.read_bytes(request, signed.body_sha256, LOG_PIECE_BYTES)
        first, last = int(found["first"]), int(found["last"])
        if last - first + 1 != len(data):
            raise invalid("Content-Range does not say how long the body is")
        try:
            position = await self._market.artifacts.append_log(lease.job_id, lease.fence, first, data)
        except LogGapError as gap:
            return bodies.answer(LogPosition(gap.size_bytes), STATUS[ProblemType.RANGE_MISMATCH])
        return bodies.answer(LogPosition(position))

    async def put_output(self, request: Request) -> Response:
        lease, signed = await self._live_lease(request)
        name = request.path_params["name"]
        if not is_safe_name(name):
            raise invalid("The output's name is not a plain file name.")
        sha256 = signed.body_sha256.hex()
        if request.headers.get("x-content-sha256", sha256) != sha256:
            raise invalid("X-Content-SHA256 and Content-Digest do not agree.")
        room = await self._market.storage.run(lambda work: self._room_for(work, lease, name))
        received = await self._market.artifacts.receive(bodies.chunks_of(request), sha256, room)
        output = OutputRecord(lease.lease_id, name, received.sha256, received.size_bytes)
        now_us = self._now_us()

        def keep(work: Work) -> None:
            leases.require_live(leases.of_provider(work, lease.provider_id, lease.lease_id), lease.fence, now_us)
            if output.size_bytes > self._room_for(work, lease, name):
                raise ProblemError(ProblemType.TOO_LARGE, "The outputs are larger than the job's disk_mib.")
            work.put_output(output)

        await self._market.storage.run(keep)
        return bodies.answer(Empty())

    async def _step(self, request: Request, kind: type[B], step: LeaseStep[B], *, frees: bool = False) -> Response:
        """One move of a lease, in one transaction; the answer is what the lease is afterwards."""
        account, signed = await self._market.authenticator.account(request, Role.PROVIDER)
        body = await bodies.read_value(request, signed.body_sha256, kind)
        lease_id, now_us = request.path_params["lease_id"], self._now_us()

        def move(work: Work) -> LeaseStatus:
            lease = leases.of_provider(work, account.account_id, lease_id)
            lease = step(work, self._market.config, lease, body, now_us)
            return leases.status_of(work, self._market.config, lease, now_us)

        self._market.rounds.require_store()
        try:
            status = await self._market.storage.run(move)
        except StoreError as error:
            self._market.rounds.note_store_failure(error)
            raise
        if frees:
            self._market.rounds.something_new()
        return bodies.answer(status)

    async def _live_lease(self, request: Request) -> tuple[LeaseRecord, SignedRequest]:
        """The lease in the path, when it is this provider's, accepted and not over."""
        account, signed = await self._market.authenticator.account(request, Role.PROVIDER)
        lease_id, now_us = request.path_params["lease_id"], self._now_us()
        self._market.rounds.require_store()

        def look(work: Work) -> LeaseRecord:
            lease = leases.of_provider(work, account.account_id, lease_id)
            leases.require_accepted(lease, lease.fence, now_us)
            return lease

        return await self._market.storage.run(look), signed

    async def _while_connected(self, request: Request, provider_id: str, claim: Claim) -> Offer | None:
        """Wait for an offer as long as somebody listens: an offer to a closed connection would be lost time."""
        waiting = asyncio.ensure_future(self._market.rounds.claim(provider_id, claim))
        gone = asyncio.ensure_future(bodies.until_gone(request))
        try:
            await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
            return await waiting if waiting.done() else None
        finally:
            for task in (waiting, gone):
                task.cancel()
            await asyncio.gather(waiting, gone, return_exceptions=True)

    def _room_for(self, work: Work, lease: LeaseRecord, name: str) -> int:
        """How large this output may be: all of them together fit into the disk that the job asked for."""
        others = [output for output in work.outputs(lease.lease_id) if output.name != name]
        if len(others) >= self._market.config.max_outputs:
            raise ProblemError(
                ProblemType.TOO_LARGE, f"A job can have at most {self._market.config.max_outputs} outputs."
            )
        if any(_collide(output.name, name) for output in others):
            raise invalid("Another output has this name, but for capitals, or is a folder of it.")
        return job_of(work, lease).disk_mib * MIB - sum(output.size_bytes for output in others)

    def _now_us(self) -> int:
        return to_us(self._market.clock.now())


async def file_answer(path: Path) -> Response:
    """The bytes of a kept file."""
    if not await asyncio.to_thread(path.is_file):
        raise not_found("file")
    return FileResponse(path, media_type="application/octet-stream")


def _collide(one: str, other: str) -> bool:
    """Whether two names cannot both be files, on the system that is pickiest."""
    first, second = one.lower(), other.lower()
    return first == second or first.startswith(f"{second}/") or second.startswith(f"{first}/")
