"""The subcommands that show or try something: demo, models, cost, sessions, permissions, hooks."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from agentcli.cli.models_commands import models


def register(app: typer.Typer) -> None:
    app.command()(demo)
    app.command()(models)
    app.command()(sessions)


def demo(
    keep: Annotated[bool, typer.Option(help="Keep the temporary repository.")] = False,
) -> int:
    """Watch the real agent repair a failing test, offline: the model is a script."""
    from agentcli.ui.demo import run

    return run(keep=keep)


def sessions() -> None:
    """List the newest sessions of this folder; resume one with agent --resume ID."""
    from agentcli.app.reports import session_table
    from agentcli.config import places
    from agentcli.session.store import folder, listing

    found = listing(folder(places(os.environ).data, Path.cwd()))
    sys.stdout.write(session_table(found) + "\n")
