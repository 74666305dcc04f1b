"""After a start: what an earlier run left behind is taken up again or cleared away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from argentum_desktop.agent.bench import Bench
from argentum_desktop.domain.lease import Lease
from argentum_desktop.runner.erase import erase
from argentum_desktop.runner.sandbox import INSTALLATION_LABEL, LEASE_LABEL

log = logging.getLogger(__name__)


async def clear_leftovers(bench: Bench, unfinished: Sequence[Lease]) -> None:
    """Remove containers and folders of ours that belong to no unfinished lease.

    Such a thing can exist only when the database was moved away or restored from a copy: a lease is written down
    before anything is made for it.
    """
    known = {lease.lease_id for lease in unfinished}
    if bench.engine is not None:
        for container in await bench.engine.list_by_label(INSTALLATION_LABEL, bench.installation_id):
            if container.labels.get(LEASE_LABEL) not in known:
                log.warning("removing the container %s: no lease of ours knows it", container.name)
                await bench.engine.remove(container.name)
    for folder in await asyncio.to_thread(lambda: list(bench.home.jobs.iterdir())):
        if folder.name not in known:
            await asyncio.to_thread(erase, folder)
