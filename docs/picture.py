"""Draws docs/demo.svg: the terminal at the end of a real turn of `agent --model demo`.

Run with `make picture`; it drives the program in a pseudo-terminal and copies the screen.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.style import Style
from rich.text import Text
from terminal import Driven

HERE = Path(__file__).parent
AGENT = str(Path(sys.executable).parent / "agent")
COLUMNS, ROWS = 100, 72
NAMES = {"brown": "yellow", "default": None}


def record() -> list[Text]:
    """The rows of one turn: a prompt, questions answered with yes, the cost line."""
    with tempfile.TemporaryDirectory() as home:
        env = {"HOME": home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        driven = Driven([AGENT, "--model", "demo"], env=env, rows=ROWS, columns=COLUMNS)
        driven.until("· $0.00")
        driven.send("The tests fail. Find out why and repair it.\r")
        for question in ("Bash wants to run", "Edit wants to change"):
            driven.until(question)
            driven.read_for(1.5)
            driven.send("a" if question.startswith("Bash") else "y")
        driven.until("5 steps")
        driven.read_for(0.5)
        rows = [_row(driven.screen, n) for n in range(ROWS)]
        driven.close()
    while rows and not rows[-1].plain.strip():
        rows.pop()
    return rows


def _row(screen: Any, number: int) -> Text:
    row = Text()
    for column in range(COLUMNS):
        cell = screen.buffer[number][column]
        row.append(cell.data, Style(color=_colour(cell.fg), bold=cell.bold, italic=cell.italics))
    row.rstrip()
    return row


def _colour(name: str) -> str | None:
    name = NAMES.get(name, name)
    if name is None:
        return None
    if len(name) == 6 and not name.isalpha():
        return f"#{name}"
    return name.replace("bright", "bright_") if name.startswith("bright") else name


def main() -> None:
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere)
        for row in record():
            console.print(row)
        console.save_svg(str(HERE / "demo.svg"), title="agent --model demo")


if __name__ == "__main__":
    main()
