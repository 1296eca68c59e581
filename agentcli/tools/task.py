"""Task: work that a subagent does in a conversation of its own; only its end comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from agentcli.lib.value import replace
from agentcli.llm.types import JsonObject, ToolSpec
from agentcli.tools.base import (
    Action,
    Assignment,
    Plain,
    Tool,
    ToolContext,
    ToolError,
    ToolResult,
)
from agentcli.tools.schema import tool

GENERAL = "general"
KINDS = {
    GENERAL: "does what you can do",
    "explore": "only reads; for searches over many files",
}
"""The subagents that are always there, and what each is for."""


def intent(ctx: ToolContext, agent: str, description: str, prompt: str) -> Action:
    return Action("other", agent, Plain(f"{agent}: {description}\n\n{prompt}"))


@tool(intent, read_only=True)
async def task(
    ctx: ToolContext,
    description: Annotated[str, "a few words"],
    prompt: Annotated[str, "all it has to know; it sees nothing of this conversation"],
    agent: str = GENERAL,
) -> ToolResult:
    """Have a subagent do a task of many steps; you get its last message only. Tasks of one reply
    run at the same time."""
    if ctx.spawn is None:
        raise ToolError("A subagent can't start another one: do this task yourself, step by step.")
    return await ctx.spawn(ctx, Assignment(ctx.call_id, agent, description, prompt))


class ListedTask:
    """The same tool, and in its description which agents there are; satisfies `tools.base.Tool`."""

    read_only = True

    def __init__(self, kinds: Mapping[str, str]) -> None:
        lines = (f"- {name}: {purpose}" for name, purpose in kinds.items())
        self.spec: ToolSpec = replace(
            task.spec, description="\n".join((task.spec.description, *lines))
        )

    def action(self, ctx: ToolContext, input: JsonObject) -> Action:
        return task.action(ctx, input)

    async def run(self, ctx: ToolContext, input: JsonObject) -> ToolResult:
        return await task.run(ctx, input)


usual_task: Tool = ListedTask(KINDS)
"""For a session without agents of its own."""
