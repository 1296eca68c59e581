"""A server on this machine that behaves as badly as a test wants."""

import asyncio
from contextlib import asynccontextmanager

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def sized(body, status=b"200 OK", *headers):
    lines = [b"HTTP/1.1 " + status, b"content-length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


async def read_request(reader):
    """(request line, headers in lower case, body), or None when the client has gone."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    return first, headers, await reader.readexactly(int(headers.get("content-length", 0)))


class Loopback:
    """Serves `answer(number, request, writer)`; keeps what was asked, and counts connections."""

    def __init__(self, answer):
        self._answer = answer
        self.requests = []
        self.connections = 0
        self.gone = asyncio.Event()
        self.url = ""
        self._open = {}

    async def serve(self, reader, writer):
        self.connections += 1
        self._open[writer] = asyncio.current_task()
        try:
            while request := await read_request(reader):
                self.requests.append(request)
                if await self._answer(len(self.requests), request, writer) == "close":
                    break
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.gone.set()
            del self._open[writer]
            writer.transport.abort()

    async def stop(self):
        tasks = list(self._open.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


@asynccontextmanager
async def loopback(answer, *, ssl=None, host="127.0.0.1"):
    box = Loopback(answer)
    server = await asyncio.start_server(box.serve, host, 0, ssl=ssl)
    port = server.sockets[0].getsockname()[1]
    name = f"[{host}]" if ":" in host else host
    box.url = f"{'https' if ssl else 'http'}://{name}:{port}/v1/messages"
    try:
        yield box
    finally:
        server.close()
        await box.stop()


def reset(writer):
    """Close with a RST, as a crashed proxy does."""
    import socket
    import struct

    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
