"""What the Messages API refuses in the messages: roles, empty content, calls, results, thinking."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agentcli.lib.value import value
from agentcli.llm.simulator.claude_rules import (
    NO_PREFILL,
    binds_prefix,
    can_read,
    generation,
    takes_system_role,
    thinking_mode,
)
from agentcli.llm.simulator.prefix import Block, content_blocks
from agentcli.llm.simulator.refusal import Refused, as_object, only, require
from agentcli.llm.simulator.seal import thoughts
from agentcli.llm.simulator.tokens import objects
from agentcli.llm.types import JsonObject

ID = re.compile(r"[a-zA-Z0-9_-]+")
BINDING_BETA = "thinking-binding-controls-2026-08-01"
RESULT_PARTS = ("text", "image", "document", "search_result", "tool_reference", "browser_state")
"""wire.md 1.5."""
ONLY_USER = ("tool_result", "image", "search_result")
ONLY_ASSISTANT = ("tool_use", "thinking", "redacted_thinking", "server_tool_use")


@value
class Round:
    """Neighbouring messages of one role, which the API takes as one (wire.md 1.2)."""

    index: int
    """Of its first message."""
    role: str
    blocks: tuple[JsonObject, ...]


def check_messages(body: JsonObject, version: str) -> None:
    """Order and content of the messages (wire.md 1.5, 1.7)."""
    messages = objects(body["messages"])
    require(isinstance(body["messages"], list), "messages: Input should be a valid list")
    require(bool(messages), "messages: at least one message is required")
    require(len(messages) <= 100_000, "messages: at most 100000 messages are allowed")
    for index, message in enumerate(messages):
        _check_message(index, message, str(body["model"]), version)
    for index, block in enumerate(content_blocks(body.get("system"))):
        _check_text(block, f"system.{index}", "system")
    require(messages[0]["role"] == "user", 'messages: first message must use the "user" role')
    _check_system_places(messages)
    _check_end(messages, str(body["model"]))
    rounds = _rounds(messages)
    _check_calls(rounds)
    _check_manual_thinking(rounds, body)


def _check_message(index: int, message: JsonObject, model: str, version: str) -> None:
    where = f"messages.{index}"
    only(message, ("role", "content", "output_config", "clear_at"), where)
    role = message.get("role")
    roles = ["user", "assistant", *(["system"] if takes_system_role(model) else [])]
    if role not in roles:
        allowed = " or ".join(f'"{name}"' for name in roles)
        raise Refused(f'messages: Unexpected role "{role}". Allowed roles are {allowed}')
    require("content" in message, f"{where}.content: Field required")
    blocks = content_blocks(message["content"])
    require(
        bool(blocks) and message["content"] != "",
        f"{where}: all messages must have non-empty content except for the optional final "
        "assistant message",
    )
    for number, block in enumerate(blocks):
        _check_block(block, f"{where}.content.{number}", str(role), version)


def _check_block(block: JsonObject, where: str, role: str, version: str) -> None:
    kind = str(block.get("type", ""))
    if kind in ONLY_USER and role != "user":
        raise Refused(f"{where}: `{kind}` blocks can only be in `user` messages")
    if kind in ONLY_ASSISTANT and role != "assistant":
        raise Refused(f"{where}: `{kind}` blocks can only be in `assistant` messages")
    new = version == "2026-10-21"
    match kind:
        case "text":
            _check_text(block, where, "messages")
            cited = new and role == "user" and bool(block.get("citations"))
            require(not cited, f"{where}.text.citations: Extra inputs are not permitted")
        case "document":
            require(not new or role == "user", f"{where}: `document` is not allowed here")
        case "tool_use":
            _check_use(block, where)
        case "tool_result":
            _check_result(block, where)
        case "image":
            require(bool(block.get("source")), f"{where}.image.source: Field required")
        case "thinking":
            for name in ("thinking", "signature"):
                require(name in block, f"{where}.thinking.{name}: Field required")
        case "":
            raise Refused(f"{where}.type: Field required")
        case _:
            return


def _check_text(block: JsonObject, where: str, part: str) -> None:
    require(isinstance(block.get("text"), str), f"{where}.text.text: Field required")
    only(block, ("type", "text", "cache_control", "citations"), f"{where}.text")
    if block["text"] == "" and "cache_control" in block:
        raise Refused(f"{where}: cache_control cannot be set for empty text blocks")
    require(block["text"] != "", f"{part}: text content blocks must be non-empty")
    blank = not block["text"].strip()
    require(not blank, f"{part}: text content blocks must contain non-whitespace text")


def _check_use(block: JsonObject, where: str) -> None:
    call_id = str(block.get("id", ""))
    require(
        ID.fullmatch(call_id) is not None,
        f"{where}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
    )
    require(bool(block.get("name")), f"{where}.tool_use.name: Field required")
    require(
        isinstance(block.get("input"), dict),
        f"{where}.tool_use.input: Input should be a valid dictionary",
    )


def _check_result(block: JsonObject, where: str) -> None:
    known = ("type", "tool_use_id", "content", "is_error", "cache_control", "toolset_name")
    only(block, known, f"{where}.tool_result")
    require("tool_use_id" in block, f"{where}.tool_result.tool_use_id: Field required")
    for number, part in enumerate(content_blocks(block.get("content") or [])):
        inner = f"{where}.tool_result.content.{number}"
        kind = part.get("type")
        require(kind in RESULT_PARTS, f"{inner}: Input tag '{kind}' is not expected here")
        require("cache_control" not in part, f"{inner}.cache_control: mark the tool_result instead")
        if kind == "text":
            require(bool(part.get("text")), "messages: text content blocks must be non-empty")


def _check_system_places(messages: Sequence[JsonObject]) -> None:
    """A `system` message follows a user's and is last or before the model's (wire.md 1.7)."""
    for index, message in enumerate(messages):
        if message["role"] != "system":
            continue
        before = messages[index - 1]
        after = messages[index + 1 : index + 2]
        require(
            (before["role"] == "user" or _is_waiting(before))
            and (not after or after[0]["role"] == "assistant"),
            f"messages.{index}: a `system` message must follow a user turn and be last or "
            "followed by an assistant turn",
        )


def _is_waiting(message: JsonObject) -> bool:
    """An assistant turn that ends in a server tool's use or result: it goes on by itself."""
    blocks = content_blocks(message["content"])
    last = str(blocks[-1].get("type", "")) if blocks else ""
    return last == "server_tool_use" or last.endswith("_tool_result")


def _check_end(messages: Sequence[JsonObject], model: str) -> None:
    last = messages[-1]
    if last["role"] != "assistant" or _is_waiting(last):
        return
    found = generation(model)
    require(
        found is not None and found.version < NO_PREFILL,
        "This model does not support assistant message prefill. The conversation must end with a "
        "user message.",
    )


def _rounds(messages: Sequence[JsonObject]) -> list[Round]:
    rounds: list[Round] = []
    for index, message in enumerate(messages):
        role, blocks = str(message["role"]), tuple(content_blocks(message["content"]))
        if rounds and rounds[-1].role == role:
            rounds[-1] = Round(rounds[-1].index, role, rounds[-1].blocks + blocks)
        else:
            rounds.append(Round(index, role, blocks))
    return rounds


def _check_calls(rounds: Sequence[Round]) -> None:
    """Each call is answered once, first thing in the next message, and nothing else is (1.5)."""
    seen: set[str] = set()
    owed: list[str] = []
    asked_at = 0
    for number, talk in enumerate(rounds):
        results = [str(b["tool_use_id"]) for b in talk.blocks if b["type"] == "tool_result"]
        _check_answers(talk, results, owed, asked_at)
        owed = [str(b["id"]) for b in talk.blocks if b["type"] == "tool_use"]
        asked_at = talk.index
        for call in owed:
            require(call not in seen, "messages: `tool_use` ids must be unique")
            seen.add(call)
        if owed and number == len(rounds) - 1:
            raise _unanswered(talk.index, owed)


def _check_answers(talk: Round, results: list[str], owed: list[str], asked_at: int) -> None:
    for index, call in enumerate(results):
        require(
            call in owed,
            f"messages.{talk.index}.content.{index}: unexpected `tool_use_id` found in "
            f"`tool_result` blocks: {call}. Each `tool_result` block must have a corresponding "
            "`tool_use` block in the previous message.",
        )
        require(
            call not in results[:index],
            f"messages.{talk.index}.content.{index}: each tool_use must have a single result. "
            f"Found multiple `tool_result` blocks with id: {call}",
        )
    first = {str(b["tool_use_id"]) for b in _leading_results(talk)}
    missing = [call for call in owed if call not in first]
    if missing:
        raise _unanswered(asked_at, missing)


def _leading_results(talk: Round) -> list[JsonObject]:
    found: list[JsonObject] = []
    for block in talk.blocks:
        if block["type"] != "tool_result":
            break
        found.append(block)
    return found


def _unanswered(index: int, calls: Sequence[str]) -> Refused:
    return Refused(
        f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately "
        f"after: {', '.join(calls)}. Each `tool_use` block must have a corresponding "
        "`tool_result` block in the next message."
    )


def _check_manual_thinking(rounds: Sequence[Round], body: JsonObject) -> None:
    """With a thinking budget, a turn whose calls are being answered begins with its thinking."""
    if thinking_mode(body) != "enabled" or len(rounds) < 2:
        return
    answered = any(block["type"] == "tool_result" for block in rounds[-1].blocks)
    asking = rounds[-2]
    kind = asking.blocks[0]["type"] if asking.blocks else ""
    require(
        not answered or kind in ("thinking", "redacted_thinking"),
        f"messages.{asking.index}.content.0.type: Expected `thinking` or `redacted_thinking`, but "
        f"found `{kind}`. When `thinking` is enabled, a final `assistant` message must start with "
        "a thinking block.",
    )


def readable(
    body: JsonObject, blocks: Sequence[Block], beta: str
) -> tuple[list[Block], list[JsonObject]]:
    """The blocks the model reads, and what was dropped and why (wire.md 1.6).

    Raises Refused for a thought that was altered, or that stands after another conversation than
    the one it was made in, where the model checks that.
    """
    model = str(body["model"])
    drops = _drops_moved(body, beta)
    dropped: list[JsonObject] = []
    for thought in thoughts(blocks):
        path, kind = thought.block.path, thought.block.kind
        field = "signature" if kind == "thinking" else "data"
        if thought.flaw == "altered" or thought.seal is None:
            raise Refused(f"{path}: Invalid `{field}` in `{kind}` block")
        reason = ""
        if not can_read(model, thought.seal.model):
            reason = "model_binding_mismatch"
        elif thought.flaw == "moved" and binds_prefix(model):
            if not drops:
                raise Refused(
                    f"{path}: Invalid `{field}` in `{kind}` block. The block is bound to a "
                    "different conversation: the system prompt, the tools or a message before it "
                    "have changed since it was made."
                )
            reason = "prefix_binding_mismatch"
        if reason:
            dropped.append({"type": "thinking_dropped", "path": path, "reason": reason})
    gone = {str(drop["path"]) for drop in dropped}
    kept = [block for block in blocks if block.path not in gone]
    return kept, dropped if BINDING_BETA in beta else []


def _drops_moved(body: JsonObject, beta: str) -> bool:
    thinking = as_object(body.get("thinking"))
    if "block_binding" not in thinking:
        return False
    require(BINDING_BETA in beta, "thinking.adaptive.block_binding: Extra inputs are not permitted")
    binding = as_object(thinking["block_binding"])
    return binding.get("prefix_mismatch_behavior") == "drop_block"
