"""What servers turned out not to take, learned from their refusals while a client lives."""

from __future__ import annotations

from dataclasses import dataclass, field

from agentcli.lib.value import replace
from agentcli.llm.errors import LLMError, MarkRefused, ThinkingRefused, WrongEndpoint
from agentcli.llm.handoff import Unsigned
from agentcli.llm.marks import CachePlan
from agentcli.llm.plans import PlanKey
from agentcli.llm.route import Route
from agentcli.llm.types import Message, Request


@dataclass(slots=True)
class Learned:
    _unsigned: dict[PlanKey, Unsigned] = field(default_factory=dict[PlanKey, Unsigned])
    """What went back once too often with its signatures."""
    _wires: dict[str, str] = field(default_factory=dict[str, str])
    """By base URL: the other wire, where the first was found not to be spoken."""
    _unmarked: set[str] = field(default_factory=set[str])
    """Base URLs that do not know OpenAI's marks."""

    def wire(self, route: Route) -> str:
        return self._wires.get(route.url) or route.wire or route.provider.wire

    def messages(self, request: Request, key: PlanKey) -> tuple[Message, ...]:
        unsigned = self._unsigned.get(key)
        return unsigned.fit(request.messages) if unsigned else request.messages

    def plan(self, plan: CachePlan, route: Route) -> CachePlan:
        if route.url not in self._unmarked:
            return plan
        return replace(plan, marks=(), only_marked=False, anchor=None)

    def learn(self, error: LLMError, request: Request, route: Route, key: PlanKey) -> bool:
        """Whether the same server may take the request as it will be sent from now on."""
        match error:
            case ThinkingRefused():
                unsigned = Unsigned(request.messages)
                if len(unsigned) <= len(self._unsigned.get(key, ())):
                    return False
                self._unsigned[key] = unsigned
                error.message += "; it is asked again without the earlier thinking"
            case WrongEndpoint():
                if not route.other_wire or route.url in self._wires:
                    return False
                self._wires[route.url] = route.other_wire
            case MarkRefused():
                if route.url in self._unmarked:
                    return False
                self._unmarked.add(route.url)
            case _:
                return False
        return True
