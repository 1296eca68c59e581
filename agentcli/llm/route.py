"""What a provider is and what it takes to reach a model: the values behind every request."""

from __future__ import annotations

from typing import Any, Literal

from agentcli.lib.value import made, value
from agentcli.llm.models import ModelSpec
from agentcli.llm.types import Effort, JsonObject

Auth = Literal["bearer", "x-api-key", "api-key", "x-goog-api-key", "sigv4", "none"]
Switch = Literal[
    "reasoning_effort", "reasoning", "thinking", "enable_thinking", "template", "both", ""
]
"""The field by which a Chat server is told how hard to think; `both` a word and its template."""


@value
class Quirks:
    """Departures from the wire. Data, read by the wires; who has which, and why, say the rows."""

    max_tokens_field: str = "max_tokens"
    """The name of the limit of a Chat reply; "" where none is taken."""
    stream_options: bool = True
    """Whether `stream_options` may be sent to ask for the usage."""
    prompt_cache_key: bool = False
    """Whether the server takes `prompt_cache_key`; some refuse unknown fields."""
    session_id: bool = False
    """A router that keeps a conversation, by its `session_id`, where its prompt is cached."""
    session_header: str = ""
    """The header in which the session goes, so that it meets its cache."""
    bridged: bool = False
    """A person may not speak right after results: a word of the model goes between."""
    cache_control: bool = False
    """A Chat server that takes Anthropic's marks on content parts."""
    reasoning_replay: Literal["", "reasoning_content", "parts"] = ""
    """How earlier reasoning must go back: in a field of its own, or as parts of the content."""
    switch: Switch = "reasoning_effort"
    """How effort is asked for."""
    efforts: tuple[Effort, ...] = ()
    """The only words the switch knows; the nearest is sent. Empty: those of the model."""
    switched: tuple[str, ...] = ()
    """Beginnings of the names of models that know `thinking.type` alone."""
    defaulted: str = ""
    """In the names of models whose effort is `none` or `default`."""
    parsed: bool = False
    """`reasoning_format` has thinking come apart from the text (not for gpt-oss, which does)."""
    kept: JsonObject = made(default_factory=dict[str, Any])
    """What stands in `thinking` beside its type, so that earlier reasoning stays in view."""
    off: bool = False
    """Effort "none" is said as `thinking: {"type": "disabled"}`."""
    fields: JsonObject = made(default_factory=dict[str, Any])
    """Sent with every request."""
    tools: bool = True
    plain_schemas: bool = False
    """Tool schemas go without `$schema`, `$id` and `additionalProperties`."""
    short_ids: bool = False
    """Ids of calls are nine letters and digits."""
    obfuscation: bool = False
    """A Responses server that pads its events unless it is asked not to."""


@value
class Odd:
    """One quirk of one provider: when it was seen, and why it is there."""

    quirk: str
    setting: Any
    seen: str
    """A date, ISO."""
    why: str


@value
class Provider:
    """One row of the table, or one of the person's own."""

    name: str
    url: str
    """May name environment variables: `{AWS_REGION}`, or the first set of `{A|B=default}`."""
    wire: str
    auth: Auth = "bearer"
    key_env: tuple[str, ...] = ()
    base_env: tuple[str, ...] = ()
    quirks: Quirks = Quirks()
    local: bool = False
    """A server on this machine: needs no key, costs nothing."""
    keyless: bool = False
    """Also works without a key: the person's own gateway may hold it."""
    headers: dict[str, str] = made(default_factory=dict[str, str])
    lent_env: tuple[str, ...] = ()
    """Keys of a sister row, which fit here too but do not say that this row is meant."""
    token_env: tuple[str, ...] = ()
    """Tokens, sent as such (`Authorization: Bearer`) where keys have a header of their own."""
    header_env: tuple[tuple[str, str], ...] = ()
    """Headers whose values are in the environment: (header, variable)."""
    models_of: str = ""
    """Whose models it serves under their own names; "" for a provider with its own list."""
    same_price: bool = True
    """False where a sister's price list does not hold: subscriptions, other currencies."""
    deploys: bool = False
    """Serves what its owner deployed there, under the owner's names."""
    service: str = ""
    """The name AWS signs for."""
    odd: tuple[Odd, ...] = ()
    """Where `quirks` come from."""
    models: tuple[str, ...] = ()
    """Names the person listed for a provider of their own."""
    key_command: str = ""
    """Prints a key that does not live long."""


@value
class Route:
    """Everything needed to reach one model: who, where, as whom, over which wire."""

    provider: Provider
    model: ModelSpec
    url: str
    """Base URL without a trailing slash."""
    key: str | None = None
    wire: str = ""
    auth: Auth = "bearer"
    headers: dict[str, str] = made(default_factory=dict[str, str])
    other_wire: str = ""
    """Tried when the server turns out not to have `wire`."""
    region: str = ""
    """The AWS region a request is signed for."""
    service: str = ""
    """The AWS service a request is signed for."""
