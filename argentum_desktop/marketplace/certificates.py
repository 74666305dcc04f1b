"""Certificates of cards, as markets and buyers read them: whoever sealed one may have written anything into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from argentum_desktop.domain.passport import CERTIFICATE_SCHEMA, LARGEST_CERTIFICATE_BYTES, Certificate
from argentum_desktop.errors import DocumentError
from argentum_desktop.identity.sealed import Sealed, open_seal


def read_certificate(document: bytes | Mapping[str, Any]) -> tuple[Certificate, Sealed]:
    """The certificate in a sealed document, and whose it is.

    Raises:
        DocumentError: its seal does not hold, or it is no certificate.
    """
    sealed = open_seal(document, largest_bytes=LARGEST_CERTIFICATE_BYTES)
    try:
        found = msgspec.convert(sealed.payload, Certificate)
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise DocumentError("It is not a certificate of a card's health.") from error
    if found.schema != CERTIFICATE_SCHEMA:
        raise DocumentError(f"It is of a form that is not known here ({CERTIFICATE_SCHEMA} is).")
    return found, sealed
