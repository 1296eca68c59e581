"""Every request body against the types of the vendor's own SDK; where we depart, and why."""

import json
from pathlib import Path

import pytest
from golden_requests import LEVELS, MARKED, PLANS, SHARED
from sdk_types import refused

from agentcli.llm.cache import NO_PLAN
from agentcli.llm.models import ModelSpec
from agentcli.llm.providers import Provider, Route
from agentcli.llm.wire import WIRES, load

GOLDEN = sorted((Path(__file__).parent.parent / "llm/wire").glob("*/*.request.json"))
SDKS = {
    "anthropic": "anthropic.types",
    "anthropic-bedrock": "anthropic.types",
    "anthropic-vertex": "anthropic.types",
    "bedrock": "botocore",
    "gemini": "google.genai",
    "openai-chat": "openai",
    "openai-responses": "openai",
}
CLAUDE = {"max_output": 128_000, "efforts": LEVELS, "thinking": "adaptive", "cache": MARKED}
FLASH = {"max_output": 65_536, "efforts": LEVELS, "thinking": "effort"}
MODELS = {
    "anthropic-bedrock": ModelSpec("us.anthropic.claude-opus-5-5", "bedrock", **CLAUDE),
    "anthropic-vertex": ModelSpec("claude-opus-5-5", "vertex", **CLAUDE),
    "bedrock": ModelSpec("us.anthropic.claude-opus-5-5", "bedrock", **CLAUDE),
    "gemini": ModelSpec("gemini-3.8-flash", "gemini", **FLASH),
}
"""Whose bodies are made here from the requests that all wires share."""
EXTENSIONS = {
    "cache_control": "Anthropic's marks on Chat: OpenRouter, DashScope (wire.md 5.5, 5.8)",
    "reasoning_content": "DeepSeek and Kimi want their reasoning back (wire.md 5.1, 5.6)",
    "reasoning_details": "OpenRouter wants its reasoning back (wire.md 5.5)",
    "reasoning": "OpenRouter's switch for effort (wire.md 5.5)",
    "thinking": "the switch of GLM, and of Kimi's older models (wire.md 5.6, 5.7)",
    "tool_stream": "has GLM's arguments come in pieces (wire.md 5.7)",
    "enable_thinking": "Qwen's switch (wire.md 5.8)",
    "thinking_budget": "Qwen's effort (wire.md 5.8)",
    "reasoning_format": "has Groq's thoughts come apart from the text (wire.md 5.4)",
    "reasoning_split": "the same at MiniMax (wire.md 5.9)",
    "chat_template_kwargs": "the switch of open models at vLLM and llama.cpp (wire.md 5.12, 5.13)",
    "thinking_blocks": "Claude's signed thoughts through LiteLLM (wire.md 5.14)",
}
"""Fields of Chat servers that are not OpenAI, which alone OpenAI's types know."""


def completed(item):
    """A part of a body with what OpenAI's types want and its API does not (wire.md 2.4).

    Ids and states are the server's and cannot be resolved without storage, so the safe form has
    none; an image's `detail` is "auto" when left out.
    """
    if isinstance(item, list):
        return [completed(inner) for inner in item]
    if not isinstance(item, dict):
        return item
    item = {key: completed(inner) for key, inner in item.items()}
    if item.get("type") == "message" and item.get("role") == "assistant":
        return {"id": "msg_1", "status": "completed"} | item
    if item.get("type") == "reasoning":
        return {"id": "rs_1"} | item
    return {"detail": "auto"} | item if item.get("type") == "input_image" else item


def departures(wire, body):
    """What the vendor's types refuse, a server's own fields aside, and those fields."""
    pytest.importorskip(SDKS[wire], reason="the extra `real` is not installed")
    if wire == "openai-responses":
        body = completed(body)
    found = refused(wire, body)
    own = {path.rpartition("/")[2] for path, why in found if why == "unknown field"}
    own = own & EXTENSIONS.keys() if wire == "openai-chat" else set()
    return [(path, why) for path, why in found if path.rpartition("/")[2] not in own], own


def test_every_wire_is_held_against_an_sdk():
    assert SDKS.keys() == WIRES.keys()
    assert SDKS.keys() == MODELS.keys() | {path.parent.name for path in GOLDEN}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_golden_body_has_the_types_of_its_vendor(path):
    wrong, _ = departures(path.parent.name, json.loads(path.read_bytes()))
    assert not wrong


@pytest.mark.parametrize("case", SHARED)
@pytest.mark.parametrize("wire", MODELS)
def test_a_body_has_the_types_of_its_vendor(wire, case):
    route = Route(Provider(wire, "http://x", wire), MODELS[wire], "http://x")
    body = load(wire).encode(SHARED[case], route, PLANS.get(case, NO_PLAN))
    wrong, _ = departures(wire, body)
    assert not wrong


def test_each_field_that_openai_does_not_know_is_sent_somewhere():
    bodies = [json.loads(path.read_bytes()) for path in GOLDEN if path.parent.name == "openai-chat"]
    assert set().union(*(departures("openai-chat", body)[1] for body in bodies)) == set(EXTENSIONS)


@pytest.mark.parametrize("wire", SDKS)
def test_the_types_refuse_what_is_wrong(wire):
    """A field nobody knows, at the top and inside a message, and a talk that is no list."""
    name = {"bedrock": "messages", "gemini": "contents", "openai-responses": "input"}
    talk = name.get(wire, "messages")
    route = Route(
        Provider(wire, "http://x", wire), MODELS.get(wire, ModelSpec("m", "x")), "http://x"
    )
    body = load(wire).encode(SHARED["tools"], route, NO_PLAN)
    assert departures(wire, body)[0] == []
    first = body[talk][0]
    for wrong in (
        body | {"surprise": 1},
        body | {talk: [first | {"surprise": 1}]},
        body | {talk: [first | {"role": 7}]},
        body | {talk: 7},
    ):
        assert departures(wire, wrong)[0], wrong
