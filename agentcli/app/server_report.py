"""MCP servers as tables: their state, their tools, and what these cost in every request."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from agentcli.app.context_report import step_price
from agentcli.app.servers import JOIN, Servers, tools_of
from agentcli.lib.text import visible
from agentcli.llm.estimate import tokens_of_tools
from agentcli.llm.models import ModelSpec
from agentcli.llm.types import JsonObject

HEAD = ("server", "state", "tools", "tokens a request", "USD a further step")
WORDS = 100
"""Characters of a description that a list shows."""


def server_table(
    servers: Servers, sent: tuple[JsonObject, ...], model: ModelSpec | None, at: datetime
) -> str:
    """A row a server, and below it why one can't be reached."""
    rows: list[tuple[str, ...]] = [HEAD]
    notes: list[str] = []
    for name in sorted(servers.config.servers):
        tools = tools_of(name, sent)
        tokens = tokens_of_tools(tools)
        cost = step_price(tokens, model, at) if model else "unknown"
        status = servers.status(name)
        rows.append((visible(name), status, f"{len(tools)}", f"{tokens:,}", cost))
        if status == "failed":
            notes.append(f"{name} can't be reached: {servers.link(name).why}.")
        elif status != "disabled" and servers.differs(name):
            notes.append(f"{name} has other tools now, which join {JOIN}.")
    return "\n".join([*_aligned(rows), *(visible(note) for note in notes)])


def one_server(servers: Servers, name: str, sent: tuple[JsonObject, ...]) -> str:
    """The tools of one server, with what each is for; raises UserError for an unknown name."""
    servers.link(name)
    rows = [(tool.name, f"{tokens_of_tools((tool,)):,}") for tool in tools_of(name, sent)]
    words = [" ".join(tool.description.split()) for tool in tools_of(name, sent)]
    if not rows:
        return f"MCP {name} has no tools in this conversation."
    aligned = _aligned([("tool", "tokens"), *rows])
    shown = ["", *(visible(cut_words(text)) for text in words)]
    return "\n".join(f"{row}  {text}".rstrip() for row, text in zip(aligned, shown, strict=True))


def cut_words(text: str) -> str:
    return text if len(text) <= WORDS else text[: WORDS - 1] + "…"


def _aligned(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """The first two columns to the left, numbers to the right."""
    table = list(rows)
    widths = [max(len(row[n]) for row in table) for n in range(len(table[0]))]
    last = len(widths) - 1
    return [
        "  ".join(
            cell.ljust(widths[n]) if n == 0 or (n == 1 and last > 1) else cell.rjust(widths[n])
            for n, cell in enumerate(row)
        ).rstrip()
        for row in table
    ]
