"""The public short form of a passport: sealed, small, and without the numbers that name a card."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import msgspec

from argentum_desktop.domain.health import CardIdentity, HealthReport
from argentum_desktop.domain.passport import (
    LARGEST_CERTIFICATE_BYTES,
    Certificate,
    CertifiedCheck,
    Passport,
    card_digest,
)
from argentum_desktop.errors import PassportError
from argentum_desktop.health.passport.life import life_of
from argentum_desktop.identity.canonical import canonical_json
from argentum_desktop.identity.keys import Identity
from argentum_desktop.identity.sealed import seal

_LONGEST_TEXT = 200
_SALT_BYTES = 16


def new_salt() -> str:
    """For one owner: 128 random bits, hexadecimal."""
    return secrets.token_hex(_SALT_BYTES)


def certificate(passport: Passport, identity: Identity, salt: str) -> dict[str, Any]:
    """The sealed certificate of a passport's standing check, at most 8 KiB. The same passport gives the same one.

    Raises:
        PassportError: the card was not checked yet, or another key wrote the passport.
    """
    life = life_of(passport)
    if life.standing is None:
        raise PassportError("This card was not checked yet.", "Check it first: argentum-desktop check")
    if passport.entries[-1].public_key != identity.public_key:
        raise PassportError("Another key wrote this passport, so this one cannot vouch for it.")
    made = _certificate(passport, life.standing.report, salt)
    sealed = seal(_payload(made), identity)
    while made.checks and len(canonical_json(sealed)) > LARGEST_CERTIFICATE_BYTES:
        made = replace(made, checks=made.checks[:-1], checks_left_out=made.checks_left_out + 1)
        sealed = seal(_payload(made), identity)
    return sealed


def _certificate(passport: Passport, report: HealthReport, salt: str) -> Certificate:
    card, appraisal = report.card, report.appraisal
    return Certificate(
        card_digest=card_digest(passport.gpu_id, salt),
        salt=salt,
        report_id=report.report_id,
        app_version=report.app_version,
        mode=report.mode,
        checked_at=report.ended_at,
        grade=appraisal.grade,
        confidence_percent=appraisal.confidence_percent,
        reason=_short(appraisal.reason),
        entries=len(passport.entries),
        head_sha256=passport.entries[-1].sha256,
        opened_at=passport.entries[0].at,
        score=appraisal.score,
        caps=tuple(_short(cap) for cap in appraisal.caps[:8]),
        checks=tuple(
            CertifiedCheck(
                check.check_id,
                check.verdict,
                _short(check.value) if isinstance(check.value, str) else check.value,
                check.unit,
            )
            for check in report.findings
        ),
        **_public(card),
    )


def _public(card: CardIdentity) -> dict[str, Any]:
    return {
        "name": _short(card.name),
        "vendor": card.vendor,
        "is_simulated": card.is_simulated,
        "memory_bytes": card.memory_bytes,
        "pci_id": card.pci_id,
        "pci_subsystem": card.pci_subsystem,
        "vbios_version": _short(card.vbios_version) if card.vbios_version else None,
    }


def _payload(certificate: Certificate) -> dict[str, Any]:
    payload: dict[str, Any] = msgspec.to_builtins(certificate)
    return payload


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"
