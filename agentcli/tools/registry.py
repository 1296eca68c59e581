"""Which tools there are, by name; each module is imported when the toolbox is built."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from agentcli.llm.models import EditFormat
from agentcli.llm.types import ToolSpec
from agentcli.tools.base import Tool, ToolError

BUILTIN = {
    "ApplyPatch": ("patch", "apply_patch"),
    "Bash": ("bash", "bash"),
    "BashOutput": ("bash", "bash_output"),
    "Edit": ("edit", "edit"),
    "Git": ("git", "git"),
    "Glob": ("glob", "glob"),
    "Grep": ("grep", "grep"),
    "KillBash": ("bash", "kill_bash"),
    "Read": ("read", "read"),
    "Task": ("task", "usual_task"),
    "Todo": ("todo", "todo"),
    "Write": ("write", "write"),
}
"""Tool name → (module of this room, function)."""

LEFT_OUT: dict[EditFormat, frozenset[str]] = {
    "replace": frozenset({"ApplyPatch"}),
    "patch": frozenset({"Edit"}),
}


class Toolbox:
    """The tools of an epoch, sorted by name, so that every request lists them alike."""

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        self._tools = dict(sorted(tools.items()))

    def specs(self) -> tuple[ToolSpec, ...]:
        return tuple(tool.spec for tool in self._tools.values())

    def get(self, name: str) -> Tool:
        """Raises ToolError naming the nearest tool."""
        found = self._tools.get(name)
        if found is not None:
            return found
        from difflib import get_close_matches

        near = get_close_matches(name, self._tools, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]}?" if near else f" There are: {', '.join(self._tools)}."
        raise ToolError(f"There is no tool {name}.{hint}")


def toolbox(
    *,
    edit: EditFormat = "replace",
    task: Tool | None = None,
    remote: Mapping[str, Tool] | None = None,
) -> Toolbox:
    """All built-in tools that suit a model's way of editing; the session's Task and MCP tools."""
    tools = {name: _load(name) for name in BUILTIN if name not in LEFT_OUT[edit]}
    own = {"Task": task} if task else {}
    return Toolbox({**(remote or {}), **tools, **own})


def _load(name: str) -> Tool:
    module, function = BUILTIN[name]
    return getattr(import_module(f"agentcli.tools.{module}"), function)
