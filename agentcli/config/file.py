"""One config.toml: checked by pydantic, and laid over the configuration before it."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Literal, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from agentcli.config import Config, Group, Role, RuleText
from agentcli.config.servers import ServerTable, server
from agentcli.context.delegation import Delegation
from agentcli.context.triggers import Triggers
from agentcli.lib.errors import UserError
from agentcli.lib.value import replace
from agentcli.llm.budget import Scope
from agentcli.llm.marks import Segment, Ttl
from agentcli.llm.overrides import ModelTable
from agentcli.llm.providers import PROVIDERS, Auth, Provider
from agentcli.llm.types import Effort, JsonObject
from agentcli.policy.permissions import Mode
from agentcli.tools.caps import LEAST, Cap, Caps
from agentcli.tools.server import Server

WireName = Literal[
    "anthropic",
    "openai-chat",
    "openai-responses",
    "gemini",
    "bedrock",
    "anthropic-bedrock",
    "anthropic-vertex",
]
KEY_HEADERS: dict[str, Auth] = {"anthropic": "x-api-key", "gemini": "x-goog-api-key"}
"""How a wire's own servers want the key; all others as `Authorization: Bearer`."""


@dataclass(slots=True)
class PermissionsTable:
    mode: Mode | None = None
    allow: list[str] = field(default_factory=list[str])
    ask: list[str] = field(default_factory=list[str])
    deny: list[str] = field(default_factory=list[str])
    additional_directories: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class ProviderTable:
    """An endpoint of the person's own, or changes to a row of ours of the same name."""

    url: str = ""
    wire: WireName | None = None
    auth: Auth | None = None
    key_env: str = ""
    key_command: str = ""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    models: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class GroupTable:
    models: list[str]
    weights: list[int] = field(default_factory=list[int])


@dataclass(slots=True)
class CompactionTable:
    at: float | None = None
    by_cost: bool | None = None


@dataclass(slots=True)
class SubagentsTable:
    at_once: int | None = None
    steps: int | None = None


@dataclass(slots=True)
class FileTable:
    """What a config.toml may hold."""

    model: str | None = None
    effort: Effort | None = None
    max_cost: float | None = None
    budget: dict[Scope, float] = field(default_factory=dict[Scope, float])
    cache: dict[Segment, Ttl] = field(default_factory=dict["Segment", "Ttl"])
    caps: dict[Cap, int] = field(default_factory=dict["Cap", int])
    compaction: CompactionTable = field(default_factory=CompactionTable)
    subagents: SubagentsTable = field(default_factory=SubagentsTable)
    fallback: list[str] = field(default_factory=list[str])
    deployments: dict[str, GroupTable] = field(default_factory=dict[str, "GroupTable"])
    roles: dict[Role, str] = field(default_factory=dict[Role, str])
    permissions: PermissionsTable = field(default_factory=PermissionsTable)
    providers: dict[str, ProviderTable] = field(default_factory=dict[str, ProviderTable])
    models: dict[str, ModelTable] = field(default_factory=dict[str, ModelTable])
    mcp: dict[str, ServerTable] = field(default_factory=dict[str, ServerTable])
    mcp_wait: float | None = None


def merged(config: Config, raw: JsonObject, path: Path) -> Config:
    """The configuration with one more file laid over it. Raises UserError with file and line."""
    table = _checked(raw, path)
    base = path.parent.parent if path.parent.name == ".agent" else path.parent
    permissions = table.permissions
    place = str(base) if path.parent.name == ".agent" else ""
    rules = tuple(
        RuleText(text, verdict, base)
        for verdict in ("deny", "ask", "allow")
        for text in cast("list[str]", getattr(permissions, verdict))
    )
    extra = tuple((base / Path(d).expanduser()) for d in permissions.additional_directories)
    return replace(
        config,
        model=table.model or config.model,
        effort=table.effort or config.effort,
        mode=permissions.mode or config.mode,
        rules=config.rules + rules,
        extra_dirs=config.extra_dirs + extra,
        providers=config.providers + tuple(_row(n, t, path) for n, t in table.providers.items()),
        models=config.models + tuple(table.models.items()),
        fallback=tuple(table.fallback) or config.fallback,
        deployments=config.deployments
        | {name: Group(tuple(g.models), tuple(g.weights)) for name, g in table.deployments.items()},
        roles=config.roles | table.roles,
        max_cost=config.max_cost
        if table.max_cost is None
        else _usd(table.max_cost, "max_cost", path),
        cache=config.cache | table.cache,
        caps=_caps(config.caps, table.caps, path),
        compaction=_triggers(config.compaction, table.compaction, path),
        subagents=_delegation(config.subagents, table.subagents, path),
        servers=config.servers | _servers(table, place, path),
        mcp_wait=config.mcp_wait if table.mcp_wait is None else table.mcp_wait,
        budget=config.budget
        | {scope: _usd(amount, f"budget.{scope}", path) for scope, amount in table.budget.items()},
    )


def _servers(table: FileTable, place: str, path: Path) -> dict[str, Server]:
    return {
        name: server(name, one, place, f"{path}:{_line_of(path, f'mcp.{name}')}")
        for name, one in table.mcp.items()
    }


def _caps(before: Caps, table: dict[Cap, int], path: Path) -> Caps:
    for name, size in table.items():
        if size < LEAST[name]:
            line = _line_of(path, name)
            raise UserError(f"{path}:{line}: caps.{name}: at least {LEAST[name]} is wanted.")
    return replace(before, **table)


def _triggers(before: Triggers, table: CompactionTable, path: Path) -> Triggers:
    at = before.at if table.at is None else table.at
    if not 0.1 <= at <= 1:
        line = _line_of(path, "at")
        raise UserError(f"{path}:{line}: compaction.at: a share from 0.1 to 1 is wanted.")
    return Triggers(at, before.by_cost if table.by_cost is None else table.by_cost)


def _delegation(before: Delegation, table: SubagentsTable, path: Path) -> Delegation:
    given = {"at_once": table.at_once, "steps": table.steps}
    for name, number in given.items():
        if number is not None and number < 1:
            line = _line_of(path, name)
            raise UserError(f"{path}:{line}: subagents.{name}: at least 1 is wanted.")
    return replace(before, **{name: n for name, n in given.items() if n is not None})


def _usd(amount: float, key: str, path: Path) -> str:
    if not 0 <= amount < inf:
        line = _line_of(path, key.rpartition(".")[2])
        raise UserError(f"{path}:{line}: {key}: an amount in USD is wanted.")
    return str(amount)


def _row(name: str, table: ProviderTable, path: Path) -> Provider:
    """The row as it was, with what the table says; a moved one may need no key (a gateway)."""
    known = PROVIDERS.get(name) or Provider(name, "", "openai-chat")
    if not (table.url or known.url):
        line = _line_of(path, f"providers.{name}")
        raise UserError(f"{path}:{line}: providers.{name}.url: an endpoint needs one.")
    wire = table.wire or known.wire
    keys = (table.key_env,) if table.key_env else known.key_env
    auth = table.auth or (known.auth if wire == known.wire else KEY_HEADERS.get(wire, "bearer"))
    return replace(
        known,
        url=table.url or known.url,
        wire=wire,
        auth=auth,
        key_env=keys,
        key_command=table.key_command or known.key_command,
        headers=known.headers | table.headers,
        models=tuple(table.models),
        keyless=bool(table.url) and not table.key_env,
        local=known.local or (not keys and auth == "none"),
        service=known.service or ("bedrock" if auth == "sigv4" else ""),
    )


def _checked(raw: JsonObject, path: Path) -> FileTable:
    tables = (PermissionsTable, ProviderTable, ModelTable, GroupTable, CompactionTable)
    for table in (*tables, SubagentsTable, ServerTable, FileTable):
        with_config(ConfigDict(extra="forbid"))(table)
    try:
        return TypeAdapter(FileTable).validate_python(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = [str(part) for part in first["loc"] if part != "[key]"]
        key = ".".join(where)
        line = _line_of(path, where[-1] if where else "")
        what = "unknown key" if first["type"] == "unexpected_keyword_argument" else first["msg"]
        what = what.removeprefix("Value error, ")
        raise UserError(f"{path}:{line}: {key}: {what}.") from None


def _line_of(path: Path, key: str) -> int:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip().startswith((key, f"[{key}", f'"{key}"')) or f".{key}]" in line:
            return number
    return 1
