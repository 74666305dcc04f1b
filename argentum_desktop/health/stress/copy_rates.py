"""How fast bytes move: within the card, to it and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from argentum_desktop.domain.stress import CopyRates, StressPhase
from argentum_desktop.health.stress.engine import Engine
from argentum_desktop.health.stress.pacing import AIM_S, Pace
from argentum_desktop.health.stress.patterns import QUAD_BYTES, Pattern, PatternKind
from argentum_desktop.health.stress.sizing import MIB, PIECE_BYTES
from argentum_desktop.health.stress.stopped import NoRoomError
from argentum_desktop.health.stress.teller import Teller
from argentum_desktop.health.stress.wire import Measured
from argentum_desktop.health.stress.work import MOST_DISPATCHES, MOST_GROUPS, Buffer, Dispatch

STAGE_BYTES = 64 * MIB
FIRST_STAGE_BYTES = MIB
SHAPES = {"one": 4 * 1024, "four": 16 * 1024, "sixteen": 64 * 1024}
"""The entries of `copy.wgsl`, and how many bytes a workgroup of each copies."""

COPY_BYTES = 512 * MIB
"""Of each of the two buffers: more than any card keeps in its caches."""


class HostCopy:
    """Both directions between the computer's memory and the card, in turn."""

    def __init__(self, engine: Engine, teller: Teller, span_s: float, largest_bytes: int | None) -> None:
        self._engine = engine
        self._teller = teller
        self._span_s = span_s
        self._stage_bytes = min(STAGE_BYTES, engine.largest_buffer_bytes, largest_bytes or STAGE_BYTES)
        self._rates = CopyRates()

    def run(self) -> CopyRates:
        """Copy for the span; empty where there is no room for it."""
        began_s = self._teller.now_s()
        try:
            card = self._engine.buffer(self._stage_bytes)
            host = self._engine.host_buffer(self._stage_bytes)
        except NoRoomError:
            return self._rates
        size = min(FIRST_STAGE_BYTES, self._stage_bytes)
        best_up = best_down = 0.0
        while (elapsed_s := self._teller.now_s() - began_s) < self._span_s:
            up_s = self._up(host, card, size)
            down_s = self._engine.copy_s(card, host, size)
            best_up, best_down = max(best_up, size / up_s), max(best_down, size / down_s)
            self._rates = replace(
                self._rates, host_to_card_mb_s=round(best_up / 1e6), card_to_host_mb_s=round(best_down / 1e6)
            )
            if max(up_s, down_s) < AIM_S / 2:
                size = min(size * 2, self._stage_bytes)
            percent = int(100 * elapsed_s / self._span_s)
            self._teller.progress(StressPhase.HOST_COPY, percent, self._words(), lambda: Measured(copy=self._rates))
        self._engine.free(card, host)
        return self._rates

    def _up(self, host: Buffer, card: Buffer, size: int) -> float:
        if self._engine.can_map_both_ways:
            return self._engine.copy_s(host, card, size)
        # Where the buffer cannot be read by the card, what the processor does to hand over the bytes counts too.
        began_s = self._teller.now_s()
        self._engine.write(card, bytes(size))
        self._engine.run(())
        return self._teller.now_s() - began_s

    def _words(self) -> str:
        up, down = self._rates.host_to_card_mb_s or 0, self._rates.card_to_host_mb_s or 0
        return f"{up / 1000:.1f} GB/s to the card, {down / 1000:.1f} GB/s back"


class Bandwidth:
    """The card's own copy from one buffer to another, by the fastest kernel.

    Args:
        rates: what is known of the other directions.
    """

    def __init__(
        self, engine: Engine, teller: Teller, span_s: float, largest_bytes: int | None, rates: CopyRates
    ) -> None:
        self._engine = engine
        self._teller = teller
        self._span_s = span_s
        self._largest_bytes = largest_bytes
        self._rates = rates

    def run(self) -> CopyRates:
        """Copy for the span: every shape for a sixth of it, then the best for the rest."""
        pair = self._two_buffers()
        if pair is None:
            return self._rates
        began_s = self._teller.now_s()
        speeds = {
            shape: self._speed(shape, pair, began_s, began_s + self._span_s * (place + 1) / 6)
            for place, shape in enumerate(SHAPES)
        }
        best = max(speeds, key=lambda shape: speeds[shape])
        self._speed(best, pair, began_s, began_s + self._span_s)
        self._engine.free(*pair)
        return self._rates

    def _two_buffers(self) -> tuple[Buffer, Buffer] | None:
        """As large as there is room for, filled with what no card can compress."""
        size = min(COPY_BYTES, self._engine.largest_buffer_bytes, (self._largest_bytes or 2 * COPY_BYTES) // 2)
        size = size // PIECE_BYTES * PIECE_BYTES
        while size >= PIECE_BYTES:
            try:
                first = self._engine.buffer(size)
            except NoRoomError:
                size = size // 2 // PIECE_BYTES * PIECE_BYTES
                continue
            try:
                second = self._engine.buffer(size)
            except NoRoomError:
                self._engine.free(first)
                size = size // 2 // PIECE_BYTES * PIECE_BYTES
                continue
            self._fill(first)
            return first, second
        return None

    def _fill(self, buffer: Buffer) -> None:
        pattern = Pattern(PatternKind.HASH, 1)
        task = (0, 0, 0, 0, 0, pattern.key(0), 0, 0, 0, 0, 0, 0, *pattern.masks(0))
        kernel = self._engine.kernel("memory", "fill", written_kind=int(pattern.kind))
        pace = Pace(4, buffer.size_bytes // PIECE_BYTES)
        done, pieces = 0, buffer.size_bytes // PIECE_BYTES
        while done < pieces:
            count = min(pace.units, pieces - done)
            first = done * PIECE_BYTES // QUAD_BYTES
            pace.took(count, self._engine.run([Dispatch(kernel, buffer, (first, *task[1:]), count)]).waited_s)
            done += count

    def _speed(self, shape: str, pair: tuple[Buffer, Buffer], began_s: float, until_s: float) -> float:
        """The best speed of this shape, in bytes read and written per second; at least two portions."""
        best, done = 0.0, 0
        pace = Pace(4, MOST_DISPATCHES * pair[0].size_bytes // PIECE_BYTES // 2)
        while done < 2 or self._teller.now_s() < until_s:
            work, pieces = self._portion(shape, pair, pace.units)
            outcome = self._engine.run(work)
            pace.took(pieces, outcome.waited_s)
            best = max(best, 2 * pieces * PIECE_BYTES / outcome.seconds)
            done += 1
            if best / 1e6 > (self._rates.device_mb_s or 0):
                self._rates = replace(self._rates, device_mb_s=round(best / 1e6))
            percent = int(100 * (self._teller.now_s() - began_s) / self._span_s) if self._span_s > 0 else 0
            words = f"{(self._rates.device_mb_s or 0) / 1000:.0f} GB/s within the card"
            self._teller.progress(StressPhase.BANDWIDTH, min(99, percent), words, lambda: Measured(copy=self._rates))
        return best

    def _portion(self, shape: str, pair: tuple[Buffer, Buffer], pieces: int) -> tuple[list[Dispatch], int]:
        """Dispatches over so many pieces, from the beginning again when the buffer ends; and how many they are."""
        group_bytes = SHAPES[shape]
        kernel = self._engine.kernel("copy", shape)
        whole = pair[0].size_bytes // PIECE_BYTES
        most = MOST_GROUPS * group_bytes // PIECE_BYTES
        work: list[Dispatch] = []
        at = done = 0
        while done < pieces and len(work) < MOST_DISPATCHES:
            count = min(whole - at, pieces - done, most)
            groups = count * PIECE_BYTES // group_bytes
            work.append(Dispatch(kernel, pair[0], (at * PIECE_BYTES // QUAD_BYTES,), groups, pair[1]))
            done += count
            at = (at + count) % whole
        return work, done


def faster_direction(rates: CopyRates) -> float | None:
    """Bytes per second of the faster way between computer and card."""
    known: Sequence[int] = [rate for rate in (rates.host_to_card_mb_s, rates.card_to_host_mb_s) if rate]
    return max(known) * 1e6 if known else None
