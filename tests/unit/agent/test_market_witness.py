"""A market bears witness of a full check: its question seeds the patterns, its statement follows the report."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from health_scene import CARD, Scene, health_scene
from market_stand import Stand, market_stand

from argentum_desktop.agent.market_witness import MarketWitness
from argentum_desktop.domain.health import CheckMode
from argentum_desktop.domain.passport import EntryKind, Question
from argentum_desktop.errors import MarketRefusedError
from argentum_desktop.health.examination import seed_of
from argentum_desktop.health.passport import trust
from argentum_desktop.health.passport.verify import verify_passport
from argentum_desktop.identity.keys import Identity
from argentum_desktop.identity.sealed import seal
from argentum_desktop.market_server.config import MarketConfig, local_config
from argentum_desktop.marketplace import wire
from argentum_desktop.marketplace.feed import MarketConnected
from argentum_desktop.store.known_markets import known_markets

ELSEWHERE = MarketConfig(name="A market elsewhere", round_every_s=0.01)
SHA = "a" * 64


@dataclass
class Both:
    scene: Scene
    stand: Stand

    async def kinds(self) -> list[EntryKind]:
        return [entry.kind for entry in (await self.scene.health.passports.passport(CARD.gpu_id)).entries]


@asynccontextmanager
async def both(folder: Path, config: MarketConfig = ELSEWHERE) -> AsyncIterator[Both]:
    async with market_stand(folder, config) as stand, health_scene(folder) as scene:
        scene.markets.append(stand.provider)
        yield Both(scene, stand)


async def full_check(at: Both) -> Any:
    ended = await at.scene.check(CheckMode.FULL)
    for _ in range(20):
        await at.scene.step()
    assert ended.report is not None
    return ended.report


async def test_a_full_check_is_witnessed(tmp_path: Path) -> None:
    async with both(tmp_path) as at:
        report = await full_check(at)
        assert report.challenge is not None
        assert report.challenge.issuer == "A market elsewhere"
        assert report.stress.memory.seed == f"{seed_of(report.challenge.nonce):08x}"
        assert await at.kinds() == [EntryKind.OPENED, EntryKind.CHECK, EntryKind.WITNESSED]
        passport = await at.scene.health.passports.passport(CARD.gpu_id)
        meta = at.stand.provider.meta
        assert meta is not None
        readers = trust.Readers(markets={meta.public_key: meta.name})
        (told,) = trust.testimonies(passport, readers)
        assert (told.report_number, told.is_known, told.witness.nonce) == (2, True, report.challenge.nonce)
        assert verify_passport(passport, readers).problems == ()


async def test_a_quick_check_waits_for_no_market(tmp_path: Path) -> None:
    async with both(tmp_path) as at:
        ended = await at.scene.check(CheckMode.QUICK)
        assert ended.report is not None
        assert ended.report.challenge is None
        assert await at.kinds() == [EntryKind.OPENED, EntryKind.CHECK]


async def test_the_market_of_this_computer_is_no_witness(tmp_path: Path) -> None:
    async with both(tmp_path, replace(local_config(), round_every_s=0.01)) as at:
        assert (await full_check(at)).challenge is None


async def test_a_market_is_known_again_by_its_key(tmp_path: Path) -> None:
    async with both(tmp_path) as at:
        meta, bench = at.stand.provider.meta, at.scene.bench
        assert meta is not None
        bench.events.publish(MarketConnected(at.stand.provider.url, meta.name))
        for _ in range(5):
            await at.scene.step()
        assert await at.scene.desk.database.read(known_markets) == {meta.public_key: "A market elsewhere"}


async def test_a_market_of_this_computer_is_not_remembered(tmp_path: Path) -> None:
    async with both(tmp_path, replace(local_config(), round_every_s=0.01)) as at:
        at.scene.bench.events.publish(MarketConnected(at.stand.provider.url, "Local market"))
        for _ in range(5):
            await at.scene.step()
        assert await at.scene.desk.database.read(known_markets) == {}


class OddMarket:
    """Answers with what the test gave it."""

    url = "https://odd.test"

    def __init__(self, stand: Stand, answer: Any) -> None:
        self.meta = stand.provider.meta
        self._answer = answer

    async def health_question(self) -> Any:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


@pytest.mark.parametrize(
    "answer",
    [
        MarketRefusedError("There is no such path."),
        {},
        {"sealed": 1},
        seal({"nonce": "0" * 32}, Identity.generate()),
        seal({"market": "m", "nonce": "zz", "asked_of": "k", "asked_at": "2026-03-01T12:00:00Z"}, Identity.generate()),
    ],
)
async def test_a_market_that_asks_nothing_usable_is_left_alone(tmp_path: Path, answer: Any) -> None:
    async with both(tmp_path) as at:
        at.scene.markets[:] = [OddMarket(at.stand, answer)]
        assert (await full_check(at)).challenge is None
        assert await at.kinds() == [EntryKind.OPENED, EntryKind.CHECK]


async def test_a_market_that_went_away_costs_only_its_statement(tmp_path: Path) -> None:
    async with both(tmp_path) as at:
        at.scene.health.checkups.start(CARD.gpu_id, CheckMode.FULL)
        await at.scene.until(lambda: at.scene.loads)
        at.stand.clock.advance(7200)  # asked too long ago
        await at.scene.until(lambda: at.scene.ended)
        for _ in range(20):
            await at.scene.step()
        assert await at.kinds() == [EntryKind.OPENED, EntryKind.CHECK]


# -- the market's side ------------------------------------------------------------------------------------------------


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    async with market_stand(tmp_path, ELSEWHERE) as made:
        yield made


async def test_only_its_own_question_to_this_provider_counts(stand: Stand) -> None:
    question = await stand.provider.health_question()
    other = stand.provider_beside()
    await other.connect()
    with pytest.raises(MarketRefusedError, match="asked of somebody else"):
        await other.witness(wire.WitnessCall("r", SHA, question))
    await other.close()
    forged = seal(
        msgspec.to_builtins(Question("m", "0" * 32, stand.provider._http.identity.key_id, stand.clock.now())),
        Identity.generate(),
    )
    with pytest.raises(MarketRefusedError, match="Another market asked"):
        await stand.provider.witness(wire.WitnessCall("r", SHA, forged))
    stand.clock.advance(3601)
    with pytest.raises(MarketRefusedError, match="too long ago"):
        await stand.provider.witness(wire.WitnessCall("r", SHA, question))
    assert await stand.provider.witness(wire.WitnessCall("r", SHA)) is not None


@pytest.mark.parametrize(
    ("report_id", "sha256", "challenge"),
    [("", SHA, None), ("r" * 65, SHA, None), ("a b", SHA, None), ("r", "A" * 64, None), ("r", SHA, {"a": 1})],
)
async def test_nonsense_is_not_witnessed(stand: Stand, report_id: str, sha256: str, challenge: Any) -> None:
    with pytest.raises(MarketRefusedError):
        await stand.provider.witness(wire.WitnessCall(report_id, sha256, challenge))


async def test_no_markets_no_question() -> None:
    assert await MarketWitness(list).question() is None
