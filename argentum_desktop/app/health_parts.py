"""What health checks are made with, put together for this computer."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from argentum_desktop.agent.checkup_tools import CheckTools
from argentum_desktop.agent.health_desk import HealthParts
from argentum_desktop.clock import Clock
from argentum_desktop.domain.health import CheckMode
from argentum_desktop.gpus.watched_sensor import Sensor
from argentum_desktop.health.examination import CHECK_PLANS, CheckPlan
from argentum_desktop.health.reference import load_reference
from argentum_desktop.health.stress.choosing import StressFor
from argentum_desktop.health.stress.protocol import StressTest
from argentum_desktop.health.stress.simulated import SimulatedStress
from argentum_desktop.health.stress.watched import WatchedStress, stress_command
from argentum_desktop.identity.keys import Identity, load_or_create
from argentum_desktop.paths import Home
from argentum_desktop.store.database import Database
from argentum_desktop.telemetry.history import History


@dataclass(frozen=True)
class CheckOptions:
    """How checks are made; tests bring shorter plans, and put something of theirs around the loads."""

    plans: Mapping[CheckMode, CheckPlan] = field(default_factory=lambda: CHECK_PLANS)
    around: Callable[[StressTest], StressTest] = lambda stress: stress


async def health_parts(
    home: Home, database: Database, history: History, sensor: Sensor, clock: Clock, options: CheckOptions
) -> HealthParts:
    """Everything that the agent needs to look after the health of the cards."""

    async def find_identity() -> Identity:
        # Asked each time: a damaged key is told of where it is needed, and mended without a restart.
        return await asyncio.to_thread(load_or_create, home.device_key)

    stress = StressFor(WatchedStress(stress_command(), clock), SimulatedStress(clock, sensor.set_load))
    tools = CheckTools(
        stress=options.around(stress),
        reference=await asyncio.to_thread(load_reference),
        operating_system=f"{platform.system()} {platform.release()} {platform.machine()}",
        plans=options.plans,
    )
    return HealthParts(database, find_identity, history, tools)
