"""The person's hooks at the places of a turn where they fire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agentcli.agent.events import AgentEvent, HookFailed, Notice, PermissionQuestion
from agentcli.lib.value import made, value
from agentcli.llm.types import AssistantMessage, JsonObject, Text, ToolCall
from agentcli.policy.hooks import HookAnswer, Hooks
from agentcli.tools.base import ToolResult


@value
class TurnHooks:
    """Fires hooks, shows their failures and messages, and folds answers for the executor."""

    hooks: Hooks
    emit: Callable[[AgentEvent], None]
    subagent: JsonObject = made(default_factory=dict[str, Any])
    """`agent_id` and `agent_type`, which are told with every event of a subagent."""

    async def before(self, call: ToolCall) -> HookAnswer:
        return await self._fire("PreToolUse", **_call_fields(call))

    async def on_question(self, question: PermissionQuestion) -> HookAnswer:
        fields = _call_fields(question.call) | {"suggestions": list(question.rules)}
        return await self._fire("PermissionRequest", **fields)

    async def after(self, call: ToolCall, result: ToolResult, seconds: float) -> HookAnswer:
        text = "\n".join(block.text for block in result.content if isinstance(block, Text))
        fields = _call_fields(call) | {"duration_ms": round(seconds * 1000)}
        if result.is_error:
            return await self._fire("PostToolUseFailure", **fields, error=text)
        return await self._fire("PostToolUse", **fields, tool_response=text)

    async def on_prompt(self, prompt: str) -> HookAnswer:
        return await self._fire("UserPromptSubmit", prompt=prompt)

    async def on_start(self, source: str, model: str) -> HookAnswer:
        return await self._fire("SessionStart", source=source, model=model)

    async def on_end(self, reason: str) -> None:
        await self._fire("SessionEnd", reason=reason)

    async def on_compact(self, trigger: str, instructions: str) -> HookAnswer:
        return await self._fire("PreCompact", trigger=trigger, custom_instructions=instructions)

    async def on_compacted(self, trigger: str, summary: str) -> None:
        await self._fire("PostCompact", trigger=trigger, compact_summary=summary)

    async def on_subagent(self) -> HookAnswer:
        """A subagent is about to begin."""
        return await self._fire("SubagentStart")

    async def on_stop(self, message: AssistantMessage, *, again: bool) -> str:
        event = "SubagentStop" if self.subagent else "Stop"
        answer = await self._fire(
            event, stop_hook_active=again, last_assistant_message=message.text
        )
        if answer.stop or answer.decision != "deny":
            return ""
        return answer.reason

    async def _fire(self, event: str, **fields: object) -> HookAnswer:
        answer = await self.hooks.fire(event, **fields, **self.subagent)
        for failure in answer.failures:
            self.emit(HookFailed(event, failure.command, failure.why, failure.blocked))
        for text in answer.system_messages:
            self.emit(Notice("info", text))
        return answer


def _call_fields(call: ToolCall) -> dict[str, object]:
    return {"tool_name": call.name, "tool_input": call.input, "tool_use_id": call.id}
