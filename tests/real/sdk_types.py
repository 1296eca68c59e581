"""The request types of the vendors' own SDKs, made strict: `check(body)` tells what they refuse."""

import json
from collections.abc import Iterable
from functools import cache

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model


def refused(wire, body):
    """What the vendor's types say against a body; a list of (path, why), empty when nothing."""
    return CHECKS[wire](body)


@cache
def _adapter(wire):
    match wire:
        case "openai-chat":
            from openai.types.chat import completion_create_params as chat

            return TypeAdapter(chat.CompletionCreateParamsStreaming)
        case "openai-responses":
            from openai.types.responses import response_create_params as responses

            return TypeAdapter(responses.ResponseCreateParamsStreaming)
        case "gemini":
            return TypeAdapter(_gemini())
    from anthropic.types import message_create_params as messages

    return TypeAdapter(messages.MessageCreateParamsStreaming)


def _gemini():
    """The SDK builds this body by hand; its parts are models that forbid unknown fields."""
    from google.genai import types

    return create_model(
        "GenerateContent",
        __config__=ConfigDict(extra="forbid"),
        contents=(list[types.Content], ...),
        systemInstruction=(types.Content | None, None),
        tools=(list[types.Tool] | None, None),
        toolConfig=(types.ToolConfig | None, None),
        generationConfig=(types.GenerationConfig | None, None),
    )


def _by_types(wire):
    def check(body):
        try:
            read = plain(_adapter(wire).validate_python(body))
        except ValidationError as error:
            return [_told(error)]
        return list(unknown(body, read))

    return check


def _told(error):
    """The complaint that lies deepest: of a union's members, the one that was meant."""
    first = max(error.errors(include_url=False), key=lambda one: len(one["loc"]))
    places = [str(part) for part in first["loc"] if not str(part).startswith(("list[", "union["))]
    return "/".join(places), first["msg"]


def plain(value):
    """Typed dicts drop the fields they do not know; lists come as iterators that check late."""
    if isinstance(value, BaseModel):
        return value.model_dump(by_alias=True, exclude_unset=True, mode="json")
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [plain(inner) for inner in value]
    return value


def unknown(sent, read, path=""):
    """The fields that were sent and that the types have no place for."""
    if isinstance(sent, dict):
        for key, inner in sent.items():
            if key not in read:
                yield f"{path}{key}", "unknown field"
            else:
                yield from unknown(inner, read[key], f"{path}{key}/")
    elif isinstance(sent, list):
        for number, (one, other) in enumerate(zip(sent, read, strict=True)):
            yield from unknown(one, other, f"{path}{number}/")


def _converse(body):
    """By the service model that boto3 makes its methods of."""
    report = _validator()(body | {"modelId": "m"})
    return [(line, "") for line in report.splitlines()]


@cache
def _validator():
    from botocore.session import get_session
    from botocore.validate import ParamValidator

    model = get_session().get_service_model("bedrock-runtime")
    shape = model.operation_model("ConverseStream").input_shape
    return lambda body: ParamValidator().validate(body, shape).generate_report()


def _hosted(version):
    """Anthropic's body without the model and the stream, which stand in the URL."""

    def check(body):
        assert json.dumps(body).count(version) == 1
        rest = {key: part for key, part in body.items() if key != "anthropic_version"}
        return _by_types("anthropic")({"stream": True} | rest | {"model": "m"})

    return check


CHECKS = {
    "anthropic": _by_types("anthropic"),
    "anthropic-bedrock": _hosted("bedrock-2023-05-31"),
    "anthropic-vertex": _hosted("vertex-2023-10-16"),
    "bedrock": _converse,
    "gemini": _by_types("gemini"),
    "openai-chat": _by_types("openai-chat"),
    "openai-responses": _by_types("openai-responses"),
}
