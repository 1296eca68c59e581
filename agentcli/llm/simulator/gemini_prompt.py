"""Gemini's requests as the prompt their cache sees: system, tools, then the parts (wire.md 3.6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agentcli.lib.value import value
from agentcli.llm.simulator.prefix import extend
from agentcli.llm.simulator.refusal import as_object
from agentcli.llm.simulator.tokens import IMAGE_TOKENS, compact, count, objects
from agentcli.llm.types import JsonObject


@value
class Position:
    """Everything up to and including one part."""

    digest: str
    tokens: int


def parts_of(content: Any) -> list[JsonObject]:
    return objects(as_object(content).get("parts"))


def positions(body: JsonObject, model: str) -> list[Position]:
    """The prefix after the system, each function and each part of the contents, in order."""
    digest, total = extend("", model), 0
    found: list[Position] = []
    for text, tokens in _pieces(body):
        digest = extend(digest, text)
        total += tokens
        found.append(Position(digest, total))
    return found


def _pieces(body: JsonObject) -> Iterator[tuple[str, int]]:
    for part in parts_of(body.get("systemInstruction")):
        yield compact(["system", part]), tokens_of(part)
    for tool in objects(body.get("tools")):
        for function in objects(tool.get("functionDeclarations")):
            yield compact(["tool", function]), count(compact(function))
    if body.get("toolConfig"):
        yield compact(["config", body["toolConfig"]]), 0
    for content in objects(body.get("contents")):
        for part in parts_of(content):
            yield compact([content.get("role", "user"), part]), tokens_of(part)


def tokens_of(part: JsonObject) -> int:
    """Tokens of one part: its text, 1,600 for each image; signatures cost nothing."""
    call, response = as_object(part.get("functionCall")), as_object(part.get("functionResponse"))
    if call:
        return count(f"{call.get('name')}{compact(call.get('args') or {})}")
    if response:
        images = sum("inlineData" in inner for inner in objects(response.get("parts")))
        return count(result_text(response)) + images * IMAGE_TOKENS
    if "inlineData" in part or "fileData" in part:
        return IMAGE_TOKENS
    return count(str(part.get("text") or ""))


def result_text(response: JsonObject) -> str:
    """What a function's response says: the values of its fields."""
    given = as_object(response.get("response"))
    return "".join(v if isinstance(v, str) else compact(v) for v in given.values())


def text_of(content: Any) -> str:
    return "".join(str(part.get("text") or "") for part in parts_of(content))
