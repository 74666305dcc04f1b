"""The buyer's side: files sent, jobs submitted, watched and fetched."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

from argentum_desktop.domain.job import MIB, JobSpec
from argentum_desktop.market_server import bodies, jobs
from argentum_desktop.market_server.api_leases import file_answer
from argentum_desktop.market_server.parts import MarketParts
from argentum_desktop.market_server.problems import ProblemError, invalid, not_found
from argentum_desktop.market_server.records import ArtifactRecord, JobRecord, to_us
from argentum_desktop.market_server.storage import Work
from argentum_desktop.marketplace.wire import Empty, JobList, JobStatus, ProblemType, Role

_SHA256 = re.compile(r"[0-9a-f]{64}")
_LOG_PAGE_BYTES = MIB


class JobsApi:
    """Endpoints under `/v1/artifacts` and `/v1/jobs`."""

    def __init__(self, parts: MarketParts) -> None:
        self._market = parts

    def endpoints(self) -> list[tuple[str, str, bodies.Endpoint]]:
        job = "/v1/jobs/{job_id}"
        return [
            ("PUT", "/v1/artifacts/{sha256}", self.put_artifact),
            ("POST", "/v1/jobs", self.submit),
            ("GET", "/v1/jobs", self.list_jobs),
            ("GET", job, self.job),
            ("POST", f"{job}/cancel", self.cancel),
            ("GET", f"{job}/log", self.log),
            ("GET", job + "/outputs/{name:path}", self.output),
        ]

    async def put_artifact(self, request: Request) -> Response:
        """Keep a file. Whoever names one must have sent it: a digest alone gives nobody another's file."""
        account, signed = await self._market.authenticator.account(request, Role.BUYER)
        sha256 = request.path_params["sha256"]
        if not _SHA256.fullmatch(sha256) or signed.body_sha256.hex() != sha256:
            raise invalid("The path and Content-Digest must name the same SHA-256.")
        room = await self._market.storage.run(lambda work: self._room(work, account.account_id, sha256))
        received = await self._market.artifacts.receive(bodies.chunks_of(request), sha256, room)
        record = ArtifactRecord(account.account_id, sha256, received.size_bytes, self._now_us())

        def keep(work: Work) -> None:
            if received.size_bytes > self._room(work, account.account_id, sha256):
                raise ProblemError(ProblemType.TOO_LARGE, "The account's quota is used up.")
            work.add_artifact(record)

        await self._market.storage.run(keep)
        return bodies.answer(Empty())

    async def submit(self, request: Request) -> Response:
        account, signed = await self._market.authenticator.account(request, Role.BUYER)
        spec = await bodies.read_value(request, signed.body_sha256, JobSpec)
        key, now_us = signed.idempotency_key, self._now_us()

        def work_of_submission(work: Work) -> JobStatus:
            job = jobs.submit(work, self._market.config, account.account_id, spec, key, now_us)
            return jobs.view(work, self._market.config, job)

        status = await self._market.storage.run(work_of_submission)
        self._market.rounds.something_new()
        return bodies.answer(self._market.rounds.explained(status), 201)

    async def list_jobs(self, request: Request) -> Response:
        account, _ = await self._market.authenticator.account(request, Role.BUYER)

        def look(work: Work) -> JobList:
            found = work.jobs_of(account.account_id, jobs.LISTED)
            views = [jobs.view(work, self._market.config, job) for job in found]
            return JobList(tuple(self._market.rounds.explained(view) for view in views))

        return bodies.answer(await self._market.storage.run(look))

    async def job(self, request: Request) -> Response:
        job = await self._own_job(request)
        status = await self._market.storage.run(lambda work: jobs.view(work, self._market.config, job))
        return bodies.answer(self._market.rounds.explained(status))

    async def cancel(self, request: Request) -> Response:
        account, signed = await self._market.authenticator.account(request, Role.BUYER)
        await bodies.read_value(request, signed.body_sha256, Empty)
        job_id, now_us = request.path_params["job_id"], self._now_us()

        def stop(work: Work) -> JobStatus:
            job = jobs.of_buyer(work, account.account_id, job_id)
            return jobs.view(work, self._market.config, jobs.cancel(work, self._market.config, job, now_us))

        return bodies.answer(await self._market.storage.run(stop))

    async def log(self, request: Request) -> Response:
        """The log from an offset on, at most one page; an empty answer means that there is no more yet."""
        job = await self._own_job(request)
        offset = bodies.number_in_query(request, "offset", 0)
        data = await self._market.artifacts.read_log(job.job_id, job.fence, offset, _LOG_PAGE_BYTES)
        return Response(data, media_type="application/octet-stream")

    async def output(self, request: Request) -> Response:
        job = await self._own_job(request)
        status = await self._market.storage.run(lambda work: jobs.view(work, self._market.config, job))
        for file in status.outputs:
            if file.name == request.path_params["name"]:
                return await file_answer(self._market.artifacts.path_of(file.sha256))
        raise not_found("output")

    async def _own_job(self, request: Request) -> JobRecord:
        account, _ = await self._market.authenticator.account(request, Role.BUYER)
        job_id = request.path_params["job_id"]
        return await self._market.storage.run(lambda work: jobs.of_buyer(work, account.account_id, job_id))

    def _room(self, work: Work, account_id: str, sha256: str) -> int:
        known = work.artifact(account_id, sha256)
        used = work.artifact_bytes(account_id) - (known.size_bytes if known is not None else 0)
        return max(0, min(self._market.config.max_artifact_bytes, self._market.config.account_quota_bytes - used))

    def _now_us(self) -> int:
        return to_us(self._market.clock.now())
