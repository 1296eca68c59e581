"""The simulator's token rule: deterministic, so that every count in a test can be done by hand.

A text counts one token for every 4 bytes of UTF-8, rounded up, block by block; an image 1,600.
"""

from __future__ import annotations

import json
from typing import Any, cast

from agentcli.llm.types import JsonObject

BYTES_PER_TOKEN = 4
IMAGE_TOKENS = 1_600
"""About what an image of usual size costs; real ones are counted by their pixels."""
IMAGES = ("image", "input_image", "image_url")
_PLAIN = {"text": "text", "input_text": "text", "output_text": "text", "thinking": "thinking"}


def count(text: str) -> int:
    """ceil(bytes of UTF-8 / 4)."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


def compact(value: Any) -> str:
    """JSON without spaces, keys in the order they came: what is hashed and counted."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def rendering(block: JsonObject) -> str:
    """What of a block the model reads, as text: names, arguments, contents; no ids, no marks."""
    kind = str(block.get("type", ""))
    if kind in _PLAIN:
        return str(block.get(_PLAIN[kind]) or "")
    match kind:
        case "redacted_thinking":
            return ""
        case "tool_use" | "server_tool_use":
            return f"{block.get('name')}{compact(block.get('input'))}"
        case "tool_result":
            return content_text(block.get("content"))
        case "function_call":
            return f"{block.get('name')}{block.get('arguments')}"
        case "custom_tool_call":
            return f"{block.get('name')}{block.get('input')}"
        case "function_call_output" | "custom_tool_call_output":
            return content_text(block.get("output"))
        case "reasoning":
            return "".join(rendering_of_parts(block.get("summary")))
        case _:
            return compact({k: v for k, v in block.items() if k != "cache_control"})


def content_text(content: Any) -> str:
    """The text of a content field: a string, or a list of parts."""
    return content if isinstance(content, str) else "".join(rendering_of_parts(content))


def rendering_of_parts(parts: Any) -> list[str]:
    return [
        str(part.get("text") or "") if "text" in part else rendering(part)
        for part in objects(parts)
        if part.get("type") not in IMAGES
    ]


def block_tokens(block: JsonObject) -> int:
    """Tokens of one block of any wire: its text, and 1,600 for each image in it."""
    if block.get("type") in IMAGES:
        return IMAGE_TOKENS
    return count(rendering(block)) + IMAGE_TOKENS * images_in(block)


def images_in(block: JsonObject) -> int:
    """Images one level down: those of a tool's result."""
    parts = [*objects(block.get("content")), *objects(block.get("output"))]
    return sum(part.get("type") in IMAGES for part in parts)


def objects(value: Any) -> list[JsonObject]:
    """The objects of a JSON list; empty for anything else."""
    if not isinstance(value, list):
        return []
    return [cast("JsonObject", v) for v in cast("list[Any]", value) if isinstance(v, dict)]
