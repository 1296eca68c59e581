"""The command line as typer sees it: the flags of the table, and every subcommand."""

from __future__ import annotations

import inspect
import sys
from math import inf
from typing import Annotated, Any

import typer

from agentcli.app.options import Options
from agentcli.cli.cache_commands import cache
from agentcli.cli.cost_commands import cost
from agentcli.cli.debug import debug
from agentcli.cli.flags import FLAGS, SUBCOMMANDS, Flag
from agentcli.cli.inspect_commands import register
from agentcli.cli.mcp_commands import mcp
from agentcli.lib.errors import UserError

HELP = """A coding agent for your terminal: any model, the cost of every turn shown.

\b
agent                      talk with it here (add words in quotes to begin with them)
agent -p "fix the tests"   one answer, then exit; standard input is added to the prompt
agent demo                 see it work offline, with a scripted model
"""
EPILOG = "Commands: " + " · ".join(SUBCOMMANDS) + ". `agent COMMAND --help` tells more."

_TYPES: dict[str, Any] = {"switch": bool, "integer": int, "number": float, "list": list[str]}


def run_typer(argv: list[str]) -> int:
    """Run a subcommand, print help, or say what is wrong with the command line."""
    named = bool(argv) and argv[0] in SUBCOMMANDS
    app = subcommands() if named else root()
    try:
        code = app(argv, prog_name="agent", standalone_mode=False)
    except typer.Exit as end:
        return end.exit_code
    except UserError as error:
        sys.stderr.write(f"agent: {error}\n")
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except Exception as error:  # typer's own; bugs are raised again
        return _usage_error(error)
    return code if isinstance(code, int) else 0


def _usage_error(error: Exception) -> int:
    """Typer's own mistakes carry `format_message`; anything else is a bug and surfaces."""
    tell = getattr(error, "format_message", None)
    if tell is None:
        raise error
    sys.stderr.write(f"agent: {tell()} See agent --help.\n")
    return 2


def root() -> typer.Typer:
    """`agent` itself, its parameters made from the table of flags."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)

    def agent(**values: Any) -> int:
        from agentcli.cli.start import start

        return start(options_from(values))

    parameters = [_prompt_parameter(), *(_parameter(flag) for flag in FLAGS), _version_parameter()]
    setattr(agent, "__signature__", inspect.Signature(parameters))  # noqa: B010  # pyright knows no such attribute
    app.command(help=HELP, epilog=EPILOG)(agent)
    return app


def options_from(values: dict[str, Any]) -> Options:
    """What typer parsed, as Options; raises BadParameter for a value outside its range."""
    fields: dict[str, Any] = {"prompt": tuple(values.get("prompt") or ())}
    for flag in FLAGS:
        value = values.get(flag.field)
        if value is None or (flag.kind == "switch" and not value) or value == []:
            continue
        fields[flag.field] = _value(flag, value)
    return Options(**fields)


def _value(flag: Flag, value: Any) -> Any:
    if flag.kind == "switch":
        return not flag.off
    if flag.kind == "list":
        return tuple(value)
    if flag.kind == "choice" and value not in flag.choices:
        raise typer.BadParameter(f"{flag.names[0]} takes one of {', '.join(flag.choices)}.")
    if flag.least is not None and not flag.least <= value < inf:
        raise typer.BadParameter(f"{flag.names[0]} takes a number from {flag.least} on.")
    return str(value) if flag.field == "max_cost" else value


def _parameter(flag: Flag) -> inspect.Parameter:
    kind = _TYPES.get(flag.kind, str)
    metavar = "|".join(flag.choices) or None
    option = typer.Option(*flag.names, help=flag.help, show_default=False, metavar=metavar)
    switch = flag.kind == "switch"
    default: Any = False if switch else None
    annotation = Annotated[kind if switch else kind | None, option]
    return inspect.Parameter(
        flag.field, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _prompt_parameter() -> inspect.Parameter:
    argument = typer.Argument(help="What to do.", show_default=False, metavar="PROMPT")
    return inspect.Parameter(
        "prompt",
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[list[str] | None, argument],
    )


def _version_parameter() -> inspect.Parameter:
    option = typer.Option("--version", help="Show the version and exit.", callback=_show_version)
    return inspect.Parameter(
        "version", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, option]
    )


def _show_version(wanted: bool) -> None:
    if wanted:
        from agentcli import __version__

        sys.stdout.write(f"agent {__version__}\n")
        raise typer.Exit


def subcommands() -> typer.Typer:
    app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(debug, name="debug")
    app.add_typer(cache, name="cache")
    app.add_typer(mcp, name="mcp")
    app.command()(cost)
    register(app)
    return app
