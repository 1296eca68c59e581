"""The Gemini generateContent wire: encoding (wire.md 3.1, 3.2, 3.4)."""

from __future__ import annotations

import re
from urllib.parse import quote

from agentcli.lib.value import value
from agentcli.llm.cache import CachePlan
from agentcli.llm.efforts import asked
from agentcli.llm.providers import Route
from agentcli.llm.types import (
    AssistantMessage,
    Image,
    JsonObject,
    Message,
    Request,
    Text,
    ToolCall,
    ToolOutput,
    ToolSpec,
    UserMessage,
)
from agentcli.llm.wire.gemini_decode import TOKEN, GeminiDecoder
from agentcli.llm.wire.gemini_thinking import generation, thinking_config

NAME = "gemini"
MAX_OUTPUT = 65_536
"""What every current model gives; the larger number in the table of one is unsure (wire.md 9)."""
UNSIGNED = "skip_thought_signature_validator"
"""Stands for the signature of a call that another model made (wire.md 3.4)."""
IMAGES_BELOW = "(the images are in the next message)"
GO_ON = "(go on)"
"""What a reply that was never finished is followed by: a request may not end with the model."""
CUT = "(interrupted)"
_BARE = {"type", "properties", "required", "additionalProperties", "$schema", "title"}
"""What may stand in a schema that describes no parameter."""
_BAD_NAME = re.compile(r"[^A-Za-z0-9_.:-]|^(?=[^A-Za-z_])")
_BAD_ID = re.compile(r"[^a-zA-Z0-9_-]")
_VERSIONED = re.compile(r"/v\d+(?:alpha|beta)?\d*$")


@value
class _Sent:
    """A call as it stands in the contents: its answer repeats name and id, and keeps the order."""

    name: str
    id: str | None
    place: int


class GeminiWire:
    name = NAME

    def path(self, route: Route) -> str:
        """Vertex has the version in its base URL (`…/publishers/google`), AI Studio has not."""
        model = quote(route.model.id.removeprefix("models/"), safe="/@")
        whole = "/publishers/" in route.url or _VERSIONED.search(route.url)
        version = "" if whole else "/v1beta"
        return f"{version}/models/{model}:streamGenerateContent?alt=sse"

    def headers(self, route: Route) -> dict[str, str]:
        return {"accept": "text/event-stream"}

    def encode(self, request: Request, route: Route, plan: CachePlan) -> JsonObject:
        """The body. What grows comes last; implicit caching wants no marks (wire.md 3.6)."""
        messages, token = _resumed(request.messages, route)
        body: JsonObject = {}
        system = [{"text": part} for part in request.system if part.strip()]
        if system:
            body["systemInstruction"] = {"parts": system}
        if request.tools:
            body["tools"] = [{"functionDeclarations": [_declared(t) for t in request.tools]}]
        config = _config(request, route)
        if config:
            body["generationConfig"] = config
        body["contents"] = _contents(messages, route)
        if token:
            body[TOKEN] = token
        return body

    def decoder(self, route: Route) -> GeminiDecoder:
        return GeminiDecoder(route)


def _declared(tool: ToolSpec) -> JsonObject:
    """A function without parameters is declared without a schema (wire.md 3.2)."""
    declared: JsonObject = {"name": tool.name, "description": tool.description}
    schema = tool.input_schema
    if schema.get("properties") or schema.get("additionalProperties") or schema.keys() - _BARE:
        declared["parametersJsonSchema"] = schema
    return declared


def _config(request: Request, route: Route) -> JsonObject:
    config: JsonObject = {}
    most = min(route.model.max_output or MAX_OUTPUT, MAX_OUTPUT)
    limit = min(request.max_output, most) if request.max_output else most
    if request.max_output or route.model.max_output:
        config["maxOutputTokens"] = limit
    thinking = thinking_config(asked(request.effort, route), route.model, limit)
    if thinking:
        config["thinkingConfig"] = thinking
    if request.output_schema is not None:
        config["responseMimeType"] = "application/json"
        config["responseJsonSchema"] = request.output_schema
    return config


def _resumed(messages: tuple[Message, ...], route: Route) -> tuple[tuple[Message, ...], str]:
    """A reply that the service paused goes on by its token, after the request it answered."""
    end, token = len(messages), ""
    while end and (found := _token(messages[end - 1], route)):
        end, token = end - 1, token or found
    return messages[:end], token


def _token(message: Message, route: Route) -> str:
    blocks = _own(message, route) if isinstance(message, AssistantMessage) else ()
    return next((str(block[TOKEN]) for block in blocks or () if TOKEN in block), "")


def _own(message: AssistantMessage, route: Route) -> tuple[JsonObject, ...] | None:
    """The parts as this very model gave them, signatures and all."""
    native = message.native
    same = native is not None and (native.wire, native.model) == (NAME, route.model.id)
    return native.blocks if native is not None and same else None


def _contents(messages: tuple[Message, ...], route: Route) -> list[JsonObject]:
    """Neighbours of the user stay apart, as they were sent; a reply in pieces is one content."""
    contents: list[JsonObject] = []
    sent: dict[str, _Sent] = {}
    for message in messages:
        if isinstance(message, UserMessage):
            contents += _user_contents(message, sent, generation(route.model.id) >= 3)
            continue
        parts = _model_parts(message, route)
        _note_calls(message, parts, sent)
        if contents and contents[-1]["role"] == "model":
            contents[-1]["parts"] += parts
        elif parts or message.stop != "pause":
            contents.append({"role": "model", "parts": parts or [{"text": CUT}]})
    if contents and contents[-1]["role"] == "model":
        contents.append(_user([{"text": GO_ON}]))
    return contents


def _model_parts(message: AssistantMessage, route: Route) -> list[JsonObject]:
    own = _own(message, route)
    if own is not None:
        parts = [block for block in own if TOKEN not in block]
        if len(_calls_in(parts)) == len(message.tool_calls):
            return parts
    spoken: list[JsonObject] = [
        {"text": block.text}
        for block in message.content
        if isinstance(block, Text) and block.text.strip()
    ]
    newer = generation(route.model.id) >= 3
    calls = [_foreign_call(call, newer) for call in message.tool_calls]
    if calls and newer:
        calls[0]["thoughtSignature"] = UNSIGNED
    return spoken + calls


def _foreign_call(call: ToolCall, newer: bool) -> JsonObject:
    """A call of another model; since Gemini 3 calls without an id may be answered by silence."""
    arguments = call.input if call.raw is None else {"INVALID_JSON": call.raw}
    name = _BAD_NAME.sub("_", call.name)[:128] or "unknown"
    made: JsonObject = {"name": name, "args": arguments}
    if newer:
        made["id"] = _BAD_ID.sub("_", call.id)[:64]
    return {"functionCall": made}


def _calls_in(parts: list[JsonObject]) -> list[JsonObject]:
    return [part["functionCall"] for part in parts if "functionCall" in part]


def _note_calls(message: AssistantMessage, parts: list[JsonObject], sent: dict[str, _Sent]) -> None:
    for call, made in zip(message.tool_calls, _calls_in(parts), strict=True):
        sent[call.id] = _Sent(str(made.get("name", "")), made.get("id"), len(sent))


def _user_contents(message: UserMessage, sent: dict[str, _Sent], nested: bool) -> list[JsonObject]:
    """All results in the order of their calls; what else there is stands in a content of its own.

    Newer models refuse text or pictures beside results. Since Gemini 3 a result can hold pictures.
    """
    outputs = [block for block in message.content if isinstance(block, ToolOutput)]
    outputs.sort(key=lambda output: _answered(output, sent).place)
    results = [_result(output, _answered(output, sent), nested) for output in outputs]
    loose: list[Text | Image] = []
    if not nested:
        loose += [image for output in outputs for image in _images(output)]
    loose += [block for block in message.content if not isinstance(block, ToolOutput)]
    rest = [_part(block) for block in loose if isinstance(block, Image) or block.text.strip()]
    found = [_user(parts) for parts in (results, rest) if parts]
    return found or [_user([{"text": "(nothing)"}])]


def _user(parts: list[JsonObject]) -> JsonObject:
    return {"role": "user", "parts": parts}


def _answered(output: ToolOutput, sent: dict[str, _Sent]) -> _Sent:
    return sent.get(output.call_id) or _Sent("unknown", None, len(sent))


def _result(output: ToolOutput, call: _Sent, nested: bool) -> JsonObject:
    text = "\n".join(part.text for part in output.content if isinstance(part, Text))
    images = [_part(image) for image in _images(output)]
    if images and not nested:
        text = f"{text}\n{IMAGES_BELOW}".strip()
    response: JsonObject = {"name": call.name}
    if call.id is not None:
        response["id"] = call.id
    response["response"] = {"error" if output.is_error else "output": text}
    if images and nested:
        response["parts"] = images
    return {"functionResponse": response}


def _images(output: ToolOutput) -> list[Image]:
    return [part for part in output.content if isinstance(part, Image)]


def _part(block: Text | Image) -> JsonObject:
    if isinstance(block, Image):
        return {"inlineData": {"mimeType": block.media_type, "data": block.data}}
    return {"text": block.text}


WIRE = GeminiWire()
