"""What is counted and checked around the steps of one turn."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from typing import Protocol

from agentcli.agent.events import AgentEvent, Notice, Spent, TurnReason
from agentcli.agent.execute import Executor, Outputs
from agentcli.agent.transcript import Transcript
from agentcli.lib.value import value
from agentcli.llm.budget import OverBudget
from agentcli.llm.cost import Cost
from agentcli.llm.types import AssistantMessage, Text, Usage, UserMessage

MAX_STOP_HOOKS = 8
"""How often in a row a Stop hook may send the model back to work."""


@value
class Limits:
    """Where a turn ends by itself; None for no limit."""

    steps: int | None = None
    cost: Decimal | None = None
    """USD over the whole session."""
    deadline: float | None = None
    """Seconds on the clock that `TurnSteps` is given."""


class StopHook(Protocol):
    async def on_stop(self, message: AssistantMessage, *, again: bool) -> str:
        """A non-empty text is the reason to go on."""
        ...


async def _no_room() -> bool:
    return False


@value
class Surroundings:
    """Everything a turn touches besides the model."""

    transcript: Transcript
    executor: Executor
    emit: Callable[[AgentEvent], None]
    spend: Callable[[AssistantMessage], Spent]
    """Prices one reply and books it."""
    spent: Callable[[], Decimal]
    """USD of the session so far, as far as known."""
    prepare: Callable[[], Awaitable[None]]
    """Before each request: compact if due, append reminders."""
    stop_hook: StopHook
    make_room: Callable[[], Awaitable[bool]] = _no_room
    """When a request proved too long for the model: whether it is worth another try."""
    beside: Callable[[], Iterable[Spent]] = tuple
    """Bills of requests beside the talk (a summary) since this was last asked."""
    clock: Callable[[], float] = time.monotonic
    bug: Callable[[Exception], None] = lambda _: None
    """Receives what a tool raised that is neither for the model nor for the person."""


class TurnSteps:
    """One turn's counters and limits; satisfies `loop.Steps`."""

    def __init__(self, around: Surroundings, limits: Limits, queue: list[str]) -> None:
        self._around = around
        self._limits = limits
        self._queue = queue
        self._stop_hooks = 0
        self.steps = 0
        self.usage = Usage()
        self.cost: Cost | None = Cost()
        around.beside()  # what came before this turn is no part of it

    def emit(self, event: AgentEvent) -> None:
        self._around.emit(event)

    async def before(self) -> TurnReason | None:
        limits = self._limits
        if limits.steps is not None and self.steps >= limits.steps:
            return "limit"
        if limits.deadline is not None and self._around.clock() >= limits.deadline:
            return "deadline"
        if limits.cost is not None and self._around.spent() >= limits.cost:
            return "budget"
        await self._around.prepare()
        self._count(*self._around.beside())
        self.steps += 1
        return None

    def unsent(self, why: OverBudget) -> TurnReason:
        """The step that `before` began was not made."""
        self.steps -= 1
        return self.unaffordable(why)

    def unaffordable(self, why: OverBudget) -> TurnReason:
        self.emit(Notice("warning", str(why)))
        return "budget"

    async def make_room(self) -> bool:
        made = await self._around.make_room()
        self._count(*self._around.beside())
        return made

    def billed(self, message: AssistantMessage) -> None:
        spent = self._around.spend(message)
        self._count(spent)
        self.emit(spent)

    def _count(self, *bills: Spent) -> None:
        for spent in bills:
            self.usage += spent.usage or Usage()
            whole, part = self.cost, spent.cost
            self.cost = whole + part if whole is not None and part is not None else None

    async def run_tools(self, message: AssistantMessage) -> bool:
        outputs = Outputs(message.tool_calls)
        try:
            await self._around.executor.execute_all(outputs)
        finally:
            self._around.transcript.append(UserMessage(outputs.blocks(), "tool"))
            self._count(*self._around.beside())
        for bug in outputs.bugs:
            self._around.bug(bug)
            self.emit(Notice("error", f"A tool broke: {bug!r}. The log has the traceback."))
        if outputs.contexts:
            context = "\n\n".join(outputs.contexts)
            self._around.transcript.append(UserMessage((Text(context),), "hook"))
        return outputs.stop

    def take_queued(self) -> tuple[str, ...]:
        queued = tuple(self._queue)
        self._queue.clear()
        return queued

    async def at_end(self, message: AssistantMessage) -> str:
        if self._stop_hooks >= MAX_STOP_HOOKS:
            return ""
        again = await self._around.stop_hook.on_stop(message, again=self._stop_hooks > 0)
        self._stop_hooks += bool(again)
        return again
