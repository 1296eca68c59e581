"""`agent debug`: what bug reports and other people's test suites use."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from agentcli.lib.errors import UserError

debug = typer.Typer(
    help="Look inside: decode a recorded response, print a request without sending it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@debug.command()
def decode(
    wire: Annotated[str, typer.Argument(help="anthropic, openai-responses or openai-chat.")],
    file: Annotated[Path, typer.Argument(help="The recorded response body; - for stdin.")],
    chunk: Annotated[int | None, typer.Option(help="Feed it in pieces of so many bytes.")] = None,
) -> None:
    """Read a recorded response body and print what we make of it, as one JSON object."""
    from agentcli.llm.recording import decode as decode_body
    from agentcli.llm.wire import WIRES

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


def _print(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=2)
    sys.stdout.write(text.encode("utf-8", "replace").decode() + "\n")
