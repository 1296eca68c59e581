"""Speaks Gemini's generateContent, as AI Studio and as Vertex serve it (wire.md 3)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from agentcli.llm.models import find
from agentcli.llm.simulator.dialect import Call, Heard, Manner, make_id
from agentcli.llm.simulator.frames import Frame, Role, dump, pieces_of
from agentcli.llm.simulator.gemini_cache import CachedContents, GeminiCache
from agentcli.llm.simulator.gemini_prompt import parts_of, positions, result_text, text_of
from agentcli.llm.simulator.gemini_rules import (
    FAULTS,
    MAX_OUTPUT,
    SIGNS,
    STOPS,
    THINKS,
    failure,
    need,
    version,
)
from agentcli.llm.simulator.gemini_strict import check_fields, check_tools
from agentcli.llm.simulator.gemini_talk import check_contents, signature
from agentcli.llm.simulator.prefix import extend
from agentcli.llm.simulator.refusal import Refused, as_object
from agentcli.llm.simulator.script import Asked, Fault, Say, Think, Turn, Use
from agentcli.llm.simulator.speech import Speech, arguments, speech
from agentcli.llm.simulator.tokens import compact, objects
from agentcli.llm.stream import parse_arguments
from agentcli.llm.types import JsonObject, Usage

RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_Piece = tuple[JsonObject, Role]


class Gemini:
    """One account's models, with both kinds of cache."""

    wire = "gemini"
    manner = Manner(retry_header=False, broken=b'data: {"candidates": [{"content": \r\n\r\n')

    def __init__(self) -> None:
        self._cache = GeminiCache()
        self.store = Keeper()

    def hear(self, call: Call) -> Heard:
        model = call.model.rpartition("/")[2]
        body = self._whole_body(_checked(call, model), model, call.now)
        check_contents(body, model, vertex="/publishers/" in call.path)
        places = positions(body, model)
        _check_window(model, places[-1].tokens)
        held = self._held(body, call.now)
        cache = GeminiCache() if call.cold else self._cache
        charge = cache.look(model, places, call.now, held)
        digest = extend("", compact([body.get("tools"), body["contents"]]))
        _check_token(body, digest)
        return Heard(
            asked=_asked(call, body, model),
            usage=charge.usage,
            publish=charge.publish,
            digest=digest,
            at=call.now,
            unframed="alt=sse" not in call.query.split("&"),
        )

    def count(self, call: Call) -> JsonObject:
        """wire.md 3.1: either bare contents or a whole request inside."""
        body = as_object(call.body.get("generateContentRequest")) or call.body
        need(bool(objects(body.get("contents"))), "* CountTokensRequest.contents: not specified")
        return {"totalTokens": positions(body, call.model)[-1].tokens}

    def speak(self, heard: Heard, turn: Turn, delta: int) -> Iterator[Frame]:
        said = _said(heard, turn)
        pieces = list(_pieces(heard, said, delta))
        for number, (part, role) in enumerate(pieces):
            chunk = _chunk(heard, [part])
            if turn.reports_usage:
                chunk["usageMetadata"] = _prompt_usage(heard.usage)
            yield _frame(chunk, heard, role, first=number == 0)
        last = _chunk(heard, _last_parts(heard, said), _finish(heard, turn, said))
        if turn.reports_usage:
            last["usageMetadata"] = _usage(heard.usage, said) | (turn.usage or {})
        yield _frame(last, heard, "frame", first=not pieces)
        if heard.unframed:
            yield Frame(b"]")

    def whole(self, heard: Heard, turn: Turn) -> JsonObject:
        said = _said(heard, turn)
        parts = [part for part, _ in _pieces(heard, said, 1 << 30)]
        answer = _chunk(heard, parts + _last_parts(heard, said), _finish(heard, turn, said))
        if turn.reports_usage:
            answer["usageMetadata"] = _usage(heard.usage, said) | (turn.usage or {})
        return answer

    def error(self, refused: Refused, request_id: str) -> JsonObject:
        """wire.md 3.7: a wait is asked for in the details, not in a header."""
        details: list[JsonObject] = []
        if refused.retry_after is not None:
            details.append({"@type": RETRY_INFO, "retryDelay": f"{refused.retry_after:g}s"})
        if refused.code:
            details.append({"@type": ERROR_INFO, "reason": refused.code})
        error: JsonObject = {"code": refused.status, "message": refused.message}
        error["status"] = refused.kind if refused.kind.isupper() else "INVALID_ARGUMENT"
        return {"error": error | ({"details": details} if details else {})}

    def error_event(self, kind: str) -> Frame:
        """Pretty-printed JSON without `data: ` (wire.md 3.7)."""
        known = {status: (code, text) for code, status, text in reversed(FAULTS.values())}
        code, text = known.get(kind, known["UNAVAILABLE"])
        error = {"code": code, "message": text, "status": kind if kind in known else "UNAVAILABLE"}
        return Frame(json.dumps({"error": error}, indent=2).encode() + b"\n")

    def failure(self, fault: Fault, model: str) -> Refused:
        return failure(fault.name, model)

    def _whole_body(self, body: JsonObject, model: str, now: float) -> JsonObject:
        """The request with what its explicit cache holds put before it."""
        if "cachedContent" not in body:
            return body
        kept = self.store.contents.find(str(body["cachedContent"]), now)
        need(
            kept.model == model,
            f"Model used by GenerateContent request (models/{model}) and "
            f"CachedContent (models/{kept.model}) has to be the same.",
        )
        held = {k: kept.body[k] for k in ("systemInstruction", "tools") if k in kept.body}
        contents = [*objects(kept.body.get("contents")), *objects(body["contents"])]
        return body | held | {"contents": contents}

    def _held(self, body: JsonObject, now: float) -> int:
        name = body.get("cachedContent")
        return self.store.contents.find(str(name), now).tokens if name else 0


class Keeper:
    """The cachedContents endpoint (wire.md 3.6)."""

    def __init__(self) -> None:
        self.contents = CachedContents()

    def serve(self, method: str, call: Call) -> JsonObject:
        name = call.path[call.path.index("cachedContents") :]
        match method:
            case "POST":
                return self.contents.make(call.body, str(call.number), call.now)
            case "PATCH":
                return self.contents.change(name, call.body, call.now)
            case "GET":
                return self.contents.show(name, call.now)
            case "DELETE":
                return self.contents.remove(name, call.now)
            case _:
                raise Refused("Method not allowed.", status=405, kind="UNIMPLEMENTED")


def _checked(call: Call, model: str) -> JsonObject:
    check_fields(call.body, model)
    check_tools(call.body)
    return call.body


def _check_window(model: str, tokens: int) -> None:
    spec = find(model, "gemini")
    if spec and spec.context and tokens > spec.context:
        raise Refused(
            f"The input token count ({tokens}) exceeds the maximum number of tokens allowed "
            f"({spec.context}).",
            kind="INVALID_ARGUMENT",
        )


def _token(digest: str) -> str:
    return make_id("ct_", digest)


def _check_token(body: JsonObject, digest: str) -> None:
    """A pause goes on by its token and the identical request (wire.md 3.3)."""
    given = body.get("continuationToken")
    need(given is None or given == _token(digest), "Invalid continuation token for this request.")


def _asked(call: Call, body: JsonObject, model: str) -> Asked:
    users = [c for c in objects(body["contents"]) if c.get("role", "user") == "user"]
    answers = [as_object(p["functionResponse"]) for p in parts_of(users[-1]) if _answers(p)]
    return Asked(
        wire=Gemini.wire,
        model=model,
        body=call.body,
        number=call.number,
        system=text_of(body.get("systemInstruction")),
        texts=tuple(str(p["text"]) for content in users for p in parts_of(content) if "text" in p),
        results=tuple(result_text(answer) for answer in answers),
    )


def _answers(part: JsonObject) -> bool:
    return "functionResponse" in part


def _said(heard: Heard, turn: Turn) -> Speech:
    config = as_object(heard.asked.body.get("generationConfig"))
    thinking = as_object(config.get("thinkingConfig"))
    thinks = version(heard.asked.model) >= THINKS and thinking.get("thinkingBudget") != 0
    return speech(turn.parts, limit=config.get("maxOutputTokens") or MAX_OUTPUT, thinks=thinks)


def _pieces(heard: Heard, said: Speech, size: int) -> Iterator[_Piece]:
    """The parts in order; calls come whole, and one that was cut or is no JSON not at all."""
    config = as_object(heard.asked.body.get("generationConfig"))
    shows = bool(as_object(config.get("thinkingConfig")).get("includeThoughts"))
    signed = False
    for index, part in enumerate(said.parts):
        match part:
            case Say(text):
                for piece in pieces_of(text, size):
                    yield {"text": piece}, "delta"
            case Think(text):
                for piece in pieces_of(text if shows and not part.redacted else "", size):
                    yield {"text": piece, "thought": True}, "delta"
            case Use() if _is_whole(part):
                made = _call(heard, part, index)
                if not signed and _signs(heard, said):
                    made["thoughtSignature"] = signature(made, heard.asked.model)
                signed = True
                yield made, "arguments"
            case _:
                continue


def _signs(heard: Heard, said: Speech) -> bool:
    return version(heard.asked.model) >= SIGNS or said.reasoning > 0


def _is_whole(call: Use) -> bool:
    return parse_arguments(arguments(call)) is not None


def _call(heard: Heard, call: Use, index: int) -> JsonObject:
    """wire.md 3.4: only newer models give their calls an id."""
    made: JsonObject = {"name": call.name, "args": parse_arguments(arguments(call))}
    if version(heard.asked.model) >= SIGNS:
        made["id"] = call.id or make_id("fc_", heard.digest, index)
    return {"functionCall": made}


def _last_parts(heard: Heard, said: Speech) -> list[JsonObject]:
    """Without a call the signature comes in an empty text at the end (wire.md 3.3)."""
    calls = any(isinstance(part, Use) and _is_whole(part) for part in said.parts)
    if calls or not _signs(heard, said) or not said.parts:
        return []
    part: JsonObject = {"text": ""}
    return [part | {"thoughtSignature": signature(part, heard.asked.model)}]


def _finish(heard: Heard, turn: Turn, said: Speech) -> JsonObject:
    """STOP is said of calls, too; arguments that are no object are the model's failure."""
    bad = not said.cut and any(isinstance(p, Use) and not _is_whole(p) for p in said.parts)
    word = turn.stop or ("max_tokens" if said.cut else "end_turn")
    reason = "MALFORMED_FUNCTION_CALL" if bad and not turn.stop else STOPS.get(word, word)
    token = {"continuationToken": _token(heard.digest)} if reason == "CONTINUATION" else {}
    return {"finishReason": reason, **token}


def _chunk(heard: Heard, parts: list[JsonObject], finish: JsonObject | None = None) -> JsonObject:
    content: JsonObject = {"role": "model", "parts": cast("list[Any]", parts)}
    candidate: JsonObject = {"content": content, **(finish or {}), "index": 0}
    return {
        "candidates": [candidate],
        "modelVersion": heard.asked.model,
        "responseId": make_id("", heard.digest, heard.asked.number),
    }


def _frame(chunk: JsonObject, heard: Heard, role: Role, *, first: bool) -> Frame:
    """`data:` lines that end with CRLF; without `alt=sse` an array (wire.md 3.1, 3.3)."""
    if heard.unframed:
        return Frame((b"[" if first else b",\r\n") + dump(chunk).encode(), role)
    return Frame(b"data: " + dump(chunk).encode() + b"\r\n\r\n", role)


def _prompt_usage(usage: Usage) -> JsonObject:
    """wire.md 3.5: the cached are part of the prompt's."""
    counted: JsonObject = {"promptTokenCount": usage.prompt, "totalTokenCount": usage.prompt}
    return counted | ({"cachedContentTokenCount": usage.cache_read} if usage.cache_read else {})


def _usage(usage: Usage, said: Speech) -> JsonObject:
    """wire.md 3.5: thoughts are not part of the candidates'."""
    counted = _prompt_usage(usage) | {"candidatesTokenCount": said.output - said.reasoning}
    if said.reasoning:
        counted["thoughtsTokenCount"] = said.reasoning
    return counted | {"totalTokenCount": usage.prompt + said.output}
