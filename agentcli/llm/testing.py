"""A stand-in for the client in tests of whatever talks to a model: scripted, and watchful.

At every request it checks the prefix rule: what was sent stays sent, and calls are answered once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

from agentcli.lib.value import replace, value
from agentcli.llm.errors import LLMError, StreamCut
from agentcli.llm.stream import Reply
from agentcli.llm.types import (
    AssistantMessage,
    BlockEnd,
    Delta,
    Finished,
    JsonObject,
    Message,
    Request,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolOutput,
    Usage,
    UserMessage,
)

if TYPE_CHECKING:
    from agentcli.llm.cache import CachePlan
    from agentcli.llm.client import Retry

WIRE = "scripted"
USAGE = Usage(input=10, output=5, cache_read=90)


@value
class Said:
    """One reply as deltas, and the error that ends it, if one does."""

    deltas: tuple[Delta, ...]
    error: LLMError | None = None
    retries: tuple[LLMError, ...] = ()
    """Failures reported to `on_retry` before the first delta."""


Step: TypeAlias = "Said | Callable[[Request], Said]"


def says(text: str, *, stop: Stop = "end_turn", usage: Usage | None = USAGE, size: int = 8) -> Said:
    """A text in deltas of `size` characters."""
    pieces = [TextDelta(text[i : i + size]) for i in range(0, len(text), size)]
    native = {"type": "text", "text": text}
    return Said((*pieces, BlockEnd(native), Finished(stop, usage)))


def calls(
    *wanted: tuple[str, JsonObject],
    text: str = "",
    stop: Stop = "tool_use",
    usage: Usage | None = USAGE,
) -> Said:
    """Tool calls as (name, input), after a text if one is given. `Scripted` gives them ids."""
    deltas: list[Delta] = (
        [TextDelta(text), BlockEnd({"type": "text", "text": text})] if text else []
    )
    for number, (name, arguments) in enumerate(wanted):
        deltas += _call(f"call_{number}", name, arguments)
    return Said((*deltas, Finished(stop, usage)))


def thinks(thought: str, said: Said) -> Said:
    """The same reply, thought about first."""
    end = BlockEnd({"type": "thinking", "thinking": thought, "signature": "scripted"})
    return replace(said, deltas=(ThinkingDelta(thought), end, *said.deltas))


def fails(error: LLMError) -> Said:
    """A request that is answered with an error."""
    return Said((), error)


def retries(said: Said, *errors: LLMError) -> Said:
    """The same reply, after the client has tried in vain once for each error."""
    return replace(said, retries=errors)


def cut_after(said: Said, count: int, error: LLMError | None = None) -> Said:
    """The first `count` deltas of a reply, then a cut stream (or another error)."""
    return replace(said, deltas=said.deltas[:count], error=error or StreamCut("the stream was cut"))


def _call(call_id: str, name: str, arguments: JsonObject) -> list[Delta]:
    import json

    raw = json.dumps(arguments)
    half = len(raw) // 2
    native: JsonObject = {"type": "tool_use", "id": call_id, "name": name, "input": None}
    return [
        ToolCallDelta(call_id, name, ""),
        ToolCallDelta(call_id, name, raw[:half]),
        ToolCallDelta(call_id, name, raw[half:]),
        BlockEnd(native, (native, "input"), call_id),
    ]


class PrefixBroken(AssertionError):
    """A request that changes what an earlier one of its session has sent."""


class Scripted:
    """Plays replies in order and keeps the requests; stands where `llm/client.Client` stands."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = list(steps)
        self.requests: list[Request] = []
        self.closed = False
        self._last: dict[tuple[str, str], Request] = {}
        self._fresh: set[str] = set()

    @property
    def steps_left(self) -> int:
        return len(self._steps)

    @asynccontextmanager
    async def stream(
        self, request: Request, *, on_retry: Callable[[Retry], None] = lambda _: None
    ) -> AsyncGenerator[Reply]:
        """The next reply. Raises PrefixBroken before it plays anything."""
        self._check(request)
        self.requests.append(request)
        said = _with_ids(self._next(request), len(self.requests))
        yield Reply(_play(said, on_retry), model=request.model, wire=WIRE)

    def new_epoch(self, session: str = "") -> None:
        """The next request of this session may start anew (a compaction, /clear)."""
        self._fresh.add(session)

    def cache_state(self, session: str, model: str) -> tuple[CachePlan, float] | None:
        """Nothing is cached here."""
        return None

    async def aclose(self) -> None:
        self.closed = True

    def _next(self, request: Request) -> Said:
        if not self._steps:
            raise AssertionError(f"request {len(self.requests)} finds no step left in the script")
        step = self._steps.pop(0)
        return step if isinstance(step, Said) else step(request)

    def _check(self, request: Request) -> None:
        key = (request.session, request.model)
        before = self._last.get(key)
        if request.session in self._fresh:
            self._fresh.discard(request.session)
            self._last = {k: v for k, v in self._last.items() if k[0] != request.session}
            before = None
        if before is not None:
            check_prefix(before, request)
        check_answers(request.messages)
        self._last[key] = request


def check_prefix(before: Request, after: Request) -> None:
    """Raises PrefixBroken unless `after` only adds messages to `before`."""
    for name in ("system", "tools"):
        if getattr(before, name) != getattr(after, name):
            raise PrefixBroken(f"{name} changed within the epoch")
    if len(after.messages) < len(before.messages):
        raise PrefixBroken(
            f"{len(before.messages)} messages were sent before, now {len(after.messages)}"
        )
    for index, message in enumerate(before.messages):
        if after.messages[index] != message:
            raise PrefixBroken(
                f"message {index} changed: {message!r} became {after.messages[index]!r}"
            )


def check_answers(messages: Sequence[Message]) -> None:
    """Raises PrefixBroken unless each call that may run is answered once in the next message."""
    owed: list[str] = []
    for index, message in enumerate(messages):
        if isinstance(message, AssistantMessage):
            _settled(owed, index)
            owed = [call.id for call in message.tool_calls]
            continue
        owed = _answered(message, owed, index)
    _settled(owed, len(messages))


def _answered(message: UserMessage, owed: list[str], index: int) -> list[str]:
    left = list(owed)
    if not message.content:
        raise PrefixBroken(f"message {index} is empty")
    for block in message.content:
        if isinstance(block, ToolOutput):
            if block.call_id not in left:
                raise PrefixBroken(
                    f"message {index} answers {block.call_id}, which nobody asked or which is "
                    "answered already"
                )
            left.remove(block.call_id)
        elif left:
            break
    _settled(left, index)
    return []


def _settled(owed: Sequence[str], index: int) -> None:
    if owed:
        raise PrefixBroken(f"unanswered before message {index}: {', '.join(owed)}")


def _with_ids(said: Said, number: int) -> Said:
    """Call ids are unique over the requests, as a provider's are."""

    def renamed(delta: Delta) -> Delta:
        match delta:
            case ToolCallDelta(id=call_id):
                return replace(delta, id=f"{call_id}_{number}")
            case BlockEnd(native, _, str(call_id)) if native is not None:
                fresh = {**native, "id": f"{call_id}_{number}"}
                return BlockEnd(fresh, (fresh, "input"), f"{call_id}_{number}")
            case BlockEnd(native) if native is not None:
                return BlockEnd(dict(native))
            case _:
                return delta

    return replace(said, deltas=tuple(renamed(delta) for delta in said.deltas))


async def _play(said: Said, on_retry: Callable[[Retry], None]) -> AsyncIterator[Delta]:
    if said.retries:
        from agentcli.llm.client import Retry

        for attempt, error in enumerate(said.retries, 1):
            on_retry(Retry(attempt, 0.0, error))
    for delta in said.deltas:
        yield delta
    if said.error is not None:
        raise said.error
