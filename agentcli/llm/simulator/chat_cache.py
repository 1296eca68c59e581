"""Prompt caches behind Chat Completions, one rule a vendor (wire.md 5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Literal

from agentcli.lib.value import replace, value
from agentcli.llm.simulator.claude_cache import ClaudeCache, Position, Prompt
from agentcli.llm.simulator.claude_rules import MAX_MARKS, generation, minimum
from agentcli.llm.simulator.gemini_rules import minimum as gemini_least
from agentcli.llm.simulator.gpt_cache import (
    Entries,
    GptCache,
    Steps,
    beginning,
    extended,
    places_of,
)
from agentcli.llm.simulator.gpt_prompt import GptPrompt, Piece
from agentcli.llm.simulator.refusal import Refused
from agentcli.llm.simulator.vendors import Vendor
from agentcli.llm.types import Usage

Kind = Literal["openai", "units", "steps", "none"]


@value
class ChatRule:
    """How a vendor caches by itself, and whether it heeds Anthropic's marks."""

    kind: Kind
    """OpenAI's own rules; whole units; whole steps of any common prefix; not at all."""
    least: int = 1_024
    """Tokens of the shortest prefix that is read."""
    step: int = 128
    life: float = 3_600.0
    """Seconds an unused prefix is kept."""
    models: str = ""
    """A pattern of the only models that cache."""
    by_key: bool = False
    """Only for requests with a `prompt_cache_key`."""
    marks: str = ""
    """A pattern of the models whose marks on parts of a content are heeded.

    Then nothing else is cached in that request.
    """
    bills: str = ""
    """A pattern of the models whose writes are billed as such."""
    after: bool = False
    """A marked prefix can be read once the answer has ended, not when it begins."""
    sticky: float = inf
    """Seconds of silence after which a conversation that is not pinned may move elsewhere."""

    def heeds(self, model: str) -> bool:
        return bool(self.marks) and re.search(self.marks, model) is not None

    def bills_writes(self, model: str) -> bool:
        return bool(self.bills) and re.search(self.bills, model) is not None

    def split(self, prompt: GptPrompt, read: int) -> Usage:
        """What was not read is written to the end, where the model's writes are billed."""
        rest = prompt.tokens - read
        if self.bills_writes(prompt.model):
            return Usage(cache_read=read, cache_write_5m=rest)
        return Usage(input=rest, cache_read=read)


UNITS = ChatRule("units")
"""wire.md 5.1, rule 2a, the conservative bound; "hours to days" is an hour here."""
OPTIMISTIC = ChatRule("steps", least=64, step=64)
"""wire.md 5.1, rule 3, the optimistic bound for DeepSeek."""
KIMI = ChatRule("units", bills="kimi-k3")
QWEN = ChatRule("steps", life=300.0, marks=".", after=True)
RULES: dict[str, ChatRule] = {
    "openai": ChatRule("openai"),
    "deepseek": UNITS,
    "moonshot": KIMI,
    "dashscope": QWEN,
    "openrouter": ChatRule("steps", sticky=600.0),
    "groq": ChatRule("steps", life=7_200.0, models="gpt-oss|kimi"),
    "mistral": ChatRule("steps", by_key=True),
    "zai": ChatRule("steps"),
    "minimax": ChatRule("steps"),
    "fireworks": ChatRule("steps"),
    "databricks": ChatRule("none", marks="claude"),
    "vllm": ChatRule("steps", least=16, step=16),
    "llamacpp": ChatRule("steps", least=1, step=1),
}
"""wire.md 5.3 to 5.13. Steps and lives of an hour are undocumented but for vLLM's blocks of 16."""
BEHIND_OPENROUTER = {
    "anthropic": ChatRule("none", marks=".", sticky=600.0),
    "google": ChatRule("steps", marks=".", sticky=600.0),
    "openai": ChatRule("openai", sticky=600.0),
    "deepseek": ChatRule("units", sticky=600.0),
    "moonshotai": ChatRule("units", bills="kimi-k3", sticky=600.0),
    "qwen": ChatRule("steps", life=300.0, marks=".", after=True, sticky=600.0),
}
"""wire.md 5.5: by the maker, which is the first word of a model's name there."""
NONE = ChatRule("none")
QWEN_LEAST = 1_024
"""wire.md 5.8: the shortest marked prefix; Claude's and Gemini's are their models'."""
QWEN_HOURS = "qwen-?4"
"""wire.md 5.8: the models that keep a marked prefix for an hour, where asked to."""


@value
class ChatCharge:
    usage: Usage
    """Without output."""
    begin: Callable[[], None]
    """To be called when the answer begins."""
    end: Callable[[Sequence[Piece]], None]
    """To be called with the reply when the answer ends."""


def rule_of(vendor: Vendor, model: str, rules: Mapping[str, ChatRule] = RULES) -> ChatRule:
    """By the vendor's name, else by what it says of its cache; OpenRouter's by who made a model."""
    if vendor.name == "openrouter":
        return BEHIND_OPENROUTER.get(model.partition("/")[0], rules["openrouter"])
    kinds = {"openai": ChatRule("openai"), "units": UNITS, "none": NONE}
    return rules.get(vendor.name.removesuffix("-strict")) or kinds[vendor.cache]


class ChatCache:
    """One account's, at any of the vendors."""

    def __init__(self, rules: Mapping[str, ChatRule] = RULES) -> None:
        self._rules = rules
        self._gpt = GptCache()
        self._kept = Entries()
        self._marked = ClaudeCache()
        self._hosts: dict[str, tuple[int, float]] = {}

    def look(self, vendor: Vendor, prompt: GptPrompt, now: float) -> ChatCharge:
        """What a request reads and writes now."""
        rule = rule_of(vendor, prompt.model, self._rules)
        prompt = self._routed(rule, prompt, now)
        if rule.heeds(prompt.model) and _is_marked(prompt):
            return self._by_marks(rule, prompt, now)
        off = not re.search(rule.models, prompt.model)
        if rule.kind == "none" or off or (rule.by_key and not prompt.key):
            return ChatCharge(Usage(input=prompt.tokens), _nothing, _unheard)
        if rule.kind == "units":
            return self._by_units(rule, prompt, now)
        if rule.kind == "openai":
            found = self._gpt.look(prompt, now)
        else:
            found = self._kept.look_steps(prompt, now, Steps(rule.step, rule.least, rule.life))
        return ChatCharge(found.usage, found.publish, _unheard)

    def _routed(self, rule: ChatRule, prompt: GptPrompt, now: float) -> GptPrompt:
        """The same, or the next host's, which has cached nothing yet."""
        start = beginning(prompt)
        host, last = self._hosts.get(start, (0, now))
        host += not prompt.pinned and now - last >= rule.sticky
        self._hosts[start] = host, max(now, last)
        return replace(prompt, seed=f"{prompt.seed}{host}") if host else prompt

    def _by_units(self, rule: ChatRule, prompt: GptPrompt, now: float) -> ChatCharge:
        """Units end with the input and with the output; only whole ones are read."""
        places = places_of(prompt)
        read = max((count for digest, count in places if self._kept.use(digest, now)), default=0)

        def keep(pieces: Sequence[Piece]) -> None:
            ends = extended(places[-1:], pieces)[-1:]
            self._kept.keep((digest for digest, _ in ends), rule.life, now)

        return ChatCharge(
            rule.split(prompt, read),
            lambda: keep(()),
            keep,
        )

    def _by_marks(self, rule: ChatRule, prompt: GptPrompt, now: float) -> ChatCharge:
        """As Anthropic reads marks: four, 20 places back, each life renewed by its use."""
        positions = tuple(
            Position("", digest, tokens, piece.control)
            for (digest, tokens), piece in zip(places_of(prompt), prompt.pieces, strict=True)
        )
        least, marked = _as_heeded(prompt.model, positions, prompt.control)
        charge = self._marked.look(Prompt(marked, least), now)

        def publish() -> None:
            self._marked.publish(charge)

        if rule.after:
            return ChatCharge(charge.usage, _nothing, lambda _: publish())
        return ChatCharge(charge.usage, publish, _unheard)


def _is_marked(prompt: GptPrompt) -> bool:
    """Only Claude takes a mark at the top, which is one at the end (wire.md 5.5)."""
    top = bool(prompt.control) and generation(prompt.model) is not None
    return top or any(piece.control for piece in prompt.pieces)


def _as_heeded(
    model: str, positions: Sequence[Position], top: str
) -> tuple[int, tuple[Position, ...]]:
    """The least tokens of a marked prefix, and the marks as the model's maker takes them."""
    places = [index for index, position in enumerate(positions) if position.ttl]
    if "gemini" in model:
        return gemini_least(model), tuple(
            replace(position, ttl="5m" if index == places[-1] else "")
            for index, position in enumerate(positions)
        )
    if generation(model) and top and len(positions) - 1 not in places:
        positions = (*positions[:-1], replace(positions[-1], ttl=top))
        places.append(len(positions) - 1)
    if len(places) > MAX_MARKS:
        raise Refused(f"A maximum of {MAX_MARKS} blocks with cache_control. Found {len(places)}.")
    if generation(model):
        return minimum(model), tuple(positions)
    hours = re.search(QWEN_HOURS, model)
    return QWEN_LEAST, tuple(
        position if hours or not position.ttl else replace(position, ttl="5m")
        for position in positions
    )


def _nothing() -> None:
    pass


def _unheard(_: Sequence[Piece]) -> None:
    pass
