"""Starts a front-end for a set of options, and turns what ends it into an exit code."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from agentcli.app.options import DEMO, Options
from agentcli.config import Config, load, places
from agentcli.lib.errors import UserError
from agentcli.lib.streams import silence_stdout
from agentcli.lib.value import replace


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
    root = Path(os.getcwd())
    headless = options.print or options.output_format != "text"
    if not headless and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError('This is no terminal to talk in; use agent -p "prompt" for a headless run.')
    if options.model == DEMO and not headless:
        from agentcli.ui import demo

        return demo.talk(options, lambda chosen, folder: _talk(chosen, Config(), folder))
    config = _configured(root, options, trusted=options.trust)
    if headless:
        from agentcli.ui.print import run as run_headless

        return run_headless(options, config, root)
    if config.notices and _asks_for_trust(root):
        config = _configured(root, options, trusted=False)
    return _talk(options, config, root)


def _configured(root: Path, options: Options, *, trusted: bool) -> Config:
    config = load(root, os.environ, trusted=trusted)
    for given in options.mcp_config:
        from agentcli.config.servers import from_flag  # only for those who name some

        config = replace(config, servers=config.servers | from_flag(given, root))
    return config


def _talk(options: Options, config: Config, root: Path) -> int:
    from agentcli.app.app import App
    from agentcli.commands.markdown import load as load_custom
    from agentcli.ui.repl.app import run  # door: prompt_toolkit, rich

    here = places(os.environ)
    folders = [here.config / "commands"]
    if not config.notices:
        folders += [root / ".claude" / "commands", root / ".agent" / "commands"]
    custom, problems = load_custom(folders)
    for problem in problems:
        sys.stderr.write(f"agent: {problem}\n")
    return run(
        lambda frontend: App(options, config, frontend, root=root),
        initial_prompt=" ".join(options.prompt),
        history=here.history,
        custom=custom,
    )


def _asks_for_trust(root: Path) -> bool:
    """Show what the project brings and let the person decide; remembers a yes."""
    from agentcli.lib.text import visible
    from agentcli.policy.trust import executable, trust

    sys.stdout.write("This project brings configuration that can run programs:\n")
    for name in executable(root):
        path = root / name
        if path.is_file():
            text = visible(path.read_text(encoding="utf-8", errors="replace"))
            sys.stdout.write(f"\n{name}:\n{text}\n")
    answer = input("Trust it? [y/N] ").strip().lower()
    if answer not in ("y", "yes"):
        return False
    trust(places(os.environ).trust, root)
    return True
