"""What comes from outside is refused where the value is made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from samples import IMAGE, NOON, eur, job, lease, offer, receipt

from argentum_desktop.domain.decision import Decision, Verdict
from argentum_desktop.domain.job import ALLOWED_MOVES, Artifact, JobState, Limits, is_safe_name
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.posting import Posting, Transaction


@pytest.mark.parametrize("name", ["a", "image.tar", "out/frame-0001.png", "a/b/c/d/e/f/g/h", "_x", "x" * 100])
def test_plain_names(name: str) -> None:
    assert is_safe_name(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a/../b", "/etc/passwd", "a//b", "a/", "C:\\x", "c:x", "a\\b", "-rf", ".ssh", "nul",
     "CON.txt", "a/com1.png", "x.", "a./b", "a b", "a\n", "ä", "x" * 101, "a/b/c/d/e/f/g/h/i", "\0", "~"],
)  # fmt: skip
def test_names_that_could_lead_elsewhere(name: str) -> None:
    assert not is_safe_name(name)
    with pytest.raises(ValueError, match="plain file name"):
        Artifact(name, "a" * 64, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "argentum.job/2"},
        {"title": ""},
        {"title": "x" * 121},
        {"title": "a\nb"},
        {"title": "\x1b[2J"},
        {"image_digest": "sha256:abc"},
        {"image_digest": f"sha256:{'b' * 64}\n"},
        {"command": ("a\0b",)},
        {"command": ("a",) * 201},
        {"env": {"LD_PRELOAD": "x"}},
        {"env": {"NVIDIA_VISIBLE_DEVICES": "all"}},
        {"env": {"CUDA_VISIBLE_DEVICES": "0"}},
        {"env": {"A=B": "x"}},
        {"env": {"A\n": "x"}},
        {"inputs": (IMAGE, replace(IMAGE, name="IMAGE.TAR"))},
        {"max_price_per_hour": eur("0")},
        {"max_price_per_hour": eur("-1")},
    ],
)
def test_a_manifest_that_bends_a_rule_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        replace(job(), **change)


@pytest.mark.parametrize("name", ["gpus", "vram_mib", "cpu_millis", "memory_mib", "disk_mib", "pids", "wall_s"])
def test_no_limit_is_below_what_can_run(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least"):
        Limits(**{name: -1})


@pytest.mark.parametrize(
    "change",
    [
        {"price_per_hour": eur("-0.01")},
        {"fee_ppm": -1},
        {"fee_ppm": 1_000_000},
        {"fence": -1},
        {"lease_ttl_s": -1},
        {"beat_every_s": -5},
        {"accept_within_s": -5},
    ],
)
def test_an_offer_with_a_figure_that_no_honest_one_has_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        offer(**change)


@pytest.mark.parametrize(
    "change",
    [
        {"gross": eur("-1"), "fee": eur("-1")},
        {"fee": eur("-0.01")},
        {"fee": eur("0.41")},
        {"billable_s": -1},
        {"fee": Money(1, "USD")},
        {"gross": Money(10**6, "USD")},
        {"price_per_hour": Money(1, "USD")},
    ],
)
def test_a_receipt_never_takes_from_the_owner(change: dict[str, Any]) -> None:
    sound = receipt(lease())
    assert sound.net == sound.gross - sound.fee
    with pytest.raises(ValueError, match="receipt"):
        replace(sound, **change)


def transaction(*postings: tuple[str, Money]) -> Transaction:
    return Transaction("t", NOON, "lse_1", "a job", tuple(Posting(*posting) for posting in postings))


def test_what_does_not_balance_is_no_transaction() -> None:
    transaction(("a", eur("1")), ("b", eur("-1")))
    transaction(("a", eur("1")), ("b", eur("-1")), ("a", Money(5, "USD")), ("b", Money(-5, "USD")))
    for postings in (
        (),
        (("a", eur("1")),),
        (("a", eur("1")), ("b", Money(-1_000_000, "USD"))),
        (("a", eur("1")), ("b", eur("-0.999999"))),
    ):
        with pytest.raises(ValueError, match="do not balance"):
            transaction(*postings)


def test_an_account_stands_once_in_a_transaction() -> None:
    with pytest.raises(ValueError, match="name an account twice"):
        transaction(("a", eur("1")), ("a", eur("1")), ("b", eur("-2")))


def test_every_state_can_be_left_and_leads_to_the_end() -> None:
    assert set(ALLOWED_MOVES) == set(JobState)
    ends = {JobState.CLOSED}
    while grown := {state for state, moves in ALLOWED_MOVES.items() if moves & ends} - ends:
        ends |= grown
    assert ends == set(JobState)
    assert all(state not in moves for state, moves in ALLOWED_MOVES.items())


def test_a_decision_tells_its_first_no() -> None:
    yes, no = Verdict("a", True, "fine"), Verdict("b", False, "Not now.", "Wait.")
    assert Decision((yes,)).is_yes
    assert (Decision((yes,)).reason, Decision((yes,)).remedy) == ("", "")
    decision = Decision((yes, no, Verdict("c", False, "Nor this.")))
    assert not decision.is_yes
    assert (decision.reason, decision.remedy) == ("Not now.", "Wait.")
    assert [verdict.rule for verdict in decision.refusals] == ["b", "c"]
