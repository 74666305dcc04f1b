"""Our own Podman service: found, started, adopted, restarted; and jobs that do not care."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import oci_images
import pytest
from engines import PODMAN, listens, running_docker, running_podman, short_folder, until

from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.job import MIB
from argentum_desktop.errors import BadInputError, EngineError, EngineMissingError
from argentum_desktop.resources import resource
from argentum_desktop.runner.connection import Connection
from argentum_desktop.runner.discovery import Surroundings, find_engine
from argentum_desktop.runner.engine import ContainerState
from argentum_desktop.runner.podman import PodmanEngine
from argentum_desktop.runner.podman_service import PodmanService
from argentum_desktop.runner.sandbox import INSTALLATION_LABEL, LEASE_LABEL, Bind, SandboxSpec
from argentum_desktop.runner.workspace import Workspace

pytestmark = [pytest.mark.engine, pytest.mark.skipif(not PODMAN, reason="podman is not installed")]

NOTHING = Surroundings(environment={}, podman_binary=None, podman_sockets=(), docker_sockets=())


def surroundings(**changes: object) -> Surroundings:
    return Surroundings(**{**NOTHING.__dict__, **changes})  # type: ignore[arg-type]


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[PodmanService]:
    state = tmp_path / ("a long folder with spaces " * 4) / "engine"
    state.mkdir(parents=True)
    service = PodmanService(Path(PODMAN or ""), state, SystemClock())
    try:
        yield service
    finally:
        await service.close()


def spec_for(workspace: Workspace, image_id: str, script: str, **changes: object) -> SandboxSpec:
    lease = uuid.uuid4().hex[:12]
    values = {
        "name": f"argentum-test-{lease}",
        "image_id": image_id,
        "command": ("/bin/sh", "-c", script),
        "env": (),
        "labels": ((INSTALLATION_LABEL, "service-test"), (LEASE_LABEL, lease)),
        "binds": (Bind(workspace.inputs, "/in", False), Bind(workspace.outputs, "/out", True)),
        "memory_bytes": 64 * MIB,
        "cpu_millis": 1000,
        "pids": 32,
        "file_bytes": MIB,
        "wall_s": 60,
        "seccomp_profile": resource("seccomp", "argentum.json"),
    }
    return SandboxSpec(**{**values, **changes})  # type: ignore[arg-type]


async def test_a_job_outlives_the_service(service: PodmanService, tmp_path: Path) -> None:
    """The service is killed while a job runs and another is being waited for; the same engine object goes on."""
    engine = PodmanEngine(Connection(service), SystemClock())
    image = await asyncio.to_thread(oci_images.build_busybox, tmp_path / "image.tar")
    workspace = Workspace(tmp_path, "lease")
    workspace.create()
    spec = spec_for(
        workspace, await engine.load_image(image.path), "for i in 1 2 3 4; do echo $i; sleep 0.4; done; exit 7"
    )
    try:
        await engine.create(spec)
        await engine.start(spec.name)
        first = service.pid
        assert first is not None
        waiting = asyncio.create_task(engine.wait(spec.name))
        await asyncio.sleep(0.2)
        os.kill(first, signal.SIGKILL)
        ended = await asyncio.wait_for(waiting, 20)
        assert ended.exit_code == 7
        assert await engine.logs(spec.name) == b"1\n2\n3\n4\n"
        assert service.pid not in {first, None}
    finally:
        await engine.remove(spec.name)
        await engine.close()
    assert service.pid is None


async def test_the_wall_limit_holds_without_the_service(service: PodmanService, tmp_path: Path) -> None:
    engine = PodmanEngine(Connection(service), SystemClock())
    image = await asyncio.to_thread(oci_images.build_busybox, tmp_path / "image.tar")
    workspace = Workspace(tmp_path, "lease")
    workspace.create()
    script = "while :; do date +%s >/out/alive; usleep 50000; done"
    spec = spec_for(workspace, await engine.load_image(image.path), script, wall_s=1)
    try:
        await engine.create(spec)
        await engine.start(spec.name)
        assert service.pid is not None
        os.kill(service.pid, signal.SIGKILL)
        alive = workspace.outputs / "alive"
        await asyncio.to_thread(until, alive.exists)

        def silent() -> bool:
            return SystemClock().now().timestamp() - alive.stat().st_mtime > 0.5

        await asyncio.to_thread(until, silent, 10, "the end of an overdue job")
        ended = await asyncio.wait_for(engine.wait(spec.name), 20)
        assert (ended.state, ended.timed_out, ended.exit_code) == (ContainerState.EXITED, True, 137)
    finally:
        await engine.remove(spec.name)
        await engine.close()


async def test_a_service_left_by_a_killed_twin_is_used(service: PodmanService) -> None:
    first = await service.ensure()
    twin = PodmanService(service._binary, service._state, SystemClock())
    assert await twin.ensure() == first
    assert twin.pid is None
    # The killed one's service goes away at last: the twin starts its own in its place.
    assert service.pid is not None
    os.kill(service.pid, signal.SIGKILL)
    await asyncio.to_thread(until, lambda: not listens(first))
    second = await twin.ensure()
    assert second == first
    assert twin.pid is not None
    await twin.close()
    assert not second.exists()
    assert not (service._state / "service.json").exists()


async def test_a_folder_that_others_can_enter_is_not_used_again(service: PodmanService, tmp_path: Path) -> None:
    open_folder = tmp_path / "open"
    open_folder.mkdir()
    open_folder.chmod(0o755)
    (service._state / "service.json").write_text(json.dumps({"socket": str(open_folder / "podman.sock")}))
    assert (await service.ensure()).parent != open_folder


@pytest.mark.parametrize("text", ["", "[]", "{", '{"socket": 3}', "\x00"])
async def test_a_broken_memory_is_forgotten(service: PodmanService, text: str) -> None:
    (service._state / "service.json").write_text(text)
    assert listens(await service.ensure())


async def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\nfrom pathlib import Path\n"
        "from argentum_desktop.clock import SystemClock\n"
        "from argentum_desktop.runner.podman_service import PodmanService\n"
        "async def main():\n"
        "    service = PodmanService(Path(sys.argv[1]), Path(sys.argv[2]), SystemClock())\n"
        "    print(await service.ensure(), flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(PODMAN), str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        path = Path(parent.stdout.readline().strip())
        assert listens(path)
        parent.kill()
    until(lambda: not listens(path), what="the service's end")
    # What it left behind is cleared by the next one.
    service = PodmanService(Path(str(PODMAN)), tmp_path, SystemClock())
    assert await service.ensure() == path
    await service.close()
    assert not path.parent.exists()


async def test_a_podman_that_cannot_start(tmp_path: Path) -> None:
    service = PodmanService(Path("/bin/false"), tmp_path, SystemClock())
    with pytest.raises(EngineMissingError, match="does not start"):
        await service.ensure()
    remembered = Path(json.loads((tmp_path / "service.json").read_text())["socket"])
    await service.close()
    assert not remembered.parent.exists()


async def test_finding_our_own_podman(tmp_path: Path) -> None:
    engine = await find_engine("auto", tmp_path, SystemClock(), surroundings(podman_binary=Path(str(PODMAN))))
    info = await engine.info()
    assert (info.name, info.limits_enforced) == ("Podman", True)
    await engine.close()


async def test_a_search_that_is_given_up_leaves_no_service(tmp_path: Path) -> None:
    around = surroundings(podman_binary=Path(str(PODMAN)))
    search = asyncio.create_task(find_engine("auto", tmp_path, SystemClock(), around))
    note = tmp_path / "service.json"
    async with asyncio.timeout(20):
        while not note.exists() or not listens(Path(json.loads(note.read_text())["socket"])):
            await asyncio.sleep(0.01)
    path = Path(json.loads(note.read_text())["socket"])
    search.cancel()
    with pytest.raises(asyncio.CancelledError):
        await search
    assert not listens(path)
    assert not path.parent.exists()


async def test_finding_what_listens(tmp_path: Path) -> None:
    with running_podman() as path:
        engine = await find_engine("podman", tmp_path, SystemClock(), surroundings(podman_sockets=(path,)))
        assert (await engine.info()).address == f"unix://{path}"
        await engine.close()
        by_address = await find_engine(f"unix://{path}", tmp_path, SystemClock(), NOTHING)
        assert (await by_address.info()).name == "Podman"
        await by_address.close()
        # Podman's imitation of Docker is not taken for Docker, whatever the socket is called.
        with pytest.raises(EngineMissingError, match="is Podman"):
            await find_engine("docker", tmp_path, SystemClock(), surroundings(docker_sockets=(path,)))


@pytest.mark.skipif(not Path("/usr/sbin/dockerd").exists(), reason="dockerd is not installed")
async def test_finding_docker(tmp_path: Path) -> None:
    with running_docker() as path:
        around = surroundings(environment={"DOCKER_HOST": f"unix://{path}"})
        for preference in ("auto", "docker", str(path)):
            engine = await find_engine(preference, tmp_path, SystemClock(), around)
            assert (await engine.info()).name == "Docker"
            await engine.close()


async def test_no_engine(tmp_path: Path) -> None:
    with pytest.raises(EngineMissingError) as caught:
        await find_engine("auto", tmp_path, SystemClock(), NOTHING)
    assert "Install" in caught.value.remedy
    with pytest.raises(BadInputError, match="not a container engine"):
        await find_engine("lxc", tmp_path, SystemClock(), NOTHING)
    with pytest.raises(EngineMissingError, match="does not answer"):
        await find_engine("/nowhere.sock", tmp_path, SystemClock(), NOTHING)


async def test_something_else_on_the_socket() -> None:
    """Nonsense from a socket is told in words."""

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not (await reader.read(4096)):  # only somebody who looks who is there
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nLibpod-Api-Version: 4.3.1\r\n\r\n[1,2}")
        await writer.drain()
        writer.close()

    with short_folder() as folder:
        server = await asyncio.start_unix_server(babble, folder / "s")
        with pytest.raises(EngineError, match=r"makes no sense|not Docker"):
            await find_engine(str(folder / "s"), folder, SystemClock(), NOTHING)
        server.close()
        await server.wait_closed()


async def test_asleep_it_costs_nothing_and_any_call_wakes_it(service: PodmanService, tmp_path: Path) -> None:
    engine = PodmanEngine(Connection(service), SystemClock())
    await engine.ping()
    first = service.pid
    assert first is not None
    await engine.rest()
    assert service.pid is None
    assert not Path(f"/proc/{first}").exists()
    await asyncio.gather(engine.ping(), engine.list_by_label(INSTALLATION_LABEL, "nobody"))
    assert service.pid not in {None, first}
    await engine.close()


async def test_it_is_not_sent_to_sleep_in_the_middle_of_an_answer(service: PodmanService, tmp_path: Path) -> None:
    engine = PodmanEngine(Connection(service), SystemClock())
    await engine.ping()
    first = service.pid
    asking = asyncio.create_task(engine.info())
    await asyncio.sleep(0)
    await engine.rest()
    assert (await asking).version
    assert service.pid == first
    await engine.close()
