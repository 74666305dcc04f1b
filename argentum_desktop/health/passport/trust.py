"""What a passport can be trusted for, in honest words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from argentum_desktop.domain.passport import WITNESS_SCHEMA, EntryKind, Passport, PassportEntry, Witness
from argentum_desktop.errors import DocumentError, PassportError
from argentum_desktop.health.passport.life import Life
from argentum_desktop.health.passport.match import MatchVerdict
from argentum_desktop.identity.canonical import canonical_json
from argentum_desktop.identity.sealed import Sealed, open_seal


class TrustLevel(StrEnum):
    """Who vouches for a passport, the weakest first."""

    SELF_REPORTED = "self_reported"
    WITNESSED = "witnessed"
    MATCHED = "matched"


@dataclass(frozen=True)
class Trust:
    """How far a passport can be believed.

    Attributes:
        words: the level, a sentence.
        proves: what it shows.
        proves_not: what it cannot show.
    """

    level: TrustLevel
    words: str
    proves: str
    proves_not: str


@dataclass(frozen=True)
class Readers:
    """Whose keys the reader knows to be whose.

    Attributes:
        own_key: this computer's public key; None where it has none yet.
        markets: names of markets by their public key (base64).
    """

    own_key: str | None = None
    markets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Testimony:
    """A market's statement that stands in the passport.

    Attributes:
        number: of the entry with the statement.
        report_number: of the entry with the report that the market saw.
        is_known: whether the reader knows the key to be this market's.
    """

    number: int
    report_number: int
    witness: Witness
    public_key: str
    key_id: str
    is_known: bool


_SELF_PROVES = "nobody without its key has changed an entry, or left one out between others, since it was written"
_SELF_PROVES_NOT = (
    "that the figures are true: the key lies on its writer's computer, and a made-up driver can report a made-up card."
    " Nor can a file show whether its writer began it anew or cut off its last entries"
)
_WITNESSED = (
    "this market had the report at that time, so nothing in it was made up later",
    "which card answered, or that its figures are true",
)
_MATCHED = (
    "the card that this computer checked itself is the card of this passport",
    "what happened to the card before it came here: that remains the word of whoever wrote it",
)
_SIMULATED = "that there is any card: it is simulated by software, and so is every figure"


def trust_of(life: Life, told: Sequence[Testimony], readers: Readers) -> Trust:
    """The highest level that this reader can see for himself. The chain must be whole for any of it to count."""
    if life.is_simulated:
        words = "It is of a simulated card: an example of a passport, and no evidence of anything."
        return Trust(TrustLevel.SELF_REPORTED, words, _SELF_PROVES, _SIMULATED)
    matched = [entry for entry in life.matched if entry.public_key == readers.own_key and _is_same(entry)]
    if matched:
        words = (
            f"It was matched: this computer checked the card itself on {matched[-1].at:%Y-%m-%d} and found the same."
        )
        return Trust(TrustLevel.MATCHED, words, *_MATCHED)
    known = [testimony for testimony in told if testimony.is_known]
    if known:
        seen = known[-1]
        name = readers.markets[seen.public_key]
        words = (
            f"It was witnessed: the market {name} saw the report of entry {seen.report_number} on"
            f" {seen.witness.received_at:%Y-%m-%d}."
        )
        return Trust(TrustLevel.WITNESSED, words, *_WITNESSED)
    return Trust(
        TrustLevel.SELF_REPORTED,
        "It is self-reported: only its own writer vouches for it.",
        _SELF_PROVES,
        _SELF_PROVES_NOT,
    )


def testimonies(passport: Passport, readers: Readers) -> tuple[Testimony, ...]:
    """Every statement of a witness that holds: unbroken, about a report of this passport, by none of its own keys."""
    return tuple(read for _, read in _statements(passport, readers) if isinstance(read, Testimony))


def witness_faults(passport: Passport) -> Iterator[str]:
    """What is wrong with the others, a sentence each."""
    for entry, read in _statements(passport, Readers()):
        if isinstance(read, str):
            yield f"The witness's statement in entry {entry.number} does not count: {read}."


def witness_body(sealed: Mapping[str, Any]) -> dict[str, Any]:
    """A market's sealed statement as the body of a `WITNESSED` entry."""
    return {"sealed": dict(sealed)}


def report_sha256(body: Mapping[str, Any]) -> str:
    """What a witness names a report by: the SHA-256 of its canonical form."""
    return hashlib.sha256(canonical_json(body)).hexdigest()


def _statements(passport: Passport, readers: Readers) -> Iterator[tuple[PassportEntry, Testimony | str]]:
    """Each witness's entry with its statement, or with why it does not count."""
    own_keys = {entry.public_key for entry in passport.entries}
    reports: dict[tuple[Any, str], PassportEntry] = {}
    for entry in passport.entries:
        if entry.kind is EntryKind.CHECK:
            reports[entry.body.get("report_id"), report_sha256(entry.body)] = entry
        elif entry.kind is EntryKind.WITNESSED:
            yield entry, _statement(entry, own_keys, reports, readers)


def _statement(
    entry: PassportEntry, own_keys: set[str], reports: Mapping[tuple[Any, str], PassportEntry], readers: Readers
) -> Testimony | str:
    try:
        sealed, witness = _opened(entry)
    except PassportError as error:
        return error.message
    if sealed.public_key in own_keys:
        return "its key also wrote in the passport, and nobody is a witness of himself"
    report = reports.get((witness.report_id, witness.report_sha256))
    if report is None:
        return "it is of a report that does not stand in this passport before it"
    challenge = report.body.get("challenge")
    if witness.nonce and (not isinstance(challenge, Mapping) or challenge.get("nonce") != witness.nonce):
        return "the report does not answer the question that this witness asked"
    is_known = sealed.public_key in readers.markets
    return Testimony(entry.number, report.number, witness, sealed.public_key, sealed.key_id, is_known)


def _opened(entry: PassportEntry) -> tuple[Sealed, Witness]:
    document = entry.body.get("sealed")
    if not isinstance(document, Mapping):
        raise PassportError("it holds no sealed document")
    try:
        sealed = open_seal(document)
    except DocumentError as error:
        raise PassportError(f"its seal does not hold ({error.message})") from error
    try:
        witness = msgspec.convert(sealed.payload, Witness)
    except (msgspec.MsgspecError, ValueError) as error:
        raise PassportError(f"it does not say what a witness says ({error})") from error
    if witness.schema != WITNESS_SCHEMA or witness.received_at.tzinfo is None:
        raise PassportError("it does not say what a witness says")
    return sealed, witness


def _is_same(entry: PassportEntry) -> bool:
    return entry.body.get("verdict") == MatchVerdict.SAME_CARD.value
