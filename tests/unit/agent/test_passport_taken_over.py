"""A passport that came with a card: compared with a check made here, taken over, and gone on with under our key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from health_samples import a_gpu
from health_scene import CARD, Scene, health_scene
from passport_samples import a_passport, a_sound_report, checked, repaired

from argentum_desktop.domain.health import CardIdentity, CheckMode
from argentum_desktop.domain.passport import EntryKind, Passport
from argentum_desktop.health.passport.chain import KeyStart, verify_chain
from argentum_desktop.health.passport.trust import TrustLevel

GPU = a_gpu()
HERE = a_sound_report(report_id="00000000000000aa")


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with health_scene(tmp_path) as made:
        yield made


async def kinds(scene: Scene, gpu_id: str = GPU.gpu_id) -> list[EntryKind]:
    return [entry.kind for entry in (await scene.health.passports.passport(gpu_id)).entries]


async def test_the_same_card_goes_on_under_our_key(scene: Scene) -> None:
    sold = a_passport(checked(), repaired())
    await scene.health.passports.add_check(GPU, HERE, against=sold)
    found = await scene.health.passports.verified(GPU.gpu_id)
    assert [entry.kind.value for entry in found.passport.entries] == ["opened", "check", "repair", "matched", "check"]
    assert found.passport.entries[:3] == sold.entries
    assert found.is_sound
    assert [span.start for span in found.chain.keys] == [KeyStart.FIRST, KeyStart.MATCHED]
    assert found.trust.level is TrustLevel.MATCHED


async def test_a_card_that_has_a_passport_here_keeps_it_and_notes_the_comparison(scene: Scene) -> None:
    await scene.health.passports.add_check(GPU, a_sound_report())
    await scene.health.passports.add_check(GPU, HERE, against=a_passport(checked()))
    assert await kinds(scene) == [EntryKind.OPENED, EntryKind.CHECK, EntryKind.MATCHED, EntryKind.CHECK]
    assert verify_chain(await scene.health.passports.passport(GPU.gpu_id)).is_whole


async def test_another_cards_passport_is_not_taken_over(scene: Scene) -> None:
    other = CardIdentity.of(replace(GPU, gpu_id="GPU-other", pci_id="10de:1b06"))
    await scene.health.passports.add_check(GPU, HERE, against=a_passport(card=other))
    assert await kinds(scene) == [EntryKind.OPENED, EntryKind.CHECK]


async def test_a_card_that_cannot_be_told_is_noted_and_not_taken_over(scene: Scene) -> None:
    """The vendor gives it no number of its own: its id is the place where it sits."""
    seat, here = "PCI-0000:03:00.0-1002:744c", "PCI-0000:0a:00.0-1002:744c"
    gpu = a_gpu(gpu_id=here)
    there = a_passport(card=CardIdentity.of(a_gpu(gpu_id=seat)))
    await scene.health.passports.add_check(gpu, a_sound_report(card=CardIdentity.of(gpu)), against=there)
    assert await kinds(scene, here) == [EntryKind.OPENED, EntryKind.MATCHED, EntryKind.CHECK]
    assert (await scene.health.passports.verified(here)).trust.level is TrustLevel.SELF_REPORTED


async def test_a_check_against_a_passport_is_written_with_the_comparison(scene: Scene) -> None:
    against: Passport = a_passport(card=CardIdentity.of(CARD))
    await scene.health.checkups.begin(CARD.gpu_id, CheckMode.PASSIVE, against)
    await scene.until(lambda: scene.ended)
    assert (await kinds(scene, CARD.gpu_id))[-2:] == [EntryKind.MATCHED, EntryKind.CHECK]
