"""How each local server is asked about a model, and where its answer says what (wire.md 5.10)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, cast

from agentcli.lib.value import value
from agentcli.llm.errors import LLMError
from agentcli.llm.fetch import Fetch
from agentcli.llm.types import JsonObject, PreparedRequest


@value
class Seen:
    """What a server says of one model; None where it does not say."""

    context: int | None = None
    """Tokens it takes as it is loaded now."""
    largest: int | None = None
    """Tokens it could be loaded with."""
    tools: bool | None = None
    images: bool | None = None
    thinking: bool | None = None


@value
class Server:
    """One local server: where it is, and how it is asked."""

    root: str
    model: str
    headers: dict[str, str]
    fetch: Fetch

    async def ask(self, path: str, body: bytes = b"") -> JsonObject:
        """The JSON object at `path` (POST where there is a body); empty where there is none."""
        method = "POST" if body else "GET"
        request = PreparedRequest(self.root + path, self.headers, body, method)
        try:
            answer = await self.fetch(request)
        except LLMError:
            return {}
        return _object(answer.json()) if answer.status == 200 else {}


async def _ollama(server: Server) -> Seen:
    """`/api/ps` has the window a loaded model got, `/api/show` what the model could have."""
    shown = await server.ask("/api/show", json.dumps({"model": server.model}).encode())
    if not shown:
        return Seen()
    info = _object(shown.get("model_info"))
    largest = next((_count(v) for k, v in info.items() if k.endswith(".context_length")), None)
    running = _rows((await server.ask("/api/ps")).get("models"))
    names = (server.model, f"{server.model}:latest")
    loaded = [row for row in running if row.get("name") in names or row.get("model") in names]
    own = _num_ctx(str(shown.get("parameters") or ""))
    context = _count(loaded[0].get("context_length")) if loaded else own
    if context is not None and largest is not None:
        context = min(context, largest)
    able = shown.get("capabilities")
    return Seen(context, largest, *(_is_in(able, word) for word in _OLLAMA_WORDS))


_OLLAMA_WORDS = ("tools", "vision", "thinking")


def _num_ctx(parameters: str) -> int | None:
    """The Modelfile's own window: a line `num_ctx 8192`."""
    lines = (line.split() for line in parameters.splitlines())
    return next((_count(line[-1]) for line in lines if line[:1] == ["num_ctx"]), None)


async def _lmstudio(server: Server) -> Seen:
    """The v1 list where the server is new enough, else the v0 one."""
    for row in _rows((await server.ask("/api/v1/models")).get("models")):
        loaded = _rows(row.get("loaded_instances"))
        mine = [one for one in loaded if one.get("id") == server.model]
        if not mine and row.get("key") != server.model:
            continue
        configs = [_object(one.get("config")) for one in mine or loaded]
        able = _object(row.get("capabilities"))
        return Seen(
            _count(configs[0].get("context_length")) if configs else None,
            _count(row.get("max_context_length")),
            _answer(able.get("trained_for_tool_use")),
            _answer(able.get("vision")),
        )
    for row in _rows((await server.ask("/api/v0/models")).get("data")):
        if row.get("id") == server.model:
            able = row.get("capabilities")
            return Seen(
                _count(row.get("loaded_context_length")),
                _count(row.get("max_context_length")),
                _is_in(able, "tool_use"),
                row["type"] == "vlm" if "type" in row else None,
            )
    return Seen()


async def _llamacpp(server: Server) -> Seen:
    """`/props` has the window of one slot, which is all that one request can use."""
    props = await server.ask("/props")
    context = _count(_object(props.get("default_generation_settings")).get("n_ctx"))
    if context is None:
        return Seen()
    listed = _rows((await server.ask("/v1/models")).get("data"))
    meta = _object(listed[0].get("meta")) if listed else {}
    return Seen(
        context,
        _count(meta.get("n_ctx_train")),
        _answer(_object(props.get("chat_template_caps")).get("supports_tools")),
        _answer(_object(props.get("modalities")).get("vision")),
    )


async def _openai_list(server: Server) -> Seen:
    """vLLM and SGLang tell the window in the list of models."""
    for row in _rows((await server.ask("/v1/models")).get("data")):
        if row.get("id") == server.model:
            return Seen(_count(row.get("max_model_len")))
    return Seen()


Reader = Callable[[Server], Awaitable[Seen]]
READERS: dict[str, tuple[Reader, ...]] = {
    "ollama": (_ollama,),
    "lmstudio": (_lmstudio,),
    "llamacpp": (_llamacpp,),
    "llamafile": (_llamacpp,),
    "vllm": (_openai_list,),
    "sglang": (_openai_list,),
}
EVERY: tuple[Reader, ...] = (_openai_list, _llamacpp, _ollama, _lmstudio)
"""For a server of the person's own, which may be any of them."""


def _object(data: Any) -> JsonObject:
    return cast("JsonObject", data) if isinstance(data, dict) else {}


def _rows(data: Any) -> list[JsonObject]:
    return [_object(row) for row in cast("list[Any]", data)] if isinstance(data, list) else []


def _count(data: Any) -> int | None:
    """A number of tokens; None for what is no such number."""
    if isinstance(data, str) and data.isdecimal():
        return int(data) or None
    return data if isinstance(data, int) and not isinstance(data, bool) and data > 0 else None


def _is_in(able: Any, word: str) -> bool | None:
    """Whether a list of abilities names one; None where there is no list."""
    return word in able if isinstance(able, list) else None


def _answer(data: Any) -> bool | None:
    return data if isinstance(data, bool) else None
