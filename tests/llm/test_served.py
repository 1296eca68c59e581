"""How and where a request was served, as the provider says, decides its price."""

import json
from datetime import UTC, datetime

import pytest
from event_frames import event

from agentcli.llm.cost import price
from agentcli.llm.providers import resolve
from agentcli.llm.stream import Fold, credible
from agentcli.llm.types import Usage
from agentcli.llm.wire import load
from agentcli.session.codec import message_from_json, message_to_json

KEYS = {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k", "GEMINI_API_KEY": "k"}
KEYS |= {"AWS_BEARER_TOKEN_BEDROCK": "k", "AWS_REGION": "us-east-1"}
AT = datetime(2026, 11, 25, 12, tzinfo=UTC)


def sse(*events):
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()


def claude(**usage):
    message = {"id": "m", "usage": {"input_tokens": 1000, **usage}}
    return sse(
        {"type": "message_start", "message": message},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}},
        {"type": "message_stop"},
    )


def responses(tier):
    done = {"id": "r", "status": "completed", "output": [], "service_tier": tier}
    usage = {"input_tokens": 1000, "output_tokens": 0}
    return sse({"type": "response.completed", "response": {**done, "usage": usage}})


def chat(tier):
    choice = {"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1000, "completion_tokens": 0}
    return sse({"id": "c", "choices": [choice], "usage": usage, "service_tier": tier})


def gemini(traffic):
    candidate = {"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}
    usage = {"promptTokenCount": 1000, "trafficType": traffic}
    return sse({"candidates": [candidate], "usageMetadata": usage})


def anthropic(counts):
    return claude(**counts)


def openai_responses(counts):
    done = {"id": "r", "status": "completed", "output": [], "usage": counts}
    return sse({"type": "response.completed", "response": done})


def openai_chat(counts):
    choice = {"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}
    return sse({"id": "c", "choices": [choice], "usage": counts})


def google(counts):
    candidate = {"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}
    return sse({"candidates": [candidate], "usageMetadata": counts})


COUNTS = {"prompt_tokens": 1000, "completion_tokens": 0}
FLEX = {"input_tokens": 1000, "output_tokens": 0, "service_tier": "flex"}


def converse(tier):
    usage = {"inputTokens": 1000, "outputTokens": 0}
    told = {"usage": usage, "serviceTier": {"type": tier}}
    return event("messageStop", {"stopReason": "end_turn"}) + event("metadata", told)


SERVED = [
    ("claude-opus-5-5", "anthropic", claude(speed="fast"), "fast", "2"),
    ("claude-opus-5-5", "anthropic", claude(inference_geo="us"), "us", "1.1"),
    ("claude-opus-5-5", "anthropic", claude(service_tier="standard"), "standard", "1"),
    ("gpt-6.1-sol", "openai-responses", responses("flex"), "flex", "0.5"),
    ("gpt-6.1-sol", "openai-responses", responses("priority"), "priority", "2"),
    ("gpt-6.1-sol", "openai-chat", chat("flex"), "flex", "0.5"),
    ("gpt-6.1-sol", "openai-chat", openai_chat(COUNTS | {"service_tier": "flex"}), "flex", "0.5"),
    ("gpt-6.1-sol", "openai-responses", openai_responses(FLEX), "flex", "0.5"),
    ("gemini-3.8-flash", "gemini", gemini("ON_DEMAND"), "ON_DEMAND", "1"),
    ("bedrock/us.openai.gpt-6-sol", "bedrock", converse("flex"), "flex", "0.5"),
]


@pytest.mark.parametrize(("name", "wire", "body", "word", "factor"), SERVED)
def test_the_bill_follows_what_was_served(name, wire, body, word, factor):
    route = resolve(name, KEYS)
    decoder = load(wire).decoder(route)
    fold = Fold(route.model.id, wire)
    for delta in (*decoder.feed(body), *decoder.close()):
        fold.add(delta)
    message = fold.message()
    assert word in (message.tier, message.geo)
    assert message_from_json(message_to_json(message)) == message
    terms = {"tier": message.tier, "geo": message.geo}
    bill = price(message.usage, route.model, at=AT, **terms)
    plain = price(message.usage, route.model, at=AT)
    assert str((bill.total / plain.total).normalize()) == factor


NO_COUNTS = [None, "many", True, [7], {}, "9" * 40]
IMPOSSIBLE = [float("nan"), float("inf"), 10**30]


@pytest.mark.parametrize("count", NO_COUNTS + IMPOSSIBLE, ids=repr)
@pytest.mark.parametrize(
    ("name", "wire", "body", "prompt", "answer"),
    [
        ("sonnet", "anthropic", anthropic, "input_tokens", "output_tokens"),
        ("gpt", "openai-responses", openai_responses, "input_tokens", "output_tokens"),
        ("gpt", "openai-chat", openai_chat, "prompt_tokens", "completion_tokens"),
        ("gemini", "gemini", google, "promptTokenCount", "candidatesTokenCount"),
    ],
)
def test_what_is_no_count_ends_no_answer_and_costs_nothing(name, wire, body, prompt, answer, count):
    def usage(counts):
        decoder = load(wire).decoder(resolve(name, KEYS))
        *_, last = [*decoder.feed(body(counts)), *decoder.close()]
        return last.usage

    assert usage({prompt: count, answer: 5}) is None
    told = credible(usage({prompt: 1000, answer: count}))
    assert told == (None if count in IMPOSSIBLE else Usage(input=1000))
    assert usage({prompt: "1000", answer: 5.0}).prompt == 1000
