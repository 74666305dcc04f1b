from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from market_stand import CARD, URL, ManualClock, Stand, ask, claim, market_stand

from argentum_desktop.domain.job import Artifact, Outcome
from argentum_desktop.domain.lease import Usage
from argentum_desktop.domain.money import Money
from argentum_desktop.errors import LeaseLostError, MarketRefusedError
from argentum_desktop.identity.keys import Identity
from argentum_desktop.market_server.config import MarketConfig, local_config
from argentum_desktop.marketplace import wire
from argentum_desktop.marketplace.client import HttpMarket
from argentum_desktop.marketplace.codec import encode
from argentum_desktop.marketplace.errors import MarketProblemError
from argentum_desktop.marketplace.signatures import RequestParts, digest_of, sign
from argentum_desktop.marketplace.transport import SignedHttp


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    async with market_stand(tmp_path) as found:
        yield found


async def test_a_job_goes_from_its_buyer_to_a_card_and_its_result_and_money_come_back(stand: Stand) -> None:
    offer = await stand.lease()
    assert offer.price_per_hour == Money(400_000, "EUR")
    await stand.provider.download(offer, offer.job.image, stand.folder / "got")
    assert (stand.folder / "got").read_bytes() == b"image"
    assert await stand.provider.append_log(offer, 0, b"hello\n") == 6
    stand.clock.advance(60)
    status = await stand.provider.heartbeat(offer, wire.Heartbeat(offer.fence, 1, Usage(60, 9000), 50))
    assert status.usage == Usage(60, 9000)
    assert (await stand.buyer.job(offer.job_id)).progress_percent == 50
    output, path = stand.file("picture.bin", b"pixels" * 1000)
    await stand.provider.upload(offer, output, path)
    stand.clock.advance(30)
    completion = wire.Completion(offer.fence, Outcome.SUCCEEDED, Usage(90, 12_000), 0, outputs=(output,))
    ended = await stand.provider.complete(offer, completion)
    assert ended.receipt is not None
    assert (ended.receipt.billable_s, ended.receipt.gross, ended.receipt.fee) == (
        90,
        Money(10_000, "EUR"),
        Money(500, "EUR"),
    )
    job = await stand.buyer.job(offer.job_id)
    assert (job.phase, job.cost, job.outputs) == (wire.JobPhase.SUCCEEDED, Money(10_000, "EUR"), (output,))
    assert await stand.buyer.log(offer.job_id, 0) == b"hello\n"
    await stand.buyer.fetch(offer.job_id, output, stand.folder / "fetched")
    assert (stand.folder / "fetched").read_bytes() == b"pixels" * 1000
    account = await stand.buyer.account()
    assert (account.available, account.held) == (Money(99_990_000, "EUR"), Money(0, "EUR"))
    assert (await stand.provider.account()).available == Money(9_500, "EUR")
    assert (await stand.audit()).faults == ()


async def test_every_call_about_a_lease_may_be_repeated(stand: Stand) -> None:
    await stand.submit()
    first = await stand.provider.claim(claim())
    assert first is not None
    assert await stand.provider.claim(claim()) == first
    assert await stand.provider.accept(first) == await stand.provider.accept(first)
    assert await stand.provider.start(first) == await stand.provider.start(first)
    completion = wire.Completion(first.fence, Outcome.FAILED, Usage(), 3, "no")
    assert await stand.provider.complete(first, completion) == await stand.provider.complete(first, completion)
    assert await stand.provider.lease(first) == await stand.provider.complete(first, completion)
    assert (await stand.audit()).faults == ()


async def test_the_same_submission_twice_is_one_job(stand: Stand) -> None:
    spec, path = stand.spec()
    await stand.buyer.submit(spec, {spec.image.sha256: path})
    http = stand.buyer._http
    one = await http.call("POST", "/v1/jobs", wire.JobStatus, spec, idempotency_key="key")
    two = await http.call("POST", "/v1/jobs", wire.JobStatus, spec, idempotency_key="key")
    assert one == two
    other = replace(spec, title="another")
    with pytest.raises(MarketRefusedError, match="used for another job"):
        await http.call("POST", "/v1/jobs", wire.JobStatus, other, idempotency_key="key")


async def test_a_lost_lease_is_paid_for_its_last_beat_and_the_job_goes_on_elsewhere(stand: Stand) -> None:
    offer = await stand.lease()
    stand.clock.advance(60)
    await stand.provider.heartbeat(offer, wire.Heartbeat(offer.fence, 1, Usage(60)))
    stand.clock.advance(91)
    with pytest.raises(LeaseLostError):
        await stand.provider.heartbeat(offer, wire.Heartbeat(offer.fence, 2, Usage(151)))
    other = stand.provider_beside()
    await other.connect()
    await other.declare(wire.Inventory((CARD,), "test"))
    again = await other.claim(claim("claim-key-2"))
    assert again is not None
    assert (again.job_id, again.fence) == (offer.job_id, 2)
    with pytest.raises(LeaseLostError):
        await stand.provider.complete(offer, wire.Completion(offer.fence, Outcome.SUCCEEDED, Usage(151), 0))
    receipt = (await stand.provider.lease(offer)).receipt
    assert receipt is not None
    assert (receipt.outcome, receipt.billable_s) == (Outcome.LEASE_LOST, 60)
    assert (await stand.audit()).faults == ()
    await other.close()


async def test_usage_never_runs_faster_than_the_markets_clock_nor_back(stand: Stand) -> None:
    offer = await stand.lease()
    stand.clock.advance(10)
    status = await stand.provider.heartbeat(offer, wire.Heartbeat(offer.fence, 1, Usage(9999)))
    assert status.usage.billable_s == 15
    status = await stand.provider.heartbeat(offer, wire.Heartbeat(offer.fence, 2, Usage(3)))
    assert status.usage.billable_s == 15


async def test_a_beat_that_comes_again_renews_nothing(stand: Stand) -> None:
    offer = await stand.lease()
    await stand.provider.heartbeat(offer, wire.Heartbeat(offer.fence, 5, Usage()))
    stand.clock.advance(50)
    status = await stand.provider.heartbeat(offer, wire.Heartbeat(offer.fence, 5, Usage()))
    assert status.expires_in_s == 40
    status = await stand.provider.heartbeat(offer, wire.Heartbeat(offer.fence, 6, Usage()))
    assert status.expires_in_s == 90


async def test_the_paid_time_ends_the_job(stand: Stand) -> None:
    await stand.submit(wall_s=20)
    offer = await stand.provider.claim(claim())
    assert offer is not None
    await stand.provider.accept(offer)
    await stand.provider.start(offer)
    stand.clock.advance(30)
    status = await stand.provider.heartbeat(offer, wire.Heartbeat(offer.fence, 1, Usage(30)))
    assert (status.desired, status.usage.billable_s) == (wire.Desired.STOP, 20)
    await stand.provider.complete(offer, wire.Completion(offer.fence, Outcome.CANCELLED, Usage(30)))
    job = await stand.buyer.job(offer.job_id)
    assert job.phase is wire.JobPhase.FAILED
    assert "used up" in job.reason


@pytest.mark.parametrize("outcome", [Outcome.RECLAIMED, Outcome.CARD_LOST, Outcome.LEASE_LOST])
async def test_a_job_given_back_is_queued_again_and_given_up_after_three_attempts(
    stand: Stand, outcome: Outcome
) -> None:
    job = await stand.submit()
    for attempt in range(1, 4):
        offer = await stand.provider.claim(claim(f"claim-key-{attempt}"))
        assert offer is not None
        assert offer.fence == attempt
        await stand.provider.accept(offer)
        await stand.provider.start(offer)
        await stand.provider.complete(offer, wire.Completion(offer.fence, outcome, Usage(2), reason="mine first"))
    ended = await stand.buyer.job(job.job_id)
    assert ended.phase is wire.JobPhase.FAILED
    assert "mine first" in ended.reason
    assert (await stand.audit()).faults == ()


async def test_a_declined_job_is_offered_to_others_and_later_again(stand: Stand) -> None:
    await stand.submit()
    offer = await stand.provider.claim(claim())
    assert offer is not None
    await stand.provider.decline(offer, "outside my hours")
    await stand.provider.decline(offer, "outside my hours")
    assert await stand.provider.claim(claim("claim-key-2", wait_s=0)) is None
    stand.clock.advance(31)
    assert await stand.provider.claim(claim("claim-key-2")) is not None


async def test_an_offer_nobody_answers_goes_back_to_the_queue(stand: Stand) -> None:
    job = await stand.submit()
    offer = await stand.provider.claim(claim())
    assert offer is not None
    stand.clock.advance(16)
    with pytest.raises(LeaseLostError):
        await stand.provider.accept(offer)
    again = await stand.provider.claim(claim("claim-key-2"))
    assert again is not None
    assert (again.job_id, again.fence) == (job.job_id, 2)
    assert (await stand.provider.lease(offer)).receipt is None


async def test_cancelling(stand: Stand) -> None:
    queued = await stand.submit()
    assert (await stand.buyer.cancel(queued.job_id)).phase is wire.JobPhase.CANCELLED
    offer = await stand.lease()
    assert (await stand.buyer.cancel(offer.job_id)).phase is wire.JobPhase.RUNNING
    status = await stand.provider.heartbeat(offer, wire.Heartbeat(offer.fence, 1, Usage()))
    assert status.desired is wire.Desired.STOP
    await stand.provider.complete(offer, wire.Completion(offer.fence, Outcome.CANCELLED, Usage()))
    assert (await stand.buyer.job(offer.job_id)).phase is wire.JobPhase.CANCELLED
    assert (await stand.buyer.account()).available == Money(100_000_000, "EUR")


async def test_a_job_that_cannot_be_paid_is_refused(stand: Stand) -> None:
    with pytest.raises(MarketProblemError, match=r"100\.00 EUR is available") as caught:
        await stand.submit(price=101_000_000)
    assert caught.value.problem.type is wire.ProblemType.INSUFFICIENT_FUNDS


async def test_strangers_learn_and_change_nothing(stand: Stand) -> None:
    offer = await stand.lease()
    other = stand.provider_beside()
    await other.connect()
    for call in (
        other.lease(offer),
        other.accept(offer),
        other.heartbeat(offer, wire.Heartbeat(offer.fence, 1, Usage(5))),
        other.complete(offer, wire.Completion(offer.fence, Outcome.FAILED, Usage())),
        other.download(offer, offer.job.image, stand.folder / "stolen"),
        other.append_log(offer, 0, b"x"),
    ):
        with pytest.raises(LeaseLostError):
            await call
    assert not (stand.folder / "stolen").exists()
    with pytest.raises(MarketProblemError, match="Only a buyer"):
        await other._http.call("GET", "/v1/jobs", wire.JobList)
    await other.close()


async def test_a_lease_gives_only_its_own_files(stand: Stand) -> None:
    offer = await stand.lease()
    other, path = stand.file("other", b"another buyer's")
    await stand.buyer._http.send_file(f"/v1/artifacts/{other.sha256}", path, other.sha256, other.size_bytes)
    with pytest.raises(LeaseLostError):
        await stand.provider.download(offer, other, stand.folder / "stolen")


async def test_a_file_named_but_never_sent_is_refused(stand: Stand) -> None:
    spec, _ = stand.spec()
    with pytest.raises(MarketRefusedError, match="has not been sent"):
        await stand.buyer._http.call("POST", "/v1/jobs", wire.JobStatus, spec)


async def test_simulated_cards_stay_at_home(tmp_path: Path) -> None:
    async with market_stand(tmp_path, MarketConfig(round_every_s=0.01)) as stand:
        for card in (CARD, replace(CARD, is_simulated=False)):
            with pytest.raises(MarketRefusedError, match="local market"):
                await stand.provider.declare(wire.Inventory((card,), "test"))
        assert (await stand.buyer.account()).available == Money(0, "EUR")


async def test_outputs_are_limited_and_safely_named(stand: Stand) -> None:
    offer = await stand.lease()
    small, path = stand.file("small", b"x")
    for name in ("a/../../b", "CON", "a/b:c", "x" * 300):
        with pytest.raises(MarketRefusedError):
            await stand.provider._http.send_file(
                f"/v1/leases/{offer.lease_id}/outputs/{name}", path, small.sha256, small.size_bytes
            )
    large, path = stand.file("large", b"x" * (17 * 1024 * 1024))
    with pytest.raises(MarketRefusedError, match="At most"):
        await stand.provider.upload(offer, large, path)
    assert not list((stand.folder / "files" / "incoming").iterdir())
    with pytest.raises(MarketRefusedError, match="has not been sent"):
        await stand.provider.complete(
            offer, wire.Completion(offer.fence, Outcome.SUCCEEDED, Usage(), 0, outputs=(small,))
        )


async def test_an_output_whose_content_is_not_what_was_signed_is_refused(stand: Stand) -> None:
    offer = await stand.lease()
    _, path = stand.file("out", b"changed")
    with pytest.raises(MarketRefusedError, match="not what its SHA-256 promises"):
        await stand.provider.upload(offer, Artifact("out", "ab" * 32, 7), path)


async def test_the_log_resumes_where_it_is_and_reports_gaps(stand: Stand) -> None:
    offer = await stand.lease()
    assert await stand.provider.append_log(offer, 0, b"abc") == 3
    assert await stand.provider.append_log(offer, 0, b"abc") == 3
    assert await stand.provider.append_log(offer, 1, b"bcdef") == 6
    assert await stand.provider.append_log(offer, 60, b"x") == 6
    assert await stand.buyer.log(offer.job_id, 2) == b"cdef"
    assert await stand.buyer.log(offer.job_id, 600) == b""


async def test_the_log_has_an_end(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("argentum_desktop.market_server.artifacts.MAX_LOG_BYTES", 10)
    offer = await stand.lease()
    assert await stand.provider.append_log(offer, 0, b"x" * 15) == 10
    with pytest.raises(MarketProblemError) as caught:
        await stand.provider.append_log(offer, 10, b"x")
    assert caught.value.problem.type is wire.ProblemType.TOO_LARGE


async def test_a_buyers_wait_for_a_card_ends_when_one_comes(stand: Stand) -> None:
    waiting = asyncio.create_task(stand.provider.claim(claim(wait_s=20)))
    rounds = stand.app.state.rounds
    async with asyncio.timeout(5):
        while rounds.waiting == 0:
            await asyncio.sleep(0.01)
        await stand.submit()
        assert await waiting is not None
    assert rounds.waiting == 0


async def test_a_broken_off_poll_leaves_no_waiter(stand: Stand) -> None:
    waiting = asyncio.create_task(stand.provider.claim(claim(wait_s=20)))
    rounds = stand.app.state.rounds
    async with asyncio.timeout(5):
        while rounds.waiting == 0:
            await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        while rounds.waiting:
            await asyncio.sleep(0.01)


async def test_stopping_answers_everybody_who_waits(stand: Stand) -> None:
    waiting = asyncio.create_task(stand.provider.claim(claim(wait_s=20)))
    async with asyncio.timeout(5):
        while stand.app.state.rounds.waiting == 0:
            await asyncio.sleep(0.01)
        stand.app.state.rounds.close()
        assert await waiting is None


async def test_no_offer_below_the_floor(stand: Stand) -> None:
    await stand.submit(price=99_999)
    assert await stand.provider.claim(claim(wait_s=0)) is None


async def test_a_card_must_be_declared_first(stand: Stand) -> None:
    with pytest.raises(MarketRefusedError, match="declared"):
        await stand.provider.claim(wire.Claim("claim-key-1", (ask(gpu_id="GPU-9"),), (), 0))


# -- who may speak ----------------------------------------------------------------------------------------------------


def signed_headers(
    identity: Identity, clock: ManualClock, *, body: bytes = b"", nonce: str = "n" * 20
) -> dict[str, str]:
    parts = RequestParts("GET", "market.test", "/v1/account", digest_of(body))
    created = int(clock.now().timestamp())
    return {"Content-Digest": digest_of(body), **sign(identity, parts, created=created, nonce=nonce)}


async def get_account(stand: Stand, headers: dict[str, str], path: str = "/v1/account") -> dict[str, str]:
    async with httpx.AsyncClient(transport=stand.transport, base_url=URL) as client:
        answer = await client.get(path, headers=headers)
    return {"status": answer.status_code, **answer.json()}


async def test_a_replayed_request_is_refused(stand: Stand) -> None:
    headers = signed_headers(stand.buyer._http.identity, stand.clock)
    assert (await get_account(stand, headers))["status"] == 200
    assert (await get_account(stand, headers))["type"] == "replayed"


async def test_an_old_signature_is_refused_with_the_markets_time(stand: Stand) -> None:
    headers = signed_headers(stand.buyer._http.identity, stand.clock)
    stand.clock.advance(61)
    refused = await get_account(stand, headers)
    assert refused["type"] == "clock-skew"
    assert refused["server_time"] == "2026-03-01T12:01:01Z"


@pytest.mark.parametrize("header", ["Signature", "Signature-Input", "Content-Digest"])
async def test_a_missing_part_of_the_signature_is_refused(stand: Stand, header: str) -> None:
    headers = signed_headers(stand.buyer._http.identity, stand.clock)
    del headers[header]
    assert (await get_account(stand, headers))["type"] == "signature-invalid"


async def test_a_signature_for_something_else_is_refused(stand: Stand) -> None:
    headers = signed_headers(stand.buyer._http.identity, stand.clock)
    assert (await get_account(stand, headers, "/v1/account?x=1"))["type"] == "signature-invalid"
    assert (await get_account(stand, {**headers, "Host": "other.test"}))["type"] == "signature-invalid"
    stranger = signed_headers(Identity.generate(), stand.clock)
    assert (await get_account(stand, stranger))["type"] == "signature-invalid"


async def test_a_request_meant_for_another_market_is_refused(tmp_path: Path) -> None:
    config = replace(local_config(), round_every_s=0.01, authorities=("market.test",))
    async with market_stand(tmp_path, config) as stand:
        relayed = HttpMarket("http://other.test", Identity.generate(), stand.clock, transport=stand.transport)
        with pytest.raises(MarketRefusedError, match="another market"):
            await relayed.connect()
        await relayed.close()


async def test_a_wrong_clock_here_is_corrected_from_the_markets_answer(stand: Stand) -> None:
    wrong = ManualClock()
    wrong.advance(-86_400)
    http = SignedHttp(URL, stand.buyer._http.identity, wrong, transport=stand.transport)
    assert await http.call("GET", "/v1/account", wire.Account) is not None
    await http.close()


async def test_one_key_is_one_role(stand: Stand) -> None:
    twice = HttpMarket(URL, stand.buyer._http.identity, stand.clock, transport=stand.transport)
    with pytest.raises(MarketRefusedError, match="belongs to a buyer"):
        await twice.connect()
    await twice.close()


# -- hostile input ----------------------------------------------------------------------------------------------------

VALID = {
    "/v1/accounts": wire.Enrolment(wire.Role.BUYER, "me", Identity.generate().public_key),
    "/v1/claims": wire.Claim("claim-key-1", (ask(),), (), 0),
    "/v1/leases/lease-1/heartbeat": wire.Heartbeat(1, 1, Usage(1, 1)),
    "/v1/leases/lease-1/complete": wire.Completion(1, Outcome.FAILED, Usage()),
    "/v1/jobs": None,
}
HOSTILE = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"{}",
    b'"x"',
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b'{"fence":1e400,"seq":1}',
    b'{"fence":NaN}',
    b'{"fence":' + b"9" * 5000 + b"}",
    b'{"role":"buyer","name":"\\ud800","public_key":""}',
    b'{"role":"buyer","name":"x","public_key":"AAAA"}',
]


async def send(stand: Stand, identity: Identity, path: str, body: bytes, method: str = "POST") -> httpx.Response:
    stand.clock.advance(0.001)
    nonce = f"nonce-{stand.clock.now().timestamp():.3f}".replace(".", "_").ljust(20, "x")
    parts = RequestParts(method, "market.test", path, digest_of(body))
    headers = sign(identity, parts, created=int(stand.clock.now().timestamp()), nonce=nonce)
    async with httpx.AsyncClient(transport=stand.transport, base_url=URL) as client:
        return await client.request(method, path, content=body, headers={**headers, "Content-Digest": digest_of(body)})


def is_documented(answer: httpx.Response) -> bool:
    if answer.status_code < 300:
        return True
    problem = json.loads(answer.content)
    return (
        answer.status_code < 500
        and problem["type"] in set(wire.ProblemType)
        and problem["status"] == answer.status_code
    )


@pytest.mark.parametrize("path", VALID)
async def test_hostile_bodies_get_a_documented_problem(stand: Stand, path: str) -> None:
    identities = (stand.provider._http.identity, stand.buyer._http.identity)
    for body in HOSTILE:
        for identity in identities:
            answer = await send(stand, identity, path, body)
            assert is_documented(answer), (body[:50], answer.text)
            assert answer.status_code >= 400


async def test_a_body_that_is_too_large_is_refused_before_it_is_all_there(stand: Stand) -> None:
    answer = await send(stand, stand.buyer._http.identity, "/v1/jobs", b" " * (wire.MAX_JSON_BYTES + 1))
    assert answer.json()["type"] == "too-large"


async def test_unknown_paths_and_methods_are_problems_too(stand: Stand) -> None:
    identity = stand.buyer._http.identity
    for method, path in (("GET", "/v2/x"), ("DELETE", "/v1/jobs"), ("GET", "/v1/jobs/../../etc/passwd"), ("PUT", "/")):
        answer = await send(stand, identity, path, b"", method)
        assert answer.status_code in {404, 405}
        assert answer.headers["content-type"] == "application/problem+json"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, 60), JSON), min_size=1, max_size=2), which=st.integers(0, 4))
def test_a_valid_body_with_any_value_replaced_never_makes_the_market_fail(
    changes: list[tuple[int, object]], which: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async def attempt() -> None:
        async with market_stand(tmp_path_factory.mktemp("fuzz")) as stand:
            spec, path = stand.spec()
            await stand.buyer.submit(spec, {spec.image.sha256: path})
            url = list(VALID)[which]
            body = json.loads(encode(VALID[url] or spec))
            for number, value in changes:
                places = list(all_places(body))
                container, key = places[number % len(places)]
                container[key] = value
            raw = json.dumps(body).encode()
            for identity in (stand.provider._http.identity, stand.buyer._http.identity):
                assert is_documented(await send(stand, identity, url, raw)), raw

    asyncio.run(attempt())


def all_places(value: object):
    if isinstance(value, dict):
        for key in list(value):
            yield value, key
            yield from all_places(value[key])
    elif isinstance(value, list):
        for index in range(len(value)):
            yield value, index
            yield from all_places(value[index])


async def test_a_job_given_back_before_it_began_is_offered_to_others_first(stand: Stand) -> None:
    """A machine whose engine is broken must not use up the job's attempts."""
    job = await stand.submit()
    for number in range(3):
        offer = await stand.provider.claim(claim(f"claim-key-{number}"))
        assert offer is not None
        await stand.provider.accept(offer)
        await stand.provider.complete(offer, wire.Completion(offer.fence, Outcome.RECLAIMED, Usage(), reason="Broken."))
        assert await stand.provider.claim(claim(f"claim-key-{number}-again", wait_s=0)) is None
        stand.clock.advance(31)
    status = await stand.buyer.job(job.job_id)
    assert status.phase is wire.JobPhase.QUEUED
