"""What a provider's reports give away about those in between: marks taken out, lives cut, counts
dropped. Each is told to the person once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from agentcli.agent.events import AgentEvent, Notice
from agentcli.lib.value import replace
from agentcli.llm.cache import SECONDS, CachePlan
from agentcli.llm.estimate import tokens_of, tokens_of_block, tokens_of_tools
from agentcli.llm.miss import shortened
from agentcli.llm.models import ModelSpec
from agentcli.llm.types import AssistantMessage, Request, Usage
from agentcli.session.bills import Bill

SUSPICIOUS = 3
"""So many requests in a row that read nothing of what was cached for them are no accident."""
DOUBT = 4
"""So much fewer tokens than tools and system prompt alone have, by our count, are not all."""
SHORTENED = (
    "The cache was asked to keep the prompt for an hour, but writes of five minutes are reported: "
    "the provider, or a proxy on the way, shortens it, or does not tell. Five minutes are counted."
)
STRIPPED = (
    "Three requests in a row read nothing from the cache and wrote nothing to it, although they "
    "were marked for it: something on the way, such as a proxy, takes the marks away. Requests "
    "go on at the full price."
)
UNREAD = (
    "Three requests in a row read nothing from the cache, although each began with the one before: "
    "the provider, or a proxy on the way, caches nothing or reports nothing of it."
)
DROPPED = (
    "Fewer tokens are reported than the tools and the system prompt have: something on the way, "
    "such as a proxy, drops what was read from the cache and written to it. The cost of such "
    "requests is unknown; budgets count our estimate."
)


@dataclass(slots=True)
class Suspicions:
    """Of one conversation."""

    emit: Callable[[AgentEvent], None]
    _unread: int = 0
    _told: set[str] = field(default_factory=set[str])

    def believed(
        self, message: AssistantMessage, request: Request, model: ModelSpec
    ) -> Usage | None:
        """The report, unless it lacks what the cache held (wire.md 1.10: `input` excludes that).

        Of a reply that broke off, what was said counts where less of it was reported by then.
        """
        usage = message.usage
        if usage is None:
            return None
        if message.stop == "interrupted" or not usage.output:
            said = sum(map(tokens_of_block, message.content))
            usage = replace(usage, output=max(usage.output, said))
        if model.cache.mode != "explicit" or usage.prompt > usage.input:
            return usage
        least = tokens_of_tools(request.tools) + sum(map(tokens_of, request.system))
        if usage.prompt * DOUBT >= least:
            return usage
        self._tell_once(DROPPED)
        return None

    def kept(self, plan: CachePlan, usage: Usage | None) -> CachePlan:
        """The plan, with the life that the provider gave it."""
        if not shortened(usage, plan):
            return plan
        self._tell_once(SHORTENED)
        return replace(plan, life=SECONDS["5m"])

    def watch(self, bill: Bill) -> None:
        """Count requests that read nothing of what was cached for them."""
        kind = bill.miss.kind if bill.miss else ""
        read = bill.usage.cache_read if bill.usage else 0
        self._unread = self._unread + 1 if kind in ("marks", "routed") and not read else 0
        if self._unread == SUSPICIOUS:
            self._tell_once(STRIPPED if kind == "marks" else UNREAD)

    def _tell_once(self, words: str) -> None:
        if words not in self._told:
            self._told.add(words)
            self.emit(Notice("warning", words))
