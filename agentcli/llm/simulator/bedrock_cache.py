"""Prompt caches behind Converse: Claude's, Nova's and OpenAI's, each by its rules (wire.md 4.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agentcli.lib.value import replace, value
from agentcli.llm.simulator.bedrock_rules import NOVA_LEAST, NOVA_MOST, family
from agentcli.llm.simulator.claude_cache import ClaudeCache, Prompt, prompt
from agentcli.llm.simulator.gpt_cache import GptCache
from agentcli.llm.simulator.gpt_prompt import blocks_prompt
from agentcli.llm.simulator.prefix import Block
from agentcli.llm.types import JsonObject, Usage


@value
class BedrockCharge:
    usage: Usage
    """Without output."""
    publish: Callable[[], None]


class BedrockCache:
    """One account's in one region."""

    def __init__(self) -> None:
        self._claude = ClaudeCache()
        self._nova = ClaudeCache()
        self._gpt = GptCache()

    def look(
        self, body: JsonObject, blocks: Sequence[Block], model: str, beta: str, now: float
    ) -> BedrockCharge:
        """`body` in the Messages API's words, and its blocks less what the model cannot read."""
        seen = prompt(body, beta=beta, blocks=blocks)
        match family(model):
            case "claude":
                charge = self._claude.look(seen, now)
                return BedrockCharge(charge.usage, lambda: self._claude.publish(charge))
            case "nova":
                found = self._nova.look(_as_nova(seen), now)
                return BedrockCharge(found.usage, lambda: self._nova.publish(found))
            case "openai":
                paid = self._gpt.look(blocks_prompt(body, blocks), now)
                return BedrockCharge(paid.usage, paid.publish)
            case "other":
                return BedrockCharge(Usage(input=seen.tokens), lambda: None)


def _as_nova(seen: Prompt) -> Prompt:
    """Only points are places to Nova, since no look-back is documented, and only up to its most.

    What Nova caches by itself makes it quicker; nothing says that it is billed less.
    """
    capped = [replace(p, ttl="" if p.tokens > NOVA_MOST else p.ttl) for p in seen.positions]
    last = len(capped) - 1
    kept = tuple(p for index, p in enumerate(capped) if p.ttl or index == last)
    return Prompt(kept, NOVA_LEAST)
