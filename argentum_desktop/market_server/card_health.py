"""What is known of a card's health: a certificate that its owner sealed. It is kept only when it is what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from argentum_desktop.domain.passport import Certificate
from argentum_desktop.errors import DocumentError
from argentum_desktop.identity.canonical import canonical_json
from argentum_desktop.market_server.records import CardRecord, from_us, to_us
from argentum_desktop.marketplace.certificates import read_certificate
from argentum_desktop.marketplace.codec import LARGEST_INT
from argentum_desktop.marketplace.wire import CardHealth

# Clocks differ; what was checked later than this was not checked.
_CLOCKS_DIFFER = timedelta(minutes=10)


def with_certificate(card: CardRecord, sealed: Mapping[str, Any] | None, key_id: str, now_us: int) -> CardRecord:
    """The card, and what its certificate says.

    Args:
        key_id: of the owner's key, which must have sealed it.

    Raises:
        DocumentError: it is not this card's certificate, or not from its owner.
    """
    if sealed is None:
        return card
    certificate = _read(sealed, key_id)
    _require_sense(certificate, card, now_us)
    return replace(
        card,
        certificate=canonical_json(sealed).decode("utf-8"),
        grade=certificate.grade,
        confidence_percent=certificate.confidence_percent,
        check_mode=certificate.mode,
        checked_us=to_us(certificate.checked_at),
    )


def health_of(card: CardRecord) -> CardHealth | None:
    """What the card's certificate says, in a line."""
    if card.grade is None or card.confidence_percent is None or card.check_mode is None or card.checked_us is None:
        return None
    return CardHealth(card.grade, card.confidence_percent, card.check_mode, from_us(card.checked_us))


def _read(sealed: Mapping[str, Any], key_id: str) -> Certificate:
    certificate, opened = read_certificate(sealed)
    if opened.key_id != key_id:
        raise DocumentError("It was sealed with another key than the one that offers the card.")
    return certificate


def _require_sense(certificate: Certificate, card: CardRecord, now_us: int) -> None:
    if not certificate.is_of(card.gpu_id):
        raise DocumentError("It is of another card.")
    if certificate.is_simulated != card.is_simulated:
        raise DocumentError("It is of a simulated card, and this one is real, or the other way round.")
    if not 0 <= certificate.confidence_percent <= 100:
        raise DocumentError("Its confidence is no share of 100.")
    if certificate.checked_at.tzinfo is None or certificate.checked_at > from_us(now_us) + _CLOCKS_DIFFER:
        raise DocumentError("It tells of a check that was not made yet.")
    if not 0 <= to_us(certificate.checked_at) <= LARGEST_INT:
        raise DocumentError("It tells of a check before there were such checks.")
