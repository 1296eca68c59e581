"""Claude in other clouds: the Messages API less its envelope (wire.md 1.11)."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, cast

from agentcli.lib.value import replace, value
from agentcli.llm.simulator import aws
from agentcli.llm.simulator.claude import Claude
from agentcli.llm.simulator.claude_rules import NO_SAMPLING, generation
from agentcli.llm.simulator.dialect import Call, Heard, Manner
from agentcli.llm.simulator.frames import Frame
from agentcli.llm.simulator.refusal import Refused, require
from agentcli.llm.simulator.script import Fault, Turn
from agentcli.llm.types import JsonObject

NEW_VERSION = "2026-10-21"
"""wire.md 1.1: on Bedrock only for Claude 4.7 and later."""
_NAME = re.compile(r"claude-(?:[a-z]+-\d+(?:-\d{1,2})?|\d-\d-[a-z]+)(?!\d)")


@value
class Host:
    name: str
    version: str
    """The `anthropic_version` its bodies must carry; the newest is taken as well."""
    is_aws: bool = False


VERTEX = Host("anthropic-vertex", "vertex-2023-10-16")
BEDROCK = Host("anthropic-bedrock", "bedrock-2023-05-31", is_aws=True)


def plain_name(model: str) -> str:
    """Anthropic's own name for a model: no region, no version, no date."""
    found = _NAME.search(model)
    return found[0] if found else model


class HostedClaude:
    """One account's Claude at another host, with a cache of its own."""

    def __init__(self, host: Host) -> None:
        self.wire = host.name
        self.manner = aws.MANNER if host.is_aws else Manner()
        self._host = host
        self._claude = Claude()

    def hear(self, call: Call) -> Heard:
        heard = self._heard(self._claude.hear, call)
        asked = replace(heard.asked, wire=self.wire, model=call.model)
        return replace(heard, asked=asked)

    def count(self, call: Call) -> JsonObject:
        """Vertex names the model in this body only (wire.md 1.11)."""
        inner = dict(call.body)
        model = plain_name(str(inner.pop("model", "")))
        return self._heard(self._claude.count, replace(call, body=inner, model=model))

    def speak(self, heard: Heard, turn: Turn, delta: int) -> Iterator[Frame]:
        for frame in self._claude.speak(heard, turn, delta):
            yield _chunk(frame) if self._host.is_aws else frame

    def whole(self, heard: Heard, turn: Turn) -> JsonObject:
        return self._claude.whole(heard, turn)

    def error(self, refused: Refused, request_id: str) -> JsonObject:
        if self._host.is_aws:
            return aws.error(refused)
        return self._claude.error(refused, request_id)

    def error_event(self, kind: str) -> Frame:
        if self._host.is_aws:
            return aws.exception(kind)
        return self._claude.error_event(kind)

    def failure(self, fault: Fault, model: str) -> Refused:
        if self._host.is_aws:
            return aws.failure(fault.name, model)
        return self._claude.failure(fault, model)

    def _heard(self, use: Any, call: Call) -> Any:
        """What Claude says to the same request as its own; Amazon has its own word for a no."""
        try:
            return use(self._unwrapped(call))
        except Refused as refused:
            if self._host.is_aws and refused.kind == "invalid_request_error":
                refused.kind = aws.VALIDATION
            raise

    def _unwrapped(self, call: Call) -> Call:
        body = dict(call.body)
        require("model" not in body, "model: Extra inputs are not permitted")
        version = body.pop("anthropic_version", None)
        require(version is not None, "anthropic_version: Field required")
        require(
            version in (self._host.version, NEW_VERSION),
            f'anthropic_version: "{version}" is not a valid version',
        )
        beta = call.headers.get("anthropic-beta", "")
        if self._host.is_aws:
            beta = _amazon_beta(body, call.model, str(version))
        plain = NEW_VERSION if version == NEW_VERSION else "2023-06-01"
        headers = {"anthropic-version": plain, "anthropic-beta": beta}
        return replace(call, headers=headers, body={"model": plain_name(call.model)} | body)


def _amazon_beta(body: JsonObject, model: str, version: str) -> str:
    """The betas stand in the body; what is not there says the path (wire.md 1.11)."""
    require("stream" not in body, "stream: Extra inputs are not permitted")
    require("cache_control" not in body, "cache_control: Extra inputs are not permitted")
    found = generation(model)
    require(
        version != NEW_VERSION or (found is not None and found.version >= NO_SAMPLING),
        f'anthropic_version: "{version}" is not supported by this model',
    )
    betas: Any = body.pop("anthropic_beta", [])
    require(isinstance(betas, list), "anthropic_beta: Input should be a valid list")
    return ",".join(str(beta) for beta in cast("list[Any]", betas))


def _chunk(frame: Frame) -> Frame:
    """One event of the Messages API in a frame of Amazon's (wire.md 4.3)."""
    data = frame.data.partition(b"data: ")[2].strip()
    told: JsonObject = json.loads(data)
    if told.get("type") == "message_stop":
        told["amazon-bedrock-invocationMetrics"] = {"invocationLatency": 1}
        data = json.dumps(told).encode()
    return aws.event("chunk", {"bytes": b64encode(data).decode()}, frame.role)
