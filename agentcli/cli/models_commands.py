"""`agent models`: what the keys reach, one model in full, newer prices."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from agentcli.lib.errors import UserError


def models(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            help="Nothing, words that names must have, `show NAME`, or `refresh`.",
            metavar="[FILTER | show NAME | refresh]",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """List the models that the keys in the environment reach, with their prices.

    `show NAME` prints one model: limits, prices by date and size, cache rules, quirks.
    `refresh` fetches newer prices (genai-prices); nothing else ever does.
    """
    match words or []:
        case ["refresh"]:
            _refresh(os.environ, as_json)
        case ["show", name]:
            _show(name, os.environ, as_json)
        case ["show", *_]:
            raise UserError("Say which model: agent models show NAME.")
        case wanted:
            _list(" ".join(wanted), os.environ, as_json)


def _list(wanted: str, env: Mapping[str, str], as_json: bool) -> None:
    from agentcli.app.catalogue import offer_json, offers, table, unlisted
    from agentcli.app.routing import know_prices
    from agentcli.config import load

    know_prices(env)
    now = datetime.now(UTC)
    config = load(Path.cwd(), env)
    found = offers(env, config, wanted)
    if as_json:
        _print([offer_json(offer, now) for offer in found])
    else:
        sys.stdout.write(table(found, unlisted(env, config), wanted, now) + "\n")


def _show(name: str, env: Mapping[str, str], as_json: bool) -> None:
    from agentcli.app.model_page import facts, page, routed
    from agentcli.app.routing import know_prices
    from agentcli.config import load

    know_prices(env)
    route = asyncio.run(routed(name, load(Path.cwd(), env), env))
    if as_json:
        _print(facts(route, env))
    else:
        sys.stdout.write(page(route, env) + "\n")


def _refresh(env: Mapping[str, str], as_json: bool) -> None:
    from agentcli.app.refreshing import refreshed
    from agentcli.llm.prices import told

    changes = asyncio.run(refreshed(env))
    if as_json:
        rows = changes or ()
        _print([{"name": c.name, "before": c.before, "after": c.after} for c in rows])
    elif changes is None:
        sys.stdout.write("The prices are the newest there are.\n")
    elif not changes:
        sys.stdout.write("Fetched; no price has changed.\n")
    else:
        sys.stdout.write("".join(f"{told(change)}\n" for change in changes))


def _print(data: Any) -> None:
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
