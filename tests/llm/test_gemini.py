"""Requests of the Gemini wire; its streams are in the files of wire/gemini."""

import asyncio
import json
from itertools import pairwise
from pathlib import Path

import pytest
from loopback import CHUNKED, END, chunk, loopback

from agentcli.llm.body import as_bytes
from agentcli.llm.cache import NO_PLAN, CachePlan, Mark
from agentcli.llm.client import Client
from agentcli.llm.http import Http
from agentcli.llm.models import ModelSpec, find, unknown
from agentcli.llm.providers import Provider, Route
from agentcli.llm.repair import repair
from agentcli.llm.stream import Fold
from agentcli.llm.types import (
    AssistantMessage,
    Image,
    Native,
    Request,
    Text,
    TextDelta,
    Thinking,
    ToolCall,
    ToolOutput,
    ToolSpec,
    UserMessage,
)
from agentcli.llm.wire.gemini import UNSIGNED, WIRE

STUDIO = "https://generativelanguage.googleapis.com"
VERTEX = "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4"
FLASH = "gemini-3.8-flash"
OLD = "gemini-2.5-pro"
RECORDED = Path(__file__).parent / "wire" / "gemini"
READ = ToolSpec(
    "read_file",
    "Read a file.",
    {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
)
LIST = ToolSpec("list_tasks", "List tasks.", {"type": "object", "properties": {}})
HELLO = UserMessage((Text("Fix it"),))


def route(model=FLASH, url=STUDIO):
    spec = find(model, "gemini") or unknown(model, "gemini")
    return Route(Provider("gemini", url, "gemini"), spec, url, "key")


def encoded(*messages, model=FLASH, plan=NO_PLAN, system=(), tools=(), **asked):
    request = Request(model, system, tools, messages, **asked)
    return WIRE.encode(request, route(model), plan)


def contents(*messages, model=FLASH):
    return encoded(*messages, model=model)["contents"]


def reply(*content, stop="end_turn", native=None, model=FLASH):
    kept = None if native is None else Native("gemini", model, tuple(native))
    return AssistantMessage(content, model, stop, native=kept)


def called(*calls, native=None):
    return reply(*calls, stop="tool_use", native=native)


def answers(*pairs):
    return UserMessage(tuple(ToolOutput(i, (Text(t),)) for i, t in pairs), "tool")


def recorded(case, model=FLASH):
    decoder, fold = WIRE.decoder(route(model)), Fold(model, "gemini")
    for delta in decoder.feed((RECORDED / f"{case}.stream.txt").read_bytes()):
        fold.add(delta)
    for delta in decoder.close():
        fold.add(delta)
    return fold.message()


def test_a_whole_request():
    body = encoded(
        HELLO,
        called(ToolCall("fc1", "read_file", {"path": "a.py"}), native=[call("fc1", sig="CtQB")]),
        answers(("fc1", "print(1)")),
        reply(Text("Done."), native=[{"text": "Done."}, {"text": "", "thoughtSignature": "Q=="}]),
        UserMessage((Text("And this?"), Image("image/png", "aGk="))),
        system=("You are an agent.", "  ", "Be brief."),
        tools=(READ, LIST),
        effort="high",
        max_output=8000,
    )
    assert body == {
        "systemInstruction": {"parts": [{"text": "You are an agent."}, {"text": "Be brief."}]},
        "tools": [
            {
                "functionDeclarations": [
                    {
                        "name": "read_file",
                        "description": "Read a file.",
                        "parametersJsonSchema": READ.input_schema,
                    },
                    {"name": "list_tasks", "description": "List tasks."},
                ]
            }
        ],
        "generationConfig": {
            "maxOutputTokens": 8000,
            "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "HIGH"},
        },
        "contents": [
            {"role": "user", "parts": [{"text": "Fix it"}]},
            {"role": "model", "parts": [call("fc1", sig="CtQB")]},
            {"role": "user", "parts": [result("fc1", {"output": "print(1)"})]},
            {
                "role": "model",
                "parts": [{"text": "Done."}, {"text": "", "thoughtSignature": "Q=="}],
            },
            {
                "role": "user",
                "parts": [
                    {"text": "And this?"},
                    {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
                ],
            },
        ],
    }


def call(call_id=None, name="read_file", sig=None, **args):
    made = {"name": name, "args": args or {"path": "a.py"}}
    part = {"functionCall": made | ({"id": call_id} if call_id else {})}
    return part | ({"thoughtSignature": sig} if sig else {})


def result(call_id, response, name="read_file"):
    named = {"name": name} | ({"id": call_id} if call_id else {})
    return {"functionResponse": named | {"response": response}}


@pytest.mark.parametrize(
    ("url", "path"),
    [
        (STUDIO, "/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse"),
        (f"{STUDIO}/v1beta", "/models/gemini-3.8-flash:streamGenerateContent?alt=sse"),
        (f"{STUDIO}/v1", "/models/gemini-3.8-flash:streamGenerateContent?alt=sse"),
        (
            "https://gate.way/gemini",
            "/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse",
        ),
        (f"{VERTEX}/publishers/google", "/models/gemini-3.8-flash:streamGenerateContent?alt=sse"),
    ],
)
def test_the_path_fits_the_base(url, path):
    assert WIRE.path(route(url=url)) == path


@pytest.mark.parametrize("model", ["models/gemini-3.8-flash", "gemini-3.8-flash?key=x#y"])
def test_a_name_cannot_change_the_address(model):
    path = WIRE.path(
        Route(Provider("gemini", STUDIO, "gemini"), ModelSpec(model, "gemini"), STUDIO)
    )
    assert path.startswith("/v1beta/models/gemini-3.8-flash")
    assert path.count("?") == 1
    assert "#" not in path
    assert path.endswith(":streamGenerateContent?alt=sse")


def test_a_reply_goes_back_to_its_model_as_it_came():
    message = recorded("signatures_everywhere")
    sent = contents(HELLO, message, answers(("f1", "x"), ("f2", "y")))[1]
    lines = (RECORDED / "signatures_everywhere.stream.txt").read_text().split("\n\n")
    came = [
        part
        for line in lines
        if line
        for part in json.loads(line.removeprefix("data: "))["candidates"][0]["content"]["parts"]
    ]
    signed = [part for part in came if "thoughtSignature" in part]
    assert len(signed) == 5
    back = [part for part in sent["parts"] if "thoughtSignature" in part]
    assert [json.dumps(part) for part in back] == [json.dumps(part) for part in signed]
    said = [p["text"] for p in came if "text" in p and not p.get("thought")]
    again = [p["text"] for p in sent["parts"] if "text" in p and not p.get("thought")]
    assert "".join(again) == "".join(said)


def test_summaries_of_thoughts_are_not_paid_for_twice():
    message = recorded("signature_in_last_empty_text")
    assert message.content[0] == Thinking("Hm.")
    parts = contents(HELLO, message, HELLO)[1]["parts"]
    assert [part["text"] for part in parts] == ["Done.", ""]


def test_calls_of_another_model_carry_the_placeholder_on_the_first_alone():
    message = AssistantMessage(
        (
            Thinking("Hm."),
            Text("Both."),
            ToolCall("toolu_01", "read_file", {"path": "a.py"}),
            ToolCall("fc/2", "9 tasks", {}),
        ),
        "claude-sonnet-5-5",
        "tool_use",
        native=Native("anthropic", "claude-sonnet-5-5", ({"type": "thinking", "signature": "s"},)),
    )
    sent = contents(HELLO, message, answers(("toolu_01", "x"), ("fc/2", "y")))
    assert sent[1]["parts"] == [
        {"text": "Both."},
        {
            "functionCall": {"name": "read_file", "args": {"path": "a.py"}, "id": "toolu_01"},
            "thoughtSignature": UNSIGNED,
        },
        {"functionCall": {"name": "_9_tasks", "args": {}, "id": "fc_2"}},
    ]
    assert sent[2]["parts"] == [
        result("toolu_01", {"output": "x"}),
        result("fc_2", {"output": "y"}, name="_9_tasks"),
    ]


def test_signatures_of_a_sibling_model_stay_behind():
    message = recorded("thinking_then_call", model="gemini-4-argon")
    sent = contents(HELLO, message, answers(("fc1", "x")))
    assert sent[1]["parts"] == [call("fc1", sig=UNSIGNED)]


def test_before_gemini_3_calls_have_neither_placeholder_nor_id():
    message = called(ToolCall("toolu_01", "read_file", {"path": "a.py"}))
    sent = contents(HELLO, message, answers(("toolu_01", "x")), model=OLD)
    assert sent[1:] == [
        {"role": "model", "parts": [call()]},
        {"role": "user", "parts": [result(None, {"output": "x"})]},
    ]


def test_results_answer_calls_without_ids_by_name_and_order():
    message = recorded("parallel_calls_without_ids")
    first, second, third = (made.id for made in message.tool_calls)
    sent = contents(HELLO, message, answers((third, "none"), (first, "one"), (second, "two")))
    assert sent[2]["parts"] == [
        result(None, {"output": "one"}),
        result(None, {"output": "two"}),
        result(None, {"output": "none"}, name="list_tasks"),
    ]


def test_an_id_that_came_twice_is_renamed_on_both_sides():
    turn = recorded("thinking_then_call")
    messages, notes = repair((HELLO, turn, answers(("fc1", "x")), turn, answers(("fc1", "y"))))
    assert notes
    sent = contents(*messages)
    again = sent[3]["parts"][0]["functionCall"]["id"]
    assert again != "fc1"
    assert sent[4]["parts"] == [result(again, {"output": "y"})]
    assert sent[2]["parts"] == [result("fc1", {"output": "x"})]


def test_arguments_that_are_no_object_go_back_as_one():
    message = called(ToolCall("f1", "read_file", {}, raw='["x"]'))
    made = contents(HELLO, message, answers(("f1", "no")))[1]["parts"][0]["functionCall"]
    assert made["args"] == {"INVALID_JSON": '["x"]'}


def test_a_failed_call_says_so():
    output = ToolOutput("f1", (Text("no such"), Text("file")), is_error=True)
    message = called(ToolCall("f1", "read_file", {"path": "a.py"}))
    sent = contents(HELLO, message, UserMessage((output,), "tool"))
    assert sent[2]["parts"] == [result("f1", {"error": "no such\nfile"})]


def pictured(model):
    message = called(ToolCall("f1", "read_file", {}), ToolCall("f2", "list_tasks", {}))
    shown = (Text("a picture"), Image("image/png", "aGk="))
    outputs = (ToolOutput("f1", shown), ToolOutput("f2", (Text("none"),)))
    return contents(HELLO, message, UserMessage((*outputs, Text("Look.")), "tool"), model=model)


PICTURE = {"inlineData": {"mimeType": "image/png", "data": "aGk="}}


def test_pictures_of_a_result_stand_inside_it():
    results, beside = pictured(FLASH)[2:]
    first, second = (part["functionResponse"] for part in results["parts"])
    assert first["response"] == {"output": "a picture"}
    assert first["parts"] == [PICTURE]
    assert "parts" not in second
    assert beside == {"role": "user", "parts": [{"text": "Look."}]}


def test_pictures_of_a_result_follow_it_before_gemini_3():
    results, beside = pictured(OLD)[2:]
    first, second = (part["functionResponse"] for part in results["parts"])
    assert first["response"]["output"].startswith("a picture\n")
    assert second["response"] == {"output": "none"}
    assert beside == {"role": "user", "parts": [PICTURE, {"text": "Look."}]}


@pytest.mark.parametrize(
    ("model", "effort", "config"),
    [
        (FLASH, None, {"includeThoughts": True}),
        (FLASH, "none", {"includeThoughts": True, "thinkingLevel": "LOW"}),
        (FLASH, "medium", {"includeThoughts": True, "thinkingLevel": "MEDIUM"}),
        (FLASH, "max", {"includeThoughts": True, "thinkingLevel": "HIGH"}),
        ("gemini-9-ultra", "low", {"includeThoughts": True, "thinkingLevel": "LOW"}),
        ("gemini-flash-latest", "high", {"includeThoughts": True, "thinkingLevel": "HIGH"}),
        (OLD, None, {"includeThoughts": True}),
        (OLD, "none", {"includeThoughts": True, "thinkingBudget": 128}),
        (OLD, "low", {"includeThoughts": True, "thinkingBudget": 4096}),
        (OLD, "max", {"includeThoughts": True, "thinkingBudget": 24_576}),
        ("gemini-2.5-flash", "none", {"includeThoughts": False, "thinkingBudget": 0}),
        ("gemini-2.0-flash", "high", None),
        ("gemma-3-27b-it", "high", None),
    ],
)
def test_effort_is_asked_for_as_the_generation_wants_it(model, effort, config):
    asked = encoded(HELLO, model=model, effort=effort).get("generationConfig", {})
    assert asked.get("thinkingConfig") == config


def test_a_model_with_its_own_levels_gets_the_nearest():
    spec = ModelSpec("gemini-5", "gemini", thinking="effort", efforts=("minimal", "high", "xhigh"))
    where = Route(Provider("gemini", STUDIO, "gemini"), spec, STUDIO)
    levels = {
        effort: WIRE.encode(Request("gemini-5", (), (), (HELLO,), effort=effort), where, NO_PLAN)[
            "generationConfig"
        ]["thinkingConfig"]["thinkingLevel"]
        for effort in ("none", "medium", "xhigh", "max")
    }
    assert levels == {"none": "MINIMAL", "medium": "HIGH", "xhigh": "XHIGH", "max": "XHIGH"}


def test_a_budget_leaves_room_for_the_answer():
    asked = encoded(HELLO, model=OLD, effort="high", max_output=4000)["generationConfig"]
    assert asked["thinkingConfig"]["thinkingBudget"] < asked["maxOutputTokens"] == 4000


def test_more_than_the_model_gives_is_not_asked_for():
    assert encoded(HELLO, max_output=900_000)["generationConfig"]["maxOutputTokens"] == 65_536


def test_an_answer_by_schema():
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}}
    asked = encoded(HELLO, output_schema=schema)["generationConfig"]
    assert asked["responseMimeType"] == "application/json"
    assert asked["responseJsonSchema"] == schema


def test_a_paused_reply_goes_on_by_its_last_token():
    before = encoded(HELLO, system=("Be brief.",))
    first = recorded("continuation")
    second = reply(
        Text(" two"), stop="pause", native=[{"text": " two"}, {"continuationToken": "t3"}]
    )
    assert encoded(HELLO, first, system=("Be brief.",)) == before | {"continuationToken": "tok-2"}
    assert encoded(HELLO, first, second, system=("Be brief.",)) == (
        before | {"continuationToken": "t3"}
    )


def test_the_pieces_of_a_paused_reply_are_one_content():
    paused = recorded("continuation")
    end = recorded("thinking_then_call")
    sent = contents(HELLO, paused, end, answers(("fc1", "x")))
    assert [content["role"] for content in sent] == ["user", "model", "user"]
    assert sent[1]["parts"] == [{"text": "Part one,"}, call("fc1", sig="CtQB")]


def test_a_pause_that_cannot_be_resumed_still_ends_with_the_user():
    elsewhere = recorded("continuation", model="gemini-4-argon")
    body = encoded(HELLO, elsewhere)
    assert "continuationToken" not in body
    assert [content["role"] for content in body["contents"]] == ["user", "model", "user"]
    assert body["contents"][1]["parts"] == [{"text": "Part one,"}]


def test_a_call_cut_off_is_not_sent_back():
    cut = recorded("length_after_a_call")
    sent = contents(HELLO, cut, UserMessage((Text("Go on."),)))
    assert sent[1] == {"role": "model", "parts": [{"text": "Two files."}]}


def test_a_reply_with_nothing_to_say_keeps_its_place():
    sent = contents(HELLO, reply(Thinking("Hm."), stop="interrupted"), HELLO)
    assert [content["role"] for content in sent] == ["user", "model", "user"]
    assert sent[1]["parts"][0]["text"].strip()


def test_a_longer_history_extends_the_bytes_of_a_shorter_one():
    history = (
        HELLO,
        recorded("signatures_everywhere"),
        UserMessage((*answers(("f2", "y"), ("f1", "x")).content, Text("Hurry."))),
        recorded("signature_in_last_empty_text"),
        UserMessage((Text("Note."),), "reminder"),
        HELLO,
    )
    settings = {"system": ("Be brief.",), "tools": (READ,), "effort": "low"}
    bodies = [as_bytes(encoded(*history[:count], **settings)) for count in (1, 3, 5, 6)]
    for shorter, longer in pairwise(bodies):
        assert longer.startswith(shorter.removesuffix(b"]}"))
    assert bodies[-1] == as_bytes(encoded(*history, **settings))


def test_cache_marks_change_nothing():
    marked = CachePlan((Mark("memory"), Mark("latest", message=0, block=0)), key="k")
    assert encoded(HELLO, system=("Be brief.",), plan=marked) == encoded(
        HELLO, system=("Be brief.",)
    )


def test_text_is_shown_as_it_arrives():
    decoder = WIRE.decoder(route())
    first = b'data: {"candidates":[{"content":{"parts":[{"text":"Hel"}]}}]}\r\n\r\n'
    assert list(decoder.feed(first)) == [TextDelta("Hel")]


def test_turns_over_one_real_connection():
    recordings = ["thinking_then_call", "signature_in_last_empty_text"]

    async def answer(number, request, writer):
        body = (RECORDED / f"{recordings[number - 1]}.stream.txt").read_bytes()
        for start in range(0, len(body), 50):
            writer.write((b"" if start else CHUNKED) + chunk(body[start : start + 50]))
            await writer.drain()
        writer.write(END)

    async def ask(client, *messages):
        async with client.stream(Request(FLASH, (), (), messages)) as said:
            async for _ in said:
                pass
        return said.message

    async def main():
        async with loopback(answer) as server:
            base = server.url.removesuffix("/v1/messages")
            client = Client(lambda _: route(url=base), Http())
            first = await ask(client, HELLO)
            second = await ask(client, HELLO, first, answers(("fc1", "print(1)")))
            await client.aclose()
            return first, second, server

    first, second, server = asyncio.run(main())
    assert (first.tool_calls[0].input, second.text) == ({"path": "a.py"}, "Done.")
    assert server.connections == 1
    line, _, body = server.requests[1]
    assert line.startswith("POST /v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse ")
    assert json.loads(body)["contents"][1]["parts"] == [call("fc1", sig="CtQB")]
