"""The canonical form and the seal: one way to write a value, and no edit that goes unnoticed."""

from __future__ import annotations

import base64
import json
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argentum_desktop.errors import DocumentError
from argentum_desktop.identity.canonical import LARGEST_NUMBER, canonical_json, read_json
from argentum_desktop.identity.keys import Identity
from argentum_desktop.identity.sealed import SCHEMA, open_seal, seal

IDENTITY = Identity.generate()
OTHER = Identity.generate()

LEAVES = (
    st.none() | st.booleans() | st.integers(-LARGEST_NUMBER, LARGEST_NUMBER) | st.text(st.characters(codec="utf-8"))
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=12,
)
PAYLOADS = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), VALUES, max_size=4)


def test_keys_stand_in_the_order_of_rfc_8785() -> None:
    """Its section 3.2.3: sorted by UTF-16 code units, so that an emoji comes before U+FB33."""
    unsorted = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    in_order = [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]
    assert list(json.loads(canonical_json(unsorted)).values()) == in_order


def test_text_and_literals_are_written_as_in_rfc_8785() -> None:
    """The text and the literals of the sample in its section 3.2.2."""
    value = {"string": '\u20ac$\u000f\nA\'B"\\\\"/', "literals": [None, True, False]}
    assert canonical_json(value).decode() == (
        '{"literals":[null,true,false],"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


@pytest.mark.parametrize(
    ("character", "written"),
    [
        ("\b", "\\b"),
        ("\t", "\\t"),
        ("\n", "\\n"),
        ("\f", "\\f"),
        ("\r", "\\r"),
        ("\x00", "\\u0000"),
        ("\x1f", "\\u001f"),
        ('"', '\\"'),
        ("\\", "\\\\"),
        ("/", "/"),
        ("\x7f", "\x7f"),
        ("\u2028", "\u2028"),
        ("\U0001f600", "\U0001f600"),
    ],
)
def test_only_what_must_be_is_escaped(character: str, written: str) -> None:
    assert canonical_json(character).decode() == f'"{written}"'


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "0"), (-0, "0"), (LARGEST_NUMBER, "9007199254740992"), (-LARGEST_NUMBER, "-9007199254740992")],
)
def test_whole_numbers_of_appendix_b(number: int, written: str) -> None:
    assert canonical_json(number).decode() == written


class _Word(StrEnum):
    ONE = "one"


class _Number(IntEnum):
    TWO = 2


def test_what_only_looks_otherwise_is_written_the_same() -> None:
    plain = {"a": [1, "one", 2], "b": {"c": None}}
    dressed = MappingProxyType({"b": MappingProxyType({"c": None}), "a": (1, _Word.ONE, _Number.TWO)})
    assert canonical_json(dressed) == canonical_json(plain)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1.0, "no canonical form (float)"),
        ([float("nan")], "no canonical form (float)"),
        ({"a": {1, 2}}, "no canonical form (set)"),
        (b"bytes", "no canonical form (bytes)"),
        ({1: 2}, "key that is not text"),
        (LARGEST_NUMBER + 1, "beyond 2^53"),
        ([1, None, -LARGEST_NUMBER - 1], "beyond 2^53"),
        ([1, 2.0], "no canonical form (float)"),
        ("\ud800", "no Unicode"),
        ({"\udc00": 1}, "no Unicode"),
    ],
)
def test_what_has_no_canonical_form_is_refused(value: Any, words: str) -> None:
    with pytest.raises(DocumentError, match=words.replace("(", r"\(").replace(")", r"\)").replace("^", r"\^")):
        canonical_json(value)


def test_a_value_within_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(DocumentError, match="nested deeper"):
        canonical_json(endless)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"a":1,"a":1}', "names one key twice"),
        (b'[{"x":{"a":1,"\\u0061":2}}]', "names one key twice"),
        (b"[1.5]", "not whole"),
        (b"[1e2]", "not whole"),
        (b"[NaN]", "not whole"),
        (b"[-Infinity]", "not whole"),
        (b"[" * 200_000, "nested deeper"),
        (b'{"a":' * 100_000, "nested deeper"),
        (b"[" * 60 + b"]" * 60, "nested deeper"),
        (b"9" * 5000, "beyond 2"),
        (b"9007199254740993", "beyond 2"),
        (b'"\\ud83d"', "no Unicode"),
        (b"\xff\xfe[]", "UTF-8"),
        (b"\xef\xbb\xbf[]", "not JSON"),
        (b"", "not JSON"),
        (b"[1] [2]", "not JSON"),
        (b"[1,]", "not JSON"),
        (b'"\x01"', "not JSON"),
        (b'"' + b"a" * 2000 + b'"', "larger than 1 KiB"),
    ],
)
def test_a_hostile_document_is_one_sentence(data: bytes, words: str) -> None:
    largest = 1024 if b"aaaa" in data else 2**20
    with pytest.raises(DocumentError, match=words) as caught:
        read_json(data, largest_bytes=largest)
    assert caught.value.message.count(". ") == 0
    assert len(caught.value.message) < 120


@given(VALUES)
def test_a_value_comes_back_from_its_canonical_form_which_stays(value: Any) -> None:
    written = canonical_json(value)
    read = read_json(written)
    assert read == value
    assert canonical_json(read) == written


@given(VALUES)
def test_it_does_not_matter_how_the_document_was_written(value: Any) -> None:
    other = json.dumps(value, indent=3, ensure_ascii=True).encode()
    assert canonical_json(read_json(other)) == canonical_json(value)


@given(PAYLOADS)
def test_what_was_sealed_opens(payload: dict[str, Any]) -> None:
    document = seal(payload, IDENTITY)
    for form in (document, json.dumps(document, indent=1).encode()):
        opened = open_seal(form)
        assert opened.payload == payload
        assert (opened.public_key, opened.key_id) == (IDENTITY.public_key, IDENTITY.key_id)


DOCUMENT = seal({"grade": "A", "checks": [{"id": "memory", "value": 0}, True, None], "word": "sound"}, IDENTITY)
WRITTEN = canonical_json(DOCUMENT)


@settings(max_examples=400)
@given(st.integers(0, len(WRITTEN) - 1), st.integers(1, 255))
def test_no_changed_byte_goes_unnoticed(place: int, change: int) -> None:
    edited = bytearray(WRITTEN)
    edited[place] ^= change
    with pytest.raises(DocumentError):
        open_seal(bytes(edited))


@given(st.integers(0, len(WRITTEN) - 1), st.integers(1, 30))
def test_nothing_can_be_left_out(place: int, count: int) -> None:
    with pytest.raises(DocumentError):
        open_seal(WRITTEN[:place] + WRITTEN[place + count :])


@given(PAYLOADS, PAYLOADS)
def test_no_other_payload_fits_a_seal(one: dict[str, Any], other: dict[str, Any]) -> None:
    if canonical_json(one) != canonical_json(other):
        with pytest.raises(DocumentError, match="seal is broken"):
            open_seal({**seal(one, IDENTITY), "payload": other})


@pytest.mark.parametrize(
    "change",
    [
        {"public_key": OTHER.public_key},
        {"public_key": ""},
        {"public_key": IDENTITY.public_key + "\n"},
        {"public_key": base64.b64encode(b"short").decode()},
        {"public_key": 7},
        {"signature": seal({"a": 1}, OTHER)["signature"]},
        {"signature": "é" * 88},
        {"signature": None},
        {"schema": "argentum.sealed/2"},
        {"payload": [1]},
        {"payload": None},
        {"extra": 1},
    ],
)
def test_a_changed_envelope_does_not_open(change: dict[str, Any]) -> None:
    with pytest.raises(DocumentError):
        open_seal({**DOCUMENT, **change})


@pytest.mark.parametrize("left_out", ["schema", "payload", "public_key", "signature"])
def test_an_envelope_without_one_of_its_parts_does_not_open(left_out: str) -> None:
    with pytest.raises(DocumentError, match=SCHEMA):
        open_seal({name: part for name, part in DOCUMENT.items() if name != left_out})


def test_base64_is_taken_in_one_form_alone() -> None:
    """The last digit of a signature holds two bits that no byte uses: changing them must not give a second document."""
    signature = DOCUMENT["signature"]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = signature[:-3] + letters[letters.index(signature[-3]) ^ 1] + "=="
    assert base64.b64decode(twin) == base64.b64decode(signature)
    with pytest.raises(DocumentError, match="no usable signature"):
        open_seal({**DOCUMENT, "signature": twin})


def test_a_signature_for_something_else_is_no_seal() -> None:
    """What a key signs elsewhere (a request, a passport's entry) cannot be passed off as a sealed document."""
    envelope = {name: part for name, part in DOCUMENT.items() if name != "signature"}
    bare = base64.b64encode(IDENTITY.sign(canonical_json(envelope))).decode()
    with pytest.raises(DocumentError, match="seal is broken"):
        open_seal({**envelope, "signature": bare})


def test_a_large_document_is_refused_in_both_forms() -> None:
    document = seal({"a": "x" * 5000}, IDENTITY)
    for form in (document, canonical_json(document)):
        with pytest.raises(DocumentError, match="larger than 4 KiB"):
            open_seal(form, largest_bytes=4096)
    assert open_seal(document, largest_bytes=8192).payload == {"a": "x" * 5000}


def test_nothing_without_a_canonical_form_is_sealed() -> None:
    with pytest.raises(DocumentError, match="float"):
        seal({"share": 0.5}, IDENTITY)
