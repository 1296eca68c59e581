"""Models: limits, prices, abilities; found by name, a wrong name answered by the nearest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agentcli.llm.types import Effort

EditFormat = Literal["replace", "patch"]
CacheMode = Literal["none", "automatic", "explicit"]


@dataclass(frozen=True, slots=True)
class CacheKind:
    """How a model's provider caches prompts (wire.md 1.12, 2.8)."""

    mode: CacheMode = "none"
    min_tokens: int = 0
    max_marks: int = 0
    ttls: tuple[str, ...] = ()
    key: bool = False
    """Whether requests carry a `prompt_cache_key`."""


@dataclass(frozen=True, slots=True)
class Prices:
    """USD per million tokens as decimal strings; None where the provider bills no such class."""

    input: str
    output: str
    cache_read: str | None = None
    cache_write_5m: str | None = None
    cache_write_1h: str | None = None
    above: int = 0
    """Prompt tokens past which this row prices the whole request; 0 for the base row."""
    since: str = ""
    """The UTC date (ISO) from which this row holds; "" for always."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What we know of one model. An unknown model has `known=False` and no prices."""

    id: str
    provider: str
    context: int | None = None
    """Window in tokens, prompt and output together; None when unknown."""
    max_output: int | None = None
    prices: tuple[Prices, ...] = ()
    efforts: tuple[Effort, ...] = ()
    images: bool = True
    edit: EditFormat = "replace"
    cache: CacheKind = CacheKind()
    thinking: str = ""
    """How reasoning is asked for: "adaptive", "budget", "effort", or "" for not at all."""
    wire: str = ""
    """The wire this model wants at its provider, where it differs from the provider's own."""
    known: bool = True
