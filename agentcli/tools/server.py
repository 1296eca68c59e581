"""An MCP server as it is configured: what to start or where to connect, and which tools to take."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import Literal

from agentcli.lib.errors import UserError
from agentcli.lib.value import made, replace, value

Transport = Literal["stdio", "http", "sse"]
TIMEOUT = 120.0
"""Seconds for one call, where the configuration names none."""
_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}")


@value
class Server:
    """As written: `${VAR}` stands in command, args, env, cwd, url and headers until `filled`."""

    name: str
    command: str = ""
    args: tuple[str, ...] = ()
    env: dict[str, str] = made(default_factory=dict[str, str])
    cwd: str = ""
    url: str = ""
    headers: dict[str, str] = made(default_factory=dict[str, str])
    transport: Transport = "stdio"
    timeout: float = TIMEOUT
    """Seconds for one call."""
    disabled: bool = False
    include: tuple[str, ...] = ()
    """Patterns of the tools that are taken; empty for all."""
    exclude: tuple[str, ...] = ()
    place: str = ""
    """The project that brings it; "" for one of the person's own."""

    def takes(self, tool: str) -> bool:
        """Whether the person wants this tool of it."""
        wanted = not self.include or any(fnmatchcase(tool, p) for p in self.include)
        return wanted and not any(fnmatchcase(tool, p) for p in self.exclude)

    @property
    def key(self) -> str:
        """Tells apart servers by what they run or reach; values of variables are no part of it."""
        parts = [self.name, self.command, self.args, self.env, self.cwd, self.url, self.headers]
        text = json.dumps([*parts, self.transport, self.place], sort_keys=True)
        return sha256(text.encode()).hexdigest()[:16]

    def filled(self, env: Mapping[str, str]) -> Server:
        """With its variables' values; raises UserError naming one that is not set."""

        def fill(text: str) -> str:
            return _VARIABLE.sub(lambda found: self._value(found, env), text)

        return replace(
            self,
            command=fill(self.command),
            args=tuple(map(fill, self.args)),
            env={name: fill(text) for name, text in self.env.items()},
            cwd=fill(self.cwd),
            url=fill(self.url),
            headers={name: fill(text) for name, text in self.headers.items()},
        )

    def _value(self, found: re.Match[str], env: Mapping[str, str]) -> str:
        name, default = found.groups()
        given = env.get(name) or default
        if given is None:
            raise UserError(f"MCP server {self.name} wants ${{{name}}}, which is not set.")
        return given

    def given(self, env: Mapping[str, str]) -> dict[str, str]:
        """What it alone is given, by names as of variables; the scheme of a token is no secret."""
        try:
            filled = self.filled(env)
        except UserError:
            return {}
        headers = {name.upper().replace("-", "_"): t for name, t in filled.headers.items()}
        token = headers.pop("AUTHORIZATION", "").rpartition(" ")[2]
        return filled.env | headers | {"AUTHORIZATION_TOKEN": token}

    def folder(self, root: Path) -> Path:
        """Where it runs."""
        return root / Path(self.cwd).expanduser()


@value
class Setting:
    """Where servers run, and whom they are told they talk to."""

    root: Path
    env: Mapping[str, str]
    """What those that are started here get besides their own: no secrets in it."""
    given: Mapping[str, str]
    """What `${VAR}` is looked up in."""
    version: str
