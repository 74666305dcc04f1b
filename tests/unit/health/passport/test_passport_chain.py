"""The chain: every edit, gap, swap and splice is found, and a passport changes hands only openly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from passport_samples import (
    BUYER,
    OPENED_AT,
    SELLER,
    a_passport,
    a_whole_passport,
    checked,
    extended,
    repaired,
    with_entry,
    without,
    worked,
)

from argentum_desktop.domain.passport import EntryKind, Passport, PassportEntry
from argentum_desktop.errors import DocumentError, PassportError
from argentum_desktop.health.passport.chain import KeyStart, needs_opening, next_entry, opening_body, verify_chain
from argentum_desktop.health.passport.codec import card_of, read_passport, write_passport

PASSPORT = a_whole_passport()
WRITTEN = write_passport(PASSPORT)


def test_an_honest_chain_is_whole() -> None:
    state = verify_chain(PASSPORT)
    assert state.is_whole
    assert (state.entries, state.head_sha256) == (5, PASSPORT.entries[-1].sha256)
    (key,) = state.keys
    assert (key.key_id, key.first_number, key.last_number, key.start) == (SELLER.key_id, 1, 5, KeyStart.FIRST)


def test_entries_are_numbered_bound_and_in_utc() -> None:
    tokyo = OPENED_AT.astimezone(timezone(timedelta(hours=9)))
    passport = a_passport(repaired(), opened_at=tokyo)
    assert [entry.number for entry in passport.entries] == [1, 2]
    assert passport.entries[0].previous_sha256 == "0" * 64
    assert passport.entries[1].previous_sha256 == passport.entries[0].sha256
    assert passport.entries[0].at.utcoffset() == timedelta(0)
    assert verify_chain(passport).is_whole


EDITS: dict[str, Callable[[PassportEntry], PassportEntry]] = {
    "number": lambda entry: replace(entry, number=entry.number + 1),
    "at": lambda entry: replace(entry, at=entry.at + timedelta(microseconds=1)),
    "kind": lambda entry: replace(entry, kind=EntryKind.REPAIR if entry.kind is EntryKind.DAY else EntryKind.DAY),
    "body": lambda entry: replace(entry, body={**entry.body, "more": 1}),
    "previous_sha256": lambda entry: replace(entry, previous_sha256="1" * 64),
    "sha256": lambda entry: replace(entry, sha256="2" * 64),
    "public_key": lambda entry: replace(entry, public_key=BUYER.public_key),
    "signature": lambda entry: replace(entry, signature=PASSPORT.entries[entry.number % 5].signature),
}


@pytest.mark.parametrize("number", [1, 3, 5])
@pytest.mark.parametrize("field", [field.name for field in fields(PassportEntry)])
def test_every_edited_field_is_found_and_named(field: str, number: int) -> None:
    edited = EDITS[field](PASSPORT.entries[number - 1])
    entries = [edited if entry.number == number else entry for entry in PASSPORT.entries]
    state = verify_chain(replace(PASSPORT, entries=tuple(entries)))
    assert not state.is_whole
    assert f"ntry {edited.number}" in " ".join(state.problems)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(WRITTEN) - 1), st.integers(1, 255))
def test_no_changed_byte_of_a_file_goes_unnoticed(place: int, change: int) -> None:
    edited = bytearray(WRITTEN)
    edited[place] ^= change
    try:
        found = read_passport(bytes(edited))
    except DocumentError:
        return
    # A line break that became a space, or the like, is no edit.
    assert found == PASSPORT or not verify_chain(found).is_whole


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for key in value for leaf in _leaves(value[key], (*path, key))]
    if isinstance(value, list):
        return [leaf for place, item in enumerate(value) for leaf in _leaves(item, (*path, place))]
    return [path]


LEAVES = [
    (entry.number, path) for entry in PASSPORT.entries for path in _leaves(entry.body) if "samples" not in path[:1]
]


def _changed(value: Any, path: tuple[Any, ...]) -> Any:
    if not path:
        return "changed" if value != "changed" else 1
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _changed(copy[path[0]], path[1:])
    return copy


@pytest.mark.parametrize("kind", [EntryKind.OPENED, EntryKind.CHECK, EntryKind.DAY, EntryKind.REPAIR])
def test_every_field_of_every_body_is_covered(kind: EntryKind) -> None:
    for number, path in LEAVES:
        entry = PASSPORT.entries[number - 1]
        if entry.kind is kind:
            state = verify_chain(with_entry(PASSPORT, number, body=_changed(entry.body, path)))
            assert any(f"Entry {number} was changed" in problem for problem in state.problems), path


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((1,), "Entry 2 stands where entry 1 should"),
        ((3,), "Entry 4 stands where entry 3 should"),
        ((2, 3), "Entry 4 stands where entry 2 should"),
        ((1, 2, 3, 4, 5), "has no entries"),
    ],
)
def test_entries_that_were_left_out_are_missed(numbers: tuple[int, ...], words: str) -> None:
    assert any(words in problem for problem in verify_chain(without(PASSPORT, *numbers)).problems)


def test_two_entries_cannot_change_places() -> None:
    one, two, *rest = PASSPORT.entries
    assert not verify_chain(replace(PASSPORT, entries=(two, one, *rest))).is_whole


def test_an_entry_that_was_written_anew_with_the_same_key_does_not_fit() -> None:
    """The owner has the key, but what follows names what stood there."""
    first, *_, last = PASSPORT.entries
    better = next_entry(first, *repaired("Nothing ever happened."), PASSPORT.entries[1].at, SELLER)
    state = verify_chain(replace(PASSPORT, entries=(first, better, *PASSPORT.entries[2:])))
    assert state.problems == ("Entry 3 does not follow entry 2: one of them was replaced.",)
    assert last.number == 5


def test_the_entries_of_another_card_cannot_be_lent() -> None:
    other = replace(card_of(PASSPORT.entries[0].body), gpu_id="GPU-other")
    theirs = a_passport(checked(), card=other)
    assert not verify_chain(replace(PASSPORT, entries=(PASSPORT.entries[0], *theirs.entries[1:]))).is_whole
    renamed = verify_chain(replace(theirs, gpu_id=PASSPORT.gpu_id))
    assert renamed.problems == ("Entry 1 opens the passport of another card than the one it stands for.",)


def test_a_passport_must_be_opened() -> None:
    opened = a_passport()
    unopened = next_entry(replace(opened.entries[0], number=0, sha256="0" * 64), *repaired(), OPENED_AT, SELLER)
    assert verify_chain(Passport(opened.gpu_id, (unopened,))).problems == (
        "The first entry does not open the passport.",
    )


def test_another_key_must_hand_over_openly() -> None:
    assert needs_opening(None, SELLER)
    assert not needs_opening(PASSPORT.entries[-1], SELLER)
    assert needs_opening(PASSPORT.entries[-1], BUYER)
    with pytest.raises(PassportError, match="written with another key"):
        next_entry(PASSPORT, *worked(), OPENED_AT, BUYER)


def test_a_key_that_took_over_without_a_word_is_found() -> None:
    """Somebody's own program may write what ours refuses to."""
    pretended = replace(PASSPORT.entries[-1], public_key=BUYER.public_key)
    stolen = next_entry(pretended, *repaired(), OPENED_AT, BUYER)
    state = verify_chain(replace(PASSPORT, entries=(*PASSPORT.entries, stolen)))
    assert state.problems == ("Entry 6 was written with another key than the one before, without a handing over.",)


def test_a_life_goes_on_under_the_next_key() -> None:
    last = PASSPORT.entries[-1]
    matched = (EntryKind.MATCHED, {"verdict": "same_card", "other": {"sha256": last.sha256}})
    handed = extended(PASSPORT, matched, checked(), identity=BUYER)
    state = verify_chain(handed)
    assert state.is_whole
    assert [(key.key_id, key.first_number, key.last_number, key.start) for key in state.keys] == [
        (SELLER.key_id, 1, 5, KeyStart.FIRST),
        (BUYER.key_id, 6, 7, KeyStart.MATCHED),
    ]


@pytest.mark.parametrize(
    "step",
    [
        (EntryKind.OPENED, opening_body(card_of(PASSPORT.entries[0].body))),
        (EntryKind.MATCHED, {"verdict": "same_card"}),
        (EntryKind.MATCHED, {"verdict": "same_card", "other": {"sha256": "3" * 64}}),
    ],
)
def test_a_taking_over_without_this_passport_is_no_comparison(step: tuple[EntryKind, dict[str, Any]]) -> None:
    state = verify_chain(extended(PASSPORT, step, identity=BUYER))
    assert state.is_whole
    assert state.keys[-1].start is KeyStart.REOPENED


def test_an_entry_has_a_limit() -> None:
    with pytest.raises(PassportError, match="at most 1024 KiB"):
        next_entry(PASSPORT, EntryKind.REPAIR, {"words": "x" * 2**20}, OPENED_AT, SELLER)


def test_a_fraction_is_never_written() -> None:
    with pytest.raises(DocumentError, match="float"):
        next_entry(PASSPORT, EntryKind.REPAIR, {"words": 0.5}, OPENED_AT, SELLER)
