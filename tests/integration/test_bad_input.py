"""What people give the commands and the market that cannot be used: one sentence with a remedy, and all as before."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from living import SETTINGS, LivingAgent, TestBuyer, wait_for
from oci_images import build_busybox, busybox_layer, image_config, oci_files, tar_of, write_archive

from argentum_desktop.buyer.client import BuyerClient
from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.job import Artifact, JobSpec, Limits
from argentum_desktop.domain.money import Money
from argentum_desktop.identity.keys import load_or_create
from argentum_desktop.marketplace.wire import JobPhase, JobStatus
from argentum_desktop.paths import Home

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

NEEDS_ROOT = pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="mounting needs root")
STARTING = ("agent", "gpus", "tray", "demo --no-screen", "gpus --json")
ASKING = ("status", "status --json", "pause", "pause --hours 1", "resume", "stop", "show", "quit")
OK, BAD_INPUT, NOT_RUNNING, STORE, IDENTITY = 0, 2, 3, 74, 78


def run(home: Path | str, words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One command, as a person types it, without a display."""
    own = [sys.executable, "-m", "argentum_desktop", "--home", str(home), *words.split()]
    given = {key: value for key, value in os.environ.items() if key not in {"DISPLAY", "WAYLAND_DISPLAY"}}
    given.pop("QT_QPA_PLATFORM", None)
    return subprocess.run(own, capture_output=True, text=True, timeout=60, env=given | environment)


def run_all(home: Path, commands: tuple[str, ...]) -> dict[str, subprocess.CompletedProcess[str]]:
    with ThreadPoolExecutor(3) as together:
        return dict(zip(commands, together.map(lambda words: run(home, words), commands), strict=True))


def is_one_sentence(told: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exactly one line, of this program, with all the words, and nothing of how it is made."""
    assert told.stderr.startswith("argentum-desktop: "), told.stderr
    assert told.stderr.count("\n") == 1
    assert "Error" not in told.stderr
    for word in words:
        assert word in told.stderr


# -- settings and homes -----------------------------------------------------------------------------------------------

BROKEN_SETTINGS: Mapping[str, tuple[bytes, str]] = {
    "no TOML": (b"[prices\nfloor", "not valid TOML"),
    "no text": (b"\xff\xfe\x00", "not text in UTF-8"),
    "empty": (b"", "is empty"),
    "an unknown section": (b"[price]\nx = 1\n", "did you mean prices?"),
    "an unknown choice": (b"[prices]\nflor_per_gpu_hour = 1\n", "is not known"),
    "a word for a number": (b'[jobs]\ndisk_gib = "much"\n', "jobs.disk_gib must be a whole number"),
    "out of range": (b"[jobs]\ndisk_gib = 0\n", "jobs.disk_gib must lie between 1 and 10000"),
    "endless": (b"[jobs]\ndisk_gib = " + b"9" * 5000 + b"\n", "settings.toml"),
    "deep": (b"x = " + b"[" * 5000, "settings.toml"),
    "no window": (b'[availability]\nwindows = ["always"]\n', "availability.windows"),
    "no zone": (b'[availability]\ntimezone = "Europe/Pariss"\n', "Europe/Paris"),
    "no address": (b'[market]\nurl = "market.example"\n', "web address"),
}


@pytest.mark.parametrize("name", sorted(BROKEN_SETTINGS))
def test_broken_settings_are_named_and_left_alone(tmp_path: Path, name: str) -> None:
    text, words = BROKEN_SETTINGS[name]
    file = tmp_path / "settings.toml"
    file.write_bytes(text)
    told = run(tmp_path, "agent")
    assert told.returncode == 78
    is_one_sentence(told, words, str(file), "nothing runs until then")
    assert told.stdout == ""
    assert file.read_bytes() == text


def test_every_command_with_broken_settings(tmp_path: Path) -> None:
    """What would work by them refuses; what only asks does not need them."""
    (tmp_path / "settings.toml").write_text("[jobs]\ndisk_gib = 0\n")
    for told in run_all(tmp_path, STARTING).values():
        assert told.returncode == 78
        is_one_sentence(told, "jobs.disk_gib")
    for told in run_all(tmp_path, ASKING).values():
        assert told.returncode == NOT_RUNNING
        is_one_sentence(told, "is not running in", "Start it with")
    assert run(tmp_path, "ledger").stdout == "Nothing has been earned yet.\n"
    assert not (tmp_path / "agent.db").exists()


def test_settings_that_are_a_folder(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").mkdir()
    is_one_sentence(run(tmp_path, "agent"), "settings.toml cannot be read")


def test_every_command_with_a_file_for_a_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("a letter")
    for told in run_all(home, STARTING).values():
        assert told.returncode == BAD_INPUT
        is_one_sentence(told, str(home), "cannot be used", "--home")
    for told in run_all(home, ASKING).values():
        assert told.returncode == NOT_RUNNING
        is_one_sentence(told, "is not running in")
    assert home.read_text() == "a letter"


@NEEDS_ROOT
@pytest.mark.parametrize("made", [True, False], ids=["of an installation", "empty"])
def test_a_home_that_cannot_be_written(tmp_path: Path, made: bool) -> None:
    home = tmp_path / "home"
    home.mkdir()
    if made:
        Home(home).create()
        (home / "settings.toml").write_text(SETTINGS)
    if subprocess.run(["mount", "--bind", str(home), str(home)], capture_output=True).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(home)], check=True)
        for told in run_all(home, ("agent", "gpus", "demo --no-screen", "ledger", "status")).values():
            command = told.args[5]
            if command == "ledger":
                assert (told.returncode, told.stdout) == (OK, "Nothing has been earned yet.\n")
            elif command == "status":
                assert told.returncode == NOT_RUNNING
            elif command == "gpus" and made:
                assert told.returncode in {OK, BAD_INPUT}
            else:
                assert told.returncode == BAD_INPUT, told.stderr
                is_one_sentence(told, str(home), "--home")
            assert "Traceback" not in told.stderr
    finally:
        subprocess.run(["umount", str(home)], check=True)


def test_a_home_with_every_letter_in_its_name(tmp_path: Path) -> None:
    home = tmp_path / "Ünser \"Haus\" 'n' $HOME; 東京 %s {0}"
    told = run(home, "--simulated 1 gpus --json")
    assert told.returncode == OK, told.stderr
    assert [card["gpu_id"] for report in json.loads(told.stdout)["reports"] for card in report["gpus"]] == ["SIM-0"]
    assert (home / "settings.toml").exists()


def test_an_answer_that_cannot_be_written(tmp_path: Path) -> None:
    own = [sys.executable, "-m", "argentum_desktop", "--home", str(tmp_path), "ledger"]
    with Path("/dev/full").open("w") as full:
        told = subprocess.run(own, stdout=full, stderr=subprocess.PIPE, text=True)
    assert told.returncode == 1
    is_one_sentence(told, "cannot be written (No space left on device)")
    gone = subprocess.Popen(own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert gone.stdout is not None
    gone.stdout.close()
    assert gone.stderr is not None
    assert gone.stderr.read() == ""
    gone.stderr.close()
    assert gone.wait(30) == 0


def test_a_terminal_that_knows_few_letters(tmp_path: Path) -> None:
    told = run(tmp_path, "--simulated 1 gpus", PYTHONIOENCODING="ascii")
    assert told.returncode == OK
    assert "?C" in told.stdout


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("nonsense", "invalid choice: 'nonsense'"),
        ("pause --hours nan", "not a number of hours"),
        ("pause --hours 1e300", "not a number of hours"),
        ("pause --hours -3", "not a number of hours"),
        ("pause --hours 0", "not a number of hours"),
        ("pause --hours soon", "not a number of hours"),
        ("--simulated x gpus", "not a whole number from 0 to 16"),
        ("--simulated 1000 gpus", "not a whole number from 0 to 16"),
        ("--simulated -1 gpus", "argument --simulated"),
        ("gpus --nonsense", "unrecognized arguments"),
        ("demo --jobs x", "not a whole number"),
    ],
)
def test_words_that_are_no_command(tmp_path: Path, words: str, why: str) -> None:
    told = run(tmp_path / "home", words)
    assert told.returncode == BAD_INPUT
    assert told.stderr.startswith("usage: argentum-desktop")
    assert why in told.stderr.splitlines()[-1]
    assert not (tmp_path / "home").exists()


def test_a_demo_that_cannot_end_well_does_not_begin(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for picture in (tmp_path, tmp_path / "file" / "picture.png"):
        told = run(tmp_path / "home", f"demo --no-screen --picture {picture}")
        assert told.returncode == BAD_INPUT
        is_one_sentence(told, "picture", "--picture")
    told = run(tmp_path / "home", "demo --no-screen --scale nan")
    assert told.returncode == BAD_INPUT
    is_one_sentence(told, "scale nan makes no sense")


@pytest.mark.parametrize("display", ["", ":63999", "nowhere.invalid:0", "nonsense", ":99999999", ":"])
def test_a_tray_without_a_display(tmp_path: Path, display: str) -> None:
    told = run(tmp_path, "tray", DISPLAY=display)
    assert told.returncode == BAD_INPUT
    is_one_sentence(told, "display", "argentum-desktop agent")


def test_a_window_without_its_libraries(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['PySide6'] = None\n")
    for words in ("tray", "demo"):
        told = run(tmp_path / "home", words, PYTHONPATH=str(tmp_path))
        assert told.returncode == 69
        is_one_sentence(told, "window", "argentum-desktop agent")


# -- damaged state ----------------------------------------------------------------------------------------------------


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE of_the_future (x)")
        connection.execute("PRAGMA user_version = 99")


def rubbish(path: Path) -> None:
    path.write_bytes(b"This is no database." * 1000)


def torn(path: Path) -> None:
    """A database with its middle overwritten, as by a failing disk."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE program_state (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
        connection.executemany("INSERT INTO program_state VALUES (?, ?)", [(str(n), "x" * 500) for n in range(200)])
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    data = bytearray(path.read_bytes())
    data[4096:-4096] = b"\xa5" * (len(data) - 8192)
    path.write_bytes(data)


@pytest.mark.parametrize("words", ["agent", "ledger"])
@pytest.mark.parametrize("damage", [newer, rubbish, torn])
def test_a_damaged_database_is_left_as_it_is(tmp_path: Path, damage: Callable[[Path], None], words: str) -> None:
    home = Home(tmp_path / "home").create()
    damage(home.agent_db)
    before = home.agent_db.read_bytes()
    told = run(home.root, words)
    assert told.returncode == STORE, told.stderr
    is_one_sentence(told, str(home.agent_db), "newer version" if damage is newer else "damaged")
    assert home.agent_db.read_bytes() == before


@pytest.mark.parametrize("part", ["device key", "market database"])
def test_a_market_side_that_is_damaged_is_told_and_mended_without_a_restart(tmp_path: Path, part: str) -> None:
    home = Home(tmp_path / "home").create()
    victim = home.device_key if part == "device key" else home.market / "market.db"
    victim.write_bytes(b"rubbish" * 1000)
    agent = LivingAgent(home)
    agent._is_up = home.control_file.exists  # type: ignore[method-assign]
    agent.start()
    try:
        notice = wait_for(lambda: next(iter(agent.status()["notices"]), None))
        assert notice["message"].isprintable()
        assert ("key file" if part == "device key" else "database") in notice["message"]
        assert agent.status()["state"] == "attention"
        assert victim.read_bytes() == b"rubbish" * 1000
        victim.unlink()
        wait_for(lambda: agent.status()["state"] == "idle")
        assert agent.status()["notices"] == []
    finally:
        assert agent.stop() == 0
    assert "Traceback" not in "".join(file.read_text() for file in home.logs.iterdir())


# -- jobs -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingAgent]:
    agent = LivingAgent(Home(tmp_path_factory.mktemp("bad jobs") / "home")).start()
    yield agent
    assert agent.stop() == 0, agent.terminal()
    assert agent.containers() == []
    assert "Traceback" not in agent.terminal() + "".join(file.read_text() for file in agent.home.logs.iterdir())


@pytest.fixture
def buyer(agent: LivingAgent, tmp_path: Path) -> TestBuyer:
    return TestBuyer(agent, tmp_path)


def damaged(path: Path) -> str:
    """A layer whose bytes are not those that were promised; returns the digest of the manifest."""
    layer = busybox_layer()
    files = oci_files(layer, image_config(layer))
    name = max(files, key=lambda key: len(files[key]))
    files[name] = files[name][:-1000] + b"\0" * 999 + b"x"
    return write_archive(path, files).manifest_digest


def foreign(path: Path) -> str:
    return build_busybox(path, architecture="s390x").manifest_digest


def windows(path: Path) -> str:
    return build_busybox(path, os="windows").manifest_digest


def docker_archive(path: Path) -> str:
    layer = busybox_layer()
    config = image_config(layer)
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    described = [{"Config": name, "RepoTags": ["busybox:latest"], "Layers": ["layer.tar"]}]
    path.write_bytes(tar_of({"manifest.json": json.dumps(described).encode(), name: config, "layer.tar": layer}))
    return "sha256:" + "a" * 64


def no_tar(path: Path) -> str:
    path.write_bytes(b"MZ" + bytes(100_000))
    return "sha256:" + "a" * 64


def empty(path: Path) -> str:
    path.touch()
    return "sha256:" + "a" * 64


def cut_off(path: Path) -> str:
    digest = build_busybox(path).manifest_digest
    path.write_bytes(path.read_bytes()[:200_000])
    return digest


def another(path: Path) -> str:
    build_busybox(path)
    return "sha256:" + "a" * 64


def escaping(path: Path) -> str:
    """A tar that wants to write beside itself."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in ("../../../../tmp/escaped", "/etc/escaped", "oci-layout"):
            tar.addfile(tarfile.TarInfo(name))
    path.write_bytes(buffer.getvalue())
    return "sha256:" + "a" * 64


def spec_for(agent: LivingAgent, folder: Path, image: Path, digest: str, **limits: int) -> JobStatus:
    """Submit past the buyer's own checks, as somebody with another client can."""
    data = image.read_bytes()
    artifact = Artifact("image.tar", hashlib.sha256(data).hexdigest(), len(data))
    asked = {"gpus": 0, "memory_mib": 64, "disk_mib": 8, "pids": 16, "cpu_millis": 500, "wall_s": 60} | limits
    spec = JobSpec(
        "A wrong image", artifact, digest, ("/bin/true",), Money.parse("0.40", "EUR"), limits=Limits(**asked)
    )

    async def submit() -> JobStatus:
        client = BuyerClient(agent.market_url(), load_or_create(folder / "buyer.key"), SystemClock())
        try:
            await client.connect()
            return await client.submit(spec, {artifact.sha256: image})
        finally:
            await client.close()

    return asyncio.run(submit())


WRONG_IMAGES: Mapping[Callable[[Path], str], str] = {
    damaged: "changed after it was made",
    foreign: "made for linux/s390x",
    windows: "made for windows/",
    docker_archive: "not an OCI archive",
    no_tar: "checksum is wrong",
    empty: "it is empty",
    cut_off: "ends in the middle",
    another: "digest is another one",
    escaping: "cannot be",
}


@pytest.mark.parametrize("make", list(WRONG_IMAGES), ids=lambda make: make.__name__)
def test_a_wrong_image_is_refused_with_its_reason(
    agent: LivingAgent, buyer: TestBuyer, tmp_path: Path, make: Callable[[Path], str]
) -> None:
    """The job fails for its buyer, in words; it costs nothing and leaves nothing."""
    digest = make(tmp_path / "image.tar")
    before = len(agent.ledger())
    job = buyer.until_over(spec_for(agent, tmp_path, tmp_path / "image.tar", digest).job_id)
    assert job.phase is JobPhase.FAILED
    assert WRONG_IMAGES[make] in job.reason
    assert job.reason.isprintable()
    assert job.cost is not None
    assert job.cost.micros == 0
    wait_for(lambda: not agent.status()["jobs"])
    assert list(agent.home.jobs.iterdir()) == []
    settled = agent.ledger()[before:]
    assert [
        posting["amount"]["micros"] for entry in settled for posting in entry["postings"] if posting["amount"]["micros"]
    ] == []
    assert agent.status()["state"] == "idle"


@pytest.mark.parametrize("make", [damaged, docker_archive, no_tar, empty, cut_off], ids=lambda make: make.__name__)
def test_the_buyers_command_refuses_it_before_anything_is_sent(
    agent: LivingAgent, tmp_path: Path, make: Callable[[Path], str]
) -> None:
    make(tmp_path / "image.tar")
    (tmp_path / "job.toml").write_text(
        'title = "x"\nimage = "image.tar"\ncommand = ["/bin/true"]\nmax_price_per_hour = "0.4"\n'
    )
    told = market(agent, tmp_path, "submit", str(tmp_path / "job.toml"))
    assert told.returncode == BAD_INPUT
    assert told.stderr.count("\n") == 1
    assert str(tmp_path / "image.tar") in told.stderr
    assert "podman save --format oci-archive" in told.stderr


def market(agent: LivingAgent, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The buyer's command."""
    return subprocess.run(market_words(agent, folder, *words), capture_output=True, text=True, timeout=60)


def market_words(agent: LivingAgent, folder: Path, *words: str) -> list[str]:
    own = [sys.executable, "-m", "argentum_desktop.market_cli", *words]
    return [*own, "--home", str(agent.home.root), "--identity", str(folder / "buyer.key")]


TOO_MUCH = {
    "memory_mib": (10_000_000, "MiB of memory"),
    "cpu_millis": (1_000_000, "thousandths of a processor"),
    "disk_mib": (10_000_000, "MiB of disk"),
    "vram_mib": (1_000_000, "MiB of card memory"),
    "wall_s": (500_000, "seconds"),
}


def test_jobs_that_ask_for_more_than_there_is_say_why_they_wait(
    agent: LivingAgent, buyer: TestBuyer, tmp_path: Path
) -> None:
    """In the list, on the watching terminal and in JSON; and they can be cancelled."""
    digest = build_busybox(tmp_path / "image.tar").manifest_digest
    ids = {
        limit: spec_for(agent, tmp_path, tmp_path / "image.tar", digest, **{limit: much}).job_id
        for limit, (much, _) in TOO_MUCH.items()
    }
    for limit, (much, words) in TOO_MUCH.items():
        begins = f"It asks for {much} {words}; no machine here gives a job more than "
        wait_for(lambda limit=limit, begins=begins: buyer.job(ids[limit]).reason.startswith(begins))
        assert buyer.job(ids[limit]).reason.isprintable()
    listed = market(agent, tmp_path, "list")
    assert listed.returncode == 0
    assert listed.stdout.count("no machine here gives a job more than") == len(ids)
    with subprocess.Popen([*market_words(agent, tmp_path, "watch", ids["wall_s"])], stderr=subprocess.PIPE) as watching:
        assert watching.stderr is not None
        assert b"queued: It asks for 500000 seconds; no machine" in watching.stderr.readline()
        cancelled = market(agent, tmp_path, "cancel", ids["wall_s"])
        assert (cancelled.returncode, cancelled.stderr) == (0, "")
        assert watching.wait(30) == 1
    for job_id in ids.values():
        assert buyer.cancel(job_id).phase is JobPhase.CANCELLED


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"gpus": 4}, "one card to a job"),
        ({"wall_s": 10**8}, "wall_s can be at most"),
        ({"memory_mib": 2**50}, "out of range"),
        ({"wall_s": 600_000, "cpu_millis": 10}, "which must be held"),
    ],
    ids=["cards", "time", "absurd", "money"],
)
def test_a_job_that_no_machine_could_ever_run_is_refused_at_once(
    agent: LivingAgent, tmp_path: Path, limits: dict[str, int], words: str
) -> None:
    build_busybox(tmp_path / "image.tar")
    lines = "".join(f"{name} = {value}\n" for name, value in limits.items())
    price = "999" if "which" in words else "0.4"
    (tmp_path / "job.toml").write_text(
        f'title = "x"\nimage = "image.tar"\ncommand = ["/bin/true"]\nmax_price_per_hour = "{price}"\n[limits]\n{lines}'
    )
    told = market(agent, tmp_path, "submit", str(tmp_path / "job.toml"))
    assert told.returncode == 1, told.stdout
    assert told.stderr.count("\n") == 1
    assert words in told.stderr
    assert market(agent, tmp_path, "list").stdout == "There are no jobs yet.\n"


def test_a_price_below_every_floor_and_a_busy_card_are_said(
    agent: LivingAgent, buyer: TestBuyer, tmp_path: Path
) -> None:
    digest = build_busybox(tmp_path / "image.tar").manifest_digest
    data = (tmp_path / "image.tar").read_bytes()
    artifact = Artifact("image.tar", hashlib.sha256(data).hexdigest(), len(data))
    cheap = JobSpec(
        "Cheap", artifact, digest, ("/bin/true",), Money(1, "EUR"), limits=Limits(gpus=0, memory_mib=64, disk_mib=8)
    )

    async def submit() -> JobStatus:
        client = BuyerClient(agent.market_url(), load_or_create(tmp_path / "buyer.key"), SystemClock())
        try:
            await client.connect()
            return await client.submit(cheap, {artifact.sha256: tmp_path / "image.tar"})
        finally:
            await client.close()

    job = asyncio.run(submit())
    wait_for(lambda: "works for this price" in buyer.job(job.job_id).reason)
    agent.ask("pause")
    try:
        wait_for(lambda: buyer.job(job.job_id).reason == "Every card is at work or not offered now.")
    finally:
        agent.ask("resume")
    buyer.cancel(job.job_id)
