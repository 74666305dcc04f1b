"""Who sends a request: every one is signed (`marketplace.signatures`), fresh, and believed once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from starlette.requests import Request

from argentum_desktop.clock import Clock
from argentum_desktop.market_server.config import MarketConfig
from argentum_desktop.market_server.problems import ProblemError
from argentum_desktop.market_server.records import AccountRecord
from argentum_desktop.market_server.storage import Storage, Work
from argentum_desktop.marketplace.signatures import (
    IDEMPOTENCY_KEY,
    WINDOW_S,
    ReceivedSignature,
    RequestParts,
    SignatureFormatError,
    read_content_digest,
    read_signature,
)
from argentum_desktop.marketplace.wire import ProblemType, Role

_MOST_NONCES = 1_000_000


@dataclass(frozen=True)
class SignedRequest:
    """A request whose signature is of the right form.

    Attributes:
        body_sha256: the digest of the body that the signer promises; the body itself has not been read yet.
    """

    signature: ReceivedSignature
    body_sha256: bytes
    idempotency_key: str | None


class NonceMemory:
    """Which nonces were used within the window in which a signature is believed."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], int] = OrderedDict()

    def use(self, key_id: str, nonce: str, now_s: int) -> bool:
        """Remember a nonce; false when it was there before."""
        # Signatures may lie a window in the future, so what is older than two windows cannot come again.
        while self._seen and next(iter(self._seen.values())) < now_s - 2 * WINDOW_S:
            self._seen.popitem(last=False)
        if (key_id, nonce) in self._seen:
            return False
        if len(self._seen) >= _MOST_NONCES:
            raise ProblemError(ProblemType.RATE_LIMITED, "The market is too busy.", retry_after_s=WINDOW_S)
        self._seen[key_id, nonce] = now_s
        return True


class Authenticator:
    """Checks signatures against the accounts' keys."""

    def __init__(self, storage: Storage, config: MarketConfig, clock: Clock) -> None:
        self._storage = storage
        self._config = config
        self._clock = clock
        self._nonces = NonceMemory()

    async def account(self, request: Request, role: Role | None = None) -> tuple[AccountRecord, SignedRequest]:
        """The account that sends this request.

        Raises:
            ProblemError: it is not signed, not by a known key, too old, seen before, or not for this role.
        """
        signed = self.read(request)
        public_key, account = await self._storage.run(lambda work: _account_of(work, signed.signature.key_id))
        self.believe(signed, public_key)
        if role is not None and account.role is not role:
            raise ProblemError(ProblemType.NOT_ELIGIBLE, f"Only a {role} can do this.")
        return account, signed

    def read(self, request: Request) -> SignedRequest:
        """Take the signature's headers apart and check all but the signature itself."""
        headers = request.headers
        authority = headers.get("host", "")
        if self._config.authorities and authority.lower() not in self._config.authorities:
            raise ProblemError(ProblemType.SIGNATURE_INVALID, "The request is meant for another market.")
        query = request.scope.get("query_string", b"")
        raw_path = request.scope.get("raw_path") or request.url.path.encode("utf-8")
        target = raw_path.partition(b"?")[0] + (b"?" + query if query else b"")
        parts = RequestParts(
            method=request.method,
            authority=authority,
            target=target.decode("latin-1"),
            content_digest=headers.get("content-digest", ""),
            idempotency_key=headers.get(IDEMPOTENCY_KEY),
        )
        try:
            signature = read_signature(parts, headers.get("signature-input", ""), headers.get("signature", ""))
            body_sha256 = read_content_digest(parts.content_digest)
        except SignatureFormatError as error:
            raise ProblemError(ProblemType.SIGNATURE_INVALID, str(error)) from error
        if abs(self._now_s() - signature.created) > WINDOW_S:
            raise ProblemError(ProblemType.CLOCK_SKEW, f"The request was not signed within {WINDOW_S} s of now.")
        return SignedRequest(signature, body_sha256, parts.idempotency_key)

    def believe(self, signed: SignedRequest, public_key: str) -> None:
        """Check the signature, and that this is the first time it is shown."""
        signature = signed.signature
        if not signature.is_by(public_key):
            raise ProblemError(ProblemType.SIGNATURE_INVALID, "The signature does not match the request.")
        if not self._nonces.use(signature.key_id, signature.nonce, self._now_s()):
            raise ProblemError(ProblemType.REPLAYED, "This request has been sent before.")

    def _now_s(self) -> int:
        return int(self._clock.now().timestamp())


def _account_of(work: Work, key_id: str) -> tuple[str, AccountRecord]:
    key = work.key(key_id)
    account = None if key is None else work.account(key.account_id)
    if key is None or account is None:
        raise ProblemError(ProblemType.SIGNATURE_INVALID, "No account has this key.")
    return key.public_key, account
