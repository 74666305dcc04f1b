"""Signed requests: the subset of RFC 9421 (HTTP message signatures) and RFC 9530 (digests) that the protocol uses.

There is one algorithm, one label and one list of covered parts, so there is nothing to negotiate and nothing that a
sender could leave out. Any complete implementation of the two RFCs verifies what is made here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from argentum_desktop.identity.keys import Identity, verify

TAG = "argentum-v1"
LABEL = "argentum"
IDEMPOTENCY_KEY = "Idempotency-Key"
WINDOW_S = 60

_INPUT = re.compile(
    rf"{LABEL}=(?P<params>\((?P<parts>[^)]*)\);created=(?P<created>[0-9]{{1,12}});"
    rf'nonce="(?P<nonce>[A-Za-z0-9_-]{{16,64}})";keyid="(?P<key_id>[a-z2-7]{{24}})";alg="ed25519";tag="{TAG}")'
)
_SIGNATURE = re.compile(rf"{LABEL}=:(?P<value>[A-Za-z0-9+/=]{{1,200}}):")
_DIGEST = re.compile(r"sha-256=:(?P<value>[A-Za-z0-9+/=]{1,100}):")


class SignatureFormatError(ValueError):
    """The signature's headers are missing or not of the agreed form."""


@dataclass(frozen=True)
class RequestParts:
    """What of a request is signed.

    Attributes:
        target: path and query exactly as they travel, still percent-encoded.
        content_digest: the header's text; a request without a body carries the digest of nothing.
    """

    method: str
    authority: str
    target: str
    content_digest: str
    idempotency_key: str | None = None

    def _lines(self) -> list[tuple[str, str]]:
        path, _, query = self.target.partition("?")
        lines = [
            ("@method", self.method),
            ("@authority", self.authority.lower()),
            ("@path", path),
            ("@query", f"?{query}"),
            ("content-digest", self.content_digest),
        ]
        if self.idempotency_key is not None:
            lines.append((IDEMPOTENCY_KEY.lower(), self.idempotency_key))
        return lines

    @property
    def covered(self) -> str:
        """The list of covered parts as it stands in the header."""
        return " ".join(f'"{name}"' for name, _ in self._lines())

    def base(self, params: str) -> bytes:
        """The signature base of RFC 9421, section 2.5."""
        lines = [f'"{name}": {value}' for name, value in self._lines()]
        lines.append(f'"@signature-params": {params}')
        return "\n".join(lines).encode("utf-8")


@dataclass(frozen=True)
class ReceivedSignature:
    """What a request says of its signer, not yet believed."""

    key_id: str
    created: int
    nonce: str
    signature: bytes
    base: bytes

    def is_by(self, public_key: str) -> bool:
        return verify(public_key, self.signature, self.base)


def sign(identity: Identity, parts: RequestParts, *, created: int, nonce: str) -> dict[str, str]:
    """The headers that prove who sent a request, when, and that nobody changed it."""
    params = f'({parts.covered});created={created};nonce="{nonce}";keyid="{identity.key_id}";alg="ed25519";tag="{TAG}"'
    signature = base64.b64encode(identity.sign(parts.base(params))).decode("ascii")
    return {"Signature-Input": f"{LABEL}={params}", "Signature": f"{LABEL}=:{signature}:"}


def read_signature(parts: RequestParts, signature_input: str, signature: str) -> ReceivedSignature:
    """Take the two headers apart.

    Raises:
        SignatureFormatError: they are missing, malformed or do not cover all that must be covered.
    """
    found, value = _INPUT.fullmatch(signature_input.strip()), _SIGNATURE.fullmatch(signature.strip())
    if found is None or value is None:
        raise SignatureFormatError("the request is not signed as this protocol asks")
    if found["parts"] != parts.covered:
        raise SignatureFormatError(f"the signature must cover exactly {parts.covered}")
    return ReceivedSignature(
        key_id=found["key_id"],
        created=int(found["created"]),
        nonce=found["nonce"],
        signature=_base64(value["value"]),
        base=parts.base(found["params"]),
    )


def content_digest(sha256: bytes) -> str:
    """The `Content-Digest` header for a body with this SHA-256."""
    return f"sha-256=:{base64.b64encode(sha256).decode('ascii')}:"


def digest_of(body: bytes) -> str:
    """The `Content-Digest` header for a body at hand."""
    return content_digest(hashlib.sha256(body).digest())


def read_content_digest(header: str) -> bytes:
    """The SHA-256 that a `Content-Digest` header promises.

    Raises:
        SignatureFormatError: it promises none.
    """
    found = _DIGEST.fullmatch(header.strip())
    digest = _base64(found["value"]) if found else b""
    if len(digest) != hashlib.sha256().digest_size:
        raise SignatureFormatError("Content-Digest must be a sha-256")
    return digest


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureFormatError("not base64") from error
