"""Who this device is: an Ed25519 key made here that never leaves."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from argentum_desktop.errors import ArgentumError

_LARGEST_KEY_FILE = 4096
_KEY_BYTES = 32


class IdentityError(ArgentumError):
    """The key of this device cannot be read or written."""

    code = "identity"
    exit_code = 78  # EX_CONFIG of sysexits.h


class Identity:
    """A private key, and the names by which its public half is known."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public_key = base64.b64encode(raw).decode("ascii")
        self.key_id = key_id_of(self.public_key)

    @classmethod
    def generate(cls) -> Identity:
        return cls(Ed25519PrivateKey.generate())

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    def to_pem(self) -> bytes:
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def load_or_create(path: Path) -> Identity:
    """The key in `path`; a new one is made and kept there, readable by its owner alone, where there is none.

    Raises:
        IdentityError: the file is damaged or cannot be used.
    """
    try:
        if not path.exists():
            _write_new(path, Identity.generate())
        return _read(path)
    except OSError as error:
        raise IdentityError(
            f"The key file {path} cannot be used ({error.strerror}).", "Make the file and its folder yours to write."
        ) from error


def key_id_of(public_key: str) -> str:
    """The short name of a public key (base64): the first 120 bits of its SHA-256, in letters and digits.

    Raises:
        ValueError: not a base64 Ed25519 public key.
    """
    digest = hashlib.sha256(_raw_public_key(public_key)).digest()
    return base64.b32encode(digest[:15]).decode("ascii").lower()


def verify(public_key: str, signature: bytes, message: bytes) -> bool:
    """Whether the holder of `public_key` (base64) signed `message`."""
    try:
        Ed25519PublicKey.from_public_bytes(_raw_public_key(public_key)).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _raw_public_key(public_key: str) -> bytes:
    try:
        raw = base64.b64decode(public_key, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("the public key is not base64") from error
    if len(raw) != _KEY_BYTES:
        raise ValueError(f"the public key must have {_KEY_BYTES} bytes")
    return raw


def _write_new(path: Path, identity: Identity) -> None:
    """Whole or not at all: of two programs that start together, one's key is kept and both use it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(identity.to_pem())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()


def _read(path: Path) -> Identity:
    if os.name == "posix" and path.stat().st_mode & 0o077:
        path.chmod(0o600)
    with path.open("rb") as file:
        data = file.read(_LARGEST_KEY_FILE)
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _damaged(path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _damaged(path)
    return Identity(key)


def _damaged(path: Path) -> IdentityError:
    return IdentityError(
        f"The key file {path} is damaged: it does not hold an Ed25519 private key.",
        "Restore it from a backup. Without one, move it away: a new key is made, which markets see as a new account.",
    )
