"""Permission rules as people write them, and what they match."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from agentcli.lib.errors import UserError
from agentcli.lib.value import value
from agentcli.policy.verdict import Verdict

EDITORS = frozenset({"Edit", "Write", "ApplyPatch"})
"""Tools that write files: a rule for Edit covers all of them."""
READERS = frozenset({"Read", "Grep", "Glob"})
PATH_TOOLS = frozenset({"Read", "Edit", "Write", "ApplyPatch", "Grep", "Glob"})
_RULE = re.compile(r"([A-Za-z][\w*]*|mcp__[\w*-]+)(?:\((.*)\))?", re.DOTALL)


@value
class Rule:
    tool: str
    pattern: str | None
    """None covers every use of the tool."""
    verdict: Verdict
    base: Path
    """The folder that `/` in a path pattern stands for."""

    def __str__(self) -> str:
        return self.tool if self.pattern is None else f"{self.tool}({self.pattern})"


def parse_rule(text: str, verdict: Verdict, base: Path) -> Rule:
    """Raises UserError naming a rule that is none."""
    match = _RULE.fullmatch(text.strip())
    if match is None:
        raise UserError(f"{text!r} is no permission rule; write Tool or Tool(pattern).")
    tool, pattern = match.groups()
    return Rule(tool, pattern if pattern and pattern != "*" else None, verdict, base)


def covers(rule: Rule, tool: str) -> bool:
    """Whether a rule speaks about this tool at all."""
    if rule.tool == tool:
        return True
    if rule.tool == "Edit" and tool in EDITORS:
        return True
    if rule.tool == "Read" and tool in READERS:
        return True
    if rule.tool.startswith("mcp__") and tool.startswith("mcp__"):
        return bool(_glob(rule.tool).fullmatch(tool)) or tool.startswith(f"{rule.tool}__")
    return False


def matches_command(rule: Rule, text: str) -> bool:
    """Whether a rule matches one simple command, written with single spaces, or a name."""
    pattern = rule.pattern
    if pattern is None:
        return True
    if pattern.endswith(":*"):
        pattern = pattern[:-2] + " *"
    if pattern.endswith(" *") and "*" not in pattern[:-1]:
        head = pattern[:-2]
        return text == head or text.startswith(head + " ")
    return bool(_glob(pattern).fullmatch(text))


def matches_path(rule: Rule, path: Path, root: Path, home: Path) -> bool:
    """Whether a path rule matches; patterns are gitignore's, `//` root, `~/` home, `/` its file's
    folder, else the project."""
    if rule.pattern is None:
        return True
    pattern = rule.pattern
    if pattern.startswith("//"):
        folder, pattern = Path("/"), pattern[1:]
    elif pattern.startswith("~/"):
        folder, pattern = home, pattern[1:]
    elif pattern.startswith("/"):
        folder = rule.base
    else:
        folder, pattern = root, pattern.removeprefix("./")
    if not path.is_relative_to(folder):
        return False
    return _spec(pattern).match_file(path.relative_to(folder).as_posix())


def matches_host(rule: Rule, host: str) -> bool:
    """`WebFetch(domain:example.com)`, with `*.` for any subdomain."""
    if rule.pattern is None:
        return True
    wanted = rule.pattern.removeprefix("domain:").lower()
    host = host.lower()
    return host.endswith(wanted[1:]) if wanted.startswith("*.") else host == wanted


@cache
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)


@cache
def _spec(pattern: str) -> Any:
    from pathspec import PathSpec  # door: only rules about paths need it

    return PathSpec.from_lines("gitignore", [pattern])
