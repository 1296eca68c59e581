"""OpenAI's requests as the prompt their cache sees: pieces in order, with what may be marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from agentcli.lib.value import replace, value
from agentcli.llm.simulator.claude_cache import mark_of
from agentcli.llm.simulator.prefix import Block
from agentcli.llm.simulator.refusal import as_object
from agentcli.llm.simulator.tokens import IMAGES, block_tokens, compact, objects, rendering
from agentcli.llm.types import JsonObject

OUTPUTS = (
    "function_call_output",
    "custom_tool_call_output",
    "apply_patch_call_output",
    "shell_call_output",
    "tool",
)
CALLS = ("function_call", "custom_tool_call", "apply_patch_call", "shell_call")
DEVELOPERS = ("developer", "system")
MARKS = ("cache_control", "prompt_cache_breakpoint")
"""They say what to cache, and are no part of it."""


@value
class Piece:
    """A stretch of the prompt. `head` says what it is and is matched, but costs no tokens."""

    role: str
    head: str
    text: str
    tokens: int
    closes: bool = True
    """Its message ends here."""
    mark: str = ""
    """The life an explicit breakpoint at its end asks for (wire.md 2.8.2)."""
    control: str = ""
    """The life one of Anthropic's marks at its end asks for (wire.md 5.5, 5.8)."""
    ends: bool = False
    """A message ends here after which an implicit breakpoint may stand."""
    opens: bool = False
    """The initial developer block ends here."""


@value
class GptPrompt:
    model: str
    pieces: tuple[Piece, ...]
    seed: str
    """What besides the pieces must be equal for a hit."""
    options: JsonObject
    """`prompt_cache_options`."""
    retention: str = ""
    key: str = ""
    control: str = ""
    """The life one of Anthropic's marks at the top of the body asks for (wire.md 5.5)."""
    pinned: bool = False
    """It says itself who shall serve it, or for which session (wire.md 5.5)."""

    @property
    def tokens(self) -> int:
        return sum(piece.tokens for piece in self.pieces)


def responses_blocks(body: JsonObject) -> list[Block]:
    """Tools, instructions and items in prompt order; ids, states and marks left out."""
    blocks = [
        Block(f"tools[{i}]", "tools", "", tool) for i, tool in enumerate(objects(body.get("tools")))
    ]
    if body.get("instructions"):
        value = {"type": "text", "text": str(body["instructions"])}
        blocks.append(Block("instructions", "system", "developer", value))
    for index, item in enumerate(items_of(body.get("input"))):
        role = str(item.get("role", ""))
        blocks.append(Block(f"input[{index}]", "messages", role, _clean(item), index))
    return blocks


def items_of(value: Any) -> list[JsonObject]:
    """The input as items; a string is one user message."""
    if isinstance(value, str):
        return [{"type": "message", "role": "user", "content": value}]
    return [{"type": "message", **item} for item in objects(value)]


def _clean(item: JsonObject) -> JsonObject:
    kept = {k: v for k, v in item.items() if k not in ("id", "status")}
    if item["type"] == "message":
        kept["content"] = [
            {k: v for k, v in part.items() if k not in ("prompt_cache_breakpoint", "annotations")}
            for part in parts_of(item.get("content"))
        ]
    return kept


def parts_of(content: Any) -> list[JsonObject]:
    """A string is one part; an empty one says nothing, like none."""
    if content == "":
        return []
    return [{"type": "text", "text": content}] if isinstance(content, str) else objects(content)


def responses_prompt(body: JsonObject, blocks: Sequence[Block]) -> GptPrompt:
    """`blocks` are those of `responses_blocks` that the model reads."""
    items = items_of(body.get("input"))
    pieces: list[Piece] = []
    for block in blocks:
        if block.message < 0:
            pieces.append(_piece(block.role or "tool", block.value))
        else:
            pieces += _item_pieces(items[block.message])
    reasoning, text = as_object(body.get("reasoning")), as_object(body.get("text"))
    settings = [reasoning.get("effort"), text.get("verbosity"), text.get("format")]
    return _prompt(body, _with_ends(pieces), settings)


def _item_pieces(item: JsonObject) -> Iterator[Piece]:
    kind = str(item["type"])
    if kind != "message":
        yield _piece("output" if kind in OUTPUTS else kind, item)
        return
    yield from _message_pieces(str(item.get("role", "")), parts_of(item.get("content")))


def _message_pieces(role: str, parts: Sequence[JsonObject]) -> Iterator[Piece]:
    for index, part in enumerate(parts):
        yield _piece(role, part, opening=index == 0, closes=index == len(parts) - 1)


def _piece(role: str, block: JsonObject, *, opening: bool = True, closes: bool = True) -> Piece:
    """`opening`: its message begins here, which is part of what must match."""
    kind = str(block.get("type", ""))
    identity = [role, "" if kind.endswith("text") else kind, block.get("call_id"), opening]
    bare = {k: v for k, v in block.items() if k not in MARKS}
    text = compact(bare) if kind in IMAGES else rendering(bare)
    if kind == "reasoning":
        text += str(block.get("encrypted_content") or "")
    mark = as_object(block.get("prompt_cache_breakpoint"))
    life = str(mark.get("ttl") or "30m") if mark else ""
    head = compact(identity)
    return Piece(role, head, text, block_tokens(bare), closes, life, mark_of(block))


def _with_ends(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Ends of user messages, of groups of tool outputs, of the first developer messages."""
    found: list[Piece] = []
    opening = True
    for index, piece in enumerate(pieces):
        role = piece.role
        following = pieces[index + 1].role if index + 1 < len(pieces) else ""
        opening = opening and role in ("tool", *DEVELOPERS)
        opens = opening and role in DEVELOPERS and following not in DEVELOPERS
        ends = (role == "user" and piece.closes) or (role == "output" and following != "output")
        found.append(replace(piece, ends=ends or opens, opens=opens))
    return tuple(found)


def chat_prompt(body: JsonObject) -> GptPrompt:
    pieces = [_piece("tool", tool) for tool in objects(body.get("tools"))]
    for message in objects(body.get("messages")):
        pieces += message_pieces(message)
    settings = [
        body.get("reasoning_effort"),
        body.get("verbosity"),
        body.get("response_format"),
        body.get("thinking"),
    ]
    return _prompt(body, _with_ends(pieces), settings)


def blocks_prompt(body: JsonObject, blocks: Sequence[Block]) -> GptPrompt:
    """The prompt of a request in Anthropic's words to others' models (wire.md 1.11, 4.5)."""
    settings = [body.get("output_config"), body.get("thinking")]
    return _prompt(body, _with_ends(block_pieces(blocks)), settings)


def block_pieces(blocks: Sequence[Block]) -> list[Piece]:
    pieces: list[Piece] = []
    for _, group in groupby(blocks, lambda block: (block.part, block.message)):
        held = list(group)
        for index, block in enumerate(held):
            edges = {"opening": index == 0, "closes": index == len(held) - 1}
            pieces.append(_piece(_role_of(block), block.value, **edges))
    return pieces


def _role_of(block: Block) -> str:
    if block.part != "messages":
        return "tool" if block.part == "tools" else "developer"
    return "output" if block.kind == "tool_result" else block.role


def message_pieces(message: JsonObject) -> Iterator[Piece]:
    role = str(message.get("role", ""))
    role = "output" if role == "tool" else role
    call = {"call_id": message.get("tool_call_id")}
    yield from _message_pieces(role, [part | call for part in parts_of(message.get("content"))])
    thought = message.get("reasoning_content")
    if thought:
        yield _piece("reasoning", {"type": "text", "text": str(thought)})
    for call in objects(message.get("tool_calls")):
        function = as_object(call.get("function"))
        value = {"type": "function_call", "call_id": call.get("id"), **function}
        yield _piece("function_call", value)


def _prompt(body: JsonObject, pieces: tuple[Piece, ...], settings: list[Any]) -> GptPrompt:
    """wire.md 2.8: also the key, the service tier and these settings part the cache."""
    tier = body.get("service_tier") or "auto"
    key = body.get("prompt_cache_key") or ""
    return GptPrompt(
        model=str(body.get("model", "")),
        pieces=pieces,
        seed=compact([body.get("model"), key, tier, *settings]),
        options=as_object(body.get("prompt_cache_options")),
        retention=str(body.get("prompt_cache_retention") or ""),
        key=str(key),
        control=mark_of(body),
        pinned=bool(body.get("session_id") or as_object(body.get("provider")).get("order")),
    )
