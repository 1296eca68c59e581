"""What one API shape must be able to do so that the simulator can speak it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from agentcli.lib.value import value
from agentcli.llm.simulator.frames import Frame
from agentcli.llm.simulator.prefix import extend
from agentcli.llm.simulator.refusal import Refused
from agentcli.llm.simulator.script import Asked, Fault, Turn
from agentcli.llm.types import JsonObject, Usage


@value
class Call:
    """One HTTP request, parsed, and when it came."""

    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: JsonObject
    number: int
    now: float
    model: str = ""
    """Where the path names it."""
    query: str = ""
    cold: bool = False
    """It reached a machine that has cached nothing."""


@value
class Manner:
    """How a wire's answers travel, beside what they say."""

    stream_type: str = "text/event-stream; charset=utf-8"
    broken: bytes = b'data: {"type": "content_block_delta", "index": \n\n'
    """What no client can read, in the middle of a stream."""
    retry_header: bool = True
    """Whether a wait is asked for with `retry-after`."""
    error_header: str = ""
    """A header that names the kind of an error."""


def _unheard(_: JsonObject) -> None:
    pass


@value
class Heard:
    """A request that was accepted: what it costs, what it says, and what speaking needs."""

    asked: Asked
    usage: Usage
    """Of the prompt; output is counted while speaking."""
    publish: Callable[[], None]
    """To be called when the answer begins: what was written can be read from then on."""
    digest: str
    """Of the conversation; ids and signatures are made from it."""
    last_thought: str = ""
    transformations: tuple[JsonObject, ...] = ()
    diagnosis: JsonObject | None = None
    """Why it missed its cache, where the request asks for that (wire.md 2.8.9)."""
    at: float = 0.0
    """When the request came, in seconds."""
    ended: Callable[[JsonObject], None] = _unheard
    """To be called with the reply when the answer has ended, where that is what counts."""
    unframed: bool = False
    """Chunks are asked for as one JSON array instead of events (Gemini without alt=sse)."""


class Store(Protocol):
    """Something kept at the provider's beside the conversation."""

    def serve(self, method: str, call: Call) -> JsonObject:
        """Make, show, change or remove it. Raises Refused."""
        ...


class Dialect(Protocol):
    wire: str
    manner: Manner

    def hear(self, call: Call) -> Heard:
        """Check a request and account for it. Raises Refused."""
        ...

    def speak(self, heard: Heard, turn: Turn, delta: int) -> Iterator[Frame]:
        """The reply as events; `delta` characters of text in each."""
        ...

    def whole(self, heard: Heard, turn: Turn) -> JsonObject:
        """The reply as one object, for requests that do not stream."""
        ...

    def count(self, call: Call) -> JsonObject:
        """The answer of the token counting endpoint. Raises Refused."""
        ...

    def error(self, refused: Refused, request_id: str) -> JsonObject:
        """The body of an error answer."""
        ...

    def error_event(self, kind: str) -> Frame:
        """An error in the middle of a stream."""
        ...

    def failure(self, fault: Fault, model: str) -> Refused:
        """How this vendor says what went wrong."""
        ...


def make_id(prefix: str, digest: str, *parts: object) -> str:
    """An id that is the same for the same conversation and never met twice in one."""
    return prefix + extend(digest, repr(parts))[:22]
