"""What a session costs the machine and the cache: tokens read, CPU and memory of the agent.

Runs the real `agent` against the simulated provider on loopback. CPU and memory are the agent's
own, read from /proc (Linux). Prints a table and exits with 1 when a limit is broken.
"""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from strict_server import serve

from agentcli.lib.value import replace
from agentcli.llm.simulator import Script, SimulatedProvider, calls, says

AGENT = str(Path(sys.executable).parent / "agent")
PROMPT_MARK = b" \xc2\xb7 default"
TEXT_BYTES = 200_000
DELTA = 20


class Watched(SimulatedProvider):
    """Notes the agent's CPU whenever a request has arrived and whenever an answer has left."""

    def __init__(self, script: Any) -> None:
        super().__init__(script)
        self.pid = 0
        self.arrived: list[float] = []
        self.left: list[float] = []

    def answer(self, method: str, url: str, headers: Any, body: bytes) -> Any:
        self.arrived.append(cpu_seconds(self.pid))
        answer = super().answer(method, url, headers, body)
        return replace(answer, body=self._noted(answer.body))

    def _noted(self, body: Any) -> Iterator[bytes]:
        yield from body
        self.left.append(cpu_seconds(self.pid))

    def between(self, number: int) -> float:
        """CPU seconds from the end of an answer to the arrival of the next request.

        The median of the ten that end with answer `number`, counted from 1.
        """
        some = range(number - 9, number + 1)
        return statistics.median(self.arrived[n] - self.left[n - 1] for n in some)


def cpu_seconds(pid: int) -> float:
    tasks = Path(f"/proc/{pid}/task")
    try:
        return sum(int((t / "schedstat").read_text().split()[0]) for t in tasks.iterdir()) / 1e9
    except FileNotFoundError:
        return 0.0


@dataclass
class Run:
    provider: Watched
    result: dict[str, Any]
    peak_mb: float
    cpu: float


@dataclass
class Folder:
    """A project of small files, an empty home, and the agent run in it."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)

    def agent(self, script: Any, words: tuple[str, ...], stdin: str = "") -> Run:
        provider = Watched(script)
        with serve(provider) as server:
            process = subprocess.Popen(
                [AGENT, "-p", "--output-format", "json", "--permission-mode", "bypass", *words],
                env=self.env | {"ANTHROPIC_BASE_URL": server.url},
                cwd=self.root,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            provider.pid = process.pid
            process.stdin.write(stdin)
            process.stdin.close()
            out = process.stdout.read()
            _, _, usage = os.wait4(process.pid, 0)
        result = json.loads(out.splitlines()[-1])
        if result.get("is_error"):
            raise SystemExit(f"the agent failed: {result}")
        return Run(provider, result, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime)


@contextmanager
def folder(files: int = 0, lines: int = 60) -> Iterator[Folder]:
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as root:
        subprocess.run(["git", "init", "-q", root], check=True)
        for number in range(files):
            rows = (f"def part_{number}_{n}(value):  # row {n}\n" for n in range(lines))
            (Path(root) / f"module_{number}.py").write_text("".join(rows))
        env = {"HOME": home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        yield Folder(Path(root), env | {"ANTHROPIC_API_KEY": "test", "AGENT_MODEL": "sonnet"})


def recorded_session(turns: int) -> tuple[list[Any], str]:
    """Each turn: look at a module, change it, run something, answer."""
    script: list[Any] = []
    for n in range(turns):
        path = f"module_{n}.py"
        edit = {"path": path, "old": f"part_{n}_0(value)", "new": f"first_{n}(value)"}
        script += [
            calls(("Read", {"path": path}), ("Grep", {"pattern": f"part_{n}_1"})),
            calls(("Edit", edit), text="Renaming the first function."),
            calls(("Bash", {"command": f"python3 -m compileall -q {path}; wc -l {path}"})),
            says("Renamed it; every caller was in the same file. " * 4),
        ]
    lines = [
        {"type": "user", "message": {"role": "user", "content": f"Rename the first of module {n}."}}
        for n in range(turns)
    ]
    return script, "".join(json.dumps(line) + "\n" for line in lines)


def long_turn(steps: int) -> list[Any]:
    reads = [calls(("Read", {"path": f"module_{n}.py"})) for n in range(steps)]
    return [*reads, says("Read them all.")]


def markdown(size: int) -> str:
    part = (
        "Some *words* of prose with `code` in them, and a [link](https://example.org).\n\n- item\n"
    )
    return (part * (size // len(part) + 1))[:size]


def streamed(text: str) -> Script:
    """A long text in small deltas, in two answers, since one would pass the output limit."""
    half = len(text) // 2
    first = calls(("Glob", {"pattern": "*.none"}), text=text[:half])
    return Script((first, says(text[half:])), delta=DELTA)


def terminal_bytes(place: Folder, text: str) -> float:
    """Bytes written to a terminal while an answer streams, by byte of its text."""
    with serve(SimulatedProvider(streamed(text))) as server:
        env = place.env | {"ANTHROPIC_BASE_URL": server.url, "TERM": "xterm-256color"}
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(place.root)
            os.execve(AGENT, [AGENT, "go on"], env)
        seen = _until_asked(terminal)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
    return seen / len(text)


def _until_asked(terminal: int) -> int:
    count, tail = 0, b""
    while b"2 steps" not in tail:
        if not select.select([terminal], [], [], 60)[0]:
            raise TimeoutError(f"no end of the turn; seen last: {tail[-300:]!r}")
        data = os.read(terminal, 65536)
        count += len(data)
        tail = (tail + data)[-70_000:]
        if b"\x1b[6n" in data:
            os.write(terminal, b"\x1b[1;1R")
    return count


def session_rows() -> Iterator[tuple[str, float, float, str]]:
    with folder(files=30) as place:
        script, prompts = recorded_session(30)
        run = place.agent(script, ("--input-format", "stream-json"), prompts)
        usage = run.result["usage"]
        read, written = usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]
        share = read / (usage["input_tokens"] + read + written)
        yield "30 turns with tools: not from cache, %", 100 - 100 * share, 5.0, "%"
    with folder(files=200, lines=10) as place:
        run = place.agent(long_turn(200), ("--max-turns", "300", "read them"))
        yield "CPU between requests, around the 10th, ms", run.provider.between(10) * 1000, 20, "ms"
        yield (
            "CPU between requests, around the 200th, ms",
            run.provider.between(200) * 1000,
            20,
            "ms",
        )
    with folder(files=50) as place:
        run = place.agent(long_turn(50), ("--max-turns", "60", "read them"))
        yield "50 requests: peak memory, MB", run.peak_mb, 90, "MB"


def streaming_rows() -> Iterator[tuple[str, float, float, str]]:
    with folder() as place:
        small = place.agent(streamed("x" * DELTA), ("go on",))
        large = place.agent(streamed(markdown(TEXT_BYTES)), ("go on",))
        each = (large.cpu - small.cpu) / (TEXT_BYTES / DELTA) * 1000
        growth = (large.peak_mb - small.peak_mb) * 1024 * 1024 / TEXT_BYTES
        yield "200 KB in 20-byte deltas: CPU a delta, ms", each, 0.1, "ms"
        yield "  memory growth, x text", growth, 3, "x"
        yield "  bytes to a terminal, x text", terminal_bytes(place, markdown(TEXT_BYTES)), 3, "x"


def main() -> int:
    print(f"{'':44}{'measured':>10}{'limit':>8}")
    broken = 0
    for rows in (session_rows(), streaming_rows()):
        for name, measured, limit, _ in rows:
            broken += measured > limit
            print(f"{name:44}{measured:10.3f}{limit:8.1f}", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
