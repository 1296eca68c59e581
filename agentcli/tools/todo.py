"""Todo: the model's own list of steps, shown to the person."""

from __future__ import annotations

from agentcli.tools.base import Action, Todo, TodoItem, ToolContext, ToolResult, text_result
from agentcli.tools.schema import tool


def intent(ctx: ToolContext, items: list[TodoItem]) -> Action:
    return Action("other", "todo list", Todo(tuple(items)))


@tool(intent)
async def todo(ctx: ToolContext, items: list[TodoItem]) -> ToolResult:
    """Replace the todo list."""
    ctx.workspace.todos = tuple(items)
    done = sum(item.state == "done" for item in ctx.workspace.todos)
    return text_result(f"{done} of {len(items)} done.", Todo(ctx.workspace.todos))
