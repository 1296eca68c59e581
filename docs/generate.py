"""Writes the parts of docs/reference that are made from the program; `make docs` runs it.

With --check it writes nothing and fails when a page is out of date.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ["COLUMNS"] = "80"

import typer
from provider_page import providers

from agentcli.cli.commands import root, subcommands
from agentcli.tools.registry import toolbox

REFERENCE = Path(__file__).parent / "reference"


def commands() -> str:
    """Every command with its own help text."""
    parts = ["# Commands\n\nMade from the program by `make docs`.\n"]
    for name, text in _helps(typer.main.get_command(root()), "agent"):
        parts.append(f"## {name}\n\n```\n{text}\n```\n")
    group: Any = typer.main.get_command(subcommands())
    for name, command in sorted(group.commands.items()):
        for whole, text in _helps(command, f"agent {name}"):
            parts.append(f"## {whole}\n\n```\n{text}\n```\n")
    return "\n".join(parts)


def _helps(command: Any, name: str) -> Iterator[tuple[str, str]]:
    context = command.make_context(name, ["x"] * 9, resilient_parsing=True)
    context.info_name = name
    lines = command.get_help(context).strip().splitlines()
    yield name, "\n".join(line.rstrip() for line in lines)
    for inner, sub in sorted(getattr(command, "commands", {}).items()):
        yield from _helps(sub, f"{name} {inner}")


def tools() -> str:
    """What the model is told of each tool."""
    parts = [
        "# Tools\n\nWhat the model is told of each one. Made from the program by `make docs`.\n"
    ]
    boxes = (toolbox(edit="replace"), toolbox(edit="patch"))
    specs = {spec.name: spec for box in boxes for spec in box.specs()}
    for name, spec in sorted(specs.items()):
        parts.append(f"## {name}\n\n{spec.description}\n")
        required = set(spec.input_schema.get("required", ()))
        rows = [
            f"| `{field}` | {_type(schema)} | {'yes' if field in required else ''} "
            f"| {schema.get('description', '')} |"
            for field, schema in spec.input_schema.get("properties", {}).items()
        ]
        if rows:
            head = ["| argument | type | needed | |", "|---|---|---|---|"]
            parts.append("\n".join([*head, *rows, ""]))
    return "\n".join(parts)


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"])
    return str(schema.get("type", "any"))


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": commands,
    "providers.md": providers,
    "tools.md": tools,
}


def main() -> int:
    old = [name for name, make in PAGES.items() if _text(REFERENCE / name) != make()]
    if "--check" in sys.argv:
        sys.stdout.write("".join(f"{name} is out of date: run make docs\n" for name in old))
        return 1 if old else 0
    for name in old:
        (REFERENCE / name).write_text(PAGES[name](), encoding="utf-8")
    return 0


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
