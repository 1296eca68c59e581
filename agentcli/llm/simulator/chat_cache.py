"""Prompt caches behind Chat Completions, one rule a vendor (wire.md 5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from agentcli.lib.value import value
from agentcli.llm.simulator.claude_cache import ClaudeCache, Position, Prompt
from agentcli.llm.simulator.claude_rules import MAX_MARKS, generation, minimum
from agentcli.llm.simulator.gpt_cache import GptCache, extended, places_of
from agentcli.llm.simulator.gpt_prompt import GptPrompt, Piece, message_pieces
from agentcli.llm.simulator.refusal import Refused
from agentcli.llm.simulator.vendors import Vendor
from agentcli.llm.types import JsonObject, Usage

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
    marks: bool = False
    """Marks on parts of a content are heeded; then nothing else is cached in that request."""
    bills: str = ""
    """A pattern of the models whose writes are billed as such."""
    after: bool = False
    """A marked prefix can be read once the answer has ended, not when it begins."""

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
RULES: dict[str, ChatRule] = {
    "openai": ChatRule("openai"),
    "deepseek": UNITS,
    "moonshot": ChatRule("units", bills="kimi-k3"),
    "dashscope": ChatRule("steps", life=300.0, marks=True, after=True),
    "openrouter": ChatRule("steps", life=600.0, marks=True),
    "groq": ChatRule("steps", life=7_200.0, models="gpt-oss|kimi"),
    "mistral": ChatRule("steps", by_key=True),
    "zai": ChatRule("steps"),
}
"""wire.md 5.3 to 5.8. Steps and, but for Groq and OpenRouter, lives are undocumented: OpenAI's."""
NONE = ChatRule("none")
QWEN_LEAST = 1_024
"""wire.md 5.8: the shortest marked prefix; Claude's behind OpenRouter is its model's."""


@value
class ChatCharge:
    usage: Usage
    """Without output."""
    begin: Callable[[], None]
    """To be called when the answer begins."""
    end: Callable[[JsonObject], None]
    """To be called with the reply's message when the answer ends."""


def rule_of(vendor: Vendor, rules: Mapping[str, ChatRule] = RULES) -> ChatRule:
    """By the vendor's name, else by what it says of its cache."""
    kinds = {"openai": ChatRule("openai"), "units": UNITS, "none": NONE}
    return rules.get(vendor.name.removesuffix("-strict")) or kinds[vendor.cache]


class ChatCache:
    """One account's, at any of the vendors."""

    def __init__(self, rules: Mapping[str, ChatRule] = RULES) -> None:
        self._rules = rules
        self._gpt = GptCache()
        self._marked = ClaudeCache()

    def look(self, vendor: Vendor, prompt: GptPrompt, now: float) -> ChatCharge:
        """What a request reads and writes now."""
        rule = rule_of(vendor, self._rules)
        if rule.marks and any(piece.control for piece in prompt.pieces):
            return self._by_marks(rule, prompt, now)
        off = rule.models and not re.search(rule.models, prompt.model)
        if rule.kind == "none" or off or (rule.by_key and not prompt.key):
            return ChatCharge(Usage(input=prompt.tokens), _nothing, _unheard)
        if rule.kind == "units":
            return self._by_units(rule, prompt, now)
        if rule.kind == "openai":
            found = self._gpt.look(prompt, now)
        else:
            found = self._gpt.look_steps(prompt, now, rule.step, rule.least, rule.life)
        return ChatCharge(found.usage, found.publish, _unheard)

    def _by_units(self, rule: ChatRule, prompt: GptPrompt, now: float) -> ChatCharge:
        """Units end with the input and with the output; only whole ones are read."""
        places = places_of(prompt)
        read = max((count for digest, count in places if self._gpt.use(digest, now)), default=0)

        def keep(pieces: Sequence[Piece]) -> None:
            for digest, _ in extended(places[-1:], pieces)[-1:]:
                self._gpt.keep(digest, rule.life, now)

        return ChatCharge(
            rule.split(prompt, read),
            lambda: keep(()),
            lambda message: keep(tuple(message_pieces(message))),
        )

    def _by_marks(self, rule: ChatRule, prompt: GptPrompt, now: float) -> ChatCharge:
        """As Anthropic reads marks: four, 20 places back, each life renewed by its use."""
        count = sum(bool(piece.control) for piece in prompt.pieces)
        if count > MAX_MARKS:
            raise Refused(f"A maximum of {MAX_MARKS} blocks with cache_control. Found {count}.")
        least = minimum(prompt.model) if generation(prompt.model) else QWEN_LEAST
        positions = tuple(
            Position("", digest, tokens, piece.control)
            for (digest, tokens), piece in zip(places_of(prompt), prompt.pieces, strict=True)
        )
        charge = self._marked.look(Prompt(positions, least), now)

        def publish() -> None:
            self._marked.publish(charge)

        if rule.after:
            return ChatCharge(charge.usage, _nothing, lambda _: publish())
        return ChatCharge(charge.usage, publish, _unheard)


def _nothing() -> None:
    pass


def _unheard(_: JsonObject) -> None:
    pass
