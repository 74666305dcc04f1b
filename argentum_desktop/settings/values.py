"""One value of the settings file: from TOML to the declared type and back, with what is wrong said in words. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from decimal import Decimal
from typing import Any, get_args, get_origin, get_type_hints

from argentum_desktop.settings.declaration import Declaration

# Plain digits only: what Python reads as a number besides (1_000, ٣, Infinity) nobody means.
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?")
_LONGEST_SHOWN = 40
LONGEST_LIST = 1000


def record(kind: type[Any], declared: Mapping[str, Declaration], table: Mapping[str, Any], prefix: str) -> Any:
    """A frozen dataclass from a table of the file.

    Raises:
        ValueError: names the field, after `prefix`, and what is wrong with it.
    """
    refuse_unknown(table, declared, f"{prefix}{{}}")
    types = get_type_hints(kind)
    values = {}
    for key, raw in table.items():
        try:
            values[key] = value(raw, types[key], declared[key])
        except ValueError as error:
            raise ValueError(f"{prefix}{key} {error}") from error
    for setting in fields(kind):
        if setting.name not in values and _is_required(setting):
            raise ValueError(f"{prefix}{setting.name} is missing")
    return kind(**values)


def value(raw: Any, wanted: Any, declared: Declaration) -> Any:
    """One raw TOML value as the declared type, within the declared range.

    Raises:
        ValueError: what is wrong with it, to be said after the field's name.
    """
    if get_origin(wanted) is tuple:
        return _entries(raw, get_args(wanted)[0], declared)
    if wanted is bool:
        if not isinstance(raw, bool):
            raise ValueError("must be true or false")
        return raw
    number = next((kind for kind in (int, Decimal) if wanted is kind or kind in get_args(wanted)), None)
    if number is not None:
        return _number(raw, number, declared)
    return _text(raw, declared)


def plain(value_: Any) -> Any:
    """The value as it stands in the file: an entry is text where its text says it all, else a table."""
    if isinstance(value_, tuple):
        return [plain(entry) for entry in value_]
    if isinstance(value_, str | int):
        return value_
    if isinstance(value_, Decimal):
        return f"{value_:f}" if value_ else "0"
    parse = getattr(type(value_), "parse", None)
    if parse is None or parse(str(value_)) == value_:
        return str(value_)
    chosen = {setting.name: getattr(value_, setting.name) for setting in fields(value_)}
    defaults = {setting.name: setting.default for setting in fields(value_)}
    return {key: plain(entry) for key, entry in chosen.items() if entry != defaults[key]}


def shown(raw: Any) -> str:
    """The value as it stands in the file, short enough for a sentence."""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, int) and abs(raw) >= 10**_LONGEST_SHOWN:
        return "a number of that many digits"
    text = ascii(raw).replace('"', "'") if isinstance(raw, str) and not raw.isprintable() else str(raw)
    text = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
    return f'"{text}"' if isinstance(raw, str) else text


def refuse_unknown(given: Mapping[str, Any], known: Mapping[str, Any], words: str) -> None:
    for key in given:
        if key not in known:
            name = key if key.isprintable() and len(key) <= _LONGEST_SHOWN else shown(key)
            raise ValueError(f"{words.format(name)} is not known{suggestion(key, known)}")


def suggestion(word: str, known: Mapping[str, Any] | list[str]) -> str:
    near = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {near[0]}?" if near else ""


def _is_required(setting: Field[Any]) -> bool:
    return setting.default is MISSING and setting.default_factory is MISSING


def _text(raw: Any, declared: Declaration) -> Any:
    if not isinstance(raw, str):
        raise ValueError("must be text in quotes")
    if declared.choices and raw not in declared.choices:
        raise ValueError(f"must be one of {', '.join(declared.choices)}, not {shown(raw)}")
    if not raw.isprintable():
        raise ValueError("must be plain text without control characters")
    return _parsed(raw, declared)


def _parsed(text: str, declared: Declaration) -> Any:
    if declared.parse is None:
        return text
    try:
        return declared.parse(text)
    except ValueError as error:
        raise ValueError(f"cannot be used: {_in_short(text, str(error))}") from error


def _in_short(text: str, words: str) -> str:
    """A sentence that quotes the text, which may be of any length."""
    return words.replace(text, f"{text[:_LONGEST_SHOWN]}…") if len(text) > 2 * _LONGEST_SHOWN else words


def _entries(raw: Any, kind: Any, declared: Declaration) -> tuple[Any, ...]:
    allowed = (str, Mapping) if declared.table is not None else (str,)
    if not isinstance(raw, list) or not all(isinstance(entry, allowed) for entry in raw):
        raise ValueError("must be a list of texts in quotes" + (" or tables in braces" if declared.table else ""))
    if not all(entry.isprintable() for entry in raw if isinstance(entry, str)):
        raise ValueError("must be a list of texts in quotes, without control characters")
    if len(raw) > LONGEST_LIST:
        raise ValueError(f"must have at most {LONGEST_LIST} entries, not {len(raw)}")
    return tuple(
        _parsed(entry, declared)
        if isinstance(entry, str)
        else record(kind, declared.table or {}, entry, f"cannot be used: in entry {place} ")
        for place, entry in enumerate(raw, 1)
    )


def _number(raw: Any, wanted: type[int | Decimal], declared: Declaration) -> int | Decimal:
    """Amounts may stand in quotes, as they are written by default; counts may not."""
    kind = "a whole number" if wanted is int else "a number"
    if isinstance(raw, bool) or not isinstance(raw, int | Decimal | str) or (wanted is int and isinstance(raw, str)):
        raise ValueError(f"must be {kind}, not {shown(raw)}")
    if isinstance(raw, int):
        number = Decimal(raw)
    elif _NUMBER.fullmatch(str(raw)):
        number = Decimal(str(raw))
    else:
        raise ValueError(f"must be {kind}, not {shown(raw)}")
    if not _within(number, declared):
        unit = f" {declared.unit}" if declared.unit else ""
        raise ValueError(f"must lie between {declared.low} and {declared.high}{unit}, not {shown(raw)}")
    if wanted is Decimal:
        return number
    if number != number.to_integral_value():
        raise ValueError(f"must be {kind}, not {shown(raw)}")
    return int(number)


def _within(number: Decimal, declared: Declaration) -> bool:
    above = declared.low is None or number >= declared.low
    return above and (declared.high is None or number <= declared.high)
