"""Configuration: defaults < user < project (if trusted) < local < environment < flags."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Literal, cast

from agentcli.context.triggers import Triggers
from agentcli.lib.errors import UserError
from agentcli.lib.value import made, replace, value
from agentcli.llm.budget import Scope
from agentcli.llm.marks import Segment, Ttl
from agentcli.llm.overrides import ModelTable
from agentcli.llm.providers import PROVIDERS, Auth, Provider
from agentcli.llm.types import Effort, JsonObject
from agentcli.policy.permissions import Mode
from agentcli.policy.trust import is_trusted
from agentcli.tools.caps import LEAST, Cap, Caps


@value
class Places:
    """Where this person's files are; from the environment, so that tests can move them."""

    config: Path
    data: Path

    @property
    def trust(self) -> Path:
        return self.data / "trust.json"

    @property
    def allowed(self) -> Path:
        """The rules that "always" stored, by project."""
        return self.data / "allowed.json"

    @property
    def history(self) -> Path:
        return self.data / "history"

    @property
    def ledger(self) -> Path:
        """The bills of all sessions."""
        return self.data / "ledger.db"

    @property
    def prices(self) -> Path:
        """What `agent models refresh` fetched."""
        return self.data / "prices.json"

    @property
    def log(self) -> Path:
        return self.data / "agent.log"


def places(env: Mapping[str, str]) -> Places:
    """XDG folders; AGENT_CONFIG_DIR and AGENT_DATA_DIR move them."""
    home = Path(env.get("HOME") or Path.home())
    config = (
        env.get("AGENT_CONFIG_DIR") or f"{env.get('XDG_CONFIG_HOME') or home / '.config'}/agentcli"
    )
    share = env.get("XDG_DATA_HOME") or home / ".local" / "share"
    return Places(Path(config), Path(env.get("AGENT_DATA_DIR") or f"{share}/agentcli"))


@value
class RuleText:
    """A permission rule as written, and the folder its relative patterns start from."""

    text: str
    verdict: Literal["allow", "ask", "deny"]
    base: Path


@value
class HookTable:
    """One `[[hooks.EVENT]]` table as read."""

    event: str
    table: JsonObject
    path: Path


@value
class Group:
    """Several ways to reach one model, used as one."""

    models: tuple[str, ...]
    weights: tuple[int, ...] = ()


Role = Literal["small", "plan", "subagent"]


@value
class Config:
    model: str | None = None
    effort: Effort | None = None
    mode: Mode = "default"
    rules: tuple[RuleText, ...] = ()
    extra_dirs: tuple[Path, ...] = ()
    hooks: tuple[HookTable, ...] = ()
    providers: tuple[Provider, ...] = ()
    models: tuple[tuple[str, ModelTable], ...] = ()
    """What the person says of models, by id or glob; the more important later."""
    fallback: tuple[str, ...] = ()
    """Models that answer, in this order, while the chosen one can't."""
    deployments: dict[str, Group] = made(default_factory=dict[str, "Group"])
    roles: dict[Role, str] = made(default_factory=dict["Role", str])
    """Models for certain work; the chosen one does what has no entry."""
    max_cost: str | None = None
    """USD for one session."""
    budget: dict[Scope, str] = made(default_factory=dict["Scope", str])
    """USD for a turn, a session, a day, this repository."""
    cache: dict[Segment, Ttl] = made(default_factory=dict["Segment", "Ttl"])
    """How long segments are cached, where that is not to be decided by what pauses cost."""
    caps: Caps = Caps()
    compaction: Triggers = Triggers()
    notices: tuple[str, ...] = ()
    """What the person should know: an untrusted project's configuration was left out."""


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
class FileTable:
    """What a config.toml may hold."""

    model: str | None = None
    effort: Effort | None = None
    max_cost: float | None = None
    budget: dict[Scope, float] = field(default_factory=dict[Scope, float])
    cache: dict[Segment, Ttl] = field(default_factory=dict["Segment", "Ttl"])
    caps: dict[Cap, int] = field(default_factory=dict["Cap", int])
    compaction: CompactionTable = field(default_factory=CompactionTable)
    fallback: list[str] = field(default_factory=list[str])
    deployments: dict[str, GroupTable] = field(default_factory=dict[str, "GroupTable"])
    roles: dict[Role, str] = field(default_factory=dict[Role, str])
    permissions: PermissionsTable = field(default_factory=PermissionsTable)
    providers: dict[str, ProviderTable] = field(default_factory=dict[str, ProviderTable])
    models: dict[str, ModelTable] = field(default_factory=dict[str, ModelTable])


def load(root: Path, env: Mapping[str, str], *, trusted: bool = False) -> Config:
    """Read every layer that applies; raises UserError naming file, line and key."""
    here = places(env)
    files = [here.config / "config.toml"]
    hooks = [here.config / "hooks.toml"]
    notices: tuple[str, ...] = ()
    if trusted or is_trusted(here.trust, root):
        files += [root / ".agent/config.toml", root / ".agent/config.local.toml"]
        hooks += [root / ".agent/hooks.toml"]
    else:
        notices = (
            "This project brings its own agent configuration (.agent/), which is ignored until "
            "you trust it: start `agent` here once, or pass --trust.",
        )
    config = Config(notices=notices)
    for path in files:
        table = _read_table(path)
        if table is not None:
            config = _merge(config, table, path)
    for path in hooks:
        config = replace(config, hooks=config.hooks + _read_hooks(path))
    return _with_env(config, env)


def _merge(config: Config, table: FileTable, path: Path) -> Config:
    base = path.parent.parent if path.parent.name == ".agent" else path.parent
    permissions = table.permissions
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
        budget=config.budget
        | {scope: _usd(amount, f"budget.{scope}", path) for scope, amount in table.budget.items()},
    )


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


def _with_env(config: Config, env: Mapping[str, str]) -> Config:
    return replace(config, model=env.get("AGENT_MODEL") or config.model)


def _read_toml(path: Path) -> JsonObject | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}.") from None
    import tomllib  # only those who have a file pay for it

    try:
        return tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid TOML: {error}.") from None


def _read_table(path: Path) -> FileTable | None:
    raw = _read_toml(path)
    if raw is None:
        return None
    from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

    tables = (PermissionsTable, ProviderTable, ModelTable, GroupTable, CompactionTable, FileTable)
    for table in tables:
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


def _read_hooks(path: Path) -> tuple[HookTable, ...]:
    raw = _read_toml(path)
    if raw is None:
        return ()
    hooks = raw.get("hooks", {})
    if set(raw) - {"hooks"} or not isinstance(hooks, dict):
        raise UserError(f"{path}: only [[hooks.EVENT]] tables are known here.")
    found: list[HookTable] = []
    for event, tables in cast("JsonObject", hooks).items():
        if not isinstance(tables, list):
            raise UserError(f"{path}: write [[hooks.{event}]] with double brackets.")
        found += [HookTable(event, table, path) for table in cast("list[JsonObject]", tables)]
    return tuple(found)


def load_allowed(store: Path, root: Path) -> tuple[str, ...]:
    """The rules the person answered "always" to in this project."""
    try:
        data = cast("dict[str, list[str]]", json.loads(store.read_text(encoding="utf-8")))
        return tuple(data.get(str(root), ()))
    except (OSError, ValueError, AttributeError):
        return ()


def save_allowed(store: Path, root: Path, rules: tuple[str, ...]) -> None:
    """Add rules to what is always allowed in this project."""
    try:
        data = cast("dict[str, list[str]]", json.loads(store.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        data = {}
    known = data.setdefault(str(root), [])
    known += [rule for rule in rules if rule not in known]
    store.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = store.with_suffix(".new")
    fresh.write_text(json.dumps(data, indent=1), encoding="utf-8")
    fresh.replace(store)
