"""What is declared of one setting: the words, the unit and the range beside its type and default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field
from decimal import Decimal
from typing import Any

_KEY = "setting"


@dataclass(frozen=True)
class Declaration:
    """What is known of one setting besides its type and default.

    Attributes:
        parse: makes the value, or each entry of a list, from its text; raises ValueError in words for the owner. The
            way back is `str`.
        table: what an entry may be written with as a table, by key: the fields of the entry's class.
    """

    title: str
    help: str
    unit: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    choices: tuple[str, ...] = ()
    parse: Callable[[str], Any] | None = None
    table: Mapping[str, Declaration] | None = None


def setting(
    default: Any,
    title: str,
    help: str,  # noqa: A002 - the field's own word, as everywhere in this field
    *,
    unit: str = "",
    low: str | None = None,
    high: str | None = None,
    choices: tuple[str, ...] = (),
    parse: Callable[[str], Any] | None = None,
    table: Mapping[str, Declaration] | None = None,
) -> Any:
    """A section's field with its declaration."""
    bounds = (Decimal(low) if low is not None else None, Decimal(high) if high is not None else None)
    declared = Declaration(title, help, unit, *bounds, choices, parse, table)
    return field(default=default, metadata={_KEY: declared})


def declaration(declared: Field[Any]) -> Declaration:
    """The declaration behind a section's field."""
    found: Declaration = declared.metadata[_KEY]
    return found
