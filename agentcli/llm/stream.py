"""A reply as it arrives: iterate its deltas; `message` is the whole, or what came so far."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from io import StringIO
from typing import TYPE_CHECKING, cast

from agentcli.lib.value import replace
from agentcli.llm.types import (
    AssistantMessage,
    BlockEnd,
    Delta,
    Finished,
    JsonObject,
    Native,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from agentcli.llm.wire.counts import MOST

if TYPE_CHECKING:
    from agentcli.llm.route import Route


class _Open:
    """A block under construction: its kind and its text so far (arguments, for a call)."""

    __slots__ = ("call_id", "kind", "name", "value")

    def __init__(self, kind: str, call_id: str = "", name: str = "") -> None:
        self.kind = kind
        self.call_id = call_id
        self.name = name
        self.value: StringIO | str = StringIO()

    def write(self, text: str) -> None:
        if isinstance(self.value, str):
            whole = self.value
            self.value = StringIO()
            self.value.write(whole)
        self.value.write(text)

    def seal(self) -> str:
        """The text, held once from here on."""
        if isinstance(self.value, StringIO):
            self.value = self.value.getvalue()
        return self.value


def parse_arguments(raw: str) -> JsonObject | None:
    """Tool arguments as one JSON object; empty text means none given; None when unusable."""
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return cast("JsonObject", value) if isinstance(value, dict) else None


class Fold:
    """The only fold of deltas into a message."""

    def __init__(self, model: str, wire: str, provider: str = "") -> None:
        self.model = model
        self.wire = wire
        self.provider = provider
        self._blocks: list[_Open] = []
        self._calls: dict[str, _Open] = {}
        self._current: _Open | None = None
        self._native: list[JsonObject] = []
        self._finished: Finished | None = None

    def add(self, delta: Delta) -> None:
        match delta:
            case TextDelta(text):
                self._block("text").write(text)
            case ThinkingDelta(text):
                self._block("thinking").write(text)
            case ToolCallDelta(id, name, piece):
                self._call(id, name).write(piece)
            case BlockEnd():
                self._end(delta)
            case Finished():
                self._finished = delta

    def _block(self, kind: str) -> _Open:
        if self._current is None or self._current.kind != kind:
            self._current = _Open(kind)
            self._blocks.append(self._current)
        return self._current

    def _call(self, call_id: str, name: str) -> _Open:
        call = self._calls.get(call_id)
        if call is None:
            call = self._calls[call_id] = _Open("call", call_id, name)
            self._blocks.append(call)
            self._current = None
        call.name = call.name or name
        return call

    def _end(self, end: BlockEnd) -> None:
        """A slot in which the provider put another text keeps it: it knows its own block best."""
        if end.native is not None:
            self._native.append(end.native)
        if end.call_id is not None:
            raw = self._calls[end.call_id].seal()
            value = parse_arguments(raw)
            filled = {"INVALID_JSON": raw} if value is None else value
        else:
            filled = self._current.seal() if self._current else ""
            self._current = None
        if end.fill is not None:
            holder, slot = end.fill
            if not holder.get(slot) or holder[slot] == filled:
                holder[slot] = filled

    def raw_arguments(self, call_id: str) -> str:
        """A call's arguments as received so far."""
        return self._calls[call_id].seal()

    def message(self) -> AssistantMessage:
        """The message so far; `interrupted` until the terminal event came."""
        finished = self._finished
        stop = finished.stop if finished else "interrupted"
        keep_native = finished is not None and (stop == "tool_use" or not self._calls)
        native = Native(self.wire, self.model, tuple(self._native)) if keep_native else None
        return AssistantMessage(
            content=tuple(_block(block) for block in self._blocks),
            model=self.model,
            stop=stop,
            usage=finished.usage if finished else None,
            native=native,
            cost_usd=finished.cost_usd if finished else None,
            provider=self.provider,
            tier=finished.tier if finished else "",
            geo=finished.geo if finished else "",
        )


def _block(block: _Open) -> Text | Thinking | ToolCall:
    whole = block.seal()
    if block.kind == "text":
        return Text(whole)
    if block.kind == "thinking":
        return Thinking(whole)
    value = parse_arguments(whole)
    if value is None:
        return ToolCall(block.call_id, block.name, {}, raw=whole)
    return ToolCall(block.call_id, block.name, value)


class Reply:
    """One response being received. Single consumer: `async for delta in reply`."""

    def __init__(
        self,
        deltas: AsyncIterator[Delta],
        *,
        model: str,
        wire: str,
        provider: str = "",
        usage: Callable[[], Usage | None] = lambda: None,
    ) -> None:
        self._deltas = deltas
        self._fold = Fold(model, wire, provider)
        self._usage = usage
        self.route: Route | None = None
        """Who was asked, and answers unless `on_retry` said otherwise."""

    def comes_from(self, model: str, wire: str, provider: str) -> None:
        """Somebody else answers, or over another wire; told before the first delta."""
        self._fold.model, self._fold.wire, self._fold.provider = model, wire, provider

    async def __aiter__(self) -> AsyncIterator[Delta]:
        async for delta in self._deltas:
            self._fold.add(delta)
            yield delta

    @property
    def message(self) -> AssistantMessage:
        """A reply that broke off carries what the provider had reported by then."""
        message = self._fold.message()
        return replace(message, usage=credible(message.usage or self._usage()))


def credible(usage: Usage | None) -> Usage | None:
    """A usage that a request can have; None for nothing at all, or more than there is."""
    if usage is None or not usage.prompt + usage.output:
        return None
    return usage if usage.prompt + usage.output < MOST else None
