"""A planner that insists: what was sent stays sent. For real use with AGENT_CHECK_PREFIX=1."""

from __future__ import annotations

from agentcli.llm.cache import CachePlan
from agentcli.llm.client import Planner
from agentcli.llm.handoff import Unsigned
from agentcli.llm.models import ModelSpec
from agentcli.llm.testing import check_prefix
from agentcli.llm.types import Request, UserMessage


class Insistent:
    """Raises PrefixBroken where a request changes what an earlier one of its session has sent."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._last: dict[tuple[str, str], Request] = {}

    def __call__(
        self, request: Request, model: ModelSpec, previous: CachePlan | None, now: float, /
    ) -> CachePlan:
        key = (request.session, model.id)
        before = self._last.get(key)
        if before is not None and not _is_new_epoch(before, request):
            check_prefix(before, request)
        if not request.final:  # a summary may be asked for in vain
            self._last[key] = request
        return self._planner(request, model, previous, now)


def _is_new_epoch(before: Request, after: Request) -> bool:
    """A summary took the place of the talk, or the talk that of its summary, or the provider
    refused the thoughts in it."""
    begins = after.messages[: len(before.messages)]
    if begins == Unsigned(before.messages).fit(before.messages) != before.messages:
        return True
    if before.messages[:1] == after.messages[:1]:
        return False
    first = (*before.messages[:1], *after.messages[:1])
    return any(isinstance(m, UserMessage) and m.origin == "summary" for m in first)
