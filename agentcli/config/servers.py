"""MCP servers as configuration files name them: ours in TOML, and the `.mcp.json` of others."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from agentcli.lib.errors import UserError
from agentcli.llm.types import JsonObject
from agentcli.tools.server import TIMEOUT, Server, Transport


@dataclass(slots=True)
class ServerTable:
    """One `[mcp.NAME]` table."""

    command: str = ""
    args: list[str] = field(default_factory=list[str])
    env: dict[str, str] = field(default_factory=dict[str, str])
    cwd: str = ""
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    type: Literal["stdio", "http", "sse"] | None = None
    timeout: float = TIMEOUT
    disabled: bool = False
    include_tools: list[str] = field(default_factory=list[str])
    exclude_tools: list[str] = field(default_factory=list[str])


def server(name: str, table: ServerTable, place: str, where: str) -> Server:
    """One server; raises UserError, which begins with `where`, for one that leads nowhere."""
    if bool(table.command) == bool(table.url):
        raise UserError(f"{where}: MCP server {name}: a command or a url is wanted, and not both.")
    if table.timeout <= 0:
        raise UserError(f"{where}: MCP server {name}: timeout: more than 0 is wanted.")
    if table.url and "://" not in table.url and not table.url.startswith("${"):
        raise UserError(f"{where}: MCP server {name}: url: {table.url!r} is none.")
    reached: Transport = "stdio" if table.command else "sse" if table.type == "sse" else "http"
    return Server(
        name=name,
        command=table.command,
        args=tuple(table.args),
        env=table.env,
        cwd=table.cwd,
        url=table.url,
        headers=table.headers,
        transport=reached,
        timeout=table.timeout,
        disabled=table.disabled,
        include=tuple(table.include_tools),
        exclude=tuple(table.exclude_tools),
        place=place,
    )


def from_json(path: Path) -> dict[str, Server]:
    """The servers of a `.mcp.json`; raises UserError naming the file and the key."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"Cannot read {path}: {error}.") from None
    return _servers(text, str(path), str(path.parent))


def from_flag(given: str, root: Path) -> dict[str, Server]:
    """What `--mcp-config` names: a file, or the JSON itself. Raises UserError."""
    if given.lstrip().startswith("{"):
        return _servers(given, "--mcp-config", str(root))
    return from_json(root / given)


def _servers(text: str, where: str, place: str) -> dict[str, Server]:
    try:
        data: Any = json.loads(text)
    except ValueError as error:
        raise UserError(f"{where} is not valid JSON: {error}.") from None
    top = cast("JsonObject", data) if isinstance(data, dict) else {}
    tables: Any = top.get("mcpServers")
    if not isinstance(tables, dict):
        raise UserError(f'{where}: {{"mcpServers": {{NAME: {{…}}}}}} is wanted.')
    found: dict[str, Server] = {}
    for name, table in cast("JsonObject", tables).items():
        at = f"{where}: mcpServers.{name}"
        if not isinstance(table, dict):
            raise UserError(f"{at}: an object is wanted.")
        found[name] = server(name, _table(cast("JsonObject", table), at), place, where)
    return found


def _table(given: JsonObject, at: str) -> ServerTable:
    """Keys that only other agents know are passed over; `timeout` is in milliseconds there."""
    kind = given.get("type")
    return ServerTable(
        command=_text(given, "command", at),
        args=_texts(given, "args", at),
        env=_pairs(given, "env", at),
        cwd=_text(given, "cwd", at),
        url=_text(given, "url", at),
        headers=_pairs(given, "headers", at),
        type="sse" if kind == "sse" else None,
        timeout=_number(given, "timeout", at) / 1000 or TIMEOUT,
        disabled=given.get("disabled") is True,
        include_tools=_texts(given, "includeTools", at),
        exclude_tools=_texts(given, "excludeTools", at),
    )


def _text(given: JsonObject, key: str, at: str) -> str:
    value: Any = given.get(key) or ""
    if not isinstance(value, str):
        raise UserError(f"{at}.{key}: a text is wanted.")
    return value


def _number(given: JsonObject, key: str, at: str) -> float:
    value: Any = given.get(key) or 0
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(f"{at}.{key}: a number is wanted.")
    return float(value)


def _texts(given: JsonObject, key: str, at: str) -> list[str]:
    value: Any = given.get(key) or []
    items = cast("list[Any]", value) if isinstance(value, list) else [None]
    if not all(isinstance(item, str) for item in items):
        raise UserError(f"{at}.{key}: a list of texts is wanted.")
    return cast("list[str]", items)


def _pairs(given: JsonObject, key: str, at: str) -> dict[str, str]:
    value: Any = given.get(key) or {}
    items = cast("JsonObject", value).values() if isinstance(value, dict) else [None]
    if not all(isinstance(text, str) for text in items):
        raise UserError(f"{at}.{key}: an object of texts is wanted.")
    return cast("dict[str, str]", value)
