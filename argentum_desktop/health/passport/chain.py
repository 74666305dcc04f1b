"""The chain: each entry is bound to the one before by its SHA-256, and signed. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from argentum_desktop.domain.health import CardIdentity
from argentum_desktop.domain.passport import FIRST_PREVIOUS, SCHEMA, EntryKind, Passport, PassportEntry
from argentum_desktop.errors import DocumentError, PassportError
from argentum_desktop.identity.canonical import canonical_json, read_json
from argentum_desktop.identity.keys import Identity, verify
from argentum_desktop.identity.sealed import read_key_id, read_signature

MOST_BODY_BYTES = 1024 * 1024
# Where another key may take over: after a comparison on receipt, or by opening the passport anew.
_HAND_OVERS = frozenset({EntryKind.OPENED, EntryKind.MATCHED})


class KeyStart(StrEnum):
    """How a key began to write in a passport."""

    FIRST = "first"
    MATCHED = "matched"
    """After the card was compared with the passport on another computer."""
    REOPENED = "reopened"
    """Without a comparison, as when the old key was lost."""


@dataclass(frozen=True)
class KeySpan:
    """A run of entries under one key."""

    public_key: str
    key_id: str
    first_number: int
    last_number: int
    start: KeyStart


@dataclass(frozen=True)
class ChainState:
    """What the entries themselves show.

    Attributes:
        keys: in the order in which they wrote; one for each time that the passport changed hands.
        problems: what does not hold, a sentence each, in the order of the entries.
    """

    entries: int
    head_sha256: str
    keys: tuple[KeySpan, ...]
    problems: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        return not self.problems


def first_entry(card: CardIdentity, at: datetime, identity: Identity) -> PassportEntry:
    """The entry that opens a card's passport."""
    return _entry(1, FIRST_PREVIOUS, EntryKind.OPENED, opening_body(card), at, identity)


def next_entry(
    last: Passport | PassportEntry, kind: EntryKind, body: Mapping[str, Any], at: datetime, identity: Identity
) -> PassportEntry:
    """The entry that follows `last`.

    Raises:
        PassportError: this key did not write `last`, and an entry of this kind does not hand the passport over.
    """
    before = last.entries[-1] if isinstance(last, Passport) else last
    if kind not in _HAND_OVERS and needs_opening(before, identity):
        raise PassportError(
            "The passport was written with another key until now.", "Open it anew with this one, or match it first."
        )
    return _entry(before.number + 1, before.sha256, kind, body, at, identity)


def needs_opening(last: PassportEntry | None, identity: Identity) -> bool:
    """Whether this key must write `OPENED` (or `MATCHED`) before anything else."""
    return last is None or last.public_key != identity.public_key


def opening_body(card: CardIdentity) -> dict[str, Any]:
    """The body of an `OPENED` entry."""
    return {"card": msgspec.to_builtins(card)}


def verify_chain(passport: Passport) -> ChainState:
    """Look at every entry, its bond to the one before and its signature."""
    problems = [words for entry, before in _pairs(passport) for words in _faults(entry, before)]
    problems += _opening_faults(passport)
    head = passport.entries[-1].sha256 if passport.entries else FIRST_PREVIOUS
    return ChainState(len(passport.entries), head, tuple(_keys(passport)), tuple(problems))


def instant_text(at: datetime) -> str:
    """An instant as it is signed: UTC, RFC 3339, to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def entry_fields(entry: PassportEntry) -> dict[str, Any]:
    """What of an entry is signed."""
    return {
        "number": entry.number,
        "at": instant_text(entry.at),
        "kind": entry.kind.value,
        "body": entry.body,
        "previous_sha256": entry.previous_sha256,
        "public_key": entry.public_key,
    }


def _entry(
    number: int, previous: str, kind: EntryKind, body: Mapping[str, Any], at: datetime, identity: Identity
) -> PassportEntry:
    canonical = canonical_json(body)
    if len(canonical) > MOST_BODY_BYTES:
        raise PassportError(f"An entry of a passport holds at most {MOST_BODY_BYTES // 1024} KiB.")
    plain = read_json(canonical, largest_bytes=MOST_BODY_BYTES)
    unsigned = PassportEntry(number, at.astimezone(UTC), kind, plain, previous, "", identity.public_key, "")
    signed = _signed_bytes(unsigned)
    signature = base64.b64encode(identity.sign(signed)).decode("ascii")
    digest = hashlib.sha256(signed).hexdigest()
    return PassportEntry(number, unsigned.at, kind, plain, previous, digest, identity.public_key, signature)


def _signed_bytes(entry: PassportEntry) -> bytes:
    """Nothing else that this key signs begins like this."""
    return SCHEMA.encode("ascii") + b"\0" + canonical_json(entry_fields(entry))


def _pairs(passport: Passport) -> Iterator[tuple[PassportEntry, PassportEntry | None]]:
    before = None
    for entry in passport.entries:
        yield entry, before
        before = entry


def _faults(entry: PassportEntry, before: PassportEntry | None) -> Iterator[str]:
    expected_number, expected_previous = (before.number + 1, before.sha256) if before else (1, FIRST_PREVIOUS)
    if entry.number != expected_number:
        yield f"Entry {entry.number} stands where entry {expected_number} should: entries are missing or out of order."
    elif entry.previous_sha256 != expected_previous:
        yield (
            f"Entry {entry.number} does not follow entry {before.number}: one of them was replaced."
            if before
            else "The first entry follows one that is not there: the beginning is missing."
        )
    if before and entry.public_key != before.public_key and entry.kind not in _HAND_OVERS:
        yield f"Entry {entry.number} was written with another key than the one before, without a handing over."
    try:
        signed = _signed_bytes(entry)
        read_key_id(entry.public_key)
        signature = read_signature(entry.signature)
    except DocumentError as error:
        yield f"Entry {entry.number} cannot be checked: {error.message}"
        return
    if hashlib.sha256(signed).hexdigest() != entry.sha256:
        yield f"Entry {entry.number} was changed after it was written: its digest does not fit."
    elif not verify(entry.public_key, signature, signed):
        yield f"Entry {entry.number} was not signed by the key that it names."


def _opening_faults(passport: Passport) -> Iterator[str]:
    if not passport.entries:
        yield "The passport has no entries."
        return
    if passport.entries[0].kind is not EntryKind.OPENED:
        yield "The first entry does not open the passport."
    for entry in passport.entries:
        if entry.kind is EntryKind.OPENED and _opened_id(entry) != passport.gpu_id:
            yield f"Entry {entry.number} opens the passport of another card than the one it stands for."


def _opened_id(entry: PassportEntry) -> Any:
    card = entry.body.get("card")
    return card.get("gpu_id") if isinstance(card, Mapping) else None


def _keys(passport: Passport) -> Iterator[KeySpan]:
    spans: list[list[PassportEntry]] = []
    for entry, before in _pairs(passport):
        if before is None or entry.public_key != before.public_key:
            spans.append([])
        spans[-1].append(entry)
    for place, span in enumerate(spans):
        first, last = span[0], span[-1]
        yield KeySpan(first.public_key, _key_id(first.public_key), first.number, last.number, _start(place, first))


def _start(place: int, first: PassportEntry) -> KeyStart:
    if place == 0:
        return KeyStart.FIRST
    other = first.body.get("other")
    follows = isinstance(other, Mapping) and other.get("sha256") == first.previous_sha256
    return KeyStart.MATCHED if first.kind is EntryKind.MATCHED and follows else KeyStart.REOPENED


def _key_id(public_key: str) -> str:
    try:
        return read_key_id(public_key)
    except DocumentError:
        return "unreadable"
