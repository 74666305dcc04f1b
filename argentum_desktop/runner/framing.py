"""The engines' log stream: frames of eight bytes of header and a payload. Pure."""

from __future__ import annotations

HEADER_BYTES = 8
MAX_FRAME_BYTES = 16 * 1024 * 1024
_STREAMS = (0, 1, 2)


class FramingError(ValueError):
    """The stream is not what an engine writes."""


class FrameReader:
    """Takes the stream in pieces of any size and gives the payloads back, in order.

    A header is one byte for the stream (1 standard output, 2 standard error), three zero bytes, and the payload's
    length, big-endian.
    """

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> bytes:
        """The payload that became complete with `data`.

        Raises:
            FramingError: these bytes cannot be a header.
        """
        self._rest += data
        out = bytearray()
        position = 0
        while len(self._rest) - position >= HEADER_BYTES:
            length = self._length_at(position)
            end = position + HEADER_BYTES + length
            if end > len(self._rest):
                break
            out += self._rest[position + HEADER_BYTES : end]
            position = end
        del self._rest[:position]
        return bytes(out)

    def _length_at(self, position: int) -> int:
        header = self._rest[position : position + HEADER_BYTES]
        length = int.from_bytes(header[4:], "big")
        if header[0] not in _STREAMS or any(header[1:4]) or length > MAX_FRAME_BYTES:
            raise FramingError("not a log frame")
        return length
