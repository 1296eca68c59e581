"""`agent mcp list`: which MCP servers there are here, and whether they answer."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import typer

from agentcli.agent.events import AgentEvent, Answer, Notice, Question
from agentcli.config import Config
from agentcli.lib.errors import UserError
from agentcli.lib.text import visible
from agentcli.llm.models import ModelSpec

mcp = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="MCP servers.")


@mcp.callback()
def _group() -> None:
    """Keeps `list` a word of its own while it is the only one."""


@mcp.command("list")
def list_servers() -> int:
    """Connect to every MCP server of this folder and say what each of them offers."""
    return asyncio.run(_listed(Path.cwd()))


async def _listed(root: Path) -> int:
    from agentcli import __version__
    from agentcli.app.remote import NONE
    from agentcli.app.server_report import server_table
    from agentcli.app.servers import Servers
    from agentcli.app.talk import Ground
    from agentcli.config import load, places
    from agentcli.lib.process import hardened_env
    from agentcli.policy.secrets import scrub_env
    from agentcli.tools.link import CONNECT

    env = dict(os.environ)
    config = load(root, env)
    for notice in config.notices:
        sys.stderr.write(f"agent: {notice}\n")
    if not config.servers:
        sys.stdout.write(NONE + "\n")
        return 0
    ground = Ground(root, places(env), __version__, env)
    servers = Servers(config, ground, hardened_env(scrub_env(env)), _Nobody(), lambda: None)
    try:
        servers.open(every=True)
        await servers.waited(CONNECT, every=True)
        sent = await servers.join()
        sys.stdout.write(server_table(servers, sent, _model(config, env), datetime.now(UTC)) + "\n")
    finally:
        await servers.close()
    failed = any(servers.status(name) == "failed" for name in servers.links)
    return 1 if failed else 0


def _model(config: Config, env: dict[str, str]) -> ModelSpec | None:
    """The model that would be asked; None where none is set up."""
    from agentcli.app.routing import choose, know_prices
    from agentcli.llm.providers import default_model

    know_prices(env)
    name = config.model or default_model(env)
    try:
        return choose(name, config, env).route.model if name else None
    except UserError:
        return None


class _Nobody:
    """A front-end that is not there: changed tools stay left out, and that is told."""

    def emit(self, event: AgentEvent) -> None:
        if isinstance(event, Notice) and event.level != "info":
            sys.stderr.write(f"agent: {visible(event.text)}\n")

    async def ask(self, question: Question) -> Answer:
        return Answer("no")
