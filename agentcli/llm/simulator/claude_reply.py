"""What Claude says to a request: within its limits, each thought signed where it stands (1.6)."""

from __future__ import annotations

from agentcli.llm.simulator.claude_rules import generation, thinking_mode
from agentcli.llm.simulator.dialect import Heard, make_id
from agentcli.llm.simulator.prefix import Block, canonical, extend
from agentcli.llm.simulator.refusal import as_object
from agentcli.llm.simulator.script import Say, Think, Turn, Use
from agentcli.llm.simulator.seal import seal, unseal
from agentcli.llm.simulator.speech import Speech, arguments, speech
from agentcli.llm.stream import parse_arguments
from agentcli.llm.types import JsonObject

OMITS_THOUGHTS = (4, 7)
"""wire.md 1.6: from here on thinking is sent without its text unless asked for."""
STOPS = {"pause": "pause_turn", "context_full": "model_context_window_exceeded"}


def spoken(heard: Heard, turn: Turn) -> Speech:
    body = heard.asked.body
    mode = thinking_mode(body)
    thinks = mode in ("adaptive", "enabled") or (
        mode == "between_tools" and bool(heard.asked.results)
    )
    if body["max_tokens"] == 0:
        return Speech((), output=0, reasoning=0, cut=True)
    return speech(turn.parts, limit=body["max_tokens"], thinks=thinks)


def reply_blocks(heard: Heard, said: Speech) -> list[tuple[JsonObject, str]]:
    """The reply's content as it will come back, with the arguments of calls as text.

    Each thought is signed where it stands.
    """
    digest, last = heard.digest, heard.last_thought
    found: list[tuple[JsonObject, str]] = []
    for index, part in enumerate(said.parts):
        match part:
            case Say(""):
                continue
            case Say(text):
                block: JsonObject = {"type": "text", "text": text}
            case Think():
                block = _thought(heard, part, digest, last)
                signed = unseal(str(block.get("signature") or block.get("data")))
                last = signed.mac if signed else last
            case Use(name, _, call_id):
                block = {
                    "type": "tool_use",
                    "id": call_id or make_id("toolu_", heard.digest, index),
                    "name": name,
                    "input": parse_arguments(arguments(part)) or {},
                }
        found.append((block, arguments(part) if isinstance(part, Use) else ""))
        if not isinstance(part, Think):
            digest = extend(digest, canonical(Block("", "messages", "assistant", block)))
    return found


def _thought(heard: Heard, part: Think, digest: str, last: str) -> JsonObject:
    model = heard.asked.model
    if part.redacted:
        return {"type": "redacted_thinking", "data": seal(model, digest, last, "")}
    text = part.text if _shows_thoughts(heard.asked.body) else ""
    signature = seal(model, digest, last, text)
    return {"type": "thinking", "thinking": text, "signature": signature}


def _shows_thoughts(body: JsonObject) -> bool:
    display = as_object(body.get("thinking")).get("display")
    if display:
        return display == "summarized"
    found = generation(str(body["model"]))
    return found is None or found.version < OMITS_THOUGHTS


def stop_of(turn: Turn, said: Speech) -> JsonObject:
    calls = any(isinstance(part, Use) for part in said.parts)
    word = turn.stop or ("max_tokens" if said.cut else "tool_use" if calls else "end_turn")
    word = STOPS.get(word, word)
    stop: JsonObject = {"stop_reason": word, "stop_sequence": None}
    if word == "refusal":
        stop["stop_details"] = {"type": "refusal", "category": None, "explanation": None}
    return stop
