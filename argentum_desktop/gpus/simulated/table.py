"""One table of a scenario file, asked key by key; what nobody asked for is refused by name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

Word = TypeVar("Word", bound=StrEnum)

LONGEST_TEXT = 200
LONGEST_SHOWN = 40


class Table:
    """A table and where it stands. Every method raises ValueError with words that name the place."""

    def __init__(self, raw: Mapping[str, Any], place: str) -> None:
        self.place = place
        self._raw = raw
        self._asked: list[str] = []

    def has(self, key: str) -> bool:
        return key in self._raw

    def number(self, key: str, default: float | None, low: float, high: float) -> float:
        """A number in the range; without a default it must be there."""
        value = self._get(key, default)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:
            raise ValueError(f"{self._at(key)} must be a number from {low:g} to {high:g}, not {_shown(value)}")
        return float(value)

    def whole(self, key: str, default: int | None, low: int, high: int) -> int:
        value = self._get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"{self._at(key)} must be a whole number from {low} to {high}, not {_shown(value)}")
        return value

    def text(self, key: str, default: str | None) -> str:
        value = self._get(key, default)
        if not isinstance(value, str) or not value.isprintable() or len(value) > LONGEST_TEXT:
            raise ValueError(f"{self._at(key)} must be one line of text, not {_shown(value)}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._get(key, default)
        if not isinstance(value, bool):
            raise ValueError(f"{self._at(key)} must be true or false, not {_shown(value)}")
        return value

    def word(self, key: str, words: type[Word], default: Word) -> Word:
        return words(one_of(self.text(key, default.value), [word.value for word in words], self._at(key)))

    def tables(self, key: str) -> Sequence[Mapping[str, Any]]:
        value = self._get(key, [])
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise ValueError(f"{self._at(key)} must be a list of tables")
        return value

    def refuse_others(self) -> None:
        """Refuse keys that nobody has asked for."""
        for key in self._raw:
            if key not in self._asked:
                one_of(key, self._asked, f"{self.place}: the key" if self.place else "the key")

    def _get(self, key: str, default: object) -> Any:
        self._asked.append(key)
        value = self._raw.get(key, default)
        if value is None:
            raise ValueError(f"{self._at(key)} is missing")
        return value

    def _at(self, key: str) -> str:
        return f"{self.place}: {key}" if self.place else key


def one_of(word: str, known: Sequence[str], place: str) -> str:
    """The word, if it is known.

    Raises:
        ValueError: it is not; with the nearest one that is.
    """
    if word in known:
        return word
    near = difflib.get_close_matches(word, known, 1)
    meant = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(set(known)))}"
    raise ValueError(f"{place} {_shown(word)} is not known ({meant})")


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # a number with more digits than Python writes out
        return "that"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
