"""Bytes of a streamed body into server-sent events, for any split of the bytes (wire.md 0.2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple, cast

from agentcli.llm.errors import StreamMalformed
from agentcli.llm.types import JsonObject

BOM = b"\xef\xbb\xbf"
DONE = "[DONE]"
MAX_PENDING = 64 * 1024 * 1024
"""Bytes of one line or one unframed body; more is not a stream of events."""


class Frame(NamedTuple):
    """One event: the `event:` name, or "", and its data."""

    event: str
    data: str


class SseParser:
    """Incremental and linear: each byte is looked at once, whatever the chunks.

    A body that begins with `{`, `[` or `<` is no event stream; it is collected whole and handed
    out by `body` when it ends.
    """

    def __init__(self) -> None:
        self._line = bytearray()
        self._started = False
        self._plain: bytearray | None = None
        self._skip_newline = False
        self._event = ""
        self._data: list[str] = []
        self.comments = 0

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the events these bytes complete."""
        if not self._started:
            data = self._begin(data)
        if not data:
            return
        if self._plain is not None:
            self._keep_plain(data)
            return
        yield from self._lines(data)

    def close(self) -> Iterator[Frame]:
        """The body ended. A last event without its blank line counts only if it is complete."""
        if self._line and not self._started:
            data = bytes(self._line)
            self._line.clear()
            self._started = True
            yield from self._lines(data)
        if self._line:
            line = self._line.decode("utf-8", "replace")
            self._line.clear()
            self._field(line)
        text = "\n".join(self._data)
        if text and (text == DONE or _is_json(text)):
            yield self._dispatch()

    @property
    def body(self) -> bytes | None:
        """The whole body, when it was no event stream."""
        return None if self._plain is None else bytes(self._plain)

    def _begin(self, data: bytes) -> bytes:
        """Wait for the first telling byte; drop the byte order mark and leading space."""
        self._line += data
        if len(self._line) < len(BOM) and BOM.startswith(bytes(self._line)):
            return b""
        text = bytes(self._line).removeprefix(BOM)
        if not text.strip():
            return b""
        self._line.clear()
        self._started = True
        if text.lstrip()[:1] in (b"{", b"[", b"<"):
            self._plain = bytearray()
        return text

    def _keep_plain(self, data: bytes) -> None:
        assert self._plain is not None
        self._plain += data
        if len(self._plain) > MAX_PENDING:
            raise StreamMalformed("the answer is no event stream and far too long")

    def _lines(self, data: bytes) -> Iterator[Frame]:
        if self._skip_newline and data[:1] == b"\n":
            data = data[1:]
        self._skip_newline = data.endswith(b"\r")
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *whole, rest = data.split(b"\n")
        for piece in whole:
            if self._line:
                self._line += piece
                piece = bytes(self._line)
                self._line.clear()
            if piece:
                self._field(piece.decode("utf-8", "replace"))
            elif self._data:
                yield self._dispatch()
            else:
                self._event = ""
        self._line += rest
        if len(self._line) > MAX_PENDING:
            raise StreamMalformed("a line of the stream never ends")

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "error":  # how older llama.cpp frames its errors (wire.md 5.12)
            self._data.append(f'{{"error":{value}}}')
        elif not name:
            self.comments += 1

    def _dispatch(self) -> Frame:
        frame = Frame(self._event, "\n".join(self._data))
        self._event = ""
        self._data.clear()
        return frame


def parse_data(frame: Frame) -> JsonObject | None:
    """An event's data as an object; None for what is no JSON: keep-alives ("ping", ""), [DONE]."""
    if frame.data.strip() == DONE:
        return None
    try:
        value = json.loads(frame.data)
    except (ValueError, RecursionError):
        if frame.data.lstrip()[:1] in ("{", "["):
            raise StreamMalformed(f"broken JSON in the stream: {frame.data[:120]!r}") from None
        return None
    return cast("JsonObject", value) if isinstance(value, dict) else None


def parse_body(body: bytes) -> JsonObject:
    """A body that was no event stream, as one object. Raises StreamMalformed, naming a web page."""
    text = body.decode("utf-8", "replace").strip()
    if text.startswith("<"):
        raise StreamMalformed(f"a web page came instead of an answer: {_title(text)!r}")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise StreamMalformed(f"the answer is neither events nor JSON: {text[:120]!r}") from None
    if isinstance(value, list) and value:
        value = cast("list[object]", value)[0]
    if not isinstance(value, dict):
        raise StreamMalformed(f"the answer is not an object: {text[:120]!r}")
    return cast("JsonObject", value)


def _title(page: str) -> str:
    low = page.lower()
    start = low.find("<title>")
    end = low.find("</title>", start)
    if start < 0 or end < 0:
        return page[:60]
    return " ".join(page[start + 7 : end].split())[:80]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
