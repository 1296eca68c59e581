"""The door to the MCP library: one connection, what is asked through it and what comes back."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, cast

import mcp_types as types
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.context import ClientRequestContext
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost
from mcp.shared._httpx_utils import create_mcp_http_client

from agentcli.lib.text import counted, without_ansi
from agentcli.llm.types import Image, JsonObject, Text
from agentcli.tools.base import Plain, ToolContext, ToolError, ToolResult
from agentcli.tools.images import MAX_BYTES, media_type
from agentcli.tools.output import fitted
from agentcli.tools.remote import Offer
from agentcli.tools.server import Server, Setting

LAST_WORDS = 2_000
"""Characters of a server's standard error that are kept."""
PAGES = 100
"""Pages of a list of tools: a server that has no last one is let down."""
IMAGES = 5
"""Images of one result."""


class Gone(Exception):
    """The connection ended; what was asked may or may not have been done."""


class Expired(Gone):
    """The server has forgotten us: what was asked has not been done."""


class Connection:
    """One server that answers. Made and ended in one task; may be asked from any."""

    def __init__(self, server: Server, client: Client) -> None:
        self._server = server
        self._client = client

    async def offers(self) -> tuple[Offer, ...]:
        """All its tools, as it lists them now."""
        found: list[Offer] = []
        cursor: str | None = None
        for _ in range(PAGES):
            page = await self._client.list_tools(cursor=cursor)
            found += [self._offer(tool) for tool in page.tools]
            cursor = page.next_cursor
            if cursor is None:
                break
        return tuple(found)

    def _offer(self, tool: types.Tool) -> Offer:
        hints = tool.annotations
        words = tool.description or tool.title or ""
        reads = bool(hints and hints.read_only_hint)
        return Offer(self._server.name, tool.name, words, tool.input_schema, reads)

    async def call(self, tool: str, ctx: ToolContext, input: JsonObject) -> ToolResult:
        """Raises ToolError for the model, Gone or Expired when the connection is no more.

        Cancellation tells the server to stop.
        """

        async def heard(progress: float, total: float | None, message: str | None) -> None:
            share = f"{progress / total:.0%}" if total else f"{progress:g}"
            ctx.progress(f"{share} {message or ''}".rstrip() + "\n")

        limit = self._server.timeout
        try:
            result = await self._client.call_tool(tool, input, limit, heard)
        except MCPError as error:
            if error.code == types.CONNECTION_CLOSED:
                raise Gone from None
            if error.message == "Session terminated":
                raise Expired from None
            if error.code == types.REQUEST_TIMEOUT:
                late = f"{tool} did not answer within {limit:g} s and was told to stop."
                raise ToolError(late) from None
            raise ToolError(f"{self._server.name} refused: {error.message}") from None
        except (RuntimeError, ValueError) as error:
            raise ToolError(f"{self._server.name} gave no valid answer: {error}") from None
        return answer(ctx, result)


@asynccontextmanager
async def connected(
    server: Server,
    setting: Setting,
    on_change: Callable[[], None],
    last_words: Callable[[str], None],
) -> AsyncGenerator[Connection]:
    """A connection for as long as it is open. Raises what keeps it from opening.

    `on_change` is called when the server says that its tools are others now; `last_words` gets
    what it prints beside the protocol.
    """
    _quiet()
    async with AsyncExitStack() as stack:
        transport = await _transport(stack, server, setting, last_words)

        async def notified(message: object) -> None:
            if isinstance(message, types.ToolListChangedNotification):
                on_change()

        async def roots(context: ClientRequestContext) -> types.ListRootsResult:
            here = {"roots": [{"uri": setting.root.as_uri()}]}
            return types.ListRootsResult.model_validate(here)

        client = Client(
            transport,
            message_handler=notified,
            list_roots_callback=roots if server.transport == "stdio" else None,
            client_info=types.Implementation(name="agentcli", version=setting.version),
            cache=None,
        )
        await stack.enter_async_context(client)
        listening = asyncio.ensure_future(_listen(client, on_change))
        stack.push_async_callback(_stop, listening)
        yield Connection(server, client)


async def _transport(
    stack: AsyncExitStack, server: Server, setting: Setting, last_words: Callable[[str], None]
) -> Any:
    if server.transport == "sse":
        return sse_client(server.url, headers=dict(server.headers))
    if server.transport == "http":
        http = create_mcp_http_client(headers=dict(server.headers))
        http.event_hooks = {"response": [_refusals(last_words)]}
        await stack.enter_async_context(http)
        return streamable_http_client(server.url, http_client=http)
    parameters = StdioServerParameters(
        command=server.command,
        args=list(server.args),
        env={**setting.env, **server.env},
        cwd=server.folder(setting.root),
        encoding_error_handler="replace",
    )
    errors = await stack.enter_async_context(_overheard(last_words))
    return stdio_client(parameters, errlog=errors)


def _refusals(last_words: Callable[[str], None]) -> Callable[[Any], Awaitable[None]]:
    """Hears of the status that the library keeps to itself."""

    async def hear(response: Any) -> None:
        if response.status_code >= 400 and response.request.method == "POST":
            last_words(f"HTTP {response.status_code} {response.reason_phrase}")

    return hear


@asynccontextmanager
async def _overheard(last_words: Callable[[str], None]) -> AsyncGenerator[Any]:
    """A file to be a server's standard error: read all the time, of which the end is kept."""
    if sys.platform == "win32":
        with open(os.devnull, "wb") as nowhere:
            yield nowhere
        return
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb", buffering=0) as errors:
        loop = asyncio.get_running_loop()
        kept = ""

        class Ears(asyncio.Protocol):
            def data_received(self, data: bytes) -> None:
                nonlocal kept
                kept = (kept + without_ansi(data.decode("utf-8", "replace")))[-LAST_WORDS:]
                last_words(kept)

        transport, _ = await loop.connect_read_pipe(Ears, os.fdopen(reading, "rb", buffering=0))
        try:
            yield errors
        finally:
            transport.close()


async def _listen(client: Client, on_change: Callable[[], None]) -> None:
    """Newer servers tell of changes only to who listens; older ones notify (`notified`)."""
    tools = client.server_capabilities.tools
    if tools is None or not tools.list_changed:
        return
    with suppress(ListenNotSupportedError, SubscriptionLost, MCPError, TimeoutError):
        async with client.listen(tools_list_changed=True) as events:
            async for _ in events:
                on_change()


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _quiet() -> None:
    """What the library logs of a server's noise is no business of the terminal's."""
    for name in ("mcp", "client", "httpx2", "httpcore2"):
        logger = logging.getLogger(name)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


def reason(error: BaseException) -> str:
    """Why a connection failed, in words: of a group the first that tells something."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    if isinstance(error, FileNotFoundError):
        return f"there is no program {error.filename}"
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    return str(error) or type(error).__name__


def answer(ctx: ToolContext, result: types.CallToolResult) -> ToolResult:
    """What a model gets of a result: its words within the caps, its pictures, the rest named."""
    words: list[str] = []
    images: list[Image] = []
    for block in result.content:
        told = _image(block)
        if isinstance(told, Image) and len(images) < IMAGES:
            images.append(told)
        else:
            words.append(told if isinstance(told, str) else "[one image more, left out]")
    if not result.content and result.structured_content is not None:
        words.append(json.dumps(result.structured_content, ensure_ascii=False))
    text = fitted(ctx, "\n".join(words)) if words else ""
    if not text and not images:
        text = "(no output)"
    content = ((Text(text),) if text else ()) + tuple(images)
    return ToolResult(content, Plain(text) if text else None, result.is_error)


def _image(block: types.ContentBlock) -> Image | str:
    """A picture, or the words that stand for a block."""
    match block:
        case types.TextContent():
            return block.text
        case types.ImageContent():
            return _picture(block.data, "image")
        case types.AudioContent():
            return f"[audio, {block.mime_type}, left out]"
        case types.ResourceLink():
            about = f": {block.description}" if block.description else ""
            return f"[resource {block.uri}{about}]"
        case types.EmbeddedResource():
            held = block.resource
            if isinstance(held, types.TextResourceContents):
                return f"[resource {held.uri}]\n{held.text}"
            return _picture(held.blob, f"resource {held.uri}")
        case _:
            return "[content of an unknown kind, left out]"


def _picture(data: str, name: str) -> Image | str:
    try:
        raw = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return f"[{name}, damaged, left out]"
    kind = media_type(raw)
    if kind is None or len(raw) > MAX_BYTES:
        return f"[{name}, {counted(len(raw), 'byte')}, left out]"
    return Image(kind, base64.b64encode(raw).decode())
