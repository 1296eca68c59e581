"""Compaction as it happens: ask for a summary on the live prefix, begin a new epoch with it."""

from __future__ import annotations

from collections.abc import Callable

from agentcli.agent.events import AgentEvent, Compacted, Notice
from agentcli.agent.hooks import TurnHooks
from agentcli.agent.loop import Client, Frame
from agentcli.app.billing import Billing
from agentcli.app.talk import Talk
from agentcli.context.compaction import due, new_epoch, shorter, summary_request, unanswered
from agentcli.lib.value import replace, value
from agentcli.llm.errors import ContextOverflow
from agentcli.llm.providers import Route
from agentcli.llm.types import AssistantMessage, Text, UserMessage


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
        message, end = await self._summary(instructions)
        before = self.talk.used
        self.emit(self.billing.spend(message, role="compaction"))
        if not message.text.strip() or message.stop in ("tool_use", "refusal"):
            self.emit(Notice("warning", "The model gave no summary; nothing was changed."))
            return False
        self._begin(message.text, end)
        self.emit(Compacted(before, self.talk.used, message.text))
        await self.hooks.on_compacted(trigger, message.text)
        await self._greet()
        return True

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
        messages = new_epoch(summary, talk.workspace.todos, waiting)
        talk.transcript.restart(messages)
        talk.workspace.seen.clear()
        talk.begin_epoch(self.frame().model, messages)
        talk.used = len(summary) // 4
        self.renew()

    async def _greet(self) -> None:
        """What hooks had to say at the beginning went with the old epoch."""
        answer = await self.hooks.on_start("compact", self.frame().model)
        if answer.context:
            self.talk.transcript.append(UserMessage((Text(answer.context),), "hook"))
