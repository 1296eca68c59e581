"""Servers for apps in tests: how each is configured, and what is left of them at the end."""

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

PROGRAM = Path(__file__).parent / "mcp_server.py"
PATIENCE = 30


def program(*words):
    """An entry of `.mcp.json`: the server of these tests, started with these words."""
    return {"command": sys.executable, "args": [str(PROGRAM), *words]}


class Old:
    """A server of the old protocol, whose tools a test may change."""

    def __init__(self, folder, *names):
        self.log, self._tools = folder / "old.log", folder / "old.json"
        self.offer(*(names or ("look",)))

    def offer(self, *names, **described):
        """From the next start, or the next `change`, on: tools, some with other descriptions."""
        told = {name: f"Do {name}." for name in names} | described
        schema = {"type": "object", "properties": {"at": {"type": "string"}}}
        listed = [
            {"name": name, "description": text, "inputSchema": schema}
            for name, text in told.items()
        ]
        self._tools.write_text(json.dumps(listed))

    @property
    def entry(self):
        words = [str(PROGRAM.with_name("mcp_old_server.py")), str(self.log), str(self._tools)]
        return {"command": sys.executable, "args": words}

    @property
    def calls(self):
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.removeprefix("call ") for line in lines if line.startswith("call ")]

    @property
    def starts(self):
        return started(self.log)


def configure(root, wait=PATIENCE, **servers):
    """A project's `.mcp.json`; the first request waits long, so that no test depends on speed."""
    (root / ".mcp.json").write_text(json.dumps({"mcpServers": servers}))
    (root / ".agent").mkdir(exist_ok=True)
    (root / ".agent/config.toml").write_text(f"mcp_wait = {wait}\n")


def started(log):
    """The processes that a server's log names."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [int(line.split()[1]) for line in lines if line.startswith("started")]


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def over_http(*words):
    """The server over streamable HTTP, as an entry of `.mcp.json`, and its process."""
    return _served(lambda port: (PROGRAM, f"http={port}", *words))


def old_web(log):
    """The server of the old protocol over HTTP."""
    return _served(lambda port: (PROGRAM.with_name("mcp_old_web.py"), str(port), str(log)))


@contextmanager
def _served(words):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, *map(str, words(port))],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"]},
    )

    def answers():
        with socket.socket() as knock:
            return knock.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until(answers)
        yield {"type": "http", "url": f"http://127.0.0.1:{port}/mcp"}, process
    finally:
        process.kill()
        process.wait()
