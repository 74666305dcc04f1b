"""What `argentum-market` does for a buyer."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import platformdirs

from argentum_desktop.buyer.card_lines import card_lines
from argentum_desktop.buyer.client import BuyerClient, place_output
from argentum_desktop.buyer.job_file import read_job
from argentum_desktop.buyer.oci_archive import pack
from argentum_desktop.buyer.progress import ProgressLine, job_line
from argentum_desktop.buyer.sample import write_sample
from argentum_desktop.clock import Clock
from argentum_desktop.domain.money import price_for
from argentum_desktop.errors import BadInputError, MarketUnreachableError
from argentum_desktop.identity.keys import load_or_create
from argentum_desktop.marketplace.wire import JobPhase, JobStatus, Meta
from argentum_desktop.paths import Home, default_home

MARKET_VARIABLE = "ARGENTUM_MARKET"
JOB_FAILED = 1
_LOOK_EVERY_S = 0.5


def market_url(options: argparse.Namespace) -> str:
    """The market to use: the one named, else the one that the application runs on this machine.

    Raises:
        MarketUnreachableError: none is named and the application has not started one.
    """
    named = options.market or os.environ.get(MARKET_VARIABLE)
    if named:
        return str(named)
    home = Home(options.home.absolute()) if options.home else default_home()
    try:
        return (home.market / "address").read_text("utf-8").strip()
    except OSError as error:
        raise MarketUnreachableError(
            "No market is named, and the application runs none on this machine.",
            f"Start argentum-desktop, or name a market with --market or {MARKET_VARIABLE}.",
        ) from error


def default_identity() -> Path:
    return Path(platformdirs.user_config_dir("argentum-market", appauthor=False)) / "buyer.key"


async def with_client(
    options: argparse.Namespace, clock: Clock, act: Callable[[BuyerClient, Meta], Awaitable[int]]
) -> int:
    """Connect, act, close."""
    identity = await asyncio.to_thread(load_or_create, options.identity or default_identity())
    client = BuyerClient(market_url(options), identity, clock)
    try:
        return await act(client, await client.connect())
    finally:
        await client.close()


async def submit(options: argparse.Namespace, clock: Clock) -> int:
    draft = await asyncio.to_thread(read_job, options.job_file)

    async def act(client: BuyerClient, meta: Meta) -> int:
        spec = draft.spec(meta.currency)
        status = await client.submit(spec, draft.files)
        most = price_for(spec.max_price_per_hour, spec.limits.wall_s)
        if not options.watch:
            _show(options, status, f"{status.job_id}: queued. It can cost {most} at most.")
            return 0
        if not options.json:
            _say(f"{status.job_id}: queued. It can cost {most} at most.")
        status = await follow(client, clock, status, quiet=options.json)
        if status.phase is JobPhase.SUCCEEDED:
            await _fetch_all(client, status, options.output or draft.output, options)
        return _ended(options, status)

    return await with_client(options, clock, act)


async def list_jobs(options: argparse.Namespace, clock: Clock) -> int:
    async def act(client: BuyerClient, _meta: Meta) -> int:
        jobs = await client.jobs()
        if options.json:
            _print_json(jobs)
        else:
            _say("\n".join(job_line(job) for job in jobs) or "There are no jobs yet.")
        return 0

    return await with_client(options, clock, act)


async def list_cards(options: argparse.Namespace, clock: Clock) -> int:
    """What is on offer now, and what is known of its health."""

    async def act(client: BuyerClient, _meta: Meta) -> int:
        found = await client.cards()
        _show(options, found, card_lines(found.cards))
        return 0

    return await with_client(options, clock, act)


async def watch(options: argparse.Namespace, clock: Clock) -> int:
    async def act(client: BuyerClient, _meta: Meta) -> int:
        status = await follow(client, clock, await client.job(options.job), quiet=options.json)
        return _ended(options, status)

    return await with_client(options, clock, act)


async def log(options: argparse.Namespace, clock: Clock) -> int:
    """Print the log, as bytes; with -f until the job has ended."""

    async def act(client: BuyerClient, _meta: Meta) -> int:
        offset = 0
        while True:
            status = await client.job(options.job)
            while data := await client.log(options.job, offset):
                offset += len(data)
                await asyncio.to_thread(_write_bytes, data)
            if not options.follow or status.phase.is_terminal:
                return 0
            await clock.sleep(_LOOK_EVERY_S)

    return await with_client(options, clock, act)


async def cancel(options: argparse.Namespace, clock: Clock) -> int:
    async def act(client: BuyerClient, _meta: Meta) -> int:
        status = await client.cancel(options.job)
        words = "is cancelled" if status.phase.is_terminal else "will be stopped"
        _show(options, status, f"{status.job_id} {words}.")
        return 0

    return await with_client(options, clock, act)


async def fetch(options: argparse.Namespace, clock: Clock) -> int:
    async def act(client: BuyerClient, _meta: Meta) -> int:
        status = await client.job(options.job)
        if not status.phase.is_terminal:
            raise BadInputError(f"{status.job_id} has not ended: it is {status.phase}.", "Wait for it with watch.")
        paths = await _fetch_all(client, status, options.output, options)
        if options.json:
            _print_json([str(path) for path in paths])
        return 0

    return await with_client(options, clock, act)


async def balance(options: argparse.Namespace, clock: Clock) -> int:
    async def act(client: BuyerClient, meta: Meta) -> int:
        account = await client.account()
        kind = " (local credit: it exists on this machine alone)" if meta.is_local else ""
        _show(options, account, f"{account.available} available, {account.held} held for jobs{kind}")
        return 0

    return await with_client(options, clock, act)


async def pack_image(options: argparse.Namespace, _clock: Clock) -> int:
    """Build an image from files of this machine."""
    files = {}
    for text in options.file:
        inside, equals, source = text.partition("=")
        if not equals or not inside.startswith("/"):
            raise BadInputError(f"--file {text} is not of the form /PATH/IN/IMAGE=FILE.", "Correct it.")
        files[inside] = Path(source)
    description = await asyncio.to_thread(pack, files, options.words, options.out)
    _show(options, description, f"{options.out}: {description.digest} ({description.architecture})")
    return 0


async def sample(options: argparse.Namespace, _clock: Clock) -> int:
    """Write the sample job."""
    job_file = await asyncio.to_thread(lambda: write_sample(options.folder, scale=options.scale))
    _say(f"Written. Run it with: argentum-market submit {job_file} --watch")
    return 0


async def follow(client: BuyerClient, clock: Clock, status: JobStatus, *, quiet: bool) -> JobStatus:
    """Look at a job until it has ended."""
    line = ProgressLine(sys.stderr, quiet=quiet)
    try:
        while not status.phase.is_terminal:
            line.show(status)
            await clock.sleep(_LOOK_EVERY_S)
            status = await client.job(status.job_id)
        line.show(status)
    finally:
        line.close()
    return status


async def _fetch_all(client: BuyerClient, status: JobStatus, folder: Path, options: argparse.Namespace) -> list[Path]:
    paths = []
    for output in status.outputs:
        paths.append(await place_output(client, status.job_id, output, folder, overwrite=options.force))
        if not options.json:
            _say(f"fetched {paths[-1]}")
    return paths


def _ended(options: argparse.Namespace, status: JobStatus) -> int:
    _show(options, status, job_line(status))
    return 0 if status.phase is JobPhase.SUCCEEDED else JOB_FAILED


def _show(options: argparse.Namespace, value: object, words: str) -> None:
    if options.json:
        _print_json(value)
    else:
        _say(words)


def _print_json(value: object) -> None:
    _say(msgspec.json.encode(value).decode("utf-8"))


def _say(text: str) -> None:
    # Also on a terminal that cannot show every letter.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
    sys.stdout.flush()


def _write_bytes(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
