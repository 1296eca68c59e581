"""Starts a front-end for a set of options, and turns what ends it into an exit code."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from agentcli.app.options import Options
from agentcli.lib.errors import UserError
from agentcli.lib.streams import silence_stdout


def start(options: Options) -> int:
    """Run until the front-end is done. A UserError becomes its sentence and its exit code."""
    try:
        return _start(options)
    except UserError as error:
        sys.stderr.write(f"agent: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        silence_stdout()
        return 1


def _start(options: Options) -> int:
    from agentcli.config import load

    root = Path(os.getcwd())
    headless = options.print or options.output_format != "text"
    if not headless and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError('This is no terminal to talk in; use agent -p "prompt" for a headless run.')
    config = load(root, os.environ, trusted=options.trust)
    if headless:
        from agentcli.ui.print import run

        return run(options, config, root)
    from agentcli.ui.repl.app import run as run_repl  # door: prompt_toolkit, rich

    first = " ".join(options.prompt)
    return run_repl(replace(options, prompt=()), config, root, initial_prompt=first)
