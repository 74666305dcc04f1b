"""A market as witness of a health check: its question is asked before, its statement fetched after."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from argentum_desktop.domain.health import Challenge, HealthReport
from argentum_desktop.domain.passport import QUESTION_SCHEMA, WITNESS_SCHEMA, Question, Witness
from argentum_desktop.errors import ArgentumError, DocumentError
from argentum_desktop.health.passport.codec import report_body
from argentum_desktop.health.passport.trust import report_sha256
from argentum_desktop.identity.sealed import Sealed, open_seal
from argentum_desktop.marketplace import wire
from argentum_desktop.marketplace.errors import plain_words
from argentum_desktop.marketplace.market import Market

log = logging.getLogger(__name__)

# A check does not wait longer for a market than this, before it begins or afterwards.
ANSWER_WITHIN_S = 5.0
LARGEST_BYTES = 8192
LONGEST_NAME = 60
_NONCE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Asked:
    """A market's question, and who asked it."""

    market: Market
    sealed: Mapping[str, Any]
    challenge: Challenge


class MarketWitness:
    """Asks the first connected market that is not this computer's own: nobody is a witness of himself.

    Args:
        markets: those that are connected.
    """

    def __init__(self, markets: Callable[[], Sequence[Market]]) -> None:
        self._markets = markets

    async def question(self) -> Asked | None:
        """A question for the check that is about to begin; None where nobody asks one."""
        for market in self._markets():
            if market.meta is None or market.meta.is_local:
                continue
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    sealed = await market.health_question()
                return Asked(market, sealed, _challenge(sealed, market))
            except (ArgentumError, TimeoutError) as error:
                log.info("%s asks no question before a health check: %s", market.url, error)
        return None

    async def statement(self, asked: Asked, report: HealthReport) -> Mapping[str, Any] | None:
        """That the market saw this report, sealed; None where it does not say so."""
        call = wire.WitnessCall(report.report_id, report_sha256(report_body(report)), asked.sealed)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                sealed = await asked.market.witness(call)
            _require_ours(sealed, call, asked)
        except (ArgentumError, TimeoutError) as error:
            log.info("%s bears no witness to the health check: %s", asked.market.url, error)
            return None
        return sealed


def _challenge(sealed: Mapping[str, Any], market: Market) -> Challenge:
    question = _read(_opened(sealed, market), Question)
    if question.schema != QUESTION_SCHEMA or not _NONCE.fullmatch(question.nonce) or question.asked_at.tzinfo is None:
        raise DocumentError("That is no question.")
    return Challenge(question.nonce, plain_words(question.market, LONGEST_NAME), question.asked_at)


def _require_ours(sealed: Mapping[str, Any], call: wire.WitnessCall, asked: Asked) -> None:
    witness = _read(_opened(sealed, asked.market), Witness)
    said = (witness.schema, witness.report_id, witness.report_sha256, witness.nonce)
    if said != (WITNESS_SCHEMA, call.report_id, call.report_sha256, asked.challenge.nonce):
        raise DocumentError("It speaks of another report.")


def _opened(sealed: Mapping[str, Any], market: Market) -> Sealed:
    opened = open_seal(sealed, largest_bytes=LARGEST_BYTES)
    if market.meta is None or opened.public_key != market.meta.public_key:
        raise DocumentError("It is sealed with another key than the market's.")
    return opened


def _read(sealed: Sealed, kind: type[Any]) -> Any:
    try:
        return msgspec.convert(sealed.payload, kind)
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError) as error:
        raise DocumentError("It does not say what it should.") from error
