"""Whether an offer is accepted: every rule about the offer, its yes, its no, and what would help."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from samples import GPU, IMAGE, NOON, eur, job, offer
from surroundings import HOST, circumstances

from argentum_desktop.domain.availability import OwnersWindow
from argentum_desktop.domain.decision import Verdict
from argentum_desktop.domain.job import Artifact
from argentum_desktop.domain.money import Money
from argentum_desktop.policy.evaluate import MOST_PROCESSES, capacity, may_offer, may_run
from argentum_desktop.policy.flip import flipped
from argentum_desktop.policy.gates import GIB, Pause
from argentum_desktop.settings.schema import Availability, Jobs, Settings


def refusal(change: dict[str, Any], **at: Any) -> Verdict:
    """The one no."""
    (verdict,) = may_run(offer(**change), circumstances(**at)).refusals
    return verdict


def told(verdict: Verdict) -> tuple[str, str, str]:
    """What the owner reads of it."""
    return verdict.rule, verdict.reason, verdict.remedy


def test_an_honest_offer_is_accepted_and_every_rule_says_why() -> None:
    decision = may_run(offer(), circumstances())
    assert decision.is_yes, decision.reason
    assert len({verdict.rule for verdict in decision.verdicts}) == len(decision.verdicts)
    assert all(verdict.reason and not verdict.remedy for verdict in decision.verdicts)


def test_what_keeps_a_card_from_asking_keeps_it_from_accepting() -> None:
    at = circumstances(pause=Pause(None), engine_problem="None.")
    assert set(may_offer(at).refusals) <= set(may_run(offer(), at).refusals)


def test_another_currency_is_refused_and_not_compared() -> None:
    decision = may_run(offer(price_per_hour=Money(10**9, "USD")), circumstances())
    assert [no.rule for no in decision.refusals] == ["currency"]
    assert decision.reason == "The market pays in USD; your prices are in EUR."
    assert decision.remedy == "Set prices.currency to USD."
    assert not {"floor", "loss"} & {verdict.rule for verdict in decision.verdicts}


@pytest.mark.parametrize(
    ("limits", "rule", "reason", "remedy"),
    [
        (
            {"memory_mib": 16 * 1024 + 1},
            "memory",
            "It asks for 16385 MiB of memory; one job may use 16384 here.",
            "Set jobs.memory_share_percent to 51.",
        ),
        (
            {"memory_mib": 30 * 1024},
            "memory",
            "It asks for 30720 MiB of memory; one job may use 16384 here.",
            "It needs a larger computer.",
        ),
        (
            {"cpu_millis": 4001},
            "processor",
            "It asks for 4001 thousandths of a processor; one job may use 4000 here.",
            "Set jobs.cpu_share_percent to 51.",
        ),
        (
            {"cpu_millis": 8001},
            "processor",
            "It asks for 8001 thousandths of a processor; one job may use 4000 here.",
            "It needs a larger computer.",
        ),
        (
            {"disk_mib": 20 * 1024 + 1},
            "disk_size",
            "It asks for 20481 MiB of disk; one job may use 20480 here.",
            "Set jobs.disk_gib to 21.",
        ),
        (
            {"vram_mib": 12 * 1024 + 1},
            "card_memory",
            "It asks for 12289 MiB of card memory; one job may use 12288 here.",
            "It needs a larger card.",
        ),
        ({"gpus": 2}, "cards", "It asks for 2 cards; one job may use 1 here.", ""),
        (
            {"wall_s": 12 * 3600 + 1},
            "time",
            "It may take 721 min; jobs must end by tomorrow 01:00 here.",
            "Set jobs.wall_hours to 13.",
        ),
        ({"wall_s": 721 * 3600}, "time", "It may take 43260 min; jobs must end by tomorrow 01:00 here.", ""),
    ],
)
def test_a_job_that_asks_for_more_than_there_is(limits: dict[str, int], rule: str, reason: str, remedy: str) -> None:
    assert told(refusal({"job": job(**limits)})) == (rule, reason, remedy)


@pytest.mark.parametrize(
    "limits",
    [
        {"memory_mib": 16 * 1024},
        {"cpu_millis": 4000},
        {"disk_mib": 20 * 1024},
        {"vram_mib": 12 * 1024},
        {"wall_s": 12 * 3600},
        {"gpus": 0},
    ],
)
def test_a_job_that_asks_for_all_there_is(limits: dict[str, int]) -> None:
    assert may_run(offer(job=job(**limits)), circumstances()).is_yes


@pytest.mark.parametrize(("percent", "memory_mib"), [(51, 16 * 1024 + 1), (90, 29_491), (1, 327)])
def test_the_share_that_is_named_as_remedy_is_enough(percent: int, memory_mib: int) -> None:
    settings = Settings(jobs=Jobs(memory_share_percent=percent))
    assert capacity(circumstances(settings=settings)).memory_mib >= memory_mib
    assert may_run(offer(job=job(memory_mib=memory_mib)), circumstances(settings=settings)).is_yes


def test_a_card_that_does_not_say_how_much_memory_it_has() -> None:
    unknown = replace(GPU, memory_total_bytes=None)
    assert may_run(offer(job=job(vram_mib=0)), circumstances(gpu=unknown)).is_yes
    verdict = refusal({"job": job(vram_mib=1)}, gpu=unknown)
    assert verdict.reason == "It asks for 1 MiB of card memory; the card does not say how much it has."
    assert verdict.remedy == "Update the card's driver."


def test_an_image_must_fit_beside_what_the_job_may_write() -> None:
    """20 GiB are the job's; an image and its inputs take four times their size while they are unpacked."""
    image = replace(IMAGE, size_bytes=5 * GIB)
    spec = replace(job(), image=image, inputs=(Artifact("data", "c" * 64, 1 * GIB),))
    enough = replace(HOST, disk_free_bytes=44 * GIB)
    assert may_run(offer(job=spec), circumstances(host=enough)).is_yes
    verdict = refusal({"job": spec}, host=replace(HOST, disk_free_bytes=44 * GIB - 1))
    assert verdict.rule == "image_size"
    assert verdict.reason == "Its image and inputs need 24.0 GiB of disk beside what the job may write."
    assert verdict.remedy == "Free 0.1 GiB of disk."


def test_a_job_must_end_with_the_window() -> None:
    evening = Settings(availability=Availability(windows=(OwnersWindow.parse("sun 08:00-14:00"),)))
    at = circumstances(settings=evening, now=NOON + timedelta(milliseconds=1))
    assert capacity(at).wall_s == 3599
    verdict = refusal({"job": job(wall_s=3600)}, settings=evening, now=at.now)
    assert told(verdict) == ("time", "It may take 60 min; jobs must end by 13:59 here.", "Runs in a longer window.")
    assert may_run(offer(job=job(wall_s=3599)), at).is_yes


def test_a_job_longer_than_the_window_and_than_the_owner_allows_needs_both() -> None:
    settings = Settings(availability=Availability(windows=(OwnersWindow.parse("sun 08:00-14:00"),)))
    verdict = refusal({"job": job(wall_s=13 * 3600)}, settings=settings)
    assert verdict.remedy == "Runs in a longer window. Set jobs.wall_hours to 13."


@pytest.mark.parametrize("wall_s", [2**31, 2**53, 2**63])
def test_a_job_without_an_end_is_refused_and_costs_no_thought(wall_s: int) -> None:
    at = circumstances()
    asked = offer(job=job(wall_s=wall_s))
    decision = flipped(asked, at)
    assert [no.rule for no in decision.refusals] == ["time"]
    assert decision.reason.startswith("It may take")


def test_a_shut_window_is_the_windows_word_alone() -> None:
    settings = Settings(availability=Availability(windows=(OwnersWindow.parse("sat 08:00-14:00"),)))
    assert refusal({}, settings=settings).rule == "window"


def test_a_window_that_closes_within_the_second_leaves_no_time() -> None:
    settings = Settings(availability=Availability(windows=(OwnersWindow.parse("sun 08:00-14:00"),)))
    late = NOON + timedelta(minutes=59, seconds=59, milliseconds=500)
    assert capacity(circumstances(settings=settings, now=late)).wall_s == 0
    assert refusal({"job": job(wall_s=1)}, settings=settings, now=late).rule == "time"


def test_the_price_rules_are_asked_for_every_card() -> None:
    assert may_run(offer(price_per_hour=eur("0.11")), circumstances()).refusals[0].rule == "floor"


def test_a_job_that_wants_more_processes_than_the_computer_can_spare() -> None:
    assert may_run(offer(job=job(pids=MOST_PROCESSES)), circumstances()).is_yes
    verdict = refusal({"job": job(pids=MOST_PROCESSES + 1)})
    assert (verdict.rule, verdict.reason) == ("processes", "It asks for 8193 processes; one job may use 8192 here.")
