"""A session without a model: plays scripts, for the interactive front-end in a pseudo-terminal."""

import asyncio
import os
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from agentcli.agent.events import (
    PermissionQuestion,
    Queued,
    Replied,
    Spent,
    Streamed,
    ToolEnd,
    ToolProgress,
    ToolStart,
    TurnEnd,
    TurnStart,
    UserQuestion,
)
from agentcli.lib.errors import UserError
from agentcli.llm.cost import Cost
from agentcli.llm.types import AssistantMessage, Text, TextDelta, ToolCall, Usage
from agentcli.tools.base import Action, Command, Diff, text_result

SHORT = (
    "# Plan\n\nI will **fix** the `parse` function, which is the one that breaks when the input "
    "holds no colon at all and nobody looked.\n\n- first\n- second\n\n"
    "| name | count |\n|---|---:|\n| alpha | 1 |\n| beta | 22 |\n\n"
    "```python\ndef parse(x):\n    return x\n```\n\nDone, 日本語 and 🎉 too."
)
USAGE = Usage(input=2900, output=1100, cache_read=38300)
COST = Cost(total=Decimal("0.0123"), saved=Decimal("0.0871"))


@dataclass(frozen=True, slots=True)
class FakeStatus:
    model: str = "fake-model"
    mode: str = "default"
    session_id: str = "s-1"
    context_used: int = 8000
    context: int | None = 200_000
    cost: Cost = COST
    unpriced: int = 0
    cache_expires: float | None = None
    rewrite: object = None
    with_summary: object = None


def long_answer(size: int) -> str:
    """Markdown of every kind, each line numbered so that a lost or doubled one is seen."""
    parts: list[str] = []
    length = number = 0
    while length < size:
        number += 1
        part = (
            f"Paragraph L{number:05} with **bold** words, `code` and plain prose that goes on "
            f"for a while so that it wraps at eighty columns, as prose in answers does.\n\n"
            f"- item I{number:05}\n- other\n\n```python\nvalue_{number} = C{number:05}\n```\n\n"
        )
        parts.append(part)
        length += len(part)
    return "".join(parts)


class FakeSession:
    version = "9.9"
    model = "fake-model"
    root = Path("/tmp")

    def __init__(self, frontend):
        self.frontend = frontend
        self.mode = "default"
        self.busy = False
        self.queue = []
        self._task = None

    def status(self):
        return FakeStatus(mode=self.mode)

    async def warm_up(self):
        pass

    async def prompt(self, text):
        self.busy = True
        self._task = asyncio.ensure_future(self._turn(text))
        try:
            reason = await self._task
        except asyncio.CancelledError:
            reason = "interrupted"
        finally:
            self.busy = False
        end = TurnEnd(reason, 3, USAGE, COST)
        self.frontend.emit(Spent("fake-model", "main", USAGE, COST, 8000, 200_000, None))
        self.frontend.emit(end)
        return end

    async def _turn(self, text):
        emit = self.frontend.emit
        emit(TurnStart(1, "fake-model"))
        await asyncio.sleep(0)
        word, _, rest = text.partition(" ")
        match word:
            case "long":
                await self._stream(long_answer(int(rest)), 20, pause=0)
            case "slow":
                await self._stream(long_answer(int(rest)), 20, pause=0.02)
            case "forever":
                await self._stream("Streaming without end. " * 10_000, 20, pause=0.02)
            case "tool":
                await self._tool()
            case "run":
                await self._command(rest)
            case "ask":
                answer = await self.frontend.ask(UserQuestion("Which one?", ("red", "blue")))
                await self._stream(f"You chose {answer.text!r}.", 20)
            case "escaped":
                await self._stream(rest.encode().decode("unicode_escape"), 3)
            case "say":
                await self._stream(rest, 3)
            case _:
                await self._stream(SHORT, 20, pause=0.002)
        while self.queue:
            queued = self.queue.pop(0)
            emit(Queued(queued))
            await self._stream(f"Heard: {queued}", 20)
        return "done"

    async def _stream(self, text, size, pause=0.0):
        for start in range(0, len(text), size):
            self.frontend.emit(Streamed(TextDelta(text[start : start + size])))
            await asyncio.sleep(pause)
        self.frontend.emit(Replied(AssistantMessage((Text(text),), "fake-model", "end_turn")))

    async def _tool(self):
        diff = Diff("src/a.py", "one\ntwo\nthree\n", "one\n2\nthree\n")
        call = ToolCall("t1", "Edit", {"path": "src/a.py"})
        action = Action("edit", "/tmp/src/a.py", diff)
        answer = await self.frontend.ask(
            PermissionQuestion(call, action, "Edits are asked about.", ("Edit(/src/**)",))
        )
        if answer.verdict == "no":
            await self._stream(f"Denied with: {answer.text!r}.", 20)
            return
        self.frontend.emit(ToolStart(call, action))
        self.frontend.emit(ToolEnd(call, text_result("ok", diff), 0.1))
        await self._stream(f"Edited after {answer.verdict}.", 20)

    async def _command(self, line):
        call = ToolCall("t2", "Bash", {"command": line})
        self.frontend.emit(ToolStart(call, Action("exec", line)))
        output = ""
        for number in range(30):
            output += f"line {number}\n"
            self.frontend.emit(ToolProgress("t2", f"line {number}\n"))
            await asyncio.sleep(0.02)
        self.frontend.emit(ToolEnd(call, text_result(output, Command(line, 1, output)), 2.5))

    def steer(self, text):
        self.queue.append(text)

    def take_queued(self):
        left = tuple(self.queue)
        self.queue.clear()
        return left

    def interrupt(self):
        if self._task is not None:
            self._task.cancel()

    async def run_shell(self, line):
        await self._command(line)

    def set_model(self, name):
        if name == "nope":
            raise UserError("There is no model 'nope'.")
        self.model = name
        return f"Model is now {name}."

    def set_mode(self, mode):
        self.mode = mode

    def models(self):
        return ("fake-model", "other")

    def cost_report(self):
        return "cost table"

    def context_report(self):
        return "the context"

    def permissions_report(self):
        return "rules"

    async def clear(self):
        pass

    async def compact(self, instructions):
        return "Compacted."

    def sessions(self):
        return ()

    async def resume(self, session_id):
        raise UserError(f"{session_id!r} is no session of this folder.")

    async def close(self):
        pass


if __name__ == "__main__":
    from agentcli.ui.repl.app import run

    history = Path(os.environ["HISTORY"]) if os.environ.get("HISTORY") else None
    sys.exit(run(FakeSession, initial_prompt=" ".join(sys.argv[1:]), history=history))
