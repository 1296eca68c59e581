"""The Gemini generateContent wire: decoding a stream (wire.md 3.3, 3.5, 3.7)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from agentcli.llm.errors import BadRequest, LLMError, ModelFailed, StreamCut, StreamMalformed
from agentcli.llm.frames import SseParser, parse_body, parse_data
from agentcli.llm.providers import Route
from agentcli.llm.status import error_from_event
from agentcli.llm.types import (
    BlockEnd,
    Delta,
    Finished,
    JsonObject,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    Usage,
)
from agentcli.llm.wire.counts import count, is_told, merged
from agentcli.llm.wire.fields import object_at, objects_at
from agentcli.llm.wire.foreign import refuse_foreign

TOKEN = "continuationToken"
_MEANING: dict[Stop, str] = {
    "end_turn": "STOP",
    "max_tokens": "MAX_TOKENS",
    "pause": "CONTINUATION",
    "refusal": """SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII LANGUAGE MODEL_ARMOR
        ESCALATION PUP_LIMITED_DISABLED""",
    "error": """MALFORMED_FUNCTION_CALL UNEXPECTED_TOOL_CALL MALFORMED_RESPONSE OTHER
        TOO_MANY_TOOL_CALLS MISSING_THOUGHT_SIGNATURE""",
}
STOPS: dict[str, Stop] = {
    reason: stop for stop, text in _MEANING.items() for reason in text.split()
}
NOT_YET = "FINISH_REASON_UNSPECIFIED"
OUR_FAULT = "MISSING_THOUGHT_SIGNATURE"
_PLAIN = {"text", "thought"}
_BARE = {"thought", "thoughtSignature"}
"""A part of these alone holds nothing, and would be refused when it goes back."""


class ChunkParser(SseParser):
    """Also keeps lines that are no field: an error may come as bare JSON (wire.md 3.7)."""

    def __init__(self) -> None:
        super().__init__()
        self.loose: list[str] = []

    def _field(self, line: str) -> None:
        bare = bool(self.loose) or line.startswith(("{", "["))
        if bare and not line.startswith(("data:", ":")):
            self.loose.append(line)
        else:
            super()._field(line)


class _Run:
    """Parts of text that follow each other: one block to a person, several to the model."""

    def __init__(self, thought: bool) -> None:
        self.thought = thought
        self.parts: list[tuple[JsonObject, list[str]]] = []

    def add(self, part: JsonObject, text: str) -> None:
        """Plain neighbours become one part; a signed one stays as it is (wire.md 3.4)."""
        plain = part.keys() <= _PLAIN
        if plain and self.parts and self.parts[-1][0].keys() <= _PLAIN:
            self.parts[-1][1].append(text)
        else:
            self.parts.append((part, [text]))

    def end(self) -> Iterator[BlockEnd]:
        """What to replay; a summary of thoughts goes back only where it carries a signature."""
        spoken = [part for part, texts in self.parts if any(texts)]
        only = spoken[0] if len(spoken) == 1 else None
        for part, texts in self.parts:
            part["text"] = "" if part is only else "".join(texts)
        fill = (only, "text") if only is not None else None
        kept = [part for part, _ in self.parts if not (self.thought and part.keys() <= _PLAIN)]
        for part in kept or [None]:
            yield BlockEnd(part, fill)
            fill = None


class GeminiDecoder:
    """Folds chunks into deltas; keeps each part that must go back as the model made it."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._parser = ChunkParser()
        self._run: _Run | None = None
        self._calls: list[str] = []
        self._usage: JsonObject = {}
        self._reason = ""
        self._blocked = False
        self._token = ""
        self._id = ""

    @property
    def usage(self) -> Usage | None:
        return usage_from(self._usage) if self._usage else None

    def feed(self, data: bytes) -> Iterator[Delta]:
        for frame in self._parser.feed(data):
            yield from self._chunk(parse_data(frame) or {})

    def close(self) -> Iterator[Delta]:
        """Nothing marks the end but the end: a finish reason may be followed by more chunks."""
        for frame in self._parser.close():
            yield from self._chunk(parse_data(frame) or {})
        yield from self._whole()
        error = _bare_error(self._parser.loose)
        if error is not None:
            raise self._error(error)
        if not (self._reason or self._blocked):
            raise StreamCut("the stream ended before the answer did", **self._who())
        yield from self._finish()

    def _whole(self) -> Iterator[Delta]:
        """A server that ignored `alt=sse` sends its chunks as one array, or as one object."""
        body = self._parser.body
        if body is None:
            return
        first = parse_body(body)
        if not first.keys() & {"candidates", "promptFeedback", "usageMetadata", "error"}:
            raise StreamMalformed("the answer is not one of the Gemini API", **self._who())
        everything: Any = json.loads(body.decode("utf-8", "replace"))
        chunks = cast("list[Any]", everything) if isinstance(everything, list) else [first]
        for chunk in chunks:
            if isinstance(chunk, dict):
                yield from self._chunk(cast("JsonObject", chunk))

    def _chunk(self, chunk: JsonObject) -> Iterator[Delta]:
        if chunk.get("error"):
            raise self._error(chunk)
        refuse_foreign(chunk, "gemini", self._route)
        self._id = str(chunk.get("responseId") or self._id)
        self._usage = merged(self._usage, object_at(chunk, "usageMetadata"))
        self._blocked = self._blocked or bool(object_at(chunk, "promptFeedback").get("blockReason"))
        candidates = objects_at(chunk, "candidates")
        candidate = candidates[0] if candidates else {}
        self._token = str(candidate.get(TOKEN) or self._token)
        for part in objects_at(object_at(candidate, "content"), "parts"):
            yield from self._part(part)
        reason = str(candidate.get("finishReason") or "")
        if reason and reason != NOT_YET:
            self._reason = reason
        if STOPS.get(self._reason) == "error":
            raise self._failure(str(candidate.get("finishMessage") or ""))

    def _part(self, part: JsonObject) -> Iterator[Delta]:
        if part.keys() <= _BARE:
            part["text"] = ""
        text = part.get("text")
        if isinstance(part.get("functionCall"), dict):
            yield from self._end_run()
            yield from self._call(part, part["functionCall"])
        elif isinstance(text, str):
            yield from self._text(part, text)
        else:
            yield from self._end_run()
            yield BlockEnd(part)

    def _text(self, part: JsonObject, text: str) -> Iterator[Delta]:
        thought = bool(part.get("thought"))
        if not text and part.keys() <= _PLAIN:
            return
        if self._run is None or (text and self._run.thought != thought):
            yield from self._end_run()
            self._run = _Run(thought)
        self._run.add(part, text)
        if text:
            yield ThinkingDelta(text) if thought else TextDelta(text)

    def _end_run(self) -> Iterator[Delta]:
        run, self._run = self._run, None
        if run is not None:
            yield from run.end()

    def _call(self, part: JsonObject, call: JsonObject) -> Iterator[Delta]:
        """A call comes whole. Its id may be missing; ours is never sent back (wire.md 3.4)."""
        arguments = call.get("args")
        number = len(self._calls) + 1
        call_id = str(call.get("id") or f"{self._id or 'call'}_{number}")
        if call_id in self._calls:
            call_id = f"{call_id}_{number}"
        self._calls.append(call_id)
        raw = "" if arguments is None else json.dumps(arguments, ensure_ascii=False)
        yield ToolCallDelta(call_id, str(call.get("name") or ""), raw)
        if arguments is not None and not isinstance(arguments, dict):
            call["args"] = None
            yield BlockEnd(part, (call, "args"), call_id)
        else:
            yield BlockEnd(part, call_id=call_id)

    def _finish(self) -> Iterator[Delta]:
        yield from self._end_run()
        stop = self._stop()
        if stop == "pause":
            yield BlockEnd({TOKEN: self._token})
        tier = str(self._usage.get("trafficType") or "")
        yield Finished(stop, self.usage, self._id, tier=tier)

    def _stop(self) -> Stop:
        """STOP is said of calls too, and a pause after whole calls is an end to make them."""
        if not self._reason or self._reason.startswith("IMAGE_"):
            return "refusal"
        stop = STOPS.get(self._reason, "end_turn")
        if self._calls and self._reason in ("STOP", "CONTINUATION"):
            return "tool_use"
        return "max_tokens" if stop == "pause" and not self._token else stop

    def _failure(self, why: str) -> LLMError:
        kind = BadRequest if self._reason == OUR_FAULT else ModelFailed
        message = f"the model stopped: {self._reason}" + (f": {why}" if why else "")
        return kind(message, code=self._reason.lower(), **self._who())

    def _error(self, chunk: JsonObject) -> LLMError:
        return error_from_event(chunk, **self._who())

    def _who(self) -> dict[str, Any]:
        return {"provider": self._route.provider.name, "model": self._route.model.id}


def usage_from(usage: JsonObject) -> Usage | None:
    """Cached tokens are inside the prompt's, thoughts are not inside the answer's (wire.md 3.5).

    Where the total says that they are, they are (cost facts 2). None where no count is told.
    """
    if not is_told(usage, "promptTokenCount"):
        return None
    cached, thoughts = count(usage, "cachedContentTokenCount"), count(usage, "thoughtsTokenCount")
    prompt = count(usage, "promptTokenCount") + count(usage, "toolUsePromptTokenCount")
    answer = count(usage, "candidatesTokenCount")
    inside = thoughts <= answer and prompt + answer == count(usage, "totalTokenCount")
    return Usage(
        input=max(0, prompt - cached),
        output=answer if inside else answer + thoughts,
        cache_read=cached,
        reasoning=thoughts,
    )


def _bare_error(lines: list[str]) -> JsonObject | None:
    try:
        found: Any = json.loads("\n".join(lines))
    except ValueError:
        return None
    if isinstance(found, list):
        found = next(iter(cast("list[Any]", found)), None)
    error = cast("JsonObject", found) if isinstance(found, dict) else {}
    return error if error.get("error") else None
