"""Documents sealed with a device's key: who wrote it, and that nobody changed it since."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from argentum_desktop.errors import DocumentError
from argentum_desktop.identity.canonical import LARGEST_BYTES, canonical_json, check_size, read_json
from argentum_desktop.identity.keys import Identity, key_id_of, verify

SCHEMA = "argentum.sealed/1"

_KEYS = {"schema", "payload", "public_key", "signature"}
_SIGNATURE_BYTES = 64


@dataclass(frozen=True)
class Sealed:
    """What an unbroken seal vouches for: this payload, by the holder of this key.

    Attributes:
        public_key: base64, as in `Identity.public_key`.
        key_id: its short name.
    """

    payload: Mapping[str, Any]
    public_key: str
    key_id: str


def seal(payload: Mapping[str, Any], identity: Identity) -> dict[str, Any]:
    """`payload` in an envelope that shows who wrote it and that nobody changed it.

    Raises:
        DocumentError: `payload` has no canonical form.
    """
    envelope = {"schema": SCHEMA, "payload": payload, "public_key": identity.public_key}
    signature = base64.b64encode(identity.sign(_signed_bytes(envelope))).decode("ascii")
    return {**envelope, "signature": signature}


def open_seal(document: bytes | Mapping[str, Any], *, largest_bytes: int = LARGEST_BYTES) -> Sealed:
    """What was sealed, once the seal is shown to be unbroken.

    Args:
        document: what `seal` made, or that as JSON.
        largest_bytes: refuse what is larger.

    Raises:
        DocumentError: not such a document, or changed since it was sealed.
    """
    found = read_json(document, largest_bytes=largest_bytes) if isinstance(document, bytes) else document
    if not isinstance(found, Mapping) or set(found) != _KEYS or found["schema"] != SCHEMA:
        raise DocumentError(f"The document is not sealed in a form that is known here ({SCHEMA}).")
    payload, public_key = found["payload"], found["public_key"]
    if not isinstance(payload, Mapping):
        raise DocumentError("The sealed document holds no object.")
    signature = read_signature(found["signature"])
    key_id = read_key_id(public_key)
    signed = _signed_bytes({"schema": SCHEMA, "payload": payload, "public_key": public_key})
    check_size(len(signed), largest_bytes)
    if not verify(public_key, signature, signed):
        raise DocumentError(
            "The seal is broken: the document was changed after it was signed, or not signed by this key."
        )
    return Sealed(payload, public_key, key_id)


def read_key_id(public_key: Any) -> str:
    """The short name of a key that stands in a document. Only the one way of writing a key is taken.

    Raises:
        DocumentError: it is not a key.
    """
    try:
        if isinstance(public_key, str) and _is_canonical(public_key, base64.b64decode(public_key, validate=True)):
            return key_id_of(public_key)
    except ValueError:
        pass
    raise DocumentError("The document names no usable public key.")


def read_signature(text: Any) -> bytes:
    """The bytes of a signature that stands in a document.

    Raises:
        DocumentError: it is not a signature.
    """
    try:
        raw = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _SIGNATURE_BYTES or not _is_canonical(text, raw):
        raise DocumentError("The document carries no usable signature.")
    return raw


def _signed_bytes(envelope: Mapping[str, Any]) -> bytes:
    """Nothing else that this key signs begins like this."""
    return SCHEMA.encode("ascii") + b"\0" + canonical_json(envelope)


def _is_canonical(text: str, raw: bytes) -> bool:
    """Base64 leaves bits over at its end; only one way to fill them is taken."""
    return base64.b64encode(raw) == text.encode("ascii", "replace")
