"""What every engine must do, on real Podman and real Docker."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import oci_images
import pytest
from engines import DOCKERD, PODMAN, running_docker, running_podman

from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.job import MIB
from argentum_desktop.errors import EngineError, ImageError
from argentum_desktop.resources import resource
from argentum_desktop.runner.connection import Connection, StandingSocket
from argentum_desktop.runner.docker import DockerEngine
from argentum_desktop.runner.engine import Container, ContainerEngine, ContainerState
from argentum_desktop.runner.podman import PodmanEngine
from argentum_desktop.runner.sandbox import INSTALLATION_LABEL, LEASE_LABEL, Bind, SandboxSpec
from argentum_desktop.runner.workspace import Workspace

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module", params=["podman", "docker"])
def engine_socket(request: pytest.FixtureRequest) -> Iterator[tuple[str, Path]]:
    if request.param == "podman":
        if not PODMAN:
            pytest.skip("podman is not installed")
        with running_podman() as path:
            yield "podman", path
    else:
        if not DOCKERD:
            pytest.skip("dockerd is not installed")
        with running_docker() as path:
            yield "docker", path


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> oci_images.BuiltImage:
    return oci_images.build_busybox(tmp_path_factory.mktemp("image") / "busybox.tar")


def connect(kind: str, path: Path) -> PodmanEngine | DockerEngine:
    connection = Connection(StandingSocket(path))
    return PodmanEngine(connection, SystemClock()) if kind == "podman" else DockerEngine(connection, SystemClock())


class Bench:
    """An engine, an image in it, a workspace, and the boxes made here."""

    def __init__(self, kind: str, engine: ContainerEngine, image_id: str, workspace: Workspace) -> None:
        self.kind = kind
        self.engine = engine
        self.workspace = workspace
        self.installation = uuid.uuid4().hex
        self._image_id = image_id

    def spec(self, script: str, **changes: object) -> SandboxSpec:
        lease = uuid.uuid4().hex[:12]
        spec = SandboxSpec(
            name=f"argentum-test-{lease}",
            image_id=self._image_id,
            command=("/bin/sh", "-c", script),
            env=(("GREETING", "hello"),),
            labels=((INSTALLATION_LABEL, self.installation), (LEASE_LABEL, lease)),
            binds=(Bind(self.workspace.inputs, "/in", False), Bind(self.workspace.outputs, "/out", True)),
            memory_bytes=64 * MIB,
            cpu_millis=1000,
            pids=32,
            file_bytes=4 * MIB,
            wall_s=60,
            seccomp_profile=resource("seccomp", "argentum.json"),
        )
        return replace(spec, **changes)  # type: ignore[arg-type]

    async def begin(self, script: str, **changes: object) -> SandboxSpec:
        spec = self.spec(script, **changes)
        await self.engine.create(spec)
        await self.engine.start(spec.name)
        return spec

    async def run(self, script: str, **changes: object) -> tuple[Container, str]:
        spec = await self.begin(script, **changes)
        ended = await self.engine.wait(spec.name)
        return ended, (await self.engine.logs(spec.name)).decode()

    async def until_log(self, name: str, words: str) -> None:
        async with asyncio.timeout(20):
            while words.encode() not in await self.engine.logs(name):
                await asyncio.sleep(0.02)


@pytest.fixture
async def bench(engine_socket: tuple[str, Path], image: oci_images.BuiltImage, tmp_path: Path) -> AsyncIterator[Bench]:
    kind, path = engine_socket
    engine = connect(kind, path)
    workspace = Workspace(tmp_path, "lease with a space".replace(" ", "-"))
    workspace.create()
    bench = Bench(kind, engine, await engine.load_image(image.path, image.manifest_digest), workspace)
    try:
        yield bench
    finally:
        for container in await engine.list_by_label(INSTALLATION_LABEL, bench.installation):
            await engine.remove(container.name)
        assert await engine.list_by_label(INSTALLATION_LABEL, bench.installation) == []
        await engine.close()


async def test_a_whole_life(bench: Bench) -> None:
    (bench.workspace.inputs / "word").write_text("from the buyer")
    spec = bench.spec('cat /in/word; echo; usleep 100000; echo "$GREETING" >&2; echo result >/out/answer; exit 3')
    made = await bench.engine.create(spec)
    assert made.state is ContainerState.CREATED
    assert made.exit_code is None
    await bench.engine.start(spec.name)
    ended = await bench.engine.wait(spec.name)
    assert (ended.state, ended.exit_code, ended.timed_out, ended.out_of_memory) == (
        ContainerState.EXITED,
        3,
        False,
        False,
    )
    assert ended.started_at is not None
    assert ended.finished_at is not None
    assert ended.started_at <= ended.finished_at
    assert await bench.engine.logs(spec.name) == b"from the buyer\nhello\n"
    await bench.engine.start(spec.name)
    again = await bench.engine.inspect(spec.name)
    assert again is not None
    assert again.state is ContainerState.EXITED, "an ended job must not be run a second time"
    collected = bench.workspace.collect(MIB)
    assert [(file.artifact.name, file.path.read_text()) for file in collected.files] == [("answer", "result\n")]
    await bench.engine.remove(spec.name)
    await bench.engine.remove(spec.name)
    assert await bench.engine.inspect(spec.name) is None
    assert await bench.engine.logs(spec.name) == b""


async def test_what_it_says_of_itself(bench: Bench) -> None:
    await bench.engine.ping()
    info = await bench.engine.info()
    assert info.name.lower() == bench.kind
    assert info.limits_enforced
    assert not info.rootless
    assert info.version[0].isdigit()


async def test_a_second_create_finds_the_first(bench: Bench) -> None:
    spec = bench.spec("sleep 30")
    first = await bench.engine.create(spec)
    await bench.engine.start(spec.name)
    second = await bench.engine.create(spec)
    assert second.container_id == first.container_id
    assert second.state is ContainerState.RUNNING
    await bench.engine.start(spec.name)


async def test_a_foreign_container_of_the_same_name_is_left_alone(bench: Bench) -> None:
    spec = bench.spec("true")
    await bench.engine.create(spec)
    other = replace(spec, labels=((INSTALLATION_LABEL, bench.installation), (LEASE_LABEL, "another")))
    with pytest.raises(EngineError, match="not this job's"):
        await bench.engine.create(other)
    assert await bench.engine.inspect(spec.name) is not None


async def test_an_adopted_container_that_differs_is_removed(bench: Bench) -> None:
    spec = bench.spec("true")
    await bench.engine.create(spec)
    with pytest.raises(EngineError, match="seal"):
        await bench.engine.create(replace(spec, memory_bytes=32 * MIB))
    assert await bench.engine.inspect(spec.name) is None


async def test_freezing(bench: Bench) -> None:
    spec = await bench.begin("i=0; while :; do i=$((i+1)); echo $i; usleep 20000; done")
    await bench.until_log(spec.name, "3\n")
    await bench.engine.pause(spec.name)
    await bench.engine.pause(spec.name)
    frozen = await bench.engine.inspect(spec.name)
    assert frozen is not None
    assert frozen.state is ContainerState.PAUSED
    before = await bench.engine.logs(spec.name)
    await asyncio.sleep(0.15)
    assert await bench.engine.logs(spec.name) == before
    await bench.engine.unpause(spec.name)
    await bench.engine.unpause(spec.name)
    await bench.until_log(spec.name, f"{len(before.splitlines()) + 2}\n")


async def test_stopping_one_that_ignores_it(bench: Bench) -> None:
    spec = await bench.begin("trap '' TERM; echo ready; while :; do sleep 1; done")
    await bench.until_log(spec.name, "ready")
    await bench.engine.stop(spec.name, 1)
    ended = await bench.engine.wait(spec.name)
    assert ended.exit_code == 137
    await bench.engine.stop(spec.name, 1)
    await bench.engine.pause(spec.name)


async def test_stopping_one_that_listens(bench: Bench) -> None:
    spec = await bench.begin(
        "trap 'echo saved >/out/checkpoint; exit 9' TERM; echo ready; while :; do usleep 20000; done"
    )
    await bench.until_log(spec.name, "ready")
    await bench.engine.stop(spec.name, 10)
    assert (await bench.engine.wait(spec.name)).exit_code == 9
    assert [file.artifact.name for file in bench.workspace.collect(MIB).files] == ["checkpoint"]


async def test_stopping_a_frozen_one(bench: Bench) -> None:
    spec = await bench.begin("trap '' TERM; echo ready; while :; do sleep 1; done")
    await bench.until_log(spec.name, "ready")
    await bench.engine.pause(spec.name)
    await bench.engine.stop(spec.name, 0)
    assert (await bench.engine.wait(spec.name)).exit_code == 137


async def test_removing_a_frozen_one(bench: Bench) -> None:
    spec = await bench.begin("sleep 60")
    await bench.engine.pause(spec.name)
    await bench.engine.remove(spec.name)
    assert await bench.engine.inspect(spec.name) is None


async def test_memory_is_limited(bench: Bench) -> None:
    ended, _ = await bench.run("dd if=/dev/zero of=/dev/null bs=200M count=1", memory_bytes=24 * MIB)
    assert ended.exit_code == 137


async def test_processes_are_limited(bench: Bench) -> None:
    _, said = await bench.run("for i in $(seq 40); do sleep 5 & done; echo end", pids=12)
    assert "can't fork" in said


async def test_the_network_is_absent(bench: Bench) -> None:
    _, said = await bench.run(
        "ip -o link | wc -l; nc -w 1 192.0.2.1 80 </dev/null 2>&1; cat /etc/resolv.conf; hostname"
    )
    assert said.splitlines()[0] == "1"
    assert "unreachable" in said.lower()
    assert "job" in said.splitlines()  # the streams' order is not promised
    own = {line for line in Path("/etc/resolv.conf").read_text().splitlines() if line.startswith("nameserver 1")}
    assert not {line for line in own if line in said and not line.endswith("127.0.0.1")}


async def test_only_outputs_and_tmp_can_be_written(bench: Bench) -> None:
    places = "/ /bin /etc /run /var /dev /in /out /tmp /dev/shm /sys /proc"
    _, said = await bench.run(f"for p in {places}; do touch $p/x 2>/dev/null && echo $p; done; true")
    assert said.split() == ["/out", "/tmp", "/dev/shm"]
    _, said = await bench.run(
        "cp /bin/busybox /tmp/run && /tmp/run true; dd if=/dev/zero of=/tmp/big bs=1M 2>&1; echo end",
        tmp_bytes=2 * MIB,
    )
    assert "Permission denied" in said
    assert "No space left" in said


async def test_it_has_no_privileges(bench: Bench) -> None:
    _, said = await bench.run(
        "grep -E 'Cap|NoNewPrivs|Seccomp:' /proc/self/status; id -u; unshare -U true; unshare -r true; "
        "mount -t tmpfs x /tmp; mount -o remount,rw /; echo end"
    )
    values = dict(line.split(":\t") for line in said.splitlines() if ":\t" in line)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(values[name], 16) == 0, name
    assert (values["NoNewPrivs"], values["Seccomp"]) == ("1", "2")
    assert "65534" in said.splitlines()
    assert said.count("Operation not permitted") >= 2
    assert said.count("permission denied (are you root?)") + said.count("Operation not permitted") >= 4


async def test_files_are_limited_in_size(bench: Bench) -> None:
    ended, _ = await bench.run("dd if=/dev/zero of=/out/big bs=1M count=20", file_bytes=2 * MIB)
    assert ended.exit_code != 0
    assert (bench.workspace.outputs / "big").stat().st_size == 2 * MIB


async def test_the_log_is_capped(bench: Bench) -> None:
    # The job writes sixteen times what may be kept.
    spec = await bench.begin("yes 0123456789abcdef | head -c 1000000; echo; echo the-end", log_bytes=MIB // 16)
    await bench.engine.wait(spec.name)
    kept = await bench.engine.logs(spec.name)
    assert len(kept) <= MIB // 16 + 4096
    assert b"the-end" in kept


async def test_nothing_of_an_image_weakens_the_box(bench: Bench, tmp_path: Path) -> None:
    """USER root, a volume, a health check, labels of ours and the toolkit's variables, all written into the image."""
    wishes = {
        "User": "0:0",
        "Healthcheck": {"Test": ["CMD-SHELL", "touch /out/health"], "Interval": 1_000_000_000},
        "Labels": {LEASE_LABEL: "stolen"},
        "Env": ["PATH=/bin", "NVIDIA_VISIBLE_DEVICES=all"],
        "StopSignal": "SIGKILL",
        "Cmd": ["/bin/sh"],
    }
    built = oci_images.build_busybox(tmp_path / "wishes.tar", config=wishes)
    image_id = await bench.engine.load_image(built.path, built.manifest_digest)
    ended, said = await bench.run("id -u; echo $NVIDIA_VISIBLE_DEVICES", image_id=image_id)
    assert said.split() == ["65534", "void"]
    assert ended.labels[LEASE_LABEL] != "stolen"
    await bench.engine.remove(ended.name)
    await bench.engine.remove_image(image_id)
    await bench.engine.remove_image(image_id)
    with pytest.raises(EngineError, match="no longer"):
        await bench.engine.create(bench.spec("true", image_id=image_id))


async def test_a_volume_of_an_image_is_never_writable(bench: Bench, tmp_path: Path) -> None:
    """Podman is told to ignore it; Docker cannot be, so that the box is refused and taken away."""
    built = oci_images.build_busybox(
        tmp_path / "volume.tar", config={"Volumes": {"/var/lib/free": {}}, "Cmd": ["/bin/sh"], "Env": ["PATH=/bin"]}
    )
    image_id = await bench.engine.load_image(built.path)
    spec = bench.spec("touch /var/lib/free/x", image_id=image_id)
    if bench.kind == "docker":
        with pytest.raises(EngineError, match="/var/lib/free"):
            await bench.engine.create(spec)
        assert await bench.engine.inspect(spec.name) is None
    else:
        ended, _ = await bench.run("touch /var/lib/free/x", image_id=image_id)
        assert ended.exit_code == 1
        await bench.engine.remove(ended.name)
    await bench.engine.remove_image(image_id)


async def test_a_program_that_is_not_there(bench: Bench) -> None:
    spec = bench.spec("", command=("/no/such/program",))
    await bench.engine.create(spec)
    await bench.engine.start(spec.name)
    # The box's first process is ours, so the box starts; what follows is told in the job's log. The code is that
    # process's own: 127 from one engine's, 1 from the other's.
    ended = await bench.engine.wait(spec.name)
    assert ended.exit_code in {1, 127}
    assert b"No such file or directory" in await bench.engine.logs(spec.name)


async def test_a_card_that_is_not_there(bench: Bench) -> None:
    spec = bench.spec("true", gpu_devices=("nvidia.com/gpu=GPU-0",))

    async def begin() -> None:
        # Podman finds out when it creates the box, Docker when it starts it.
        await bench.engine.create(spec)
        await bench.engine.start(spec.name)

    with pytest.raises(EngineError, match="graphics card"):
        await begin()


async def test_hostile_outputs_are_refused(bench: Bench) -> None:
    await bench.run(
        "cd /out; ln -s /etc/shadow secret; ln -s / root; mkfifo pipe; nc -l -U -p 1 2>/dev/null & "
        "cd /out; mkdir -p ok/deep; echo fine >ok/deep/file; touch -- '-rf' 'a:b' con 'x y' .hidden; usleep 50000"
    )
    collected = bench.workspace.collect(MIB)
    assert [file.artifact.name for file in collected.files] == ["ok/deep/file"]
    refused = {entry.name: entry.reason for entry in collected.refused}
    assert refused["secret"] == refused["root"] == "it is a symbolic link"
    assert refused["pipe"] == "it is a pipe"
    assert {"-rf", "a:b", "con", "x y", ".hidden"} <= set(refused)
    bench.workspace.remove()
    assert not bench.workspace.root.exists()
    bench.workspace.remove()
    bench.workspace.create()


async def test_wait_when_it_is_removed_by_somebody(bench: Bench) -> None:
    spec = await bench.begin("sleep 60")
    waiting = asyncio.create_task(bench.engine.wait(spec.name))
    await asyncio.sleep(0.2)
    await bench.engine.remove(spec.name)
    (ended,) = await asyncio.wait_for(asyncio.gather(waiting, return_exceptions=True), 15)
    if isinstance(ended, Container):
        # The kill may be seen before the removal.
        assert ended.exit_code == 137
    else:
        assert isinstance(ended, EngineError)


async def test_eight_at_once(bench: Bench) -> None:
    results = await asyncio.gather(*(bench.run(f"echo {n}; exit {n}") for n in range(8)))
    assert [(ended.exit_code, said.strip()) for ended, said in results] == [(n, str(n)) for n in range(8)]


async def test_an_image_that_was_not_agreed_upon(bench: Bench, image: oci_images.BuiltImage) -> None:
    with pytest.raises(ImageError, match="not the image that was agreed upon"):
        await bench.engine.load_image(image.path, "sha256:" + "0" * 64)


async def test_a_dead_monitor_is_noticed(bench: Bench) -> None:
    """Podman alone: nobody writes down how the job ended, and its own wait would hang for ever."""
    if bench.kind != "podman":
        pytest.skip("Docker's daemon watches by itself")
    spec = await bench.begin("echo ready; sleep 1")
    await bench.until_log(spec.name, "ready")
    assert isinstance(bench.engine, PodmanEngine)
    inspected = await bench.engine._inspect(spec.name)
    assert inspected is not None
    os.kill(inspected["State"]["ConmonPid"], signal.SIGKILL)
    ended = await asyncio.wait_for(bench.engine.wait(spec.name), 15)
    assert (ended.state, ended.exit_code) == (ContainerState.EXITED, None)
    await bench.engine.remove(spec.name)
