"""The market over HTTP: protocol version 1, as `marketplace.wire` lays it down."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from argentum_desktop.clock import Clock
from argentum_desktop.identity.keys import Identity, key_id_of
from argentum_desktop.market_server import accounts, bodies
from argentum_desktop.market_server.api_cards import CardsApi
from argentum_desktop.market_server.api_health import HealthApi
from argentum_desktop.market_server.api_jobs import JobsApi
from argentum_desktop.market_server.api_leases import LeasesApi
from argentum_desktop.market_server.artifacts import ArtifactFolder
from argentum_desktop.market_server.authentication import Authenticator
from argentum_desktop.market_server.config import MarketConfig
from argentum_desktop.market_server.leases import spare_after_restart
from argentum_desktop.market_server.parts import MarketParts
from argentum_desktop.market_server.problems import ProblemError, invalid
from argentum_desktop.market_server.records import to_us
from argentum_desktop.market_server.rounds import Rounds
from argentum_desktop.market_server.storage import Storage, Work
from argentum_desktop.marketplace.wire import (
    VERSION,
    Account,
    Declared,
    Empty,
    Enrolment,
    Inventory,
    Meta,
    ProblemType,
    Role,
)


def create_app(
    storage: Storage, artifacts: ArtifactFolder, config: MarketConfig, clock: Clock, identity: Identity
) -> Starlette:
    """The market as an ASGI application. Its rounds run within its lifespan.

    `app.state.rounds.close()` answers all open polls, for a server that wants to stop.
    """
    authenticator = Authenticator(storage, config, clock)
    rounds = Rounds(storage, config, clock)
    general = GeneralApi(storage, config, clock, authenticator, identity)
    parts = MarketParts(storage, artifacts, config, clock, authenticator, rounds)
    health = HealthApi(authenticator, config, clock, identity)
    apis = (general, LeasesApi(parts), JobsApi(parts), CardsApi(parts), health)
    endpoints = [endpoint for api in apis for endpoint in api.endpoints()]

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await storage.run(lambda work: spare_after_restart(work, config, to_us(clock.now())))
        async with rounds.held():
            yield

    app = Starlette(
        routes=[Route(path, bodies.guarded(endpoint, clock), methods=[method]) for method, path, endpoint in endpoints],
        exception_handlers={HTTPException: bodies.framework_problem(clock)},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.rounds = rounds
    return app


class GeneralApi:
    """What the market is, and who takes part in it."""

    def __init__(
        self, storage: Storage, config: MarketConfig, clock: Clock, authenticator: Authenticator, identity: Identity
    ) -> None:
        self._storage = storage
        self._config = config
        self._clock = clock
        self._authenticator = authenticator
        self._identity = identity

    def endpoints(self) -> list[tuple[str, str, bodies.Endpoint]]:
        return [
            ("GET", "/healthz", self.healthz),
            ("GET", "/v1/meta", self.meta),
            ("POST", "/v1/accounts", self.enrol),
            ("GET", "/v1/account", self.account),
            ("PUT", "/v1/inventory", self.inventory),
        ]

    async def healthz(self, _request: Request) -> Response:
        await self._storage.run(lambda _work: None)
        return bodies.answer(Empty())

    async def meta(self, _request: Request) -> Response:
        config = self._config
        return bodies.answer(
            Meta(
                name=config.name,
                versions=(VERSION,),
                server_time=self._clock.now(),
                currency=config.currency,
                fee_ppm=config.fee_ppm,
                is_local=config.is_local,
                public_key=self._identity.public_key,
                accept_within_s=config.accept_within_s,
                lease_ttl_s=config.lease_ttl_s,
                beat_every_s=config.beat_every_s,
            )
        )

    async def enrol(self, request: Request) -> Response:
        """The one call by a key that is not known yet: it names itself, and signs with what it names."""
        signed = self._authenticator.read(request)
        enrolment = await bodies.read_value(request, signed.body_sha256, Enrolment)
        try:
            key_id = key_id_of(enrolment.public_key)
        except ValueError as error:
            raise invalid(str(error)) from error
        if key_id != signed.signature.key_id:
            raise ProblemError(ProblemType.SIGNATURE_INVALID, "The request is signed with another key.")
        self._authenticator.believe(signed, enrolment.public_key)
        now_us = to_us(self._clock.now())

        def work_of_enrolment(work: Work) -> Account:
            return accounts.view(work, self._config, accounts.enrol(work, self._config, enrolment, now_us))

        return bodies.answer(await self._storage.run(work_of_enrolment))

    async def account(self, request: Request) -> Response:
        account, _ = await self._authenticator.account(request)
        return bodies.answer(await self._storage.run(lambda work: accounts.view(work, self._config, account)))

    async def inventory(self, request: Request) -> Response:
        account, signed = await self._authenticator.account(request, Role.PROVIDER)
        inventory = await bodies.read_value(request, signed.body_sha256, Inventory)
        key_id, now_us = signed.signature.key_id, to_us(self._clock.now())

        def work_of_declaration(work: Work) -> Declared:
            return accounts.declare(work, self._config, account, inventory, key_id, now_us)

        return bodies.answer(await self._storage.run(work_of_declaration))
