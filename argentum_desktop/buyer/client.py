"""A market from its buyer's side, over signed HTTP."""

from __future__ import annotations

import asyncio
import filecmp
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import httpx

from argentum_desktop.clock import Clock
from argentum_desktop.domain.job import Artifact, JobSpec
from argentum_desktop.errors import BadInputError, MarketUnreachableError
from argentum_desktop.identity.keys import Identity
from argentum_desktop.marketplace import wire
from argentum_desktop.marketplace.transport import SignedHttp

T = TypeVar("T")

_TRIES = 4
_LOG_PAGE_BYTES = 2 * 1024 * 1024


class BuyerClient:
    """One market, and our account in it as a buyer."""

    def __init__(
        self,
        url: str,
        identity: Identity,
        clock: Clock,
        *,
        name: str = "argentum-market",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = SignedHttp(url, identity, clock, transport=transport)
        self._clock = clock
        self._name = name

    @property
    def url(self) -> str:
        return self._http.url

    async def connect(self) -> wire.Meta:
        """Read what the market is, and open an account where our key is new."""
        meta = await self._call("GET", "/v1/meta", wire.Meta)
        self._http.meet(meta)
        enrolment = wire.Enrolment(wire.Role.BUYER, self._name, self._http.identity.public_key)
        await self._call("POST", "/v1/accounts", wire.Account, enrolment)
        return meta

    async def account(self) -> wire.Account:
        return await self._call("GET", "/v1/account", wire.Account)

    async def cards(self) -> wire.CardList:
        """What is on offer, with what is known of its health."""
        return await self._call("GET", "/v1/cards", wire.CardList)

    async def submit(self, spec: JobSpec, files: Mapping[str, Path]) -> wire.JobStatus:
        """Send the job's files, then the job. A lost answer never makes two jobs of one."""
        for sha256, size_bytes in {file.sha256: file.size_bytes for file in (spec.image, *spec.inputs)}.items():
            await self._http.send_file(f"/v1/artifacts/{sha256}", files[sha256], sha256, size_bytes)
        return await self._call("POST", "/v1/jobs", wire.JobStatus, spec, idempotency_key=secrets.token_hex(16))

    async def jobs(self) -> tuple[wire.JobStatus, ...]:
        """Newest first."""
        return (await self._call("GET", "/v1/jobs", wire.JobList)).jobs

    async def job(self, job_id: str) -> wire.JobStatus:
        return await self._call("GET", _path(job_id), wire.JobStatus)

    async def cancel(self, job_id: str) -> wire.JobStatus:
        return await self._call("POST", f"{_path(job_id)}/cancel", wire.JobStatus, wire.Empty())

    async def log(self, job_id: str, offset: int) -> bytes:
        """The log's next bytes from `offset` on; none when there are no more yet."""
        path = f"{_path(job_id)}/log?offset={offset}"
        return (await self._http.exchange("GET", path, b"", cap_bytes=_LOG_PAGE_BYTES)).body

    async def fetch(self, job_id: str, output: Artifact, target: Path) -> None:
        """One output into `target`, which exists afterwards only with the right content."""
        path = f"{_path(job_id)}/outputs/{quote(output.name)}"
        await self._http.fetch_file(path, target, output.sha256, output.size_bytes)

    async def close(self) -> None:
        await self._http.close()

    async def _call(
        self, method: str, path: str, answer: type[T], body: object | None = None, *, idempotency_key: str | None = None
    ) -> T:
        """Every call may be repeated without harm, so a short interruption is not the user's to bear."""
        for attempt in range(_TRIES):
            try:
                value = await self._http.call(method, path, answer, body, idempotency_key=idempotency_key)
            except MarketUnreachableError:
                if attempt == _TRIES - 1:
                    raise
                await self._clock.sleep(0.25 * 2**attempt)
                continue
            if value is not None:
                return value
        raise MarketUnreachableError(f"The market at {self.url} gave an empty answer.", "Try again later.")


async def place_output(client: BuyerClient, job_id: str, output: Artifact, folder: Path, *, overwrite: bool) -> Path:
    """Fetch an output into `folder` under its own name: never outside, through a link or over something else."""
    target = folder.joinpath(*output.name.split("/"))
    draft = folder / f".{secrets.token_hex(8)}.part"
    await asyncio.to_thread(_make_way, folder, target, overwrite=overwrite, size_bytes=output.size_bytes)
    try:
        await client.fetch(job_id, output, draft)
        await asyncio.to_thread(_settle_in, draft, target, overwrite=overwrite)
    finally:
        await asyncio.to_thread(draft.unlink, missing_ok=True)
    return target


def _make_way(folder: Path, target: Path, *, overwrite: bool, size_bytes: int) -> None:
    """Make the folders on the way, none of which may be a link that leads elsewhere."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        step = folder
        for part in target.relative_to(folder).parts[:-1]:
            step /= part
            step.mkdir(exist_ok=True)
            if step.is_symlink():
                raise BadInputError(f"{step} is a link; outputs are only put into real folders.", "Remove the link.")
    except OSError as error:
        raise BadInputError(f"{target} cannot be made ({error.strerror}).", "Choose another folder.") from error
    if target.is_symlink() or target.is_dir():
        raise BadInputError(f"{target} is in the way: a link or a folder.", "Remove it, or choose another folder.")
    if target.exists() and not overwrite and target.stat().st_size != size_bytes:
        raise _in_the_way(target)


def _settle_in(draft: Path, target: Path, *, overwrite: bool) -> None:
    if target.exists() and not overwrite and not filecmp.cmp(target, draft, shallow=False):
        raise _in_the_way(target)
    draft.replace(target)


def _in_the_way(target: Path) -> BadInputError:
    return BadInputError(
        f"{target} exists with other content.", "Use --force to replace it, or choose another folder with --output."
    )


def _path(job_id: str) -> str:
    return f"/v1/jobs/{quote(job_id, safe='')}"
