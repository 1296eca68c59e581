"""Standard input of a headless run: text piped in, or prompts as JSON lines."""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Iterator
from typing import TextIO

from agentcli.lib.errors import UserError

MAX_PIPED = 10_000_000
"""Bytes."""
PATIENCE = 3.0
"""Seconds to wait for the first byte of a pipe when a prompt was given anyway."""


def piped_text(have_prompt: bool) -> str:
    """What was piped in, "" for a terminal. Raises UserError past MAX_PIPED."""
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        return ""
    descriptor = sys.stdin.fileno()
    if have_prompt and not select.select([descriptor], [], [], PATIENCE)[0]:
        sys.stderr.write("agent: standard input stays silent; going on without it.\n")
        return ""
    pieces: list[bytes] = []
    size = 0
    while piece := os.read(descriptor, 1 << 16):
        size += len(piece)
        if size > MAX_PIPED:
            raise UserError("Standard input is larger than 10 MB; write it to a file and name it.")
        pieces.append(piece)
    return b"".join(pieces).decode("utf-8", "replace").strip()


def prompts_from_lines(lines: TextIO) -> Iterator[str]:
    """The prompts of --input-format stream-json. Raises UserError for a line that is none."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            content = json.loads(line)["message"]["content"]
            if not isinstance(content, str):
                content = "\n".join(block["text"] for block in content if block["type"] == "text")
        except (ValueError, KeyError, TypeError):
            raise UserError(
                f"Line {number} of standard input is not a message: one JSON object a line, "
                '{"type":"user","message":{"role":"user","content":"…"}}.'
            ) from None
        yield content
