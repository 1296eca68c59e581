"""The pieces of a spoken reply, and what can befall them on the way."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Literal

from agentcli.lib.value import value
from agentcli.llm.simulator.script import Trouble
from agentcli.llm.types import JsonObject

Role = Literal["frame", "delta", "arguments"]


@value
class Frame:
    """One event as bytes. A `delta` carries content, `arguments` those of a call."""

    data: bytes
    role: Role = "frame"


def named(event: JsonObject, role: Role = "frame") -> Frame:
    """An event of a stream whose events carry their type as name (wire.md 1.3, 2.3)."""
    text = f"event: {event['type']}\ndata: {dump(event)}\n\n"
    return Frame(text.encode(), role)


def plain(event: JsonObject, role: Role = "frame") -> Frame:
    """An event of a Chat stream (wire.md 2.5)."""
    return Frame(f"data: {dump(event)}\n\n".encode(), role)


def dump(value: JsonObject) -> str:
    """JSON as servers write it: not escaped, a half of a surrogate pair aside."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def pieces_of(text: str, size: int) -> Iterator[str]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


def spoilt(
    frames: Iterable[Frame], trouble: Trouble | None, error: Frame, broken: bytes
) -> Iterator[bytes]:
    """The bytes of a stream, with its trouble. `error` is the vendor's own error event."""
    match trouble:
        case None:
            yield from (frame.data for frame in frames)
        case Trouble("cut", after):
            yield from _first_bytes(frames, after)
        case Trouble("reset", after):
            yield from _first_bytes(frames, after)
            raise ConnectionResetError("the connection was reset in the middle of the answer")
        case Trouble("cut_in_call"):
            yield from _cut_in_call(frames)
        case Trouble("malformed", after):
            yield from _until(frames, after)
            yield broken
        case Trouble(_, after):
            yield from _until(frames, after)
            yield error.data


def _first_bytes(frames: Iterable[Frame], count: int) -> Iterator[bytes]:
    for frame in frames:
        if count <= len(frame.data):
            yield frame.data[:count]
            return
        count -= len(frame.data)
        yield frame.data


def _cut_in_call(frames: Iterable[Frame]) -> Iterator[bytes]:
    """Up to the middle of the first arguments."""
    for frame in frames:
        if frame.role == "arguments":
            yield frame.data[: len(frame.data) // 2]
            return
        yield frame.data


def _until(frames: Iterable[Frame], deltas: int) -> Iterator[bytes]:
    """Everything up to the end of delta number `deltas`; up to the first one's start for 0."""
    for frame in frames:
        if frame.role == "frame":
            yield frame.data
            continue
        if deltas > 0:
            yield frame.data
        deltas -= 1
        if deltas <= 0:
            return


def rechunked(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in pieces of `size`, whatever the events; as they come for 0."""
    if size <= 0:
        yield from pieces
        return
    held = b""
    for piece in pieces:
        held += piece
        while len(held) >= size:
            yield held[:size]
            held = held[size:]
    if held:
        yield held
