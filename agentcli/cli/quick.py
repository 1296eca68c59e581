"""Reads well-formed command lines without loading typer; anything else is left to typer."""

from __future__ import annotations

from math import inf
from typing import Any

from agentcli.app.options import Options
from agentcli.cli.flags import FLAGS, SUBCOMMANDS, Flag

_BY_NAME = {name: flag for flag in FLAGS for name in flag.names}


def parse(argv: list[str]) -> Options | None:
    """The options, or None when typer has to look: help, subcommands, mistakes, odd spellings."""
    values: dict[str, Any] = {}
    words: list[str] = []
    rest = iter(argv)
    for arg in rest:
        if arg == "--":
            words += rest
            break
        if not arg.startswith("-") or arg == "-":
            words.append(arg)
            continue
        name, _, attached = arg.partition("=")
        flag = _BY_NAME.get(name)
        if flag is None or (attached and (flag.kind == "switch" or not name.startswith("--"))):
            return None
        if not _take(flag, attached if "=" in arg else None, rest, values):
            return None
    if words and words[0] in SUBCOMMANDS and argv[0] == words[0]:
        return None
    return Options(prompt=tuple(words), **values)


def _take(flag: Flag, attached: str | None, rest: Any, values: dict[str, Any]) -> bool:
    if flag.kind == "switch":
        values[flag.field] = not flag.off
        return True
    text = attached if attached is not None else next(rest, None)
    if text is None:
        return False
    value = convert(flag, text)
    if value is None:
        return False
    if flag.kind == "list":
        values[flag.field] = (*values.get(flag.field, ()), value)
    else:
        values[flag.field] = value
    return True


def convert(flag: Flag, text: str) -> str | int | float | None:
    """One value as its flag wants it; None when it is not that."""
    if flag.kind == "choice":
        return text if text in flag.choices else None
    if flag.kind not in ("integer", "number"):
        return text
    try:
        number = int(text) if flag.kind == "integer" else float(text)
    except ValueError:
        return None
    if flag.least is not None and not flag.least <= number < inf:
        return None
    return text if flag.field == "max_cost" else number
