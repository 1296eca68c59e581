"""`agent demo`: the real agent repairs a small repository, offline, with a scripted model."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from agentcli.agent.events import (
    AgentEvent,
    Answer,
    Decided,
    Question,
    Replied,
    Spent,
    ToolEnd,
    ToolStart,
    TurnEnd,
)
from agentcli.app.app import App
from agentcli.app.options import DEMO, Options
from agentcli.config import Config
from agentcli.lib.errors import UserError
from agentcli.lib.text import visible
from agentcli.lib.value import replace, value
from agentcli.llm.simulator.demo import PROMPTS
from agentcli.tools.base import Command, Diff
from agentcli.ui.status_line import context_facts, turn_line

CODE = '''"""Prices in a shopping cart."""


def subtotal(items):
    """Sum of price times quantity."""
    return sum(price * quantity for price, quantity in items)


def discount(amount, percent):
    """The amount after a discount in percent."""
    return amount - amount * percent


def total(items, percent=0):
    return round(discount(subtotal(items), percent), 2)
'''
TESTS = """from cart import discount, subtotal, total


def test_subtotal():
    assert subtotal([(2.50, 2), (1.00, 3)]) == 8.00


def test_discount_is_in_percent():
    assert discount(200, 25) == 150


def test_total_with_discount():
    assert total([(10.00, 2)], percent=10) == 18.00
"""
NOTES = "# Cart\n\nRun the tests with `python -m pytest -q`. Percentages are whole numbers.\n"
INTRO = """\
agent demo: a small repository with a failing test, repaired by the real agent.
The model is a script that answers from this process; no key, no network. Everything else is
real: the client and its wire, the cache rules and prices (those of claude-sonnet-5-5), the tools,
the permissions, git and pytest.
"""

TALK = """\
The model is a script that answers from this process; no key, no network. This opens on a small
repository with a failing test, in a temporary folder that is deleted at the end. The script
knows these prompts:
"""


def run(*, keep: bool = False) -> int:
    """Make the repository, run every prompt of the script on it, show the ledger."""
    with repository(keep=keep) as folder:
        return _run(folder)


@contextmanager
def repository(*, keep: bool = False) -> Generator[Path]:
    """The demo's repository in a temporary folder, gone afterwards unless it is kept."""
    folder = Path(tempfile.mkdtemp(prefix="agent-demo-"))
    try:
        make_repository(folder)
        yield folder
    finally:
        if keep:
            _out(f"\nThe repository is kept in {folder}\n")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def talk(options: Options, front: Callable[[Options, Path], int]) -> int:
    """`--model demo` in a terminal: the front-end, opened on the demo's repository."""
    _out(TALK + "".join(f"  {prompt}\n" for prompt in PROMPTS) + "\n")
    with repository() as folder:
        return front(replace(options, session_persistence=False), folder)


def _run(folder: Path) -> int:
    _out(INTRO + "\n")
    before = _pytest(folder)
    _out(f"$ python -m pytest -q      (before)\n{before.text}\n")
    asyncio.run(_talk(folder))
    after = _pytest(folder)
    _out(f"\n$ python -m pytest -q      (after)\n{after.text}\n")
    return 0 if before.failed and not after.failed else 1


def _out(text: str) -> None:
    """Written at once, so that what is shown keeps its order."""
    sys.stdout.write(text)
    sys.stdout.flush()


def make_repository(folder: Path) -> None:
    """A git repository whose tests fail. Raises UserError without git."""
    for name, text in (("cart.py", CODE), ("test_cart.py", TESTS), ("AGENTS.md", NOTES)):
        (folder / name).write_text(text, encoding="utf-8")
    (folder / ".gitignore").write_text("__pycache__/\n.pytest_cache/\n", encoding="utf-8")
    who = ["-c", "user.name=Demo", "-c", "user.email=demo@example.org"]
    for words in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        [*who, "commit", "-q", "-m", "Cart"],
    ):
        try:
            subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)
        except FileNotFoundError:
            raise UserError("The demo needs git on the PATH.") from None
    for key, name in (("user.name", "Demo"), ("user.email", "demo@example.org")):
        subprocess.run(["git", "config", key, name], cwd=folder, check=True)


@value
class Tested:
    text: str
    failed: bool


def _pytest(folder: Path) -> Tested:
    argv = [sys.executable, "-m", "pytest", "-q", "--tb=line", "-p", "no:cacheprovider"]
    done = subprocess.run(
        argv,
        cwd=folder,
        capture_output=True,
        text=True,
        env=_env() | {"COLUMNS": "80"},
        check=False,
    )
    return Tested("\n".join(done.stdout.splitlines()[-6:]), done.returncode != 0)


def _env() -> dict[str, str]:
    """The demo's own Python first, so that `python -m pytest` means this one."""
    here = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": f"{here}{os.pathsep}{os.environ.get('PATH', '')}"}


async def _talk(folder: Path) -> None:
    options = Options(
        model=DEMO,
        permission_mode="accept-edits",
        allowed_tools=("Bash(python -m pytest:*)", "Bash(git add:*)", "Bash(git commit:*)"),
        session_persistence=False,
    )
    app = App(options, Config(), Narrator(folder), root=folder, env=_env())
    for number, prompt in enumerate(PROMPTS, 1):
        sys.stdout.write(f"\n── turn {number} ──\n> {prompt}\n\n")
        await app.prompt(prompt)
    report = app.cost_report()
    await app.close()
    sys.stdout.write(f"\n── ledger ──\n{report}\n")


class Narrator:
    """A front-end that prints what happens, plainly."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._spent: Spent | None = None

    def emit(self, event: AgentEvent) -> None:
        match event:
            case Replied(message) if message.text:
                self._say(message.text)
            case Decided(call, decision) if decision.verdict == "deny":
                self._say(f"  ✗ {call.name} was not allowed: {decision.reason}")
            case ToolStart(call, action):
                name = "" if action.target.startswith("git ") else f"{call.name} "
                target = str(call.input.get("pattern") or action.target)
                self._say(f"  • {name}{self._short(target)}")
            case ToolEnd(_, result):
                self._show(result.display)
            case Spent():
                self._spent = event
            case TurnEnd() if self._spent is not None:
                self._say("\n" + turn_line(event, context_facts(self._spent), now=time.time()))
            case _:
                pass

    async def ask(self, question: Question) -> Answer:
        return Answer("no", "nobody watches the demo")

    def _short(self, target: str) -> str:
        return target.removeprefix(f"{os.path.realpath(self._folder)}/").replace(
            str(self._folder), "."
        )

    def _show(self, display: object) -> None:
        match display:
            case Diff(_, before, after):
                self._say(_changed(before or "", after or ""))
            case Command(_, _, output) if output:
                lines = output.splitlines()[-3:]
                self._say("\n".join(f"      {line}" for line in lines))
            case _:
                pass

    def _say(self, text: str) -> None:
        sys.stdout.write(visible(text) + "\n")
        sys.stdout.flush()


def _changed(before: str, after: str) -> str:
    from agentcli.lib.diff import hunks

    signs = {"added": "+", "removed": "-", "same": " "}
    lines = [line for hunk in hunks(before, after, context=1) for line in hunk.lines]
    return "\n".join(
        f"      {line.new or line.old:3} {signs[line.kind]} {line.text}" for line in lines
    )
