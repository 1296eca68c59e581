"""A real HTTP server on 127.0.0.1 over a simulated provider, for tests of the whole way.

Also a program: `python tests/strict_server.py SCRIPT.json [--key KEY]` prints its URL and serves.
"""

import argparse
import asyncio
import json
import math
import sys
import threading
import time
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from agentcli.llm.simulator import SimulatedProvider
from agentcli.llm.simulator.script_json import parse_script

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many"}
MAX_BODY = 64_000_000


@dataclass(frozen=True)
class Fault:
    """What happens to one connection, below HTTP; taken by the next request.

    "close": closed before the head. "cut": closed after `after` bytes of the body. "hang": never
    answered. "stall": silent for ever after `after` bytes of the body. "garbage": no HTTP.
    """

    kind: str
    after: int = 0


@dataclass(frozen=True)
class Request:
    """One request as it arrived; `at` is monotonic, in seconds."""

    method: str
    path: str
    headers: dict
    raw: bytes
    at: float
    connection: int
    """Number of the connection it came over, counted from 1."""

    @property
    def body(self):
        return json.loads(self.raw)

    @property
    def messages_bytes(self):
        """The talk as it came over the wire, marks aside, without the closing bracket."""
        body = self.body
        value = body.get("messages", body.get("input"))
        return json.dumps(without_marks(value), ensure_ascii=False).encode()[:-1]

    @property
    def head_bytes(self):
        """What stands before the talk in the prefix: tools, system, instructions."""
        body = self.body
        fixed = [body.get(name) for name in ("model", "tools", "system", "instructions")]
        return json.dumps(without_marks(fixed), ensure_ascii=False).encode()


def without_marks(value):
    """A JSON value without cache marks; the order of everything else is kept."""
    marks = ("cache_control", "prompt_cache_breakpoint")
    if isinstance(value, dict):
        return {k: without_marks(v) for k, v in value.items() if k not in marks}
    if isinstance(value, list):
        return [without_marks(v) for v in value]
    return value


class Server:
    """Serves on a free port until closed; every request is kept, oldest first."""

    def __init__(self, provider):
        self.provider = provider
        self.requests = []
        self.faults = deque()
        self.connections = 0
        self.url = ""
        self._port = 0
        self._server = None
        self._open = set()

    async def start(self):
        self._server = await asyncio.start_server(
            self._connection, "127.0.0.1", self._port, limit=MAX_BODY
        )
        self._port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def stop(self):
        """Stop listening and drop every connection; `start` listens on the same port again."""
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    def assert_prefix(self):
        """Each request of a model begins with the bytes of the one before it, marks aside."""
        last = {}
        for number, request in enumerate(self.requests, 1):
            model = request.body.get("model")
            before = last.get(model)
            if before is not None:
                assert request.head_bytes == before.head_bytes, f"request {number}: another head"
                talk, old = request.messages_bytes, before.messages_bytes
                assert talk.startswith(old), f"request {number}: {_difference(old, talk)}"
            last[model] = request

    async def _connection(self, reader, writer):
        self.connections += 1
        task = asyncio.current_task()
        self._open.add(task)
        try:
            await self._serve(reader, writer, self.connections)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.transport.abort()

    async def _serve(self, reader, writer, number):
        while True:
            request = await _read(reader, number)
            if request is None:
                return
            self.requests.append(request)
            fault = self.faults.popleft() if self.faults else None
            if fault is not None and await _before_answer(fault, writer):
                return
            url = self.url + request.path
            answer = self.provider.answer(request.method, url, request.headers, request.raw)
            if answer.wait:
                await (asyncio.Event().wait() if math.isinf(answer.wait) else _pause(answer.wait))
            await _send_head(writer, answer)
            if not await _send_body(writer, answer, fault):
                return


async def _read(reader, connection):
    """The next request of a connection; None when the client is done with it."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, path, headers, body, time.monotonic(), connection)


async def _before_answer(fault, writer):
    """Whether the connection ends here."""
    match fault.kind:
        case "close":
            return True
        case "hang":
            await asyncio.Event().wait()
        case "garbage":
            writer.write(b"SSH-2.0-OpenSSH_9.9\r\n")
            await writer.drain()
            return True
    return False


async def _send_head(writer, answer):
    lines = [f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    lines += ["transfer-encoding: chunked", "", ""]
    writer.write("\r\n".join(lines).encode("latin-1"))
    await writer.drain()


async def _send_body(writer, answer, fault):
    """False when the body broke off, so that the connection can't go on."""
    limit = fault.after if fault is not None else None
    sent = 0
    for piece in answer.body:
        if answer.pause:
            await _pause(answer.pause)
        data = piece if limit is None else piece[: max(0, limit - sent)]
        sent += len(data)
        if data:
            writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            await writer.drain()
        if limit is not None and sent >= limit:
            if fault.kind == "stall":
                await asyncio.Event().wait()
            return False
        if writer.is_closing():
            return False
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


async def _pause(seconds):
    await asyncio.sleep(seconds)


def _difference(old, new):
    at = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), len(new))
    return f"byte {at} of the talk: {old[at : at + 80]!r} became {new[at : at + 80]!r}"


class Served(Server):
    """A server in a thread of its own, steered from the test's thread."""

    def __init__(self, provider):
        super().__init__(provider)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def open(self):
        self._thread.start()
        self._run(self.start())

    def refuse(self):
        """From now on nobody listens: connections are refused until `accept`."""
        self._run(self.stop())

    def accept(self):
        self._run(self.start())

    def close(self):
        self._run(self.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=30)


@contextmanager
def serve(provider):
    """A `Served`; its `.url` is the base URL."""
    served = Served(provider)
    served.open()
    try:
        yield served
    finally:
        served.close()


async def _forever(provider):
    server = Server(provider)
    await server.start()
    print(server.url, flush=True)
    await asyncio.Event().wait()


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("script", help="a script in JSON (agentcli.llm.simulator.script_json)")
    parser.add_argument("--key", help="the only key that is accepted")
    options = parser.parse_args(arguments)
    with open(options.script, "rb") as file:
        script = parse_script(file.read())
    with suppress(KeyboardInterrupt):
        asyncio.run(_forever(SimulatedProvider(script, key=options.key)))


if __name__ == "__main__":
    main(sys.argv[1:])
