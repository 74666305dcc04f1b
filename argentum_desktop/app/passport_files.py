"""Passports as files: what is kept of a card written out, and what came from elsewhere read and verified."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.passport import Passport
from argentum_desktop.errors import BadInputError, DocumentError, PassportError
from argentum_desktop.health.passport.codec import write_passport
from argentum_desktop.health.passport.page import page_html
from argentum_desktop.health.passport.page_content import passport_page
from argentum_desktop.health.passport.trust import Readers
from argentum_desktop.health.passport.verify import Verification, verify_file, verify_passport
from argentum_desktop.identity.keys import load_or_create
from argentum_desktop.identity.sealed import read_key_id
from argentum_desktop.paths import Home
from argentum_desktop.store import migrations, passports
from argentum_desktop.store.database import Database
from argentum_desktop.store.known_markets import known_markets
from argentum_desktop.system.zone import owners_zone

T = TypeVar("T")

SUFFIXES = (".json", ".html", ".pdf")


def kept_passport(home: Home, wanted: str | None) -> Verification:
    """The passport of a card of this computer, also of one that was taken out; by its id or the beginning of it.

    Raises:
        PassportError: there is none, or more than one is meant.
    """
    if not home.agent_db.exists():
        raise _none_yet()

    def read(connection: Connection) -> Passport:
        found = passports.read(connection, _chosen(passports.cards(connection), wanted))
        if found is None:
            raise _none_yet()
        return found

    passport, markets = asyncio.run(_asked(home, lambda connection: (read(connection), known_markets(connection))))
    return verify_passport(passport, Readers(_own_key(home), markets))


def verified(home: Home, file: Path, market_keys: Sequence[str] = ()) -> Verification:
    """What a passport's file shows to whoever sits at this computer.

    Args:
        market_keys: public keys (base64) that the reader knows to be markets', besides those it has worked for.

    Raises:
        PassportError: it is no passport.
        BadInputError: one of the keys is none.
    """
    markets = asyncio.run(_asked(home, known_markets)) if home.agent_db.exists() else {}
    for key in market_keys:
        try:
            read_key_id(key)
        except DocumentError as error:
            raise BadInputError(f"{key[:60]!r} is no public key.", "A market names its own under /v1/meta.") from error
        markets.setdefault(key, "you named")
    return verify_file(file, Readers(_own_key(home), markets))


def writable_form(file: Path) -> str:
    """The ending of a name under which a passport can be written: which form it is to have.

    Raises:
        BadInputError: the file is there already, or its name ends in nothing that is known.
    """
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadInputError(
            f"{file.name} does not say in which form the passport is wanted.",
            f"End the name in one of {', '.join(SUFFIXES)}.",
        )
    if file.exists():
        raise BadInputError(f"{file} is there already.", "Name another file, or move that one away.")
    return suffix


def export_passport(passport: Verification, file: Path, timezone: str = "") -> None:
    """Write it in the form that the name's ending says: JSON to verify, HTML or PDF to read.

    Raises:
        BadInputError: the file is there already, or cannot be written, or its name ends in nothing that is known.
    """
    suffix = writable_form(file)
    if suffix == ".json":
        _write(file, write_passport(passport.passport))
        return
    page = passport_page(passport, owners_zone(timezone), made_at=SystemClock().now())
    if suffix == ".html":
        _write(file, page_html(page).encode("utf-8"))
        return
    from argentum_desktop.ui.printing import write_pdf_alone

    write_pdf_alone(page, file)


async def _asked(home: Home, question: Callable[[Connection], T]) -> T:
    database = Database(home.agent_db, migrations.AGENT, durable=True)
    try:
        await database.open()
        return await database.read(question)
    finally:
        await database.close()


def _own_key(home: Home) -> str | None:
    """This computer's own, once it has one."""
    return load_or_create(home.device_key).public_key if home.device_key.exists() else None


def _chosen(cards: list[str], wanted: str | None) -> str:
    if not cards:
        raise _none_yet()
    close = [card for card in cards if wanted is None or card.startswith(wanted)]
    found = [card for card in cards if card == wanted] or close
    if len(found) == 1:
        return found[0]
    problem = "More than one card has a passport here" if wanted is None or found else "No such card has one here"
    raise PassportError(f"{problem}.", f"Say --gpu with one of: {', '.join(cards)}.")


def _none_yet() -> PassportError:
    return PassportError("No card of this computer has a passport yet.", "Begin one: argentum-desktop check")


def _write(file: Path, data: bytes) -> None:
    """Whole or not at all."""
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    try:
        draft.write_bytes(data)
        draft.replace(file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise BadInputError(
            f"{file} cannot be written ({error.strerror}).", "Name a folder that exists and that you may write to."
        ) from error
