"""From the command line to a front-end, loading nothing that this command line does not need."""

from __future__ import annotations

import gc
import os
import sys

HELP = os.path.join(os.path.dirname(__file__), "help.txt")


def run(argv: list[str]) -> int:
    """Exit codes: 0 done, 1 failed, 2 bad flags or configuration, 3 limit, 4 denied, 130, 143."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        from agentcli.lib.streams import open_missing

        open_missing()
        if sys.stdout is None:
            sys.stderr.write("agent: standard output is closed: an answer could go nowhere.\n")
            return 2
    if argv in (["--help"], ["-h"]):
        with open(HELP, encoding="utf-8") as text:
            sys.stdout.write(text.read())
        return 0
    gc.disable()  # starting makes no garbage; collecting it costs a tenth of the start
    from agentcli.cli.quick import parse

    options = parse(argv)
    if options is None:
        from agentcli.cli.commands import run_typer  # door: typer

        gc.enable()
        return run_typer(argv)
    from agentcli.cli.start import start

    return start(options)
