"""`agent` and `python -m agentcli`: the version at once, everything else through `cli`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; returns its exit code."""
    if sys.argv[1:] == ["--version"]:
        from agentcli import __version__

        sys.stdout.write(f"agent {__version__}\n")
        return 0
    try:
        from agentcli.cli.entry import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
