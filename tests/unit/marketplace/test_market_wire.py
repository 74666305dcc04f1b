"""The golden JSON pins what travels: whoever changes a shape changes a file here, knowingly."""

from __future__ import annotations

from dataclasses import is_dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from argentum_desktop.domain.health import CheckMode, Grade
from argentum_desktop.domain.job import Artifact, JobSpec, Limits, Outcome
from argentum_desktop.domain.lease import Usage
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.offer import Offer
from argentum_desktop.domain.receipt import Receipt
from argentum_desktop.marketplace import wire
from argentum_desktop.marketplace.codec import WireFormatError, decode, encode

GOLDEN = Path(__file__).parents[2] / "data" / "wire"
AT = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
EUR = Money(240_000, "EUR")
FILE = Artifact("in/data.bin", "ab" * 32, 12)
SPEC = JobSpec(
    "render a scene",
    Artifact("image.tar", "cd" * 32, 4096),
    f"sha256:{'ef' * 32}",
    ("/bin/render", "--fast"),
    Money(400_000, "EUR"),
    env={"LANG": "C"},
    inputs=(FILE,),
    limits=Limits(1, 8192, 2000, 4096, 1024, 64, 7200),
)
RECEIPT = Receipt("lease-1", "job-1", Outcome.SUCCEEDED, 510, EUR, Money(34_000, "EUR"), Money(1_700, "EUR"))
HEALTH = wire.CardHealth(Grade.B, 74, CheckMode.FULL, AT)
VALUES = [
    wire.Empty(),
    wire.Problem(wire.ProblemType.CLOCK_SKEW, "Clock skew", 401, "Too old.", AT),
    wire.Meta("Local market", (1,), AT, "EUR", 50_000, True, "AAAA", 15, 90, 30),
    wire.Enrolment(wire.Role.PROVIDER, "rig", "AAAA"),
    wire.Account("acc-1", wire.Role.BUYER, "me", Money(99_000_000, "EUR"), Money(1_000_000, "EUR")),
    wire.Inventory((wire.Card("GPU-1", "RTX", "nvidia", 8192, False, {"schema": "x"}),), "argentum-desktop/1"),
    wire.Declared(("The health certificate of GPU-1 was left out: it is of another card.",)),
    wire.HealthChallenge({"schema": "x"}),
    wire.WitnessCall("0123456789abcdef", "ab" * 32, {"schema": "x"}),
    wire.WitnessStatement({"schema": "x"}),
    wire.CardList((wire.ListedCard("RTX", "nvidia", 8192, False, HEALTH, {"schema": "x"}),)),
    wire.Claim("claim-key-1", (wire.Ask("GPU-1", EUR, 7200, 4096, 4000, 10_000),), ("lease-0",), 50),
    Offer("lease-1", "job-1", 2, SPEC, ("GPU-1",), EUR, 50_000, 15, 90, 30, AT),
    wire.LeaseCall(2),
    wire.Decline(2, "outside my hours"),
    wire.Heartbeat(2, 17, Usage(510, 86_400), 42, True),
    wire.Completion(2, Outcome.FAILED, Usage(510, 86_400), 3, "it failed", (FILE,)),
    wire.LeaseStatus("lease-1", wire.LeaseState.CLOSED, 2, wire.Desired.STOP, 0, 30, AT, Usage(510, 86_400), RECEIPT),
    wire.LogPosition(4096),
    SPEC,
    wire.JobStatus(
        "job-1", SPEC, wire.JobPhase.SUCCEEDED, AT, AT, AT, 100, EUR, Money(34_000, "EUR"), 0, "", (FILE,), HEALTH
    ),
    wire.JobList(()),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_golden(value: object) -> None:
    golden = (GOLDEN / f"{type(value).__name__}.json").read_bytes()
    assert msgspec.json.format(encode(value), indent=2) + b"\n" == golden
    assert decode(type(value), golden) == value


def test_every_wire_type_is_pinned() -> None:
    parts = {"Card", "Ask", "ListedCard", "CardHealth"}
    named = {name for name, kind in vars(wire).items() if is_dataclass(kind) and kind.__module__ == wire.__name__}
    assert named - parts <= {type(value).__name__ for value in VALUES}
    assert {path.stem for path in GOLDEN.glob("*.json")} == {type(value).__name__ for value in VALUES}


def test_a_newer_sender_may_say_more() -> None:
    assert decode(wire.LeaseCall, b'{"fence": 1, "mood": "good"}') == wire.LeaseCall(1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[1]",
        b'{"fence": "1"}',
        b'{"fence": 9007199254740993}',
        b'{"fence": -99999999999999999999999999}',
        b'{"fence": null}',
        b"[" * 200_000,
    ],
)
def test_nonsense_is_refused(data: bytes) -> None:
    with pytest.raises(WireFormatError):
        decode(wire.LeaseCall, data)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(WireFormatError, match="no zone"):
        decode(
            wire.LeaseStatus,
            encode(next(value for value in VALUES if isinstance(value, wire.LeaseStatus))).replace(b"15Z", b"15"),
        )


def test_rules_of_the_domain_hold_for_what_comes_from_outside() -> None:
    with pytest.raises(WireFormatError, match="plain file name"):
        decode(JobSpec, encode(SPEC).replace(b"in/data.bin", b"../data.bin"))
