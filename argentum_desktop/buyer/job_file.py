"""`job.toml`: a job as its buyer writes it down. Every wrong field gives one sentence that names it."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from argentum_desktop.buyer.oci_archive import describe
from argentum_desktop.domain.job import Artifact, JobSpec, Limits, is_safe_name
from argentum_desktop.domain.money import Money
from argentum_desktop.errors import BadInputError

_FIELDS = {
    "title",
    "image",
    "command",
    "env",
    "inputs",
    "output",
    "max_price_per_hour",
    "currency",
    "limits",
}
_LARGEST_FILE = 256 * 1024
_READ_BYTES = 1024 * 1024


@dataclass(frozen=True)
class JobDraft:
    """A job file that has been read and checked; its files are where it says.

    Attributes:
        files: by digest, the image and the inputs on this machine.
        output: where the job's outputs are to be put.
        currency: the one asked for, None for the market's own.
    """

    title: str
    image: Artifact
    image_digest: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    inputs: tuple[Artifact, ...]
    limits: Limits
    price: str
    currency: str | None
    files: Mapping[str, Path]
    output: Path

    def spec(self, currency: str) -> JobSpec:
        """The job for a market that pays in `currency`.

        Raises:
            BadInputError: the job wants another currency, or cannot be asked for like this.
        """
        if self.currency not in {None, currency}:
            raise BadInputError(f"currency is {self.currency}, and this market pays in {currency}.", "Change one.")
        try:
            return JobSpec(
                title=self.title,
                image=self.image,
                image_digest=self.image_digest,
                command=self.command,
                max_price_per_hour=Money.parse(self.price, currency),
                env=self.env,
                inputs=self.inputs,
                limits=self.limits,
            )
        except ValueError as error:
            raise BadInputError(f"The job cannot be asked for like this: {error}.", "Correct the job file.") from error


def read_job(path: Path) -> JobDraft:
    """Read a job file and everything that it names; paths are relative to it.

    Raises:
        BadInputError: what is wrong, and in which field.
    """
    return _JobFile(path, _parse(path)).draft()


class _JobFile:
    """One parsed job file."""

    def __init__(self, path: Path, values: dict[str, Any]) -> None:
        self._path = path
        self._folder = path.parent
        self._values = values
        self._files: dict[str, Path] = {}
        for name in values.keys() - _FIELDS:
            raise self._wrong(f"there is no field {name!r}; known are {', '.join(sorted(_FIELDS))}")

    def draft(self) -> JobDraft:
        image_path = self._folder / self._text("image")
        description = describe(image_path)
        draft = JobDraft(
            title=self._text("title"),
            image=self._artifact("image", "image.tar", image_path),
            image_digest=description.digest,
            command=self._command(description.command),
            env=self._env(),
            inputs=tuple(self._artifact("inputs", name, source) for name, source in self._inputs().items()),
            limits=self._limits(),
            price=self._price(),
            currency=self._text("currency") if "currency" in self._values else None,
            files=self._files,
            output=self._folder / (self._text("output") if "output" in self._values else "output"),
        )
        draft.spec(draft.currency or "EUR")
        return draft

    def _text(self, name: str) -> str:
        value = self._values.get(name)
        if not isinstance(value, str) or not value:
            raise self._wrong(f"{name} must be a text")
        return value

    def _price(self) -> str:
        text = self._text("max_price_per_hour")
        try:
            if Money.parse(text, "EUR").micros <= 0:
                raise ValueError
        except ValueError as error:
            raise self._wrong(f'max_price_per_hour must be an amount such as "0.40", not {text!r}') from error
        return text

    def _command(self, of_image: tuple[str, ...]) -> tuple[str, ...]:
        value = self._values.get("command", list(of_image))
        if not isinstance(value, list) or not value or not all(isinstance(part, str) for part in value):
            raise self._wrong('command must be a list of texts, such as ["python3", "/in/run.py"]')
        return tuple(value)

    def _env(self) -> dict[str, str]:
        value = self._values.get("env", {})
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise self._wrong("env must be a table of texts")
        return dict(value)

    def _inputs(self) -> dict[str, Path]:
        """Name under `/in` → file; a list takes each file's own name."""
        value = self._values.get("inputs", [])
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            named = [(Path(item).name, item) for item in value]
        elif isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
            named = list(value.items())
        else:
            raise self._wrong("inputs must be a list of paths, or a table of name = path")
        for name, _ in named:
            if not is_safe_name(name):
                raise self._wrong(f"inputs: {name!r} is not a plain file name")
        if len({name.lower() for name, _ in named}) != len(named):
            raise self._wrong("inputs: two files have the same name")
        return {name: self._folder / item for name, item in named}

    def _limits(self) -> Limits:
        value = self._values.get("limits", {})
        known = {field.name for field in fields(Limits)}
        if not isinstance(value, dict):
            raise self._wrong("limits must be a table")
        for name, number in value.items():
            if name not in known:
                raise self._wrong(f"limits has no field {name!r}; known are {', '.join(sorted(known))}")
            if not isinstance(number, int) or isinstance(number, bool):
                raise self._wrong(f"limits.{name} must be a whole number")
        try:
            return Limits(**value)
        except ValueError as error:
            raise self._wrong(f"limits.{error}") from error

    def _artifact(self, field: str, name: str, source: Path) -> Artifact:
        try:
            sha256, size_bytes = digest_of_file(source)
        except OSError as error:
            raise self._wrong(f"{field}: {source} cannot be read ({error.strerror})") from error
        self._files[sha256] = source
        return Artifact(name, sha256, size_bytes)

    def _wrong(self, why: str) -> BadInputError:
        return BadInputError(f"The job file {self._path} cannot be used: {why}.", "Correct it and try again.")


def digest_of_file(path: Path) -> tuple[str, int]:
    """SHA-256 and size, without holding the file in memory."""
    hasher, size_bytes = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            hasher.update(chunk)
            size_bytes += len(chunk)
    return hasher.hexdigest(), size_bytes


def _parse(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise BadInputError(f"The job file {path} is too large.", "It must be a small TOML file.")
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadInputError(f"The job file {path} cannot be read ({error.strerror}).", "Check the path.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInputError(f"The job file {path} is not TOML: {error}.", "Correct it and try again.") from error
