"""Configuration: defaults < user < project (if trusted) < local < environment < flags."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from agentcli.context.delegation import Delegation
from agentcli.context.triggers import Triggers
from agentcli.lib.errors import UserError
from agentcli.lib.value import made, replace, value
from agentcli.llm.budget import Scope
from agentcli.llm.marks import Segment, Ttl
from agentcli.llm.providers import Provider
from agentcli.llm.types import Effort, JsonObject
from agentcli.policy.permissions import Mode
from agentcli.policy.trust import is_trusted
from agentcli.tools.caps import Caps

if TYPE_CHECKING:
    from agentcli.llm.overrides import ModelTable
    from agentcli.tools.server import Server


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
    subagents: Delegation = Delegation()
    trusted: bool = False
    """Whether what the project brings along may be used."""
    servers: dict[str, Server] = made(default_factory=dict[str, "Server"])
    """MCP servers by name."""
    mcp_wait: float | None = None
    """Seconds that the first request of a session waits for MCP servers at most."""
    notices: tuple[str, ...] = ()
    """What the person should know: an untrusted project's configuration was left out."""


def load(root: Path, env: Mapping[str, str], *, trusted: bool = False) -> Config:
    """Read every layer that applies; raises UserError naming file, line and key."""
    here = places(env)
    files = [here.config / "config.toml"]
    hooks = [here.config / "hooks.toml"]
    notices: tuple[str, ...] = ()
    trusted = trusted or is_trusted(here.trust, root)
    if trusted:
        files += [root / ".mcp.json"]
        files += [root / ".agent/config.toml", root / ".agent/config.local.toml"]
        hooks += [root / ".agent/hooks.toml"]
    else:
        notices = (
            "This project brings its own agent configuration (.agent/, .mcp.json, agents), which "
            "is ignored until you trust it: start `agent` here once, or pass --trust.",
        )
    config = Config(notices=notices, trusted=trusted)
    for path in files:
        config = _with_servers(config, path) if path.suffix == ".json" else _with_file(config, path)
    for path in hooks:
        config = replace(config, hooks=config.hooks + _read_hooks(path))
    return _with_env(config, env)


def _with_file(config: Config, path: Path) -> Config:
    raw = _read_toml(path)
    if raw is None:
        return config
    from agentcli.config.file import merged  # door: pydantic

    return merged(config, raw, path)


def _with_servers(config: Config, path: Path) -> Config:
    if not path.exists():
        return config
    from agentcli.config.servers import from_json  # only those who have a file pay for it

    return replace(config, servers=config.servers | from_json(path))


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
