"""Providers: one row each: where it is, which wire it speaks, what is odd about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from agentcli.llm.models import ModelSpec

Auth = Literal["bearer", "x-api-key", "api-key", "none"]


@dataclass(frozen=True, slots=True)
class Quirks:
    """Departures from the wire; each field names who needs it. Data, read by the wires."""

    max_tokens_field: str = "max_completion_tokens"
    """Most compatible servers still want `max_tokens` (wire.md 5)."""
    stream_options: bool = True
    """Mistral wants no `stream_options` (wire.md 5.3)."""
    prompt_cache_key: bool = False
    reasoning_replay: str = ""
    """The field in which earlier reasoning must go back: `reasoning_content` (DeepSeek, Kimi)."""
    cache_control: bool = False
    """A Chat server that takes Anthropic's marks on content parts (OpenRouter, DashScope)."""


@dataclass(frozen=True, slots=True)
class Provider:
    name: str
    url: str
    wire: str
    auth: Auth = "bearer"
    key_env: tuple[str, ...] = ()
    base_env: tuple[str, ...] = ()
    quirks: Quirks = Quirks()
    local: bool = False
    """A server on this machine: needs no key, costs nothing."""
    headers: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Route:
    """Everything needed to reach one model: who, where, as whom, over which wire."""

    provider: Provider
    model: ModelSpec
    url: str
    """Base URL without a trailing slash."""
    key: str | None = None
    wire: str = ""
    auth: Auth = "bearer"
    headers: dict[str, str] = field(default_factory=dict[str, str])
