"""Bytes of an AWS event stream into frames, for any split of the bytes (wire.md 4.3)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

from agentcli.llm.errors import StreamMalformed
from agentcli.llm.frames import MAX_PENDING

PRELUDE = 12
"""Bytes before the headers: the frame's length, the headers' length, their CRC."""
OVERHEAD = PRELUDE + 4
MAX_HEADERS = 128 * 1024
MAX_PAYLOAD = 24 * 1024 * 1024
_STRING = 7
_SIZED = (6, _STRING)
"""Types of header whose value begins with its own length."""
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of the value, for the other types."""


class EventFrame(NamedTuple):
    """One frame: the headers whose value is text, and the payload as it came."""

    headers: dict[str, str]
    payload: bytes


class EventStreamParser:
    """Incremental and linear. Raises StreamMalformed for a damaged frame.

    No frame is longer than 32 MB, so a body whose first byte is above 1 is no event stream; it is
    collected whole and handed out by `body` when it ends.
    """

    def __init__(self) -> None:
        self._pending = bytearray()
        self._plain: bytearray | None = None
        self._needed = PRELUDE
        self._started = False

    def feed(self, data: bytes) -> Iterator[EventFrame]:
        """Yield the frames these bytes complete."""
        if data and not self._started:
            self._started = True
            self._plain = bytearray() if data[0] > 1 else None
        if self._plain is not None:
            self._keep_plain(data)
            return
        self._pending += data
        while len(self._pending) >= self._needed:
            if self._needed == PRELUDE:
                self._needed = _length(bytes(self._pending[:PRELUDE]))
                continue
            whole = bytes(self._pending[: self._needed])
            del self._pending[: self._needed]
            self._needed = PRELUDE
            yield _frame(whole)

    @property
    def body(self) -> bytes | None:
        """The whole body, when it was no event stream."""
        return None if self._plain is None else bytes(self._plain)

    def _keep_plain(self, data: bytes) -> None:
        assert self._plain is not None
        self._plain += data
        if len(self._plain) > MAX_PENDING:
            raise StreamMalformed("the answer is no event stream and far too long")


def _length(prelude: bytes) -> int:
    """A frame's length, once the prelude's checksum holds: a damaged one could be any number."""
    total, headers, crc = struct.unpack(">III", prelude)
    if crc32(prelude[:8]) != crc:
        raise StreamMalformed("a frame of the stream is damaged (its prelude's checksum differs)")
    if headers > MAX_HEADERS or not 0 <= total - headers - OVERHEAD <= MAX_PAYLOAD:
        raise StreamMalformed(f"a frame of the stream has an impossible length: {total} bytes")
    return total


def _frame(whole: bytes) -> EventFrame:
    (crc,) = struct.unpack(">I", whole[-4:])
    if crc32(whole[:-4]) != crc:
        raise StreamMalformed("a frame of the stream is damaged (its checksum differs)")
    (length,) = struct.unpack(">I", whole[4:8])
    end = PRELUDE + length
    return EventFrame(_headers(whole[PRELUDE:end]), whole[end:-4])


def _headers(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(data):
            start = at + 1 + data[at]
            name, kind = data[at + 1 : start], data[start]
            start, at = _value(data, kind, start + 1)
            if kind == _STRING:
                found[name.decode()] = data[start:at].decode()
    except (LookupError, struct.error, UnicodeDecodeError):
        at = len(data) + 1
    if at > len(data):
        raise StreamMalformed("a frame of the stream has headers that cannot be read")
    return found


def _value(data: bytes, kind: int, start: int) -> tuple[int, int]:
    """Where a header's value begins and ends."""
    if kind in _SIZED:
        (size,) = struct.unpack_from(">H", data, start)
        return start + 2, start + 2 + size
    return start, start + _SIZES[kind]
