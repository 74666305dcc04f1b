"""Passports as files: what is kept of a card written out, and what came from elsewhere read and verified."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.passport import Passport
from argentum_desktop.errors import BadInputError, PassportError
from argentum_desktop.health.passport.codec import write_passport
from argentum_desktop.health.passport.page import page_html
from argentum_desktop.health.passport.page_content import passport_page
from argentum_desktop.health.passport.trust import Readers
from argentum_desktop.health.passport.verify import Verification, verify_file, verify_passport
from argentum_desktop.identity.keys import load_or_create
from argentum_desktop.paths import Home
from argentum_desktop.store import migrations, passports
from argentum_desktop.store.database import Database
from argentum_desktop.system.zone import owners_zone

SUFFIXES = (".json", ".html", ".pdf")


def kept_passport(home: Home, wanted: str | None) -> Passport:
    """The passport of a card of this computer, also of one that was taken out; by its id or the beginning of it.

    Raises:
        PassportError: there is none, or more than one is meant.
    """
    return asyncio.run(_kept(home, wanted))


def verified(home: Home, file: Path) -> Verification:
    """What a passport's file shows to whoever sits at this computer.

    Raises:
        PassportError: it is no passport.
    """
    return verify_file(file, readers_here(home))


def readers_here(home: Home) -> Readers:
    """Whose keys are known here: this computer's own, once it has one."""
    return Readers(load_or_create(home.device_key).public_key if home.device_key.exists() else None)


def export_passport(home: Home, passport: Passport, file: Path, timezone: str = "") -> None:
    """Write it in the form that the name's ending says: JSON to verify, HTML or PDF to read.

    Raises:
        BadInputError: the file is there already, or cannot be written, or its name ends in nothing that is known.
    """
    if file.exists():
        raise BadInputError(f"{file} is there already.", "Name another file, or move that one away.")
    suffix = file.suffix.lower()
    if suffix == ".json":
        _write(file, write_passport(passport))
        return
    page = passport_page(
        verify_passport(passport, readers_here(home)), owners_zone(timezone), made_at=SystemClock().now()
    )
    if suffix == ".html":
        _write(file, page_html(page).encode("utf-8"))
    elif suffix == ".pdf":
        from argentum_desktop.ui.printing import write_pdf_alone

        write_pdf_alone(page, file)
    else:
        raise BadInputError(
            f"{file.name} does not say in which form the passport is wanted.",
            f"End the name in one of {', '.join(SUFFIXES)}.",
        )


async def _kept(home: Home, wanted: str | None) -> Passport:
    if not home.agent_db.exists():
        raise _none_yet()
    database = Database(home.agent_db, migrations.AGENT, durable=True)
    try:
        await database.open()
        gpu_id = _chosen(await database.read(passports.cards), wanted)
        found = await database.read(lambda connection: passports.read(connection, gpu_id))
    finally:
        await database.close()
    if found is None:
        raise _none_yet()
    return found


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
