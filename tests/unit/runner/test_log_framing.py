from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argentum_desktop.runner.framing import MAX_FRAME_BYTES, FrameReader, FramingError
from argentum_desktop.runner.progress import last_progress


def frame(payload: bytes, stream: int = 1) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


@given(st.lists(st.tuples(st.integers(0, 2), st.binary(max_size=300)), max_size=8), st.data())
def test_any_cut_gives_the_same(parts: list[tuple[int, bytes]], data: st.DataObject) -> None:
    stream = b"".join(frame(payload, kind) for kind, payload in parts)
    reader, out, rest = FrameReader(), b"", stream
    while rest:
        cut = data.draw(st.integers(1, len(rest)))
        out += reader.feed(rest[:cut])
        rest = rest[cut:]
    assert out == b"".join(payload for _, payload in parts)


@given(st.binary(max_size=200))
def test_noise_is_an_error_or_nothing(noise: bytes) -> None:
    reader = FrameReader()
    try:
        out = reader.feed(noise)
    except FramingError:
        return
    assert len(out) <= len(noise)


def test_a_huge_frame_is_refused() -> None:
    with pytest.raises(FramingError):
        FrameReader().feed(b"\x01\0\0\0" + (MAX_FRAME_BYTES + 1).to_bytes(4, "big"))


@pytest.mark.parametrize(
    ("log", "percent"),
    [
        (b"", None),
        (b"progress: 42 %\n", 42),
        (b"progress: 10 %\nhello\nPROGRESS:  55%\r\nmore", 55),
        (b"progress: 99.5 %", 99),
        (b"progress: 101 %\n", None),
        (b"progress: 7 %\nprogress: 900 %\n", 7),
        (b"no progress: 5 %\n", None),
        (b"progress: 5 % done\n", None),
        (b"\xff\xfe progress: 5 %\n  progress: 6 %", 6),
    ],
)
def test_progress(log: bytes, percent: int | None) -> None:
    assert last_progress(log) == percent


@given(st.binary(max_size=400))
def test_progress_of_noise(log: bytes) -> None:
    found = last_progress(log)
    assert found is None or 0 <= found <= 100
