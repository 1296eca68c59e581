"""Compaction as it happens: ask for a summary on the live prefix, begin a new epoch with it."""

from __future__ import annotations

from collections.abc import Callable

from agentcli.agent.events import AgentEvent, Compacted, Notice
from agentcli.agent.hooks import TurnHooks
from agentcli.agent.loop import Client, Frame
from agentcli.app.billing import Billing
from agentcli.app.talk import Talk
from agentcli.context.compaction import due, new_epoch, summary_request, unanswered
from agentcli.lib.value import value
from agentcli.llm.providers import Route
from agentcli.llm.types import Text, UserMessage


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

    async def if_due(self) -> None:
        """Compact when the next request might not fit the model's window."""
        model = self.route().model
        if due(self.talk.used, model.context, model.max_output):
            await self.now("auto", "")

    async def now(self, trigger: str, instructions: str) -> bool:
        """Summarise and begin a new epoch; False when there was nothing to do or a hook said no."""
        if not self.talk.transcript.messages:
            return False
        answer = await self.hooks.on_compact(trigger, instructions)
        if answer.decision == "deny":
            self.emit(Notice("warning", f"A hook keeps the conversation as it is: {answer.reason}"))
            return False
        request = summary_request(self.frame().request(self.talk.transcript), instructions)
        async with self.client.stream(request) as reply:
            async for _ in reply:
                pass
        message = reply.message
        before = self.talk.used
        self.emit(self.billing.spend(message, role="compaction"))
        if not message.text.strip():
            self.emit(Notice("warning", "The model gave no summary; nothing was changed."))
            return False
        self._begin(message.text)
        self.emit(Compacted(before, self.talk.used, message.text))
        await self.hooks.on_compacted(trigger, message.text)
        await self._greet()
        return True

    def _begin(self, summary: str) -> None:
        waiting = unanswered(self.talk.transcript.messages)
        messages = new_epoch(summary, self.talk.workspace.todos, waiting)
        self.talk.transcript.restart(messages)
        self.renew()
        self.talk.workspace.seen.clear()
        self.talk.begin_epoch(self.frame().model, messages)
        self.talk.used = len(summary) // 4

    async def _greet(self) -> None:
        """What hooks had to say at the beginning went with the old epoch."""
        answer = await self.hooks.on_start("compact", self.frame().model)
        if answer.context:
            self.talk.transcript.append(UserMessage((Text(answer.context),), "hook"))
