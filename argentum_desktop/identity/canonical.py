"""Plain JSON in one canonical form.

The form is RFC 8785's, for a part of JSON in which nobody can err: objects, lists, text, true, false, null and whole
numbers that every reader keeps exactly. A fraction is refused, because programs write it in different ways.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from argentum_desktop.errors import DocumentError

LARGEST_NUMBER = 2**53
"""Beyond it a reader that keeps numbers as IEEE 754 doubles (RFC 7493) mistakes one for its neighbour."""
LARGEST_BYTES = 1024 * 1024

_DEEPEST = 48
_LEAVES = frozenset({str, bool, type(None)})
_SIMPLE = _LEAVES | {int}
_LONGEST_NUMBER = 17  # a sign and the 16 digits of 2**53
_write = json.JSONEncoder(ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")).encode


def canonical_json(value: Any) -> bytes:
    """The one way to write `value`.

    Raises:
        DocumentError: there is something in it that has no canonical form.
    """
    try:
        return _write(_plain(value, 0)).encode("utf-8")
    except UnicodeEncodeError as error:
        raise _no_unicode() from error


def read_json(data: bytes, *, largest_bytes: int = LARGEST_BYTES) -> Any:
    """The value that `data` is the JSON of, if it has a canonical form. `data` itself may be written in any way.

    Raises:
        DocumentError: too large, not UTF-8, not JSON, or of a kind that `canonical_json` refuses.
    """
    check_size(len(data), largest_bytes)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError("The document is not text in UTF-8.") from error
    try:
        found = _read(text)
        if isinstance(found, (dict, list)):
            _refuse_deep(found, 0)
    except RecursionError as error:
        raise _too_deep() from error
    except json.JSONDecodeError as error:
        raise DocumentError(f"The document is not JSON (line {error.lineno}, column {error.colno}).") from error
    if "\\u" in text:  # only so can half a surrogate pair come in: UTF-8 has none
        canonical_json(found)
    return found


def check_size(size_bytes: int, largest_bytes: int) -> None:
    """
    Raises:
        DocumentError: it is larger.
    """
    if size_bytes > largest_bytes:
        raise DocumentError(f"The document is larger than {largest_bytes // 1024} KiB.")


def _plain(value: Any, depth: int) -> Any:
    """`value` with its objects in canonical order."""
    kind = type(value)
    if kind in _LEAVES or (kind is int and -LARGEST_NUMBER <= value <= LARGEST_NUMBER):
        return value  # most values by far, so they are let through first
    if isinstance(value, int):
        if -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
            return int(value)
        raise _too_large()
    if isinstance(value, str):
        return str.__str__(value)
    if depth >= _DEEPEST:
        raise _too_deep()
    if isinstance(value, (list, tuple)):
        return list(value) if _is_column(value) else [_plain(item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(value[key], depth + 1) for key in _ordered(value)}
    raise DocumentError(f"The document holds a value that has no canonical form ({kind.__name__}).")


def _is_column(values: Sequence[Any]) -> bool:
    """Whether nothing in it needs a second look: a report's samples are columns of hundreds of numbers."""
    if not _SIMPLE.issuperset(map(type, values)):
        return False
    numbers = [value for value in values if type(value) is int]
    return not numbers or (min(numbers) >= -LARGEST_NUMBER and max(numbers) <= LARGEST_NUMBER)


def _refuse_deep(value: Any, depth: int) -> None:
    """What was read holds plain lists and objects alone."""
    if depth >= _DEEPEST:
        raise _too_deep()
    for item in value.values() if type(value) is dict else value:
        if type(item) is dict or type(item) is list:
            _refuse_deep(item, depth + 1)


def _ordered(value: Mapping[Any, Any]) -> list[str]:
    """RFC 8785, 3.2.3: keys are ordered by their UTF-16 code units."""
    try:
        is_ascii = "".join(value).isascii()
    except TypeError as error:
        raise DocumentError("The document holds an object with a key that is not text.") from error
    return sorted(value) if is_ascii else sorted(value, key=_utf_16)


def _utf_16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DocumentError("The document holds an object that names one key twice.")
    return found


def _whole(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise _too_large()
    number = int(text)
    if not -LARGEST_NUMBER <= number <= LARGEST_NUMBER:
        raise _too_large()
    return number


def _fraction(_text: str) -> NoReturn:
    raise DocumentError("The document holds a number that is not whole.")


def _too_large() -> DocumentError:
    return DocumentError("The document holds a number beyond 2^53, which not every reader keeps exactly.")


def _too_deep() -> DocumentError:
    return DocumentError(f"The document is nested deeper than {_DEEPEST} levels.")


def _no_unicode() -> DocumentError:
    return DocumentError("The document holds text that is no Unicode: half of a surrogate pair.")


_read = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_whole, parse_float=_fraction, parse_constant=_fraction
).decode
