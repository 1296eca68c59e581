"""What a program printed, as a model should see it: plain, folded, cut to size."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from agentcli.lib.text import cut, without_ansi
from agentcli.tools.base import ToolContext
from agentcli.tools.fold import folded

_BLANKS = re.compile(r"\n{4,}")


def tidy(text: str) -> str:
    """No terminal codes, progress bars in their last state, repeats folded."""
    text = without_ansi(text).replace("\r\n", "\n")
    if "\r" in text or "\b" in text:
        text = "\n".join(_last_state(line) for line in text.split("\n"))
    text = folded(_BLANKS.sub("\n\n\n", text))
    return "".join(c for c in text if c >= " " or c in "\n\t") if _has_controls(text) else text


def fitted(ctx: ToolContext, text: str, *, whole: Path | None = None) -> str:
    """Tidy, and where that is too long head and tail; all of it is in a file, `whole` or ours."""
    shown = tidy(text)
    if len(shown) <= ctx.caps.output and whole is None:
        return shown
    return cut(shown, ctx.caps.output, where=str(whole or _kept(ctx, text)))


def spool(ctx: ToolContext, kind: str) -> Path:
    """A new file for an output too long to show."""
    ctx.outputs.mkdir(parents=True, exist_ok=True, mode=0o700)
    return ctx.outputs / f"{kind}-{secrets.token_hex(4)}.txt"


def _kept(ctx: ToolContext, text: str) -> Path:
    path = spool(ctx, "output")
    path.write_text(text, encoding="utf-8", errors="replace")
    return path


def _has_controls(text: str) -> bool:
    return not text.isprintable() and any(c < " " and c not in "\n\t" for c in text)


def _last_state(line: str) -> str:
    """What a terminal would show of a line drawn over itself."""
    states = [part for part in line.split("\r") if part]
    return states[-1] if states else ""
