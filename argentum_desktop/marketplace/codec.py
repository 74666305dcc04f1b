"""JSON in and out of the wire types, with everything checked that a hostile sender could bend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import TypeVar

import msgspec

T = TypeVar("T")

# What a 64-bit float holds exactly: every other language reads the same number, and every database stores it.
LARGEST_INT = 2**53


class WireFormatError(ValueError):
    """These bytes are not the value they should be; the message says where."""


def encode(value: object) -> bytes:
    """A wire value as JSON."""
    return msgspec.json.encode(value)


def decode(kind: type[T], data: bytes) -> T:
    """Read a wire value; fields that are not known are skipped.

    Raises:
        WireFormatError: not JSON, or not a value of this kind.
    """
    try:
        value = msgspec.json.decode(data, type=kind)
    except RecursionError as error:
        raise WireFormatError("nested too deeply") from error
    except (msgspec.MsgspecError, ValueError, TypeError) as error:
        raise WireFormatError(str(error)) from error
    _check(value, "$")
    return value


def _check(value: object, path: str) -> None:
    """Refuse numbers that do not fit, instants without a zone and text that is no Unicode."""
    if isinstance(value, int) and abs(value) > LARGEST_INT:
        raise WireFormatError(f"the number is too large - at `{path}`")
    if isinstance(value, datetime) and value.tzinfo is None:
        raise WireFormatError(f"the time has no zone - at `{path}`")
    if isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _check(key, path)
            _check(item, f"{path}[...]")
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            _check(item, f"{path}[{index}]")
    elif is_dataclass(value):
        for field in fields(value):
            _check(getattr(value, field.name), f"{path}.{field.name}")


def _check_text(value: str, path: str) -> None:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise WireFormatError(f"the text is not Unicode - at `{path}`") from error
