"""What models are told of MCP tools: names, words and schemas that every vendor takes."""

import asyncio
import re

import pytest
from mcp_schemas import ODD

from agentcli.lib.errors import UserError
from agentcli.llm.client import Client
from agentcli.llm.http import Http, InProcess
from agentcli.llm.providers import resolve
from agentcli.llm.simulator import SimulatedProvider, says
from agentcli.llm.types import Request, Text, ToolSpec, UserMessage
from agentcli.tools.base import ToolError
from agentcli.tools.remote import Offer, RemoteTool, define, fitted
from agentcli.tools.server import Server

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
KEYS = {
    "ANTHROPIC_API_KEY": "k",
    "OPENAI_API_KEY": "k",
    "GEMINI_API_KEY": "k",
    "DEEPSEEK_API_KEY": "k",
    "AWS_BEARER_TOKEN_BEDROCK": "k",
    "AWS_REGION": "eu-west-1",
}
MODELS = (
    "claude-sonnet-5-5",
    "openai/gpt-6.1-sol",
    "deepseek/deepseek-v4-pro",
    "gemini/gemini-3.8-flash",
    "bedrock/global.anthropic.claude-opus-4-6-v1",
)


def odd():
    return [Offer("My Server", name, f"About {name}", schema) for name, schema in ODD.items()]


def offer(server, tool, description="", schema=None):
    return Offer(server, tool, description, schema or {"type": "object"})


def names(*offers):
    return {(d.server, d.tool): d.name for d in define(offers)}


@pytest.mark.parametrize("model", MODELS)
def test_every_vendor_takes_the_tools_of_strangers(model):
    route = resolve(model, KEYS)
    provider = SimulatedProvider([says("Yes.")])
    client = Client(lambda _: route, Http(transport=InProcess(provider.handle)), attempts=1)
    specs = tuple(ToolSpec(d.name, d.description, d.schema) for d in define(odd()))

    async def ask():
        request = Request("m", ("Be brief.",), specs, (UserMessage((Text("Hi"),)),))
        async with client.stream(request) as reply:
            async for _ in reply:
                pass
            return reply.message.text

    assert asyncio.run(ask()) == "Yes."


def test_names_hold_what_every_vendor_takes_and_differ():
    found = define(odd())
    assert len({d.name for d in found}) == len(found) == len(ODD) - 1
    assert all(NAME.fullmatch(d.name) for d in found)
    assert [d.name for d in found] == sorted(d.name for d in found)
    assert not any(d.tool == "huge" for d in found)


def test_a_name_does_not_depend_on_the_order_of_the_list():
    offers = odd()
    assert define(offers) == define(reversed(offers))


def test_of_names_that_would_be_alike_the_plain_one_stays():
    found = names(offer("a", "x.y"), offer("a", "x_y"), offer("a", "x/y"))
    assert found["a", "x_y"] == "mcp__a__x_y"
    assert len(set(found.values())) == 3
    assert found["a", "x.y"] == names(offer("a", "x.y"), offer("a", "x_y"))["a", "x.y"]


def test_a_tool_cannot_pass_for_one_of_another_server():
    found = names(offer("a", "b__c"), offer("a__b", "c"))
    assert found == {("a", "b__c"): "mcp__a__b__c", ("a__b", "c"): "mcp__a_b__c"}


def test_the_top_of_a_schema_names_its_properties_and_has_no_alternatives():
    found = {d.tool: d.schema for d in define(odd())}
    for schema in found.values():
        assert schema["type"] == "object"
        assert isinstance(schema["properties"], dict)
        assert not schema.keys() & {"anyOf", "oneOf", "allOf", "$ref", "not"}
    assert set(found["choosing"]["properties"]) == {"id", "name", "x"}
    assert found["choosing"]["required"] == ["x"]
    assert found["all of it elsewhere"]["required"] == ["id"]
    assert found["referring"]["definitions"] == ODD["referring"]["definitions"]
    assert found["const"]["properties"]["kind"] == {"const": "a"}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["object", "null"], "properties": None, "required": True},
        {"properties": [], "required": [], "anyOf": None},
        {"type": "object", "required": [1, None], "oneOf": [True, "x", {"required": False}]},
        {"$ref": "http://elsewhere/schema", "allOf": [{"$ref": 5}]},
        {"$ref": "#/a/b/c", "a": [1]},
        {},
    ],
)
def test_a_schema_that_is_none_becomes_one_without_parameters(schema):
    found = fitted(schema)
    assert (found["type"], found["properties"]) == ("object", {})
    assert "required" not in found


def test_a_tool_that_is_listed_twice_is_sent_once():
    (told,) = define([offer("s", "t", "first"), offer("s", "t", "second")])
    assert told.description == "first"


def test_a_schema_that_refers_to_itself_ends():
    loop = {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}}
    assert fitted(loop)["properties"] == {}


def test_words_hide_nothing_and_end_somewhere():
    (told,) = define([offer("s", "t", "a\u200bb\x1b[31m" + "c" * 5000)])
    assert told.description.startswith("a\\u200bb\\x1b[31mccc")
    assert len(told.description) == 1024
    inner = next(d for d in define(odd()) if d.tool == "const").schema["properties"]["description"]
    assert inner["description"] == "Hi\\u202eih"
    assert define([offer("s", "t")])[0].description == "t"


def test_the_question_names_server_tool_and_arguments():
    (told,) = define([offer("hub", "close.issue")])
    action = RemoteTool(told, None).action(None, {"id": 7})
    assert (action.kind, action.target) == ("mcp", '{"id": 7}')
    assert action.preview.text.startswith("close.issue of the MCP server hub, with\n")
    assert '"id": 7' in action.preview.text
    with pytest.raises(ToolError, match="surrogate"):
        RemoteTool(told, None).action(None, {"a": "\ud800"})


def test_a_fingerprint_covers_all_that_a_model_is_told():
    first = offer("s", "t", "a", {"type": "object"})
    others = [
        offer("s", "t", "b", {"type": "object"}),
        offer("s", "t", "a", {"type": "object", "properties": {}}),
        offer("s", "u", "a", {"type": "object"}),
    ]
    assert first.mark not in {other.mark for other in others}
    assert first.mark == offer("s", "t", "a", {"type": "object"}).mark


def test_variables_are_filled_in_and_a_missing_one_is_named():
    server = Server("s", command="${A}/run", args=("--x=${B:-none}",), env={"T": "${A}${A}"})
    filled = server.filled({"A": "/opt"})
    assert (filled.command, filled.args, filled.env) == (
        "/opt/run",
        ("--x=none",),
        {"T": "/opt/opt"},
    )
    with pytest.raises(UserError, match=r"MCP server s wants \$\{A\}, which is not set"):
        server.filled({})


def test_what_a_server_is_given_is_known_by_names_that_tell_secrets():
    headers = {"Authorization": "Bearer ${T}", "x-api-key": "k", "Accept": "application/json"}
    given = Server("s", url="https://x", headers=headers, env={"A": "b"}).given({"T": "tok"})
    assert given == {
        "A": "b",
        "X_API_KEY": "k",
        "ACCEPT": "application/json",
        "AUTHORIZATION_TOKEN": "tok",
    }


def test_a_server_is_known_by_what_it_runs_not_by_the_values_of_variables():
    server = Server("s", command="run", env={"T": "${TOKEN}"})
    assert server.key == Server("s", command="run", env={"T": "${TOKEN}"}, timeout=5).key
    assert server.key != Server("s", command="other", env={"T": "${TOKEN}"}).key
    assert server.key != Server("s", command="run", env={"T": "${TOKEN}"}, place="/p").key
