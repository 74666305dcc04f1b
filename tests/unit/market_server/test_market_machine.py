"""Everything that providers and buyers may do, in any order, with time going forth and sometimes back."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from market_stand import ManualClock

from argentum_desktop.domain.job import Artifact, JobSpec, Limits, Outcome
from argentum_desktop.domain.lease import Usage
from argentum_desktop.domain.money import Money, price_for
from argentum_desktop.identity.keys import Identity
from argentum_desktop.market_server import accounts, jobs, leases
from argentum_desktop.market_server.audit import audit
from argentum_desktop.market_server.config import local_config
from argentum_desktop.market_server.matching import AskOf, Bid, match_round
from argentum_desktop.market_server.problems import ProblemError
from argentum_desktop.market_server.records import SECOND_US, ArtifactRecord, LeaseRecord, to_us
from argentum_desktop.market_server.sqlite_storage import SqliteStorage
from argentum_desktop.market_server.storage import Work
from argentum_desktop.marketplace.wire import Card, Completion, Decline, Enrolment, Heartbeat, Inventory, JobPhase, Role

T = TypeVar("T")
SHA = "ab" * 32
PICK = st.integers(0, 10_000)


class MarketMachine(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.storage = SqliteStorage(self.folder / "m.db")
        self.storage._connection.execute("PRAGMA synchronous = OFF")  # nobody pulls the plug in here
        self.config = replace(local_config(), fee_ppm=70_000, starting_credit=Money.parse("0.50", "EUR"))
        self.clock = ManualClock()
        self.providers = [self.enrol(Role.PROVIDER, name) for name in ("p1", "p2", "p3")]
        self.buyers = [self.enrol(Role.BUYER, name) for name in ("b1", "b2")]
        cards = Inventory((Card("GPU-1", "card", "nvidia", 8192, is_simulated=False),), "test")
        for provider in self.providers:
            account = self.do(lambda work, provider=provider: accounts.required(work, provider))
            self.do(lambda work, account=account: accounts.declare(work, self.config, account, cards, "key", 0))
        for buyer in self.buyers:
            self.do(lambda work, buyer=buyer: work.add_artifact(ArtifactRecord(buyer, SHA, 5, 0)))
        self.last_fence: dict[str, int] = {}
        self.ended: dict[str, JobPhase] = {}
        self.receipts: dict[str, object] = {}
        self.used: dict[str, int] = {}
        self.latest_us = self.now_us

    def teardown(self) -> None:
        if hasattr(self, "storage"):
            self.storage.close_now()
            shutil.rmtree(self.folder)

    def do(self, work: Callable[[Work], T]) -> T:
        return self.storage.run_now(work)

    @property
    def now_us(self) -> int:
        return to_us(self.clock.now())

    def enrol(self, role: Role, name: str) -> str:
        enrolment = Enrolment(role, name, Identity.generate().public_key)
        return self.do(lambda work: accounts.enrol(work, self.config, enrolment, self.now_us).account_id)

    def some_lease(self, pick: int) -> LeaseRecord | None:
        """Mostly one that lives, sometimes one that has ended."""
        found = self.do(lambda work: work.all_leases())
        live = [lease for lease in found if lease.is_live]
        chosen = live if live and pick % 4 else found
        return chosen[pick % len(chosen)] if chosen else None

    def try_lease(self, pick: int, step: Callable[[Work, LeaseRecord], LeaseRecord], *, allowed: bool = True) -> None:
        """A move of a lease may be refused, and then changes nothing; once the lease is over it must."""
        lease = self.some_lease(pick)
        if lease is None:
            return

        def move(work: Work) -> None:
            fresh = leases.of_provider(work, lease.provider_id, lease.lease_id)
            step(work, fresh)

        over = not lease.is_live or lease.expires_us <= self.now_us
        before = self.do(lambda work: (work.all_leases(), work.all_jobs(), work.balances()))
        refused = False
        try:
            self.do(move)
        except ProblemError:
            refused = True
        after = self.do(lambda work: (work.all_leases(), work.all_jobs(), work.balances()))
        if refused or over or not allowed:
            assert after == before
        assert allowed or refused

    @rule(buyer=st.integers(0, 1), price=st.integers(1, 900_000), wall_s=st.integers(1, 4000))
    def submit(self, buyer: int, price: int, wall_s: int) -> None:
        spec = JobSpec(
            "job",
            Artifact("image.tar", SHA, 5),
            f"sha256:{SHA}",
            ("true",),
            Money(price, "EUR"),
            limits=Limits(wall_s=wall_s, memory_mib=64),
        )
        try:
            self.do(lambda work: jobs.submit(work, self.config, self.buyers[buyer], spec, None, self.now_us))
        except ProblemError as error:
            if error.kind != "insufficient-funds":
                raise

    @rule(
        provider=st.integers(0, 2),
        floor=st.sampled_from([0, 0, 1000, 400_000]),
        key=st.integers(0, 1_000_000),
        steps=st.sampled_from([0, 1, 2, 2, 2]),
    )
    def match(self, provider: int, floor: int, key: int, steps: int) -> None:
        def one_round(work: Work) -> None:
            leases.sweep(work, self.config, self.now_us)
            who = self.providers[provider]
            claim_key = f"key-{key}"
            if work.busy_cards(who) or work.lease_by_claim(who, claim_key):
                return
            ask = AskOf(who, "GPU-1", 0, floor, 8192, 10_000, 4096, 4000, 10_000)
            refusals = work.refusals(self.now_us)
            bids = [
                Bid(
                    job.job_id,
                    job.buyer_id,
                    number,
                    job.price_micros,
                    job.limits,
                    refusals.get(job.job_id, frozenset()),
                )
                for number, job in enumerate(work.all_jobs())
                if job.phase is JobPhase.QUEUED
            ]
            for found in match_round(bids, [ask]):
                offer = leases.grant(work, self.config, found, claim_key, self.now_us)
                assert offer.fence == self.last_fence.get(offer.job_id, 0) + 1
                self.last_fence[offer.job_id] = offer.fence
                if steps >= 1:
                    leases.accept(work, self.config, self.lease(work, offer.lease_id), offer.fence, self.now_us)
                if steps >= 2:
                    leases.start(work, self.config, self.lease(work, offer.lease_id), offer.fence, self.now_us)
                assert floor <= offer.price_per_hour.micros <= offer.job.max_price_per_hour.micros

        self.do(one_round)

    def lease(self, work: Work, lease_id: str) -> LeaseRecord:
        found = work.lease(lease_id)
        assert found is not None
        return found

    @rule(pick=PICK)
    def accept(self, pick: int) -> None:
        self.try_lease(pick, lambda work, lease: leases.accept(work, self.config, lease, lease.fence, self.now_us))

    @rule(pick=PICK)
    def decline(self, pick: int) -> None:
        self.try_lease(
            pick, lambda work, lease: leases.decline(work, self.config, lease, Decline(lease.fence, "no"), self.now_us)
        )

    @rule(pick=PICK)
    def start(self, pick: int) -> None:
        self.try_lease(pick, lambda work, lease: leases.start(work, self.config, lease, lease.fence, self.now_us))

    @rule(
        pick=PICK,
        billable=st.integers(-5, 200),
        step=st.sampled_from([1, 1, 2, 0, -1]),
        fence=st.sampled_from([0, 0, 0, 1, -1]),
    )
    def beat(self, pick: int, billable: int, step: int, fence: int) -> None:
        def one(work: Work, lease: LeaseRecord) -> LeaseRecord:
            beat = Heartbeat(lease.fence + fence, lease.seq + step, Usage(billable, billable * 1000))
            return leases.heartbeat(work, self.config, lease, beat, self.now_us)

        self.try_lease(pick, one, allowed=fence == 0)

    @rule(pick=PICK, seconds=st.integers(1, 40))
    def work_for_a_while(self, pick: int, seconds: int) -> None:
        self.time_passes(seconds)
        self.beat(pick, 100_000, 1, 0)

    @rule(pick=PICK, billable=st.sampled_from([100_000, 30, 0]), outcome=st.sampled_from(list(Outcome)))
    def complete(self, pick: int, billable: int, outcome: Outcome) -> None:
        def one(work: Work, lease: LeaseRecord) -> LeaseRecord:
            body = Completion(lease.fence, outcome, Usage(billable), 0)
            closed = leases.complete(work, self.config, lease, body, self.now_us)
            try:
                again = leases.complete(work, self.config, closed, body, self.now_us)
            except ProblemError as error:
                raise AssertionError("the same completion must get the same answer") from error
            assert again == closed
            return closed

        self.try_lease(pick, one)

    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        found = self.do(lambda work: work.all_jobs())
        if found:
            job_id = found[pick % len(found)].job_id

            def stop(work: Work) -> None:
                job = work.job(job_id)
                assert job is not None
                jobs.cancel(work, self.config, job, self.now_us)

            try:
                self.do(stop)
            except ProblemError as error:
                if error.kind != "already-terminal":
                    raise

    @rule(seconds=st.sampled_from([1, 10, 16, 60, 91, -30]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.latest_us = max(self.latest_us, self.now_us)

    @rule()
    def sweep(self) -> None:
        self.do(lambda work: leases.sweep(work, self.config, self.now_us))

    @precondition(lambda self: hasattr(self, "storage"))
    @invariant()
    def books_are_exact(self) -> None:
        report = self.do(audit)
        assert report.faults == ()

    @precondition(lambda self: hasattr(self, "storage"))
    @invariant()
    def nobody_pays_more_than_agreed_and_the_end_is_the_end(self) -> None:
        for job in self.do(lambda work: work.all_jobs()):
            most = price_for(Money(job.price_micros, "EUR"), job.wall_s).micros
            assert job.cost_micros <= most
            if job.job_id in self.ended:
                assert job.phase is self.ended[job.job_id]
            if job.phase.is_terminal:
                self.ended[job.job_id] = job.phase
        for lease in self.do(lambda work: work.all_leases()):
            # Time may go back; what was used cannot, and nothing is longer than the longest clock ever seen.
            assert lease.billable_s >= self.used.get(lease.lease_id, 0)
            self.used[lease.lease_id] = lease.billable_s
            longest_s = 0 if lease.started_us is None else (self.latest_us - lease.started_us) // SECOND_US + 5
            assert lease.billable_s <= longest_s
            if not lease.is_live:
                receipt = leases.receipt_of(self.config, lease)
                assert self.receipts.setdefault(lease.lease_id, receipt) == receipt


TestMarketMachine = MarketMachine.TestCase
TestMarketMachine.settings = settings(
    max_examples=80, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
