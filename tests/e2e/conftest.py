"""The real `agent` in a process of its own, in a small project, against the strict provider."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass

import pytest
from e2e_routes import ROUTES
from strict_server import serve
from terminal import Driven

from agentcli.llm.simulator import SimulatedProvider

FORBIDDEN = (b"\x1b[2J", b"\x1b[3J", b"\x1b[?1049h", b"\x1b[?47h", b"\x1bc")


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class Project:
    """A folder to work in, and how `agent` is run there."""

    def __init__(self, root, env):
        self.root = root
        self.env = env

    def agent(self, *words, stdin="", env=None, timeout=60):
        done = subprocess.run(
            [sys.executable, "-m", "agentcli", *words],
            cwd=self.root,
            env={**self.env, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def begin(self, *words, **options):
        """Started, not waited for."""
        return subprocess.Popen(
            [sys.executable, "-m", "agentcli", *words],
            cwd=self.root,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    @staticmethod
    def interrupt(process):
        """Ctrl-C."""
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        return Ran(process.returncode, out, err)

    def kept(self):
        """The lines of the only session file."""
        (path,) = (self.root.parent / "home").rglob("*.jsonl")
        return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def project(tmp_path):
    root, home = tmp_path / "project", tmp_path / "home"
    root.mkdir()
    home.mkdir()
    (root / "a.txt").write_text("alpha\n")
    env = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    env |= {"HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "AGENT_CHECK_PREFIX": "1"}
    env["PYTHONWARNINGS"] = "error,ignore::ResourceWarning"
    return Project(root, env)


@pytest.fixture
def provider(project):
    """Serve a script and point the project's environment at it, on one of the wires."""
    opened = []

    def start(script, wire="anthropic", **options):
        model, prefix = ROUTES[wire]
        context = serve(SimulatedProvider(script, **options))
        server = context.__enter__()
        opened.append(context)
        base = server.url if wire == "anthropic" else f"{server.url}/v1"
        project.env |= {f"{prefix}_BASE_URL": base, f"{prefix}_API_KEY": "key"}
        project.env["AGENT_MODEL"] = model
        return server

    yield start
    for context in opened:
        context.__exit__(None, None, None)


@pytest.fixture(params=ROUTES)
def wire(request):
    return request.param


@pytest.fixture
def talk(project):
    """Opens the REPL in the project; closed at the end."""
    opened = []

    def start(*words, **keywords):
        argv = [sys.executable, "-m", "agentcli", *words]
        driven = Driven(argv, env=project.env, cwd=project.root, **keywords)
        opened.append(driven)
        driven.until("(/help)")
        driven.until("· $0.00")
        return driven

    yield start
    for driven in opened:
        assert not [code for code in FORBIDDEN if code in driven.written]
        assert "Traceback" not in driven.everything
        driven.close()
