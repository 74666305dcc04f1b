"""A computer on which things go missing, die or fill up: one sentence each, nothing lost, and it goes on by itself."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from hostile_market import PLAYS, HostileMarket, offer
from living import SETTINGS, LivingAgent, TestBuyer, wait_for
from market_stand import ManualClock, market_stand

from argentum_desktop.agent.lease_keeper import LeaseKeeper
from argentum_desktop.buyer.sample import write_sample
from argentum_desktop.domain.job import JobState, Outcome
from argentum_desktop.domain.lease import Lease, Usage
from argentum_desktop.domain.offer import Offer
from argentum_desktop.errors import ArgentumError, MarketUnreachableError
from argentum_desktop.marketplace.codec import decode, encode
from argentum_desktop.marketplace.errors import MarketMaintenanceError
from argentum_desktop.marketplace.wire import Completion, Heartbeat, JobPhase, JobStatus, LeaseState
from argentum_desktop.paths import Home

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

NEEDS_ROOT = pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="mounting needs root")
MARKET_TREE = "market_server"


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingAgent]:
    agent = LivingAgent(Home(tmp_path_factory.mktemp("surroundings") / "Münze & Söhne, Büro"))
    agent.start()
    yield agent
    assert agent.stop() == 0, agent.terminal()
    assert agent.containers() == []
    assert traces(agent) == []


def traces(agent: LivingAgent) -> list[str]:
    """Every file of words this home has in which a traceback stands."""
    files = [*agent.home.logs.iterdir(), *agent.home.market.glob("*.log")]
    return [str(file) for file in files if "Traceback" in file.read_text(errors="replace")]


def child_of(agent: LivingAgent, word: str) -> psutil.Process | None:
    """The agent's own child with this word on its command line."""
    assert agent.process is not None
    for child in psutil.Process(agent.process.pid).children(recursive=True):
        with suppress(psutil.Error):
            if any(word in part for part in child.cmdline()):
                return child
    return None


def counting_job(folder: Path, seconds: float | None) -> Path:
    """Counts tenths of a second on its log and in its output, so long or (None) until it sees the file `enough`."""
    write_sample(folder, scale=0.001)
    goes_on = "[ ! -e /in/enough ]" if seconds is None else f"[ $i -lt {int(seconds * 10)} ]"
    (folder / "count.sh").write_text(
        f"i=0; while {goes_on}; do i=$((i+1)); echo $i | tee -a /out/counted; sleep 0.1; done"
    )
    job = folder / "count.toml"
    job.write_text(
        'title = "Counting"\nimage = "image.tar"\ncommand = ["/bin/busybox", "sh", "/in/count.sh"]\n'
        'inputs = ["count.sh"]\noutput = "results"\nmax_price_per_hour = "0.40"\n'
        "[limits]\ngpus = 0\nmemory_mib = 64\ndisk_mib = 8\npids = 16\nwall_s = 300\n"
    )
    return job


def running(agent: LivingAgent) -> bool:
    return any(job["state"] == "running" for job in agent.status()["jobs"])


def settled(agent: LivingAgent) -> None:
    wait_for(lambda: not agent.status()["jobs"])


def is_paid_once(agent: LivingAgent, job: JobStatus, before: int) -> None:
    """One lease more than before in the ledger, and what the buyer pays is what was earned."""
    transactions = agent.ledger()
    assert len(transactions) == before + 1
    amounts = {entry["account"]: entry["amount"]["micros"] for entry in transactions[-1]["postings"]}
    assert sum(amounts.values()) == 0
    assert job.cost is not None
    assert -amounts["income:jobs"] == job.cost.micros > 0


# -- parts that die ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["podman", "sensor", MARKET_TREE])
def test_a_part_that_is_killed_in_the_middle_of_a_job(agent: LivingAgent, tmp_path: Path, part: str) -> None:
    """The job ends well and is settled once; the part is there again."""
    buyer, before = TestBuyer(agent, tmp_path), len(agent.ledger())
    submitted = buyer.submit(counting_job(tmp_path / "job", 3))
    wait_for(lambda: running(agent))
    victim = child_of(agent, part)
    assert victim is not None
    victim.send_signal(signal.SIGKILL)
    job = buyer.until_over(submitted.job_id)
    assert job.phase is JobPhase.SUCCEEDED, job.reason
    assert buyer.log(job.job_id).decode().split() == [str(number) for number in range(1, 31)]
    assert [output.name for output in job.outputs] == ["counted"]
    settled(agent)
    is_paid_once(agent, job, before)
    again = wait_for(lambda: child_of(agent, part))
    assert again.pid != victim.pid
    wait_for(lambda: agent.status()["state"] == "idle" and agent.status()["notices"] == [])
    assert agent.status()["cards"][0]["reading"] is not None


def test_a_second_application_in_the_same_home(agent: LivingAgent) -> None:
    for words in (["agent"], ["demo", "--no-screen"]):
        second = agent.command(*words)
        assert second.returncode == 4, second.stderr
        assert second.stderr.count("\n") == 1
        assert "already works in" in second.stderr
        assert "--home" in second.stderr
    assert agent.status()["markets"][0]["is_connected"]


def test_a_control_file_that_tells_of_somebody_else(tmp_path: Path) -> None:
    """Left by a process long dead; its port belongs to another program by now, which says nothing sensible."""
    home = Home(tmp_path / "home").create()
    with HostileMarket(greeting=b"220 mail.example ESMTP ready\r\n") as other:
        for text in ("", "{", "[]", f'{{"port": {other.port}, "token": "x", "pid": 1}}', '{"port": 1, "token": "x"}'):
            home.control_file.write_text(text)
            for command in ("status", "pause", "quit"):
                asked = LivingAgent(home).command(command)
                assert asked.returncode == 3
                assert asked.stderr.startswith("argentum-desktop: Argentum Desktop is not running in ")
                assert asked.stderr.count("\n") == 1


# -- no engine --------------------------------------------------------------------------------------------------------


def unconnected(home: Home, settings: str = SETTINGS, **environment: str) -> LivingAgent:
    """An agent that answers its owner, whatever its market does."""
    agent = LivingAgent(home, settings=settings, environment=environment)
    agent._is_up = lambda: answers(agent)  # type: ignore[method-assign]
    return agent.start()


def answers(agent: LivingAgent) -> bool:
    assert agent.process is not None
    assert agent.process.poll() is None, agent.terminal()
    try:
        return bool(agent.status()["state"] != "starting")
    except ArgentumError:
        return False


def path_without_engines(folder: Path) -> Path:
    """A folder for PATH in which everything but an engine is found."""
    folder.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).glob("*") if Path(place).is_dir() else ():
            link = folder / program.name
            if not program.name.startswith(("podman", "docker")) and not link.is_symlink():
                link.symlink_to(program)
    return folder


def test_an_engine_that_comes_later_is_found_without_a_restart(tmp_path: Path) -> None:
    programs = path_without_engines(tmp_path / "bin")
    agent = unconnected(Home(tmp_path / "home"), PATH=str(programs))
    try:
        wait_for(lambda: agent.status()["markets"] and agent.status()["markets"][0]["is_connected"])
        buyer = TestBuyer(agent, tmp_path / "buyer")
        submitted = buyer.submit_sample(0.001)
        status = agent.status()
        assert (status["state"], status["engine"]) == ("attention", "")
        assert "no container engine" in status["sentence"]
        assert "Install Podman" in status["sentence"]
        assert status["notices"][0]["code"] == "engine-missing"
        told = agent.command("status")
        assert (told.returncode, told.stderr) == (0, "")
        assert "Engine   none" in told.stdout
        assert buyer.job(submitted.job_id).phase is JobPhase.QUEUED
        found = next(
            Path(place) / "podman"
            for place in os.environ["PATH"].split(os.pathsep)
            if (Path(place) / "podman").exists()
        )
        (programs / "podman").symlink_to(found)
        assert buyer.until_over(submitted.job_id).phase is JobPhase.SUCCEEDED
        settled(agent)
        assert agent.status()["engine"].startswith("Podman")
        assert agent.status()["notices"] == []
    finally:
        assert agent.stop() == 0
    assert traces(agent) == []


def test_the_demo_says_at_once_that_an_engine_is_missing(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": str(path_without_engines(tmp_path / "bin"))}
    own = [sys.executable, "-m", "argentum_desktop", "--home", str(tmp_path / "home"), "demo", "--no-screen"]
    demo = subprocess.run(own, capture_output=True, text=True, timeout=30, env=environment)
    assert demo.returncode == 69
    assert "Install Podman" in demo.stderr
    assert demo.stderr.count("\n") == 1


# -- no market --------------------------------------------------------------------------------------------------------


def test_a_market_without_its_packages(tmp_path: Path) -> None:
    """The agent stays up and says what to install."""
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['starlette'] = None\n")
    agent = unconnected(Home(tmp_path / "home"), PYTHONPATH=str(tmp_path))
    try:
        notice = wait_for(lambda: next(iter(agent.status()["notices"]), None))
        assert "needs the package starlette, which is not installed" in notice["message"]
        assert "pip install 'argentum-desktop[market]'" in notice["message"] + notice["remedy"]
        assert notice["message"].isprintable()
    finally:
        assert agent.stop() == 0
    assert traces(agent) == []
    serve = [sys.executable, "-m", "argentum_desktop.market_cli", "serve", "--data", str(tmp_path / "data")]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    served = subprocess.run(serve, capture_output=True, text=True, timeout=30, env=environment)
    assert served.returncode == 69
    assert served.stderr.count("\n") == 1
    assert "starlette" in served.stderr


def test_a_market_that_is_down_speaks_nonsense_and_comes_up(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    market = HostileMarket(port=port)
    agent = unconnected(Home(tmp_path / "home"), settings=f'{SETTINGS}[market]\nurl = "{market.url}"\n')

    def problem() -> str:
        return str(agent.status()["markets"][0]["problem"])

    try:
        wait_for(lambda: "did not answer" in problem())
        status = agent.status()
        assert status["state"] == "attention"
        assert market.url in status["sentence"]
        assert "check the connection" in status["sentence"]
        market.play = PLAYS["html"]
        market.start()
        try:
            wait_for(lambda: "makes no sense" in problem())
            market.play = PLAYS["redirect"]
            wait_for(lambda: "another address" in problem())
            assert all(asked.path == "/v1/meta" for asked in market.asked)
            market.play = None
            wait_for(lambda: agent.status()["markets"][0]["is_connected"])
            assert agent.status()["state"] == "idle"
            market.play = PLAYS["500"]
            wait_for(lambda: "500" in problem())
            market.play = PLAYS["hangs"]
            seen = len(market.asked)
            wait_for(lambda: len(market.asked) > seen)
            assert agent.command("status").returncode == 0
            assert agent.stop() == 0
        finally:
            market.stop()
    finally:
        agent.stop()
    assert traces(agent) == []


# -- a full disk ------------------------------------------------------------------------------------------------------


@contextmanager
def resizable_disk(folder: Path) -> Iterator[Callable[[str], None]]:
    """A disk of its own at `folder`; gives what sets its size."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3g,mode=700", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"mounting is not permitted here: {mounted.stderr.strip()}")

    def resize(size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)

    try:
        yield resize
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, resize: Callable[[str], None]) -> None:
    """Leave not a single byte, without writing gigabytes."""
    used = os.statvfs(folder)
    resize(str((used.f_blocks - used.f_bfree) * used.f_frsize))
    assert os.statvfs(folder).f_bavail == 0
    # Half of a file's last page may still be free.
    with suppress(OSError), (folder / "filler").open("wb") as file:
        file.write(bytes(1_000_000))


@NEEDS_ROOT
def test_a_full_disk_in_the_middle_of_a_job_and_after_it(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    with resizable_disk(folder) as resize:
        agent = LivingAgent(Home(folder / "home")).start()
        try:
            job, buyer = full_during_a_job(agent, tmp_path, folder, resize)
            settled(agent)
            is_paid_once(agent, job, 0)
            full_while_idle(agent, folder, resize)
            again = buyer.until_over(buyer.submit(counting_job(tmp_path / "job2", 0.1)).job_id)
            assert again.phase is JobPhase.SUCCEEDED
            settled(agent)
            is_paid_once(agent, again, 1)
        finally:
            resize("3g")
            code = agent.stop()
        assert code == 0, agent.terminal()
        assert agent.containers() == []
        assert traces(agent) == []


def full_during_a_job(
    agent: LivingAgent, tmp_path: Path, folder: Path, resize: Callable[[str], None]
) -> tuple[JobStatus, TestBuyer]:
    buyer = TestBuyer(agent, tmp_path / "buyer")
    submitted = buyer.submit(counting_job(tmp_path / "job", None))
    wait_for(lambda: running(agent))
    fill(folder, resize)

    def trouble() -> Any:
        return next((job["reason"] for job in agent.status()["jobs"] if "full" in job["reason"]), None)

    told = wait_for(trouble)
    assert told.isprintable()
    assert "space" in told or "room" in told
    shown = agent.command("status")
    assert shown.returncode == 0
    assert "disk" in shown.stdout
    the_owner_is_obeyed(agent, buyer, submitted.job_id)
    resize("3g")
    (agent.home.jobs / agent.status()["jobs"][0]["lease_id"] / "in" / "enough").touch()
    job = buyer.until_over(submitted.job_id)
    assert job.phase is JobPhase.SUCCEEDED, job.reason
    return job, buyer


def the_owner_is_obeyed(agent: LivingAgent, buyer: TestBuyer, job_id: str) -> None:
    """A pause freezes the job at once and a resume thaws it, though neither can be written down."""
    counted = agent.home.jobs / agent.status()["jobs"][0]["lease_id"] / "out" / "counted"
    assert agent.command("pause").returncode == 0
    wait_for(lambda: agent.status()["jobs"][0]["is_frozen"])
    assert agent.status()["state"] == "paused"
    frozen_at = counted.stat().st_size
    assert wait_for(lambda: agent.status()["jobs"][0]["is_frozen"])
    assert counted.stat().st_size == frozen_at
    assert agent.command("resume").returncode == 0
    wait_for(lambda: not agent.status()["jobs"][0]["is_frozen"])


@NEEDS_ROOT
def test_the_owner_takes_the_card_back_while_the_disk_is_full(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    with resizable_disk(folder) as resize:
        agent = LivingAgent(Home(folder / "home")).start()
        try:
            buyer = TestBuyer(agent, tmp_path / "buyer")
            submitted = buyer.submit(counting_job(tmp_path / "job", 60))
            wait_for(lambda: running(agent))
            name = agent.containers()[0]
            fill(folder, resize)
            assert agent.command("stop").returncode == 0
            wait_for(lambda: is_stopped(name))
            assert agent.status()["state"] == "paused"
            resize("3g")
            settled(agent)
            assert buyer.job(submitted.job_id).phase is JobPhase.QUEUED
            assert len(agent.ledger()) == 1
            wait_for(lambda: agent.status()["notices"] == [])
        finally:
            resize("3g")
            assert agent.stop() == 0
        assert agent.start().status()["state"] == "paused", "the wish was forgotten"
        assert agent.stop() == 0
        assert traces(agent) == []


def is_stopped(container: str) -> bool:
    command = ["podman", "inspect", "--format", "{{.State.Status}}", container]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip() not in {"running", "paused"}


@NEEDS_ROOT
async def test_a_lease_outlives_a_market_whose_disk_is_full(tmp_path: Path, expect_log: Callable[[str], None]) -> None:
    """Nobody could renew it, so nobody may say that it was not renewed in time."""
    expect_log("nothing can be written: The market's disk is full")
    with resizable_disk(tmp_path / "disk") as resize:
        async with market_stand(tmp_path / "disk") as stand:
            offer = await stand.lease()
            fill(tmp_path / "disk", resize)
            beats = 0
            for _ in range(40):
                stand.clock.advance(5)
                beats += 1
                with pytest.raises(MarketMaintenanceError, match=r"disk|cannot write"):
                    await stand.provider.heartbeat(offer, Heartbeat(offer.fence, beats, Usage(5 * beats)))
            resize("3g")
            async with asyncio.timeout(5):
                while True:
                    beats += 1
                    with suppress(MarketMaintenanceError):
                        status = await stand.provider.heartbeat(offer, Heartbeat(offer.fence, beats, Usage(200)))
                        break
            assert status.state is LeaseState.RUNNING
            done = await stand.provider.complete(offer, Completion(offer.fence, Outcome.SUCCEEDED, Usage(205)))
            assert done.receipt is not None
            assert done.receipt.billable_s == 205
            assert (await stand.audit()).is_exact


async def test_a_lease_is_kept_as_long_as_the_market_says_that_it_can_write_nothing() -> None:
    class Full:
        asked = 0

        async def heartbeat(self, *_: object) -> None:
            self.asked += 1
            raise MarketMaintenanceError("The market cannot answer now: its disk is full.")

    clock, market, ends = ManualClock(), Full(), list[str]()

    async def beat() -> Heartbeat:
        clock.advance(5)
        return Heartbeat(1, market.asked, Usage())

    async def renewed(_: object) -> None:
        raise AssertionError

    lease = Lease("local", decode(Offer, encode(offer())), JobState.RUNNING, accepted_at=clock.now())
    keeper = LeaseKeeper(lease, market, clock, beat, renewed, lambda _, why: ends.append(why))  # type: ignore[arg-type]
    running = asyncio.create_task(keeper.run())
    try:
        async with asyncio.timeout(10):
            while market.asked < 60:
                await asyncio.sleep(0.01)
        assert ends == []
        market.heartbeat = unreachable  # type: ignore[method-assign]
        await asyncio.wait_for(running, 10)
        assert len(ends) == 1
        assert "could not be reached in time" in ends[0]
    finally:
        running.cancel()


async def unreachable(*_: object) -> None:
    raise MarketUnreachableError("The market did not answer.")


def full_while_idle(agent: LivingAgent, folder: Path, resize: Callable[[str], None]) -> None:
    before = agent.ledger()
    fill(folder, resize)
    wait_for(lambda: "disk" in agent.status()["sentence"])
    status = agent.status()
    assert status["state"] == "attention"
    assert "Free some space" in status["sentence"]
    assert agent.ledger() == before
    for words in (["pause"], ["resume"]):
        asked = agent.command(*words)
        assert asked.stderr.count("\n") <= 1
    resize("3g")
    agent.command("resume")
    # Readings are written once a minute, and only then is it seen that they can be again.
    wait_for(lambda: agent.status()["state"] == "idle", 90)


@NEEDS_ROOT
@pytest.mark.parametrize(
    "words", [["agent"], ["gpus"], ["demo", "--no-screen"], ["ledger"]], ids=lambda words: words[0]
)
def test_a_disk_that_is_full_from_the_start(tmp_path: Path, words: list[str]) -> None:
    folder = tmp_path / "disk"
    with resizable_disk(folder) as resize:
        home = Home(folder / "home").create()
        (folder / "something").write_bytes(bytes(4096))
        fill(folder, resize)
        asked = LivingAgent(home).command(*words)
        assert "Traceback" not in asked.stderr
        if words == ["ledger"]:
            assert asked.returncode == 0
        else:
            assert asked.returncode == 74, asked.stderr
            assert asked.stderr.count("\n") == 1
            assert "full" in asked.stderr
            assert "Free some space" in asked.stderr
