"""The sensor as a real child process, over a driver library that dies, hangs and crashes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from fake_nvml import build
from fake_nvml.build import NOT_ON_GEFORCE, FakeNvml, card, server_card

from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.gpu import Vendor
from argentum_desktop.domain.reading import Absence, Reading, ThrottleReason
from argentum_desktop.errors import BadInputError, SensorError
from argentum_desktop.events import EventBus
from argentum_desktop.gpus.watched_sensor import CardsFound, Patience, Sensor, sensor_command

fake_nvml, old_fake_nvml = build.fake_nvml, build.old_fake_nvml

REPOSITORY = Path(__file__).parents[2]
QUICK = Patience(answer_s=0.5, first_answer_s=5.0, farewell_s=1.0, first_back_off_s=0.2)

MakeSensor = Callable[..., Sensor]


@pytest.fixture
async def make_sensor() -> AsyncIterator[MakeSensor]:
    sensors: list[Sensor] = []
    before = set(psutil.Process().children())

    def make(simulated: int = 0, patience: Patience = QUICK, bus: EventBus | None = None, **options: object) -> Sensor:
        command = options.get("command") or sensor_command(simulated, options.get("library"))  # type: ignore[arg-type]
        sensors.append(Sensor(command, SystemClock(), bus or EventBus(), patience))  # type: ignore[arg-type]
        return sensors[-1]

    yield make
    for sensor in sensors:
        await sensor.close()
    assert set(psutil.Process().children()) <= before, "a child was left behind"


async def recover(sensor: Sensor, within_s: float = 5.0) -> tuple[Reading, ...]:
    """Ask until there is an answer."""
    async with asyncio.timeout(within_s):
        while True:
            with contextlib.suppress(SensorError):
                return await sensor.read()
            await asyncio.sleep(0.02)


async def until(true: Callable[[], bool], within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.01)


async def test_two_cards_and_one_of_them_dies(make_sensor: MakeSensor, fake_nvml: FakeNvml) -> None:
    fake_nvml.follow(card(0), card(1, lost_after=70))
    sensor = make_sensor()
    (report,) = await sensor.discover()
    assert len(report.gpus) == 2
    sound = await sensor.read()
    assert [reading.absent.keys() for reading in sound] == [NOT_ON_GEFORCE, NOT_ON_GEFORCE]
    pid = sensor.pid
    for _ in range(5):
        first, second = await sensor.read()
    assert first.absent.keys() == NOT_ON_GEFORCE
    assert second.is_lost
    assert set(second.absent.values()) == {Absence.LOST}
    assert sensor.pid == pid


async def test_what_a_card_does_not_support_is_absent(make_sensor: MakeSensor, fake_nvml: FakeNvml) -> None:
    fake_nvml.follow(card(0, fan=None, energy=None))
    (reading,) = await make_sensor().read()
    assert reading.absent == dict.fromkeys({*NOT_ON_GEFORCE, "fan_percent", "energy_mj"}, Absence.NOT_SUPPORTED)


async def test_a_library_of_2017_still_gives_what_it_has(make_sensor: MakeSensor, old_fake_nvml: FakeNvml) -> None:
    old_fake_nvml.follow(server_card(0))
    sensor = make_sensor()
    (report,) = await sensor.discover()
    assert report.problem == ""
    assert report.gpus[0].memory_total_bytes == 40 * 2**30
    (reading,) = await sensor.read()
    assert (reading.temperature_c, reading.power_mw) == (61, 240_000)
    assert reading.throttle_reasons == (ThrottleReason.POWER_LIMIT,)
    assert (reading.ecc_corrected, reading.retired_pages_sbe, reading.retired_pages_pending) == (12, 2, 1)
    rows = {"correctable", "uncorrectable", "pending", "failed"}
    newer = {"temperature_hotspot_c", "temperature_memory_c", "energy_mj", "fan_rpm", "processes", "xid_events"}
    newer |= {f"remapped_rows_{row}" for row in rows}
    assert reading.absent == dict.fromkeys({*newer, "fan_percent"}, Absence.NOT_SUPPORTED)


async def test_a_library_can_be_named(
    make_sensor: MakeSensor, fake_nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH")
    fake_nvml.follow(card(0))
    (report,) = await make_sensor(library=fake_nvml.library).discover()
    assert len(report.gpus) == 1


@pytest.mark.parametrize(("code", "words"), [(9, "not loaded"), (18, "was updated"), (4, "may not use")])
async def test_a_driver_that_does_not_start_is_a_report_and_no_fault(
    make_sensor: MakeSensor, fake_nvml: FakeNvml, code: int, words: str
) -> None:
    fake_nvml.follow(f"init {code}", card(0))
    sensor = make_sensor(simulated=1)
    nvidia, simulated = await sensor.discover()
    assert words in nvidia.problem
    assert nvidia.remedy
    assert simulated.vendor is Vendor.SIMULATED
    assert [reading.gpu_id for reading in await sensor.read()] == ["SIM-0"]


async def test_a_driver_repaired_meanwhile_is_found_by_listing_again(
    make_sensor: MakeSensor, fake_nvml: FakeNvml
) -> None:
    fake_nvml.follow("init 9", card(0))
    sensor = make_sensor()
    assert (await sensor.discover())[0].gpus == ()
    fake_nvml.follow(card(0))
    assert len((await sensor.discover())[0].gpus) == 1
    assert len(await sensor.read()) == 1


async def test_a_driver_that_hangs_is_killed_and_started_again(make_sensor: MakeSensor, fake_nvml: FakeNvml) -> None:
    fake_nvml.follow(card(0), "hang nvmlDeviceGetUtilizationRates 2")
    found: list[CardsFound] = []
    bus = EventBus()
    bus.subscribe(CardsFound, found.append)
    sensor = make_sensor(bus=bus)
    await sensor.read()
    await sensor.read()
    first_pid = sensor.pid
    assert first_pid is not None
    began = time.monotonic()
    with pytest.raises(SensorError, match=r"not answered for 0\.5 seconds") as caught:
        await sensor.read()
    assert time.monotonic() - began < 2.0
    assert caught.value.remedy
    assert not psutil.pid_exists(first_pid)
    with pytest.raises(SensorError, match="not answered"):  # at once, while it rests
        await sensor.read()
    fake_nvml.follow(card(0), card(1))
    began = time.monotonic()
    assert len(await recover(sensor)) == 2
    assert time.monotonic() - began < 3.0
    assert sensor.pid != first_pid
    assert [len(event.reports[0].gpus) for event in found] == [1, 2]


async def test_a_driver_that_crashes_is_started_again(make_sensor: MakeSensor, fake_nvml: FakeNvml) -> None:
    fake_nvml.follow(card(0), "crash nvmlDeviceGetUtilizationRates 1")
    sensor = make_sensor()
    await sensor.read()
    first_pid = sensor.pid
    with pytest.raises(SensorError, match="SIGSEGV"):
        await sensor.read()
    assert (await recover(sensor))[0].temperature_c == 61
    assert sensor.pid != first_pid


async def test_a_driver_that_crashes_while_listing_does_not_spin(
    make_sensor: MakeSensor, fake_nvml: FakeNvml, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    fake_nvml.follow(card(0), "crash nvmlInitWithFlags")
    sensor = make_sensor(patience=Patience(first_back_off_s=0.1, farewell_s=1.0))
    began = time.monotonic()
    while time.monotonic() - began < 0.8:
        with pytest.raises(SensorError, match="SIGSEGV"):
            await sensor.read()
        await asyncio.sleep(0.01)
    pauses = [record.args[1] for record in caplog.records if record.args and "started again" in record.msg]
    assert pauses == [0.1, 0.2, 0.4][: len(pauses)]
    assert len(pauses) >= 2


async def read_until(sensor: Sensor, true: Callable[[tuple[Reading, ...]], bool]) -> tuple[Reading, ...]:
    async with asyncio.timeout(5):
        while True:
            with contextlib.suppress(SensorError):
                readings = await sensor.read()
                if true(readings):
                    return readings
            await asyncio.sleep(0.01)


async def test_a_card_that_is_lost_is_looked_for_by_a_fresh_child(make_sensor: MakeSensor, fake_nvml: FakeNvml) -> None:
    fake_nvml.follow(card(0, lost_after=70), card(1))
    found: list[CardsFound] = []
    bus = EventBus()
    bus.subscribe(CardsFound, found.append)
    sensor = make_sensor(patience=Patience(fresh_after_s=0.2), bus=bus)
    await sensor.start()
    first_pid = sensor.pid
    fake_nvml.follow(card(0), card(1))  # the owner has reset it
    await read_until(sensor, lambda readings: readings[0].is_lost)
    readings = await read_until(sensor, lambda readings: not readings[0].is_lost)
    assert [reading.absent.keys() for reading in readings] == [NOT_ON_GEFORCE, NOT_ON_GEFORCE]
    assert sensor.pid != first_pid
    assert len(found) == 2


async def test_a_card_that_stays_silent_is_looked_for_ever_less_often(
    make_sensor: MakeSensor, fake_nvml: FakeNvml, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    fake_nvml.follow(card(0, fails_after="24 999"), card(1))
    sensor = make_sensor(patience=Patience(fresh_after_s=0.1))
    began = time.monotonic()
    while time.monotonic() - began < 1.5:
        first, second = await sensor.read()
        assert set(first.absent.values()) <= {Absence.ERROR, Absence.NOT_SUPPORTED}
        assert second.temperature_c == 61
        await asyncio.sleep(0.02)
    pauses = [record.args[0] for record in caplog.records if record.args and "answers nothing" in record.msg]
    assert len(pauses) >= 2
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6][: len(pauses)]


async def test_a_driver_that_is_replaced_is_loaded_by_a_fresh_child(
    make_sensor: MakeSensor, fake_nvml: FakeNvml
) -> None:
    fake_nvml.follow(card(0), card(1), "fails_after 150 18")
    sensor = make_sensor(patience=Patience(fresh_after_s=0.2))
    await sensor.start()
    fake_nvml.follow(card(0), card(1), driver="590.44.01")
    # The driver may go between the one card and the other, and the fresh child comes at once.
    readings = await read_until(sensor, lambda readings: None in {reading.temperature_c for reading in readings})
    assert any(Absence.ERROR in reading.absent.values() for reading in readings)
    await read_until(sensor, lambda readings: None not in {reading.temperature_c for reading in readings})
    assert {gpu.driver_version for gpu in sensor.reports[0].gpus} == {"590.44.01"}


async def test_a_driver_that_is_replaced_and_needs_a_restart_is_explained(
    make_sensor: MakeSensor, fake_nvml: FakeNvml
) -> None:
    fake_nvml.follow(card(0), "fails_after 80 999")
    sensor = make_sensor(patience=Patience(fresh_after_s=0.2))
    await sensor.start()
    fake_nvml.follow("init 18")
    await read_until(sensor, lambda readings: not readings)
    assert "was updated" in sensor.reports[0].problem


OUTDATED_CHILD = """
import sys, json
for line in sys.stdin:
    ask = json.loads(line)
    answer = {"number": ask["number"], "is_outdated": ask["ask"] == "read"}
    print(json.dumps(answer), flush=True)
"""


async def test_a_list_that_is_outdated_is_made_anew_by_a_fresh_child_yet_not_in_a_loop(make_sensor: MakeSensor) -> None:
    found: list[CardsFound] = []
    bus = EventBus()
    bus.subscribe(CardsFound, found.append)
    patience = Patience(fresh_after_s=0.3)
    sensor = make_sensor(command=[sys.executable, "-c", OUTDATED_CHILD], bus=bus, patience=patience)
    await sensor.start()
    first_pid = sensor.pid
    assert first_pid is not None
    assert await sensor.read() == ()
    assert sensor.pid == first_pid  # too young
    began = time.monotonic()
    await read_until(sensor, lambda _: sensor.pid not in {first_pid, None})
    assert not psutil.pid_exists(first_pid)
    assert len(found) == 2
    while time.monotonic() - began < 1.0:
        await sensor.read()
    assert 2 < len(found) <= 5


async def test_who_asks_for_the_list_when_it_is_outdated_gets_it_from_a_fresh_child(make_sensor: MakeSensor) -> None:
    sensor = make_sensor(command=[sys.executable, "-c", OUTDATED_CHILD])
    await sensor.read()
    first_pid = sensor.pid
    await sensor.discover()
    assert sensor.pid not in {first_pid, None}


async def test_a_card_that_can_tell_nothing_is_no_reason_to_start_anew(
    make_sensor: MakeSensor, fake_nvml: FakeNvml
) -> None:
    fake_nvml.follow("card 0 name Mute card")
    sensor = make_sensor(patience=Patience(fresh_after_s=0.0))
    await sensor.start()
    pid = sensor.pid
    for _ in range(3):
        (reading,) = await sensor.read()
        assert set(reading.absent.values()) == {Absence.NOT_SUPPORTED}
    assert sensor.pid == pid


def test_it_works_on_the_thread_of_the_service() -> None:
    def serve() -> int:
        async def read() -> int:
            sensor = Sensor(sensor_command(2), SystemClock(), EventBus(), QUICK)
            try:
                return len(await sensor.read())
            finally:
                await sensor.close()

        return asyncio.run(read())

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(serve).result(timeout=10) == 2


async def test_a_driver_that_prints_does_not_break_the_answers(
    make_sensor: MakeSensor, fake_nvml: FakeNvml, caplog: pytest.LogCaptureFixture
) -> None:
    fake_nvml.follow(card(0), "print nvmlInitWithFlags")
    assert len(await make_sensor().read()) == 1
    await until(lambda: "nvmlInitWithFlags speaks" in caplog.text)


async def test_a_child_killed_from_outside_comes_back_with_its_load(make_sensor: MakeSensor) -> None:
    sensor = make_sensor(simulated=2)
    await sensor.set_load("SIM-1", 80, 4 * 2**30)
    assert sensor.pid is not None
    os.kill(sensor.pid, signal.SIGKILL)
    with pytest.raises(SensorError, match="SIGKILL"):
        await sensor.read()
    _, busy = await recover(sensor)
    assert busy.utilization_percent is not None
    assert busy.utilization_percent >= 75
    assert (busy.memory_used_bytes or 0) > 4 * 2**30


async def test_a_frozen_child_is_replaced(make_sensor: MakeSensor) -> None:
    sensor = make_sensor(simulated=1)
    await sensor.start()
    assert sensor.pid is not None
    os.kill(sensor.pid, signal.SIGSTOP)
    with pytest.raises(SensorError, match="not answered"):
        await sensor.read()
    assert len(await recover(sensor)) == 1


async def test_a_load_for_a_card_that_is_not_there_is_refused(make_sensor: MakeSensor) -> None:
    sensor = make_sensor(simulated=1)
    with pytest.raises(BadInputError, match="no simulated card SIM-7"):
        await sensor.set_load("SIM-7", 10, 0)
    assert len(await sensor.read()) == 1


async def test_a_call_that_is_cancelled_does_not_spoil_the_next(make_sensor: MakeSensor) -> None:
    sensor = make_sensor(simulated=1, patience=Patience())
    await sensor.start()
    pid = sensor.pid
    for _ in range(20):
        task = asyncio.create_task(sensor.read())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    reports = await sensor.discover()
    assert [report.vendor for report in reports] == [Vendor.NVIDIA, Vendor.SIMULATED]
    assert len(await sensor.read()) == 1
    assert sensor.pid == pid


async def test_cancelling_while_a_hung_child_is_buried_leaves_nothing_behind(
    make_sensor: MakeSensor, fake_nvml: FakeNvml
) -> None:
    fake_nvml.follow(card(0), "hang nvmlDeviceGetUtilizationRates")
    sensor = make_sensor(patience=Patience(answer_s=0.1, farewell_s=1.0, first_back_off_s=0.1))
    await sensor.start()
    task = asyncio.create_task(sensor.read())
    await until(lambda: sensor.pid is None)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, SensorError):
        await task
    await sensor.close()
    assert not psutil.Process().children()


async def test_many_askers_take_turns(make_sensor: MakeSensor) -> None:
    sensor = make_sensor(simulated=3, patience=Patience())
    calls: list[Awaitable[object]] = [sensor.read() for _ in range(20)]
    answers = await asyncio.gather(*calls, sensor.set_load("SIM-2", 10, 0), sensor.discover())
    assert all(len(readings) == 3 for readings in answers[:20])  # type: ignore[arg-type]


async def test_after_closing_nothing_is_started(make_sensor: MakeSensor) -> None:
    sensor = make_sensor(simulated=1)
    await sensor.start()
    assert sensor.pid is not None
    process = psutil.Process(sensor.pid)
    await sensor.close()
    await sensor.close()
    assert not process.is_running()
    with pytest.raises(SensorError):
        await sensor.read()
    assert sensor.pid is None


async def test_closing_ends_a_child_that_hangs(make_sensor: MakeSensor, fake_nvml: FakeNvml) -> None:
    fake_nvml.follow(card(0), "hang nvmlDeviceGetUtilizationRates")
    sensor = make_sensor(patience=Patience(answer_s=30.0, farewell_s=0.2))
    await sensor.start()
    task = asyncio.create_task(sensor.read())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    began = time.monotonic()
    await sensor.close()
    assert time.monotonic() - began < 2.0


async def test_a_command_that_cannot_be_started_is_a_known_fault(make_sensor: MakeSensor) -> None:
    with pytest.raises(SensorError, match="cannot be started"):
        await make_sensor(command=["/nonexistent/sensor"]).read()


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import sys; sys.exit(3)", "exit status 3"),
        ("print('hello', flush=True); import sys; sys.stdin.read()", "without sense"),
        ("print('x' * 5_000_000, flush=True); import sys; sys.stdin.read()", "without sense"),
        ("print('{\"number\": 1', end='', flush=True)", "exit status 0"),
    ],
)
async def test_a_child_that_talks_nonsense_is_replaced(make_sensor: MakeSensor, program: str, words: str) -> None:
    sensor = make_sensor(command=[sys.executable, "-c", program])
    with pytest.raises(SensorError, match=words):
        await sensor.read()
    assert sensor.pid is None


async def test_complaints_of_the_child_go_to_the_log(make_sensor: MakeSensor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    program = "import sys; print('the driver is unwell', file=sys.stderr)"
    with pytest.raises(SensorError):
        await make_sensor(command=[sys.executable, "-c", program]).read()
    assert [record.message for record in caplog.records] == ["sensor: the driver is unwell"]


def test_a_child_whose_parent_is_killed_ends_even_when_its_driver_hangs(fake_nvml: FakeNvml, tmp_path: Path) -> None:
    fake_nvml.follow(card(0), "hang nvmlDeviceGetUtilizationRates")
    parent = tmp_path / "parent.py"
    parent.write_text(
        "import asyncio\n"
        "from argentum_desktop.clock import SystemClock\n"
        "from argentum_desktop.events import EventBus\n"
        "from argentum_desktop.gpus.watched_sensor import Patience, Sensor, sensor_command\n"
        "async def main():\n"
        "    sensor = Sensor(sensor_command(1), SystemClock(), EventBus(), Patience(answer_s=60))\n"
        "    await sensor.start()\n"
        "    print(sensor.pid, flush=True)\n"
        "    await sensor.read()\n"
        "asyncio.run(main())\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen([sys.executable, str(parent)], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    with process.stdout:
        child = psutil.Process(int(process.stdout.readline()))
        process.kill()
        process.wait()
    # Nobody is left to reap it: where init does not either, it stays as a zombie, which is ended all the same.
    deadline = time.monotonic() + 5
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the sensor outlived its parent"
        time.sleep(0.02)


def test_interrupting_the_terminal_leaves_the_end_to_the_service() -> None:
    process = subprocess.Popen(
        sensor_command(1), cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write(b'{"ask":"discover","number":1}\n')
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.stdin.write(b'{"ask":"read","number":2,"now":"2026-03-01T00:00:00Z"}\n')
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["number"] == 2
        rest, complaints = process.communicate()
    assert (rest, complaints, process.returncode) == (b"", b"", 0)


def test_a_request_without_sense_ends_the_child_with_a_word_and_no_traceback() -> None:
    done = subprocess.run(
        sensor_command(), cwd=REPOSITORY, input=b"nonsense\n", capture_output=True, timeout=10, check=False
    )
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.startswith(b"not a request")
    assert b"Traceback" not in done.stderr


def test_the_child_carries_nothing_it_does_not_need(fake_nvml: FakeNvml) -> None:
    fake_nvml.follow(*(card(index) for index in range(8)))
    process = subprocess.Popen(sensor_command(8), cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        for number in range(30):
            ask = '"read","now":"2026-03-01T00:00:00Z"' if number else '"discover"'
            process.stdin.write(f'{{"ask":{ask},"number":{number}}}\n'.encode())
            process.stdin.flush()
            answer = process.stdout.readline()
        assert len(json.loads(answer)["readings"]) == 16
        assert psutil.Process(process.pid).memory_info().rss <= 25_000_000
        process.communicate()
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, argentum_desktop.gpus.sensor; print(*sys.modules)"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    heavy = {"PySide6", "httpx", "cryptography", "numpy", "asyncio", "ssl", "logging", "pynvml", "subprocess"}
    assert not heavy & set(loaded)
