"""Recorded bodies against what they say: a wire is tested by the files in the folder of its name.

`<case>.stream.txt` (events) or `<case>.stream.bin` (frames) is a response body as it came;
`<case>.expected.json` is what `agent debug decode` says of it, and the blocks kept for replay.
"""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from golden_requests import GROWN, OPENROUTER, ROUTES, golden, growing

from agentcli.lib.value import replace
from agentcli.llm import cache
from agentcli.llm.body import as_bytes
from agentcli.llm.errors import LLMError
from agentcli.llm.models import unknown
from agentcli.llm.providers import Provider, Route
from agentcli.llm.recording import decode
from agentcli.llm.stream import Fold
from agentcli.llm.wire import load

HERE = Path(__file__).parent
STREAMS = sorted(HERE.glob("*/*.stream.*"))
SIZES = (None, 1, 2, 3, 7, 64)
ENDS = (b"\r\n", b"\r")


def named(path):
    return f"{path.parent.name}/{path.name.partition('.')[0]}"


def folded(wire, body, size):
    """The message as far as it came."""
    route = Route(Provider("recorded", "http://recorded.invalid", wire), unknown("m", ""), "")
    decoder, fold = load(wire).decoder(route), Fold("m", wire)
    try:
        for start in range(0, len(body), size):
            for delta in decoder.feed(body[start : start + size]):
                fold.add(delta)
        for delta in decoder.close():
            fold.add(delta)
    except LLMError:
        pass
    return fold.message()


def decoded(wire, body, size=None):
    """`native` is what goes back to the same model; None when the reply may not be replayed so."""
    native = folded(wire, body, size or max(1, len(body))).native
    blocks = None if native is None else list(native.blocks)
    return decode(wire, body, chunk=size) | {"native": blocks}


def expected(path):
    return json.loads((path.parent / f"{path.name.partition('.')[0]}.expected.json").read_bytes())


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"by{size}" if size else "whole")
@pytest.mark.parametrize("path", STREAMS, ids=named)
def test_a_recorded_body_says_the_same_however_it_is_cut(path, size):
    assert decoded(path.parent.name, path.read_bytes(), size) == expected(path)


@pytest.mark.parametrize("end", ENDS, ids=("crlf", "cr"))
@pytest.mark.parametrize("path", [p for p in STREAMS if p.suffix == ".txt"], ids=named)
def test_line_ends_do_not_matter(path, end):
    lines = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    body = lines.replace(b"\n", end)
    for size in (None, 1, 7):
        assert decoded(path.parent.name, body, size) == expected(path)


def texts(value):
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)
    else:
        yield value


@pytest.mark.parametrize("wire", ["anthropic", "openai-responses"])
def test_text_is_held_once_although_it_is_kept_for_replay(wire):
    message = folded(wire, (HERE / wire / "plain_text.stream.txt").read_bytes(), 7)
    assert message.native is not None
    assert any(text is message.content[0].text for text in texts(list(message.native.blocks)))


@pytest.mark.parametrize(
    ("recorded", "usd"),
    [
        ("openai-chat/openrouter_reasoning_details", "0.0123"),
        ("openai-chat/usage_openrouter_own_key", "0.0105"),
        ("openai-chat/usage_xai_cost", "0.0037756"),
        ("openai-responses/usage_xai_cost", "0.0037756"),
        ("openai-chat/plain_text", None),
        ("openai-responses/plain_text", None),
    ],
)
def test_what_the_provider_billed_is_kept_exactly(recorded, usd):
    body = (HERE / f"{recorded}.stream.txt").read_bytes()
    cost = folded(recorded.partition("/")[0], body, len(body)).cost_usd
    assert (cost and Decimal(cost)) == (usd and Decimal(usd))


REQUESTS = sorted(HERE.glob("*/*.request.json"))


@pytest.mark.parametrize("path", REQUESTS, ids=named)
def test_a_request_has_the_golden_body(path):
    wire = path.parent.name
    route, request, plan = golden(wire, path.name.partition(".")[0])
    body, wanted = load(wire).encode(request, route, plan), json.loads(path.read_bytes())
    assert body == wanted
    assert as_bytes(body) == as_bytes(wanted), "the order of the fields is part of the prefix"


@pytest.mark.parametrize(
    ("wire", "base", "path"),
    [
        ("anthropic", "https://api.anthropic.com", "/v1/messages"),
        ("anthropic", "https://gateway.example/v1", "/messages"),
        ("openai-responses", "https://api.openai.com/v1", "/responses"),
        ("openai-chat", "https://api.x.ai/v1", "/chat/completions"),
        (
            "gemini",
            "https://generativelanguage.googleapis.com",
            "/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse",
        ),
    ],
)
def test_a_request_goes_to_the_address_of_its_wire_and_asks_for_events(wire, base, path):
    route = replace(ROUTES[wire], url=base)
    assert load(wire).path(route) == path
    headers = load(wire).headers(route)
    assert headers.pop("accept") == "text/event-stream"
    assert headers == ({"anthropic-version": "2023-06-01"} if wire == "anthropic" else {})


def unmarked(value):
    """A body without marks; a lone text part is its text, as it is to the server."""
    if isinstance(value, list):
        parts = [unmarked(part) for part in value if not is_cache_point(part)]
        lone = len(parts) == 1 and isinstance(parts[0], dict) and parts[0].keys() == TEXT_PART
        return parts[0]["text"] if lone else parts
    if isinstance(value, dict):
        return {key: unmarked(part) for key, part in value.items() if key != "cache_control"}
    return value


def is_cache_point(value):
    return isinstance(value, dict) and value.keys() == {"cachePoint"}


TEXT_PART = {"type", "text"}
TALK_FIELDS = ("messages", "input", "contents")
TALKS = [*ROUTES.items(), ("openai-chat", OPENROUTER)]


@pytest.mark.parametrize(("wire", "route"), TALKS, ids=lambda v: v if isinstance(v, str) else "")
def test_each_request_begins_with_the_one_before(wire, route):
    """Append-only to the byte, which caches and bound thinking demand (wire.md 1.6, 1.12, 2.8)."""
    messages = growing(wire, route.model.id)
    head, talk, plan = None, b"[", None
    for number, count in enumerate(range(1, len(messages) + 1, 2)):
        request = replace(GROWN, messages=messages[:count], session="s")
        plan = cache.plan(request, route.model, plan, 10.0 * number)
        body = load(wire).encode(request, route, plan)
        assert load(wire).encode(request, route, plan) == body
        body = {key: unmarked(part) for key, part in body.items()}
        longer = as_bytes(next(body.pop(key) for key in TALK_FIELDS if key in body))
        assert longer.startswith(talk)
        assert len(longer) > len(talk)
        assert head in (None, as_bytes(body)), "what is not the talk stays as it was"
        head, talk = as_bytes(body), longer.removesuffix(b"]")
