"""What a server on this machine really gives a model: asked of it, never guessed (wire.md 5.10)."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from agentcli.lib.value import replace
from agentcli.llm.estimate import tokens_of, tokens_of_block, tokens_of_tools
from agentcli.llm.fetch import Fetch
from agentcli.llm.local_servers import EVERY, READERS, Seen, Server
from agentcli.llm.route import Route
from agentcli.llm.types import Image, Request, Thinking, Usage

PATIENCE = 2.0
"""Seconds for all that is asked of one server."""
SMALL = 32_000
"""Fewer tokens than this hold few files; Ollama starts with 4,096 (wire.md 5.10)."""
SLACK = 1_000
"""Tokens an estimate may be off without any reason."""


async def look(route: Route, fetch: Fetch) -> Seen:
    """What the route's server says of its model; an empty answer from one that is silent."""
    root = route.url.removesuffix("/v1").removesuffix("/api")
    headers = {"authorization": f"Bearer {route.key}"} if route.key else {}
    server = Server(root, route.model.id, headers, fetch)
    seen = Seen()
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            for reader in READERS.get(route.provider.name, EVERY):
                seen = await reader(server)
                if seen != Seen():
                    break
    return seen


def fitted(route: Route, seen: Seen) -> Route:
    """The route with what its server said; a smaller window of the person's own choice stays."""
    model, provider = route.model, route.provider
    sizes = [size for size in (seen.context, model.context) if size]
    model = replace(model, context=min(sizes, default=None))
    if seen.images is not None:
        model = replace(model, images=seen.images)
    if seen.tools is False:
        provider = replace(provider, quirks=replace(provider.quirks, tools=False))
    if seen.thinking is False:  # Ollama refuses an effort then
        provider = replace(provider, quirks=replace(provider.quirks, switch=""))
    return replace(route, model=model, provider=provider)


def advice(route: Route, seen: Seen) -> tuple[str, ...]:
    """What the person should know before they wonder."""
    name, where = route.model.id, route.provider.name
    said: list[str] = []
    if seen.context is not None and seen.context < SMALL:
        more = f" of the {seen.largest:,} it can have" if seen.largest else ""
        said.append(
            f"{where} gives {name} a window of {seen.context:,} tokens{more}; little fits, and "
            f"{LOSS.get(where, 'what does not fit is refused or left out')}. {RAISE.get(where, '')}"
        )
    if seen.tools is False:
        said.append(
            f"{name} has no tools at {where}, so it can talk but not read, edit or run anything."
            f"{' Start llama-server with --jinja.' if where == 'llamacpp' else ''}"
        )
    return tuple(line.strip() for line in said)


LOSS = {"ollama": "the oldest messages are left out silently"}
RAISE = {
    "ollama": "Start it with OLLAMA_CONTEXT_LENGTH=65536 ollama serve, or set num_ctx in the "
    "model's Modelfile.",
    "lmstudio": "Load it with `lms load --context-length 65536`.",
    "llamacpp": "Start llama-server with -c 65536 (shared by its slots: see -np).",
    "vllm": "Start it with --max-model-len 65536.",
    "sglang": "Start it with --context-length 65536.",
}


def sent(request: Request) -> int:
    """A low estimate of a prompt: images and earlier reasoning may not be sent again."""
    blocks = [b for m in request.messages for b in m.content if not isinstance(b, Thinking)]
    head = tokens_of_tools(request.tools) + sum(tokens_of(part) for part in request.system)
    return head + sum(tokens_of_block(b) for b in blocks if not isinstance(b, Image))


def truncated(estimate: int, usage: Usage, context: int | None = None) -> str | None:
    """One sentence where a server read much less than was sent; None where it read it all.

    Where the window is known and holds the estimate, old Ollamas only do not count what they had
    cached (wire.md 5.10).
    """
    read = usage.prompt
    if not read or read * 2 > estimate or estimate - read < SLACK:
        return None
    if context is not None and estimate < context:
        return None
    window = f" (its window: {context:,})" if context else ""
    return (
        f"The server read {read:,} tokens of about {estimate:,} that were sent{window}: it left "
        "out the beginning without saying so. Give it a larger window, or /compact."
    )
