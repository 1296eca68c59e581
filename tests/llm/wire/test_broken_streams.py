"""Whatever a server sends ends in a reply or an LLMError; what is cut never makes a call run."""

import json
import random
from pathlib import Path

import pytest
from mutations import broken

from agentcli.llm.errors import LLMError
from agentcli.llm.models import unknown
from agentcli.llm.providers import Provider, Route
from agentcli.llm.stream import Fold
from agentcli.llm.types import Text, Thinking, ToolCall
from agentcli.llm.wire import load

STREAMS = sorted(Path(__file__).parent.glob("*/*.stream.*"))
VARIANTS = 16
STEP = 41
"""Bytes between two places where a body is cut."""


def named(path):
    return f"{path.parent.name}/{path.name.partition('.')[0]}"


def received(wire, body, size):
    """What a client has of the body: the message, what was reported, and how it failed."""
    route = Route(Provider("recorded", "http://recorded.invalid", wire), unknown("m", ""), "")
    decoder, fold, failure = load(wire).decoder(route), Fold("m", wire), None
    try:
        for start in range(0, len(body), size):
            for delta in decoder.feed(body[start : start + size]):
                fold.add(delta)
        for delta in decoder.close():
            fold.add(delta)
    except LLMError as error:
        failure = error
    return fold.message(), decoder.usage, failure


def is_sound(block):
    match block:
        case Text(text) | Thinking(text):
            return isinstance(text, str)
        case ToolCall(call_id, name, arguments):
            kinds = (type(call_id), type(name), type(arguments))
            return kinds == (str, str, dict)


@pytest.mark.parametrize("path", STREAMS, ids=named)
def test_a_broken_body_is_a_reply_or_an_error_of_ours(path):
    body, rng = path.read_bytes(), random.Random(path.name)
    for _ in range(VARIANTS):
        variant = broken(body, rng)
        size = rng.choice((1, 7, 64, len(variant))) if len(variant) < 10_000 else 4096
        message, usage, failure = received(path.parent.name, variant, size)
        assert failure is None or (str(failure) and not message.tool_calls), variant
        assert all(is_sound(block) for block in message.content), variant
        counts = (usage.prompt, usage.output, usage.reasoning) if usage else (0,)
        assert all(type(count) is int and count >= 0 for count in counts), variant
        json.dumps(message.native.blocks if message.native else None)


@pytest.mark.parametrize("path", STREAMS, ids=named)
def test_no_call_of_a_cut_body_runs_that_the_whole_would_not_run(path):
    expected = json.loads(
        path.with_name(f"{path.name.partition('.')[0]}.expected.json").read_text()
    )
    complete = {call["id"] for call in expected["tool_calls"] if call["complete"]}
    body = path.read_bytes()
    for end in range(0, len(body), STEP):
        message, _, failure = received(path.parent.name, body[:end], 64)
        ids = {call.id for call in message.tool_calls if call.raw is None}
        assert ids in (set(), complete)
        assert failure is None or not ids
