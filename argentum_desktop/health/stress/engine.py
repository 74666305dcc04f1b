"""Computes on one card. The only home of wgpu, whose interface changes with every minor version.

Everything runs in the calling thread and every portion of work is waited for, so that a card that hangs is heard by its
silence. `on_submitted_work_done` does not work in wgpu 0.32 (its callback has the wrong type): a small buffer that is
mapped after the work says the same, and brings back what was found.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import wgpu
from wgpu.backends.wgpu_native import extras

from argentum_desktop.domain.stress import AdapterType, StressEnd, StressEngine
from argentum_desktop.health.stress.matching import Match
from argentum_desktop.health.stress.stopped import NoRoomError, StoppedError
from argentum_desktop.health.stress.work import (
    MOST_DISPATCHES,
    TALLY_BYTES,
    TASK_BYTES,
    TASK_WORDS,
    TIMES_BYTES,
    Buffer,
    Dispatch,
    Kernel,
    Outcome,
    Prepared,
    Ticket,
    outcome_of,
    task_bytes,
)
from argentum_desktop.resources import resource

LOST_WORDS = "The driver lost the card under load. Restart the computer; if it happens again, the card needs a look."

SHADERS = ("memory", "copy", "integer", "fma")

_TIMESTAMPS, _MAPPABLE = "timestamp-query", "mappable-primary-buffers"
# Nothing is created once this much of what the system grants us is used; a second guard beside our own sum.
_BUDGET_PERCENT = 98


def adapters() -> list[Any]:
    """All that can compute here, in the system's order; `info` describes one. OpenGL is not even asked."""
    with _said_plainly("The graphics system cannot be opened"):
        _choose_backends()
        return list(wgpu.gpu.enumerate_adapters_sync())


@functools.cache
def _choose_backends() -> None:
    """wgpu has one instance in a process and takes this once, before it makes it."""
    backends = ("Vulkan", "DX12") if os.name == "nt" else ("Vulkan",)
    extras.set_instance_extras(
        backends=backends,
        flags=("AutomaticTimestampNormalization",),
        budget_for_device_creation=_BUDGET_PERCENT,
    )


def when_lost(tell: Callable[[], None]) -> None:
    """Call this as soon as the driver says that a device is gone, on whichever thread that is.

    The next call into wgpu-native may then end the whole process, so this is the only moment to say it. wgpu hides the
    promise that WebGPU has for it, and writes into its log instead.
    """
    logging.getLogger("wgpu").addHandler(_LossListener(tell))


def shaders_sha256() -> str:
    """Of all sources in their order."""
    digest = hashlib.sha256()
    for name in SHADERS:
        digest.update(_source(name).encode())
    return digest.hexdigest()


class Engine:
    """One open device.

    Args:
        adapter: one of `adapters`.
    """

    def __init__(self, adapter: Any, match: Match) -> None:
        self._match = match
        self._adapter_info = dict(adapter.info)
        limits = adapter.limits
        self.largest_buffer_bytes = min(limits["max-buffer-size"], limits["max-storage-buffer-binding-size"])
        features = [name for name in (_TIMESTAMPS, _MAPPABLE) if name in adapter.features]
        self.can_map_both_ways = _MAPPABLE in features
        asked = ("max-buffer-size", "max-storage-buffer-binding-size")
        with _said_plainly("The card cannot be opened"):
            self._device: Any = adapter.request_device_sync(
                required_features=features, required_limits={name: limits[name] for name in asked}
            )
            self._make_own(has_timestamps=_TIMESTAMPS in features)
        self._modules: dict[str, Any] = {}
        self._kernels: dict[tuple[str, str, tuple[tuple[str, int], ...]], Kernel] = {}
        self._groups: dict[tuple[Any, Any], Any] = {}
        self._staging: list[Any] = []

    @property
    def adapter_type(self) -> AdapterType:
        return self._match.adapter_type

    def describe(self) -> StressEngine:
        info = self._adapter_info
        device = self._match.device
        driver = str(info.get("description", "")).strip()
        return StressEngine(
            name="wgpu",
            version=f"wgpu {wgpu.__version__}" + (f", {driver}" if driver else ""),
            backend=self._match.backend,
            adapter_name=str(info.get("device", "")),
            adapter_type=self.adapter_type,
            shaders_sha256=shaders_sha256(),
            pci_address=device.pci_address if device else None,
            vendor_id=int(info.get("vendor_id") or 0),
            device_id=int(info.get("device_id") or 0),
            pid=os.getpid(),
        )

    def buffer(self, size_bytes: int) -> Buffer:
        """Memory for kernels.

        Raises:
            NoRoomError: there is none.
        """
        usage = wgpu.BufferUsage.STORAGE | wgpu.BufferUsage.COPY_SRC | wgpu.BufferUsage.COPY_DST
        return self._buffer(size_bytes, usage)

    def host_buffer(self, size_bytes: int) -> Buffer:
        """Memory of the computer that the card can reach.

        Raises:
            NoRoomError: there is none.
        """
        usage = wgpu.BufferUsage.MAP_READ | wgpu.BufferUsage.COPY_DST
        # To be read by the processor, it is put where the processor caches: never into the card's own window.
        return self._buffer(size_bytes, usage | wgpu.BufferUsage.COPY_SRC if self.can_map_both_ways else usage)

    def free(self, *buffers: Buffer) -> None:
        """Give it back at once."""
        self._groups.clear()
        with _said_plainly("Memory cannot be given back"):
            for buffer in buffers:
                buffer.handle.destroy()

    def write(self, buffer: Buffer, content: bytes, offset: int = 0) -> None:
        """From the computer's memory, before the work that is handed over next."""
        with _said_plainly("Data cannot be sent to the card"):
            self._device.queue.write_buffer(buffer.handle, offset, content)

    def kernel(self, shader: str, entry: str, **constants: int) -> Kernel:
        """An entry of a shipped shader, compiled on first use."""
        key = (shader, entry, tuple(sorted(constants.items())))
        if key not in self._kernels:
            self._kernels[key] = self.compiled(_source(shader), entry, **constants)
        return self._kernels[key]

    def compiled(self, source: str, entry: str, **constants: int) -> Kernel:
        """An entry of this source."""
        with _said_plainly("The card's driver cannot build our programs"):
            if source not in self._modules:
                self._modules[source] = self._device.create_shader_module(code=source)
            stage = {"module": self._modules[source], "entry_point": entry, "constants": constants}
            return Kernel(self._device.create_compute_pipeline(layout=self._layout, compute=stage), entry)

    def run(self, work: Sequence[Dispatch]) -> Outcome:
        """Do this, one after the other, and wait for it."""
        return self.wait(self.submit(self.prepare(work)))

    def stream(self, portions: Iterator[list[Dispatch]]) -> Iterator[Outcome]:
        """Do one portion after the other. The next is made ready while the card works, but not handed over before
        the last one was looked at: whoever wants the card to rest takes its time there."""
        ticket: Ticket | None = None
        for work in portions:
            prepared = self.prepare(work)
            if ticket is not None:
                yield self.wait(ticket)
            ticket = self.submit(prepared)
        if ticket is not None:
            yield self.wait(ticket)

    def prepare(self, work: Sequence[Dispatch]) -> Prepared:
        """Make it ready. Kernels see what those before them wrote."""
        with _said_plainly("The card's driver refuses our work"):
            tasks = b"".join(task_bytes(dispatch) for dispatch in work)
            # Written in the order of handing over: what is on the card already keeps its own.
            if tasks:
                self._device.queue.write_buffer(self._tasks.handle, 0, tasks)
            encoder = self._device.create_command_encoder()
            timing = {"timestamp_writes": self._timing} if self._timing else {}
            computing = encoder.begin_compute_pass(**timing)
            for index, dispatch in enumerate(work):
                computing.set_pipeline(dispatch.kernel.handle)
                computing.set_bind_group(0, self._bound(dispatch), [index * TASK_BYTES])
                computing.dispatch_workgroups(dispatch.groups, 1, 1)
            computing.end()
            return self._ended(encoder)

    def copy_s(self, source: Buffer, target: Buffer, size_bytes: int) -> float:
        """How long the card's own command for copying takes, with the waiting."""
        with _said_plainly("The card's driver refuses to copy"):
            encoder = self._device.create_command_encoder()
            encoder.copy_buffer_to_buffer(source.handle, 0, target.handle, 0, size_bytes)
            prepared = self._ended(encoder, is_timed=False)
        return self.wait(self.submit(prepared)).waited_s

    def submit(self, prepared: Prepared) -> Ticket:
        with _said_plainly("The card does not take our work"):
            # To submit to a lost device ends the whole process; to write to it is an error that can be caught.
            self._device.queue.write_buffer(self._nothing.handle, 0, bytes(4))
            began_s = time.perf_counter()
            self._device.queue.submit([prepared.commands])
        return Ticket(prepared.staging, began_s)

    def wait(self, ticket: Ticket) -> Outcome:
        """Until it is done."""
        with _said_plainly("The card does not answer any more", StressEnd.LOST):
            ticket.staging.map_sync(wgpu.MapMode.READ)
            waited_s = time.perf_counter() - ticket.submitted_s
            content = bytes(ticket.staging.read_mapped())
            ticket.staging.unmap()
        self._staging.append(ticket.staging)
        return outcome_of(content, waited_s)

    def _make_own(self, *, has_timestamps: bool) -> None:
        """What every portion of work needs."""
        usage = wgpu.BufferUsage
        self._tally = self._buffer(TALLY_BYTES, usage.STORAGE | usage.COPY_SRC | usage.COPY_DST)
        self._tasks = self._buffer(TASK_BYTES * MOST_DISPATCHES, usage.UNIFORM | usage.COPY_DST)
        self._nothing = self._buffer(256, usage.STORAGE | usage.COPY_DST)
        self._layout, self._binding = self._layouts()
        self._times = self._query = self._timing = None
        if has_timestamps:
            self._times = self._buffer(TIMES_BYTES, usage.QUERY_RESOLVE | usage.COPY_SRC)
            self._query = self._device.create_query_set(type="timestamp", count=2)
            places = {"beginning_of_pass_write_index": 0, "end_of_pass_write_index": 1}
            self._timing = {"query_set": self._query, **places}

    def _layouts(self) -> tuple[Any, Any]:
        uniform = {"type": "uniform", "has_dynamic_offset": True}
        kinds = ({"type": "storage"}, {"type": "storage"}, uniform, {"type": "storage"})
        compute = wgpu.ShaderStage.COMPUTE
        entries = [{"binding": place, "visibility": compute, "buffer": kind} for place, kind in enumerate(kinds)]
        binding = self._device.create_bind_group_layout(entries=entries)
        return self._device.create_pipeline_layout(bind_group_layouts=[binding]), binding

    def _bound(self, dispatch: Dispatch) -> Any:
        """The buffers of a dispatch as the card takes them; made once for each pair."""
        other = dispatch.other or self._nothing
        # The handles themselves: an `id` may be given to another buffer once its own is gone.
        key = (dispatch.memory.handle, other.handle)
        if key not in self._groups:
            sizes = ((dispatch.memory, None), (self._tally, None), (self._tasks, TASK_WORDS * 4), (other, None))
            entries = [
                {"binding": place, "resource": {"buffer": one.handle, "offset": 0, "size": size or one.size_bytes}}
                for place, (one, size) in enumerate(sizes)
            ]
            self._groups[key] = self._device.create_bind_group(layout=self._binding, entries=entries)
        return self._groups[key]

    def _ended(self, encoder: Any, *, is_timed: bool = True) -> Prepared:
        """Bring back what was counted, and begin counting anew."""
        staging = self._staging.pop() if self._staging else self._new_staging()
        encoder.copy_buffer_to_buffer(self._tally.handle, 0, staging, 0, TALLY_BYTES)
        encoder.clear_buffer(self._tally.handle)
        if is_timed and self._times is not None:
            encoder.resolve_query_set(self._query, 0, 2, self._times.handle, 0)
            encoder.copy_buffer_to_buffer(self._times.handle, 0, staging, TALLY_BYTES, TIMES_BYTES)
        return Prepared(encoder.finish(), staging)

    def _new_staging(self) -> Any:
        usage = wgpu.BufferUsage.MAP_READ | wgpu.BufferUsage.COPY_DST
        return self._buffer(TALLY_BYTES + TIMES_BYTES, usage).handle

    def _buffer(self, size_bytes: int, usage: int) -> Buffer:
        try:
            return Buffer(self._device.create_buffer(size=size_bytes, usage=usage), size_bytes)
        except wgpu.GPUOutOfMemoryError as error:
            raise NoRoomError(str(error)) from None
        except (wgpu.GPUError, RuntimeError) as error:
            if _says_full(error):
                raise NoRoomError(str(error)) from None
            raise _stopped("Memory cannot be asked for", error, StressEnd.CRASHED) from error


class _LossListener(logging.Handler):
    """Hears of a lost device in wgpu's log."""

    def __init__(self, tell: Callable[[], None]) -> None:
        super().__init__(logging.ERROR)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        if "device lost" in record.getMessage().lower():
            self._tell()


def _source(shader: str) -> str:
    return resource("shaders", f"{shader}.wgsl").read_text(encoding="utf-8")


@contextlib.contextmanager
def _said_plainly(what: str, end: StressEnd = StressEnd.CRASHED) -> Iterator[None]:
    """Turn what wgpu raises into the one exception of this house."""
    try:
        yield
    except (wgpu.GPUError, wgpu.GPUPipelineError, RuntimeError, ValueError, TypeError, OSError) as error:
        raise _stopped(what, error, end) from error


def _stopped(what: str, error: Exception, end: StressEnd) -> StoppedError:
    text = " ".join(str(error).split())
    print(f"{what}: {text}", file=sys.stderr)  # noqa: T201 - this is the log of a child
    if "lost" in text.lower():
        return StoppedError(StressEnd.LOST, LOST_WORDS)
    if _says_full(error):
        return StoppedError(end, f"{what}: there is no memory left on it. Close other programs that use the card.")
    return StoppedError(end, f"{what}: {text[:200]}")


def _says_full(error: Exception) -> bool:
    return isinstance(error, wgpu.GPUOutOfMemoryError) or "memory left" in str(error).lower()
