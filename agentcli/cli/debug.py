"""`agent debug`: what bug reports and other people's test suites use."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from agentcli.lib.errors import UserError
from agentcli.llm.wire import WIRES

if TYPE_CHECKING:
    from agentcli.llm.types import JsonObject

debug = typer.Typer(
    help="Look inside: decode a recorded response, print a request unsent, price a usage.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@debug.command()
def decode(
    wire: Annotated[str, typer.Argument(help=f"One of {', '.join(WIRES)}.")],
    file: Annotated[Path, typer.Argument(help="The recorded response body; - for stdin.")],
    chunk: Annotated[int | None, typer.Option(help="Feed it in pieces of so many bytes.")] = None,
) -> None:
    """Read a recorded response body and print what we make of it, as one JSON object."""
    from agentcli.llm.recording import decode as decode_body

    if wire not in WIRES:
        raise UserError(f"There is no wire {wire!r}; known: {', '.join(WIRES)}.")
    if chunk is not None and chunk < 1:
        raise UserError("--chunk takes a number of bytes, 1 or more.")
    try:
        body = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise UserError(f"Cannot read {file}: {error.strerror}.") from None
    _print(decode_body(wire, body, chunk=chunk))


@debug.command()
def request(
    prompt: Annotated[str, typer.Option("--prompt", "-p", help="The prompt to send.")],
    model: Annotated[str | None, typer.Option("--model", "-m", help="Model.")] = None,
    effort: Annotated[str | None, typer.Option(help="Effort.")] = None,
) -> None:
    """Print the exact first request (URL, headers with keys blanked, body) without sending it."""
    from agentcli.app.options import Options
    from agentcli.app.preview import preview
    from agentcli.config import load

    root = Path.cwd()
    options = Options(model=model, effort=effort, session_persistence=False)
    _print(preview(options, load(root, os.environ), root, prompt))


@debug.command()
def price(
    model: Annotated[str, typer.Argument(help="A name, an alias or provider/name.")],
    file: Annotated[Path, typer.Argument(help="Usage as JSON, ours or a provider's; - for stdin.")],
    at: Annotated[str, typer.Option(help="When it was sent (UTC), e.g. 2026-11-01T09:00.")] = "",
    tier: Annotated[str, typer.Option(help="flex, priority, fast, ultrafast or batch.")] = "",
    wire: Annotated[str, typer.Option(help="Whose usage it is, where that is unclear.")] = "",
) -> None:
    """Price a usage: every class, the multipliers, the total, and how sure that is."""
    from datetime import UTC, datetime

    from agentcli.app.routing import know_prices
    from agentcli.config import load
    from agentcli.llm.overrides import overridden
    from agentcli.llm.pricing import find, priced
    from agentcli.llm.providers import rows

    try:
        moment = datetime.fromisoformat(at) if at else datetime.now(UTC)
    except ValueError:
        raise UserError(f"--at takes a date and time, not {at[:40]!r}.") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    config = load(Path.cwd(), os.environ)
    know_prices(os.environ)
    found = find(model, os.environ, rows(config.providers))
    spec = overridden(found, config.models, os.environ)
    _print(priced(spec, _usage(file), at=moment, tier=tier, wire=wire))


@debug.command()
def cache(
    file: Annotated[
        Path,
        typer.Argument(
            help="Request bodies, one JSON object a line; - for stdin, or an AGENT_TRACE folder."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a request.")] = False,
) -> None:
    """Play recorded requests through the cache rules: what each reads, writes, misses, and why.

    A line is a body, or {"url": …, "headers": …, "body": …, "at": seconds or a date}; `debug
    request` prints one such object. Files may be gzipped.
    """
    from agentcli.llm.simulator.recorded import opened
    from agentcli.llm.simulator.replay import play, told

    number = 0
    for played in play(opened(file, sys.stdin.buffer)):
        number = played.number
        line = json.dumps(told(played), ensure_ascii=False) if as_json else str(played)
        sys.stdout.write(line.encode("utf-8", "replace").decode() + "\n")
    if not number:
        raise UserError(f"{file} holds no requests.")


def _usage(file: Path) -> JsonObject | None:
    """The usage in a file, alone or within the response it came with. Raises UserError."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        data = json.loads(text)
    except OSError as error:
        raise UserError(f"Cannot read {file}: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file} is not JSON: {error}.") from None
    for holder in ("response", "message", "metadata", "usage", "usageMetadata"):
        if isinstance(data, dict) and holder in data:
            data = _within(cast("JsonObject", data), holder)
    if data is not None and not isinstance(data, dict):
        raise UserError(f"{file}: usage is one JSON object.")
    return cast("JsonObject | None", data)


def _within(answer: JsonObject, holder: str) -> object:
    """What an answer holds there; the tier it was served in may stand beside the usage."""
    inner: object = answer[holder]
    tier = answer.get("service_tier")
    return (
        {"service_tier": tier, **cast("JsonObject", inner)}
        if tier and isinstance(inner, dict)
        else inner
    )


def _print(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=2)
    sys.stdout.write(text.encode("utf-8", "replace").decode() + "\n")
