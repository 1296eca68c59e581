"""The subcommands that show or try something: demo, models, cost, sessions, permissions, hooks."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer


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


def models(
    filter: Annotated[str, typer.Argument(help="Only names that contain this.")] = "",
) -> None:
    """List the models that the keys in the environment reach, with their prices."""
    from agentcli.app.catalogue import model_table
    from agentcli.config import load

    config = load(Path.cwd(), os.environ)
    sys.stdout.write(model_table(os.environ, config.providers, filter) + "\n")


def sessions() -> None:
    """List the newest sessions of this folder; resume one with agent --resume ID."""
    from agentcli.app.reports import session_table
    from agentcli.config import places
    from agentcli.session.store import folder, listing

    found = listing(folder(places(os.environ).data, Path.cwd()))
    sys.stdout.write(session_table(found) + "\n")
