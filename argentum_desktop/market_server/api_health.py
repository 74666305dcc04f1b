"""The market as a witness: it asks a question before a health check, and signs when it saw the report.

It keeps nothing: the question comes back with its own seal, and the statement belongs to who asked for it.
"""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from argentum_desktop.clock import Clock
from argentum_desktop.domain.passport import QUESTION_SCHEMA, Question, Witness
from argentum_desktop.errors import DocumentError
from argentum_desktop.identity.keys import Identity
from argentum_desktop.identity.sealed import open_seal, seal
from argentum_desktop.market_server import bodies
from argentum_desktop.market_server.authentication import Authenticator
from argentum_desktop.market_server.config import MarketConfig
from argentum_desktop.market_server.problems import invalid
from argentum_desktop.marketplace.wire import Empty, HealthChallenge, Role, WitnessCall, WitnessStatement

# A full check takes ten minutes; an answer to a question of yesterday shows nothing.
ANSWER_WITHIN = timedelta(hours=1)
LARGEST_QUESTION_BYTES = 4096
_NONCE_BYTES = 16
_REPORT_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class HealthApi:
    """Endpoints under `/v1/health`."""

    def __init__(self, authenticator: Authenticator, config: MarketConfig, clock: Clock, identity: Identity) -> None:
        self._authenticator = authenticator
        self._config = config
        self._clock = clock
        self._identity = identity

    def endpoints(self) -> list[tuple[str, str, bodies.Endpoint]]:
        return [
            ("POST", "/v1/health/challenges", self.ask),
            ("POST", "/v1/health/witness", self.witness),
        ]

    async def ask(self, request: Request) -> Response:
        _, signed = await self._authenticator.account(request, Role.PROVIDER)
        await bodies.read_value(request, signed.body_sha256, Empty)
        question = Question(
            market=self._config.name,
            nonce=secrets.token_hex(_NONCE_BYTES),
            asked_of=signed.signature.key_id,
            asked_at=self._clock.now(),
        )
        return bodies.answer(HealthChallenge(self._sealed(question)))

    async def witness(self, request: Request) -> Response:
        _, signed = await self._authenticator.account(request, Role.PROVIDER)
        call = await bodies.read_value(request, signed.body_sha256, WitnessCall)
        if not _SHA256.fullmatch(call.report_sha256) or not _REPORT_ID.fullmatch(call.report_id):
            raise invalid("A report is named by its id and its SHA-256.")
        question = None if call.challenge is None else self._own_question(call.challenge, signed.signature.key_id)
        statement = Witness(
            market=self._config.name,
            report_id=call.report_id,
            report_sha256=call.report_sha256,
            received_at=self._clock.now(),
            nonce="" if question is None else question.nonce,
            asked_at=None if question is None else question.asked_at,
        )
        return bodies.answer(WitnessStatement(self._sealed(statement)))

    def _sealed(self, value: Question | Witness) -> dict[str, Any]:
        return seal(msgspec.to_builtins(value), self._identity)

    def _own_question(self, sealed: Any, key_id: str) -> Question:
        """The question, when we asked it, of this key, not long ago."""
        try:
            opened = open_seal(sealed, largest_bytes=LARGEST_QUESTION_BYTES)
            question = msgspec.convert(opened.payload, Question)
        except (DocumentError, msgspec.MsgspecError, ValueError) as error:
            raise invalid(f"That is no question of a market: {error}") from error
        if opened.public_key != self._identity.public_key or question.schema != QUESTION_SCHEMA:
            raise invalid("Another market asked this question.")
        if question.asked_of != key_id:
            raise invalid("This question was asked of somebody else.")
        if not timedelta(0) <= self._clock.now() - question.asked_at <= ANSWER_WITHIN:
            raise invalid("This question was asked too long ago.")
        return question
