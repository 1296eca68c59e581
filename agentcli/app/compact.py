"""Compaction as it happens: ask for a summary on the live prefix, begin a new epoch with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from agentcli.agent.events import AgentEvent, Compacted, Notice
from agentcli.agent.hooks import TurnHooks
from agentcli.agent.loop import Client, Frame
from agentcli.app.billing import Billing
from agentcli.app.compaction_offer import Offer, after_summary
from agentcli.app.talk import Talk
from agentcli.context.compaction import due, new_epoch, shorter, summary_request, unanswered
from agentcli.context.triggers import Triggers
from agentcli.lib.value import replace, value
from agentcli.llm.errors import ContextOverflow, LLMError
from agentcli.llm.estimate import tokens_of_request
from agentcli.llm.providers import Route
from agentcli.llm.types import AssistantMessage, Text, UserMessage

TRUSTED = (0.5, 2.0)
"""A report further from our count than this says nothing of what is left."""


@value
class Compaction:
    talk: Talk
    client: Client
    frame: Callable[[], Frame]
    route: Callable[[], Route]
    billing: Billing
    hooks: TurnHooks
    emit: Callable[[AgentEvent], None]
    renew: Callable[[], None]
    """Has what the model was told once told again."""
    triggers: Triggers
    offer: Offer
    join: Callable[[], Awaitable[None]]
    """Has MCP servers that came late join the new epoch."""

    async def if_due(self) -> None:
        """Compact when the next request might not fit, or where that was asked for and pays."""
        model = self.route().model
        if due(self.talk.used, model.context, model.max_output, self.triggers.at):
            await self.now("auto", "")
        elif self.triggers.by_cost and self.offer.pays():
            await self._to_save()
        elif not self.triggers.by_cost and (news := self.offer.news()):
            self.emit(Notice("info", news))

    async def make_room(self) -> bool:
        """The conversation proved too long."""
        return await self.now("auto", "") is not None

    async def _to_save(self) -> None:
        """Nothing depends on it, so the turn goes on without."""
        try:
            await self.now("auto", "")
        except LLMError as error:
            self.emit(Notice("warning", f"Nothing was compacted: {error}"))

    async def now(self, trigger: str, instructions: str) -> Compacted | None:
        """Summarise and begin a new epoch; None when there was nothing to do or a hook said no."""
        if not self.talk.transcript.messages:
            return None
        answer = await self.hooks.on_compact(trigger, instructions)
        if answer.decision == "deny":
            self.emit(Notice("warning", f"A hook keeps the conversation as it is: {answer.reason}"))
            return None
        standing, size = self.offer.standing(), self._size()
        message, end = await self._summary(instructions)
        spent = self.billing.spend(message, role="compaction")
        self.emit(spent)
        if not message.text.strip() or message.stop in ("tool_use", "refusal"):
            self.emit(Notice("warning", "The model gave no summary; nothing was changed."))
            return None
        await self.join()
        self._begin(message.text, end)
        self.talk.used = left = _corrected(self._size(), size, standing.used)
        paid = spent.cost.total if spent.cost else None
        even = self.offer.even(after_summary(standing, left), paid) if spent.cost else None
        done = Compacted(
            *(standing.used, left, message.text, spent.cost, even.steps if even else None),
            by_hand=trigger == "manual",
        )
        self.emit(done)
        await self.hooks.on_compacted(trigger, message.text)
        await self._greet()
        return done

    def _size(self) -> int:
        """Our own count of the next prompt."""
        return tokens_of_request(self.frame().request(self.talk.transcript))

    async def _summary(self, instructions: str) -> tuple[AssistantMessage, int]:
        """A summary of the whole or, where that does not fit, of so many messages of it."""
        request = self.frame().request(self.talk.transcript)
        end = len(request.messages)
        while True:
            part = replace(request, messages=request.messages[:end])
            try:
                async with self.client.stream(summary_request(part, instructions)) as reply:
                    async for _ in reply:
                        pass
                return reply.message, end
            except ContextOverflow:
                end = shorter(request.messages, end)
                if end == 0:
                    raise

    def _begin(self, summary: str, end: int) -> None:
        talk = self.talk
        waiting = talk.transcript.messages[end:] or unanswered(talk.transcript.messages)
        messages = new_epoch(summary, talk.workspace.todos, waiting, talk.pins)
        talk.transcript.restart(messages)
        talk.workspace.seen.clear()
        talk.begin_epoch(self.frame().model, messages)
        self.renew()

    async def _greet(self) -> None:
        """What hooks had to say at the beginning went with the old epoch."""
        answer = await self.hooks.on_start("compact", self.frame().model)
        if answer.context:
            self.talk.transcript.append(UserMessage((Text(answer.context),), "hook"))


def _corrected(left: int, counted: int, used: int) -> int:
    """Our count of what is left, by how far the count before was from what was reported."""
    scale = used / counted if counted else 1.0
    return round(left * scale) if TRUSTED[0] <= scale <= TRUSTED[1] else left
