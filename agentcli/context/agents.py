"""The kinds of subagents: the built-in ones, and those that Markdown files define."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from agentcli.context.system_prompt import prompt
from agentcli.lib.frontmatter import frontmatter
from agentcli.lib.value import value
from agentcli.policy.rules import EDITORS
from agentcli.policy.trust import AGENTS
from agentcli.tools.base import ToolError
from agentcli.tools.task import KINDS

MAX_BYTES = 100_000
LISTED = 160
"""Characters of a description that the model is shown, in every request."""
INHERIT = "inherit"
READ_ONLY = "You may only read: whatever would change a file or run a program that may is refused."
_NAME = re.compile(r"[\w][\w.:-]{0,63}")
SAME_AS = {
    "LS": "Glob",
    "MultiEdit": "Edit",
    "NotebookEdit": "Edit",
    "TodoWrite": "Todo",
    "WebSearch": "WebFetch",
    "BashOutput": "Bash",
    "KillBash": "Bash",
    "KillShell": "Bash",
}
"""Tools of others, and parts of ours, by the tool of ours that stands for them."""


@value
class Kind:
    """One kind of subagent."""

    name: str
    description: str
    instructions: str = ""
    tools: frozenset[str] | None = None
    """The only tools it may use; None for all."""
    model: str = ""
    """Who does it; "" for whoever does this work otherwise."""
    read_only: bool = False

    def may_use(self, tool: str) -> bool:
        if self.tools is None:
            return True
        stands = SAME_AS.get(tool, tool)
        if stands in EDITORS:
            return bool(self.tools & ({stands} if stands == "Write" else EDITORS - {"Write"}))
        server = "__".join(tool.split("__")[:2])
        return stands in self.tools or (tool.startswith("mcp__") and server in self.tools)


BUILT_IN = tuple(Kind(name, text, read_only=name == "explore") for name, text in KINDS.items())


@value
class Roster:
    """All kinds there are, by name."""

    kinds: tuple[Kind, ...] = BUILT_IN

    def find(self, name: str) -> Kind:
        """Raises ToolError naming those there are."""
        found = next((kind for kind in self.kinds if kind.name == name), None)
        if found is None:
            names = ", ".join(kind.name for kind in self.kinds)
            raise ToolError(f"There is no agent {name[:80]}; there are: {names}.")
        return found

    def listing(self) -> dict[str, str]:
        """Name and purpose, as the model is told."""
        return {kind.name: _short(kind.description) for kind in self.kinds}


def load(folders: Iterable[Path]) -> tuple[Roster, tuple[str, ...]]:
    """The built-in kinds and those of the `*.md` files, and a notice for each unusable file.

    A file may replace a built-in kind. The caller decides which folders are trusted.
    """
    found: dict[str, Kind] = {}
    notices: list[str] = []
    for path in files(folders):
        try:
            kind = _read(path)
        except (OSError, ValueError) as error:
            notices.append(f"{path} defines no usable agent: {error}.")
            continue
        found.setdefault(kind.name, kind)
    own = {kind.name: kind for kind in BUILT_IN} | found
    return Roster(tuple(own.values())), tuple(notices)


def folders(root: Path, config: Path, *, trusted: bool) -> list[Path]:
    """Where agents may be defined; earlier ones win, the project's before the person's."""
    own = [root / name for name in AGENTS] if trusted else []
    return [*own, config / "agents"]


def files(folders: Iterable[Path]) -> list[Path]:
    """The definitions, in an order that does not depend on the file system."""
    return [path for folder in folders for path in sorted(folder.glob("*.md"))]


def briefing(kind: Kind, task: str) -> str:
    """The first message of a subagent: what it is, and what it is to do."""
    parts = [prompt("subagent")]
    if kind.read_only:
        parts.append(READ_ONLY)
    if kind.tools is not None:
        parts.append(f"Of your tools you may use only: {', '.join(sorted(kind.tools))}.")
    if kind.instructions:
        parts.append(f"Instructions for the {kind.name} agent:\n{kind.instructions}")
    return "\n\n".join((*parts, f"Task:\n{task}"))


def _read(path: Path) -> Kind:
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES} bytes")
    fields, body = frontmatter(path.read_text(encoding="utf-8-sig"))
    name = fields.get("name") or path.stem
    if not _NAME.fullmatch(name):
        raise ValueError("its name may hold letters, digits and ._:- only")
    if not fields.get("description"):
        raise ValueError("it has no description, by which it would be chosen")
    model = fields.get("model", "")
    return Kind(
        name=name,
        description=fields["description"],
        instructions=body.strip(),
        tools=_tools(fields.get("tools", "")),
        model="" if model == INHERIT else model,
        read_only=fields.get("permissionMode") == "plan",
    )


def _tools(text: str) -> frozenset[str] | None:
    """Raises ValueError for a pattern, which only permission rules can hold."""
    if text.strip() == "[]":
        return frozenset()
    names = [name.strip(" \"'") for name in text.strip("[] ").split(",")]
    names = [name for name in names if name]
    broken = next((name for name in names if not re.fullmatch(r"[\w-]+|\*", name)), None)
    if broken is not None:
        raise ValueError(f"tools: {broken} is no name of a tool; patterns belong to permissions")
    if not names or "*" in names:
        return None
    return frozenset(SAME_AS.get(name, name) for name in names)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LISTED else line[: LISTED - 1].rstrip() + "…"
