"""How fast a card copies within its own memory when nothing of ours is between: the graphics system's own copy.

Called as a program, so that a driver that takes its process down takes no test with it: one line of JSON in (what to
open and how much to copy), one number out, in millions of bytes a second, counting what is read and what is written.
"""

from __future__ import annotations

import sys
import time

import msgspec
import wgpu

from argentum_desktop.health.stress.matching import Match, choose
from argentum_desktop.health.stress.vulkan.probe import vulkan_devices
from argentum_desktop.health.stress.wire import Wanted

COPIES_AT_ONCE = 16
MEASURED_S = 1.0


class Order(msgspec.Struct, frozen=True):
    """What to copy where."""

    wanted: Wanted
    size_bytes: int = 2**29


def copy_rate_mb_s(order: Order) -> int:
    """The best of a second."""
    adapters = wgpu.gpu.enumerate_adapters_sync()
    match = choose([adapter.info for adapter in adapters], vulkan_devices(), order.wanted)
    assert isinstance(match, Match), match
    adapter = adapters[match.index]
    size_bytes = min(order.size_bytes, adapter.limits["max-buffer-size"] // 4 * 4)
    device = adapter.request_device_sync(required_limits={"max-buffer-size": size_bytes})
    usage = wgpu.BufferUsage.COPY_SRC | wgpu.BufferUsage.COPY_DST
    source = device.create_buffer(size=size_bytes, usage=usage)
    target = device.create_buffer(size=size_bytes, usage=usage)
    device.queue.write_buffer(source, 0, b"\xa5" * 4096)

    def copy(times: int) -> float:
        began_s = time.perf_counter()
        encoder = device.create_command_encoder()
        for number in range(times):  # there and back: no copy can be left out
            one, other = (source, target) if number % 2 == 0 else (target, source)
            encoder.copy_buffer_to_buffer(one, 0, other, 0, size_bytes)
        device.queue.submit([encoder.finish()])
        device.queue.read_buffer(target, 0, 4)  # comes back when all is done
        return time.perf_counter() - began_s

    copy(2)  # the first touch of the memory, and the clocks of a card that rests
    until_s = time.perf_counter() + MEASURED_S
    best_s = copy(COPIES_AT_ONCE)
    while time.perf_counter() < until_s:
        best_s = min(best_s, copy(COPIES_AT_ONCE))
    return round(2 * size_bytes * COPIES_AT_ONCE / best_s / 1_000_000)


if __name__ == "__main__":
    print(copy_rate_mb_s(msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)))
