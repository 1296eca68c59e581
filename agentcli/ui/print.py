"""The front-end of `agent -p`: the answer on standard output, everything else beside it."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Iterable
from math import inf
from pathlib import Path

from agentcli.agent.events import AgentEvent, Answer, Question
from agentcli.app.app import App
from agentcli.app.options import Options
from agentcli.config import Config
from agentcli.lib.errors import UserError
from agentcli.lib.streams import silence_stdout
from agentcli.ui.facts import Facts
from agentcli.ui.outputs import Output, make_output
from agentcli.ui.stdin import piped_text, prompts_from_lines

PATIENCE = 30.0
"""Seconds to wait for MCP servers, which could not join later."""
NOBODY = (
    "nobody is there to ask in a headless run. If it is really needed, say that it must be "
    "allowed with --allowed-tools or --permission-mode."
)


class PrintFrontend:
    """Satisfies `Frontend` for one headless run."""

    def __init__(self, output: Output, facts: Facts) -> None:
        self._output = output
        self._facts = facts

    def emit(self, event: AgentEvent) -> None:
        self._facts.note(event)
        self._output.show(event)

    async def ask(self, question: Question) -> Answer:
        return Answer("no", NOBODY)


def run(options: Options, config: Config, root: Path) -> int:
    """Answer and exit; returns the exit code. Raises UserError before anything was spent."""
    facts = Facts(started=time.monotonic())
    output = make_output(options)
    frontend = PrintFrontend(output, facts)
    try:
        prompts = _prompts(options)
        app = App(options, config, frontend, root=root)
    except UserError as error:
        output.failed(str(error), facts)
        raise
    for notice in config.notices:
        sys.stderr.write(f"agent: {notice}\n")
    return asyncio.run(_run(app, prompts, output, facts))


def _prompts(options: Options) -> Iterable[str]:
    if options.input_format == "stream-json":
        return prompts_from_lines(sys.stdin)
    words = " ".join(options.prompt).strip()
    text = "\n\n".join(part for part in (words, piped_text(bool(words))) if part)
    if not text.strip():
        raise UserError('There is nothing to do: give a prompt, as in agent -p "fix the tests".')
    return (text,)


async def _run(app: App, prompts: Iterable[str], output: Output, facts: Facts) -> int:
    signals = _Signals(app)
    app.engine()
    gc.enable()
    try:
        await app.remote.settle(PATIENCE, app.options.deadline or inf)
        output.begin(app)
        with _deadline(app):
            for prompt in prompts:
                end = await app.prompt(prompt)
                if end.reason != "done":
                    break
    except BrokenPipeError:
        facts.reason = "error"
        silence_stdout()
    finally:
        await app.close()
    code = signals.code or facts.exit_code()
    try:
        return output.end(app, facts) or code
    except BrokenPipeError:
        silence_stdout()
        return code or 1


class _Signals:
    """Ctrl-C and SIGTERM end the turn in good order; a second one ends it at once."""

    def __init__(self, app: App) -> None:
        self.code = 0
        self._app = app
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on, number)

    def _on(self, number: int) -> None:
        if self.code:
            os._exit(self.code)
        self.code = 128 + number
        if self._app.busy:
            self._app.interrupt()
        else:
            for task in asyncio.all_tasks():
                task.cancel()


class _deadline:  # reads as a statement
    """Interrupts the running turn when the deadline of the options has passed."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        seconds = self._app.options.deadline
        if seconds is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(seconds, self._app.interrupt, "deadline")

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
