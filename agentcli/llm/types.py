"""The values every room speaks in: messages, blocks, deltas, requests, usage. No I/O."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from agentcli.lib.value import made, value

JsonObject: TypeAlias = dict[str, Any]
"""One JSON object; `Any` is how JSON is spelled here."""

Stop = Literal[
    "end_turn",
    "tool_use",
    "max_tokens",
    "stop_sequence",
    "refusal",
    "pause",
    "context_full",
    "error",
    "interrupted",
]
"""Why a reply ended: the words of wire.md 0.1, and `interrupted` for one we cut ourselves."""

Origin = Literal["human", "tool", "reminder", "hook", "summary"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


@value
class Text:
    text: str


@value
class Image:
    media_type: str
    data: str
    """Base64, as every wire wants it."""


@value
class Thinking:
    """Reasoning as shown to a person; what is sent back lives in `AssistantMessage.native`."""

    text: str


@value
class ToolCall:
    id: str
    name: str
    input: JsonObject
    raw: str | None = None
    """The arguments as received, when they are not one JSON object; such a call never runs."""


@value
class ToolOutput:
    call_id: str
    content: tuple[Text | Image, ...]
    is_error: bool = False


@value
class Usage:
    """Tokens. Disjoint: `input` excludes cached and written; `output` includes `reasoning`."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    reasoning: int = 0

    @property
    def prompt(self) -> int:
        """All tokens sent: fresh, read from cache and written to it."""
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write_5m + other.cache_write_5m,
            self.cache_write_1h + other.cache_write_1h,
            self.reasoning + other.reasoning,
        )


@value
class UserMessage:
    content: tuple[Text | Image | ToolOutput, ...]
    origin: Origin = "human"


@value
class Native:
    """The provider's own blocks of one reply, replayed unchanged to the same wire and model."""

    wire: str
    model: str
    blocks: tuple[JsonObject, ...]


@value
class AssistantMessage:
    content: tuple[Text | Thinking | ToolCall, ...]
    model: str
    stop: Stop
    usage: Usage | None = None
    """None when the provider reported nothing: unknown, not zero."""
    native: Native | None = None
    cost_usd: str | None = None
    """What the provider itself says the request cost, in USD as a decimal string."""
    provider: str = ""
    """Who answered; "" in sessions from before it was kept."""
    tier: str = ""
    """The provider's word for how it served the request: flex, priority, fast."""
    geo: str = ""
    """Where it was served, in the provider's word, if that was said."""

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls that may run: only those of a reply that ended to make them (wire.md 0.1)."""
        if self.stop != "tool_use":
            return ()
        return tuple(block for block in self.content if isinstance(block, ToolCall))

    @property
    def text(self) -> str:
        return "".join(block.text for block in self.content if isinstance(block, Text))


Message: TypeAlias = UserMessage | AssistantMessage


@value
class ToolSpec:
    name: str
    description: str
    input_schema: JsonObject
    grammar: str | None = None
    """A lark grammar: wires that know freeform tools send it instead of the schema."""


@value
class Request:
    """One request, neutral of any wire. `system` is (prompt, context), fixed per epoch."""

    model: str
    system: tuple[str, ...]
    tools: tuple[ToolSpec, ...]
    messages: tuple[Message, ...]
    max_output: int | None = None
    effort: Effort | None = None
    session: str = ""
    """Stable for the session."""
    cache_key: str = ""
    """By what providers route, where that is not the session: a fork keeps its origin's."""
    output_schema: JsonObject | None = None
    parent: str = ""
    """The session whose tools and system this one begins with, so that its cache holds them."""
    final: bool = False
    """Nothing will follow on its messages, so that only its head is worth writing to a cache."""

    @property
    def key(self) -> str:
        """The cache key of providers that route by one."""
        return self.cache_key or self.session


@value
class TextDelta:
    text: str


@value
class ThinkingDelta:
    text: str


@value
class ToolCallDelta:
    """A piece of a call's arguments. The first piece of an id opens the call (`json` may be "")."""

    id: str
    name: str
    json: str


@value
class BlockEnd:
    """The open block is complete.

    `native` is what to replay; `fill` names the slot of it that the fold sets to the block's text
    (or, with `call_id`, to the call's parsed input), so that long text is held once.
    """

    native: JsonObject | None = None
    fill: tuple[JsonObject, str] | None = None
    call_id: str | None = None


@value
class Finished:
    """The terminal event arrived; a stream without one is cut."""

    stop: Stop
    usage: Usage | None = None
    response_id: str = ""
    cost_usd: str | None = None
    tier: str = ""
    geo: str = ""


Delta: TypeAlias = TextDelta | ThinkingDelta | ToolCallDelta | BlockEnd | Finished


@value
class PreparedRequest:
    """An HTTP request as data: what `agent debug request` prints and `llm/http.py` sends."""

    url: str
    headers: dict[str, str] = made(default_factory=dict[str, str])
    body: bytes = b""
    method: str = "POST"
