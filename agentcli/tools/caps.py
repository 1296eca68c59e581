"""How much of a result a model gets to see: it is paid again with every later request."""

from __future__ import annotations

from typing import Literal

from agentcli.lib.value import value

Cap = Literal[
    "output",
    "read_lines",
    "read_chars",
    "read_line",
    "grep_lines",
    "grep_line",
    "glob_files",
    "folder_names",
]


@value
class Caps:
    """What is left out is named, with the way to it."""

    output: int = 30_000
    """Characters of what a program printed; more is kept in a file."""
    read_lines: int = 2_000
    """Lines of a Read that names no number."""
    read_chars: int = 100_000
    """Characters of any Read."""
    read_line: int = 2_000
    """Characters of one line of a Read."""
    grep_lines: int = 200
    grep_line: int = 400
    """Characters of one line that Grep found."""
    glob_files: int = 200
    folder_names: int = 500
    """Names of a folder that is read."""


LEAST: dict[Cap, int] = {
    "output": 500,
    "read_lines": 10,
    "read_chars": 500,
    "read_line": 80,
    "grep_lines": 5,
    "grep_line": 40,
    "glob_files": 5,
    "folder_names": 5,
}
"""Less than this would leave notices about nothing."""
