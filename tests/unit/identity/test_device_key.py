from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from argentum_desktop.identity.keys import Identity, IdentityError, key_id_of, load_or_create, verify
from argentum_desktop.marketplace.signatures import (
    RequestParts,
    SignatureFormatError,
    content_digest,
    digest_of,
    read_content_digest,
    read_signature,
    sign,
)

PARTS = RequestParts("POST", "market.test", "/v1/jobs?a=b", digest_of(b"{}"), "key-1")


def test_a_key_is_made_once_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "identity" / "device.key"
    first = load_or_create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_or_create(path).public_key == first.public_key
    assert [file.name for file in path.parent.iterdir()] == ["device.key"]


def test_a_key_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "device.key"
    load_or_create(path)
    path.chmod(0o644)
    load_or_create(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_programs_that_start_together_use_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: load_or_create(tmp_path / "device.key").key_id, range(16)))
    assert len(set(found)) == 1


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_damaged_key_is_kept_and_explained(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "device.key"
    path.write_bytes(content)
    with pytest.raises(IdentityError, match=r"is damaged.*Restore it from a backup"):
        load_or_create(path)
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IdentityError, match="cannot be used"):
        load_or_create(tmp_path / "file" / "device.key")


def test_a_signature_is_believed_for_what_was_signed_and_nothing_else() -> None:
    identity = Identity.generate()
    headers = sign(identity, PARTS, created=1000, nonce="n" * 20)
    read = read_signature(PARTS, headers["Signature-Input"], headers["Signature"])
    assert (read.key_id, read.created, read.nonce) == (identity.key_id, 1000, "n" * 20)
    assert read.is_by(identity.public_key)
    assert not read.is_by(Identity.generate().public_key)
    changed = {
        "method": "PUT",
        "authority": "other.test",
        "target": "/v1/jobs?a=c",
        "content_digest": digest_of(b"[]"),
        "idempotency_key": "key-2",
    }
    for name, value in changed.items():
        parts = RequestParts(**{**PARTS.__dict__, name: value})
        assert not read_signature(parts, headers["Signature-Input"], headers["Signature"]).is_by(identity.public_key), (
            name
        )
    later = headers["Signature-Input"].replace("created=1000", "created=1001")
    assert not read_signature(PARTS, later, headers["Signature"]).is_by(identity.public_key)


def test_a_signature_that_covers_less_is_refused() -> None:
    identity = Identity.generate()
    bare = RequestParts(PARTS.method, PARTS.authority, PARTS.target, PARTS.content_digest)
    headers = sign(identity, bare, created=1000, nonce="n" * 20)
    with pytest.raises(SignatureFormatError, match="must cover exactly"):
        read_signature(PARTS, headers["Signature-Input"], headers["Signature"])


def test_the_base_is_that_of_the_rfc() -> None:
    assert PARTS.base("(X);created=1").decode() == (
        '"@method": POST\n"@authority": market.test\n"@path": /v1/jobs\n"@query": ?a=b\n'
        f'"content-digest": {digest_of(b"{}")}\n"idempotency-key": key-1\n"@signature-params": (X);created=1'
    )


def test_another_implementation_of_the_rfc_believes_our_signatures() -> None:
    library = pytest.importorskip("http_message_signatures")
    identity = Identity.generate()
    headers = sign(identity, PARTS, created=1000, nonce="n" * 20)
    signed = {**headers, "Content-Digest": PARTS.content_digest, "Idempotency-Key": "key-1", "Host": "market.test"}
    ours = read_signature(PARTS, headers["Signature-Input"], headers["Signature"])

    class Keys(library.HTTPSignatureKeyResolver):
        def resolve_public_key(self, key_id: str):
            from cryptography.hazmat.primitives.serialization import load_pem_private_key

            assert key_id == identity.key_id
            return load_pem_private_key(identity.to_pem(), None).public_key()

    class Message:
        method, url, headers = "POST", "https://market.test/v1/jobs?a=b", signed

    import datetime

    verifier = library.HTTPMessageVerifier(signature_algorithm=library.algorithms.ED25519, key_resolver=Keys())
    long = datetime.timedelta(days=365 * 100)
    results = verifier.verify(Message(), max_age=long, expect_tag="argentum-v1", body=b"{}")
    assert len(results) == 1
    assert ours.is_by(identity.public_key)


def test_digests() -> None:
    assert content_digest(bytes(32)) == "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
    assert read_content_digest(content_digest(bytes(range(32)))) == bytes(range(32))
    for wrong in ("", "sha-256=:AAAA:", "sha-512=:AAAA:", "sha-256=:!:"):
        with pytest.raises(SignatureFormatError):
            read_content_digest(wrong)


def test_public_keys_that_are_none() -> None:
    for wrong in ("", "AAAA", "not base64!"):
        with pytest.raises(ValueError, match="public key"):
            key_id_of(wrong)
        assert not verify(wrong, b"", b"")
