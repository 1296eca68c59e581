"""How long `agent` takes to start, as ratios to bare Python measured in the same run.

Prints a table and exits with 1 when a limit is broken. Run it with `make bench`.
"""

from __future__ import annotations

import os
import pty
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

BIN = Path(sys.executable).parent
AGENT = str(BIN / "agent")
RUNS = 15
PROMPT_MARK = " · default".encode()


def bare(env: dict[str, str]) -> float:
    return whole([sys.executable, "-I", "-c", "pass"], env)


def whole(argv: list[str], env: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(argv, env=env, stdout=subprocess.DEVNULL, check=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - started


def first_byte(env: dict[str, str], folder: str) -> float:
    """Process start until the first byte of the first request reaches a server on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        arrived: list[float] = []

        def accept() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1)
                arrived.append(time.perf_counter())

        listener = threading.Thread(target=accept, daemon=True)
        listener.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        full = env | {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "test-key"}
        started = time.perf_counter()
        process = subprocess.Popen(
            [AGENT, "-p", "hello"],
            env=full,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        listener.join(20)
        process.kill()
        process.wait()
        return arrived[0] - started


def prompt_visible(env: dict[str, str], folder: str) -> float:
    """Process start until the prompt sign is drawn in a terminal."""
    full = env | {"ANTHROPIC_API_KEY": "test-key", "TERM": "xterm-256color"}
    started = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execve(AGENT, [AGENT], full)
    seen = b""
    try:
        while PROMPT_MARK not in seen:
            if not select.select([terminal], [], [], 20)[0]:
                raise TimeoutError(f"no prompt; seen: {seen!r}")
            seen += os.read(terminal, 65536)
            if b"\x1b[6n" in seen:
                os.write(terminal, b"\x1b[1;1R")
                seen = seen.replace(b"\x1b[6n", b"")
        return time.perf_counter() - started
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def ratio(measure: Callable[[], float], env: dict[str, str]) -> tuple[float, float]:
    """The median of pairwise ratios to bare Python, and the median in milliseconds."""
    measure()
    pairs = [(bare(env), measure()) for _ in range(RUNS)]
    return (
        statistics.median(mine / base for base, mine in pairs),
        statistics.median(mine for _, mine in pairs) * 1000,
    )


def main() -> int:
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "init", "-q", folder], check=True)
        env = {"HOME": home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        rows: list[tuple[str, float, Callable[[], float]]] = [
            ("agent --version", 1.5, lambda: whole([AGENT, "--version"], env)),
            ("agent --help", 8, lambda: whole([AGENT, "--help"], env)),
            ("agent -p, first request byte", 15, lambda: first_byte(env, folder)),
            ("agent, prompt visible", 20, lambda: prompt_visible(env, folder)),
        ]
        print(f"{'':32}{'x bare':>8}{'limit':>8}{'ms':>8}")
        broken = 0
        for name, limit, measure in rows:
            times, milliseconds = ratio(measure, env)
            broken += times > limit
            print(f"{name:32}{times:8.2f}{limit:8.1f}{milliseconds:8.0f}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
