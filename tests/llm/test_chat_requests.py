"""What a Chat request asks for beyond its words: room for the reply, a session, who may speak."""

from agentcli.llm.cache import NO_PLAN
from agentcli.llm.client import Client
from agentcli.llm.http import Http
from agentcli.llm.models import ModelSpec
from agentcli.llm.providers import PROVIDERS, Route, resolve
from agentcli.llm.types import (
    AssistantMessage,
    Request,
    Text,
    ToolCall,
    ToolOutput,
    UserMessage,
)
from agentcli.llm.wire import load

VLLM = PROVIDERS["vllm"]


def limit(words, **spec):
    """The limit of a reply to so many short words at a vLLM server."""
    route = Route(VLLM, ModelSpec("m", "vllm", **spec), VLLM.url, wire="openai-chat")
    asked = Request("m", (), (), (UserMessage((Text("ab " * words),)),), max_output=8000)
    return load("openai-chat").encode(asked, route, NO_PLAN)["max_tokens"]


def test_a_reply_is_asked_for_that_fits_the_window_beside_the_prompt():
    assert limit(10) == 8000
    assert limit(10, context=16_384) == 8000
    assert limit(10, context=16_384, max_output=4096) == 4096
    assert 4000 < limit(9_500, context=16_384) < 5000
    assert limit(20_000, context=16_384) == 1024, "the server says that it is too long"


def prepared(model, env, **more):
    route = resolve(model, env)
    client = Client(lambda _: route, Http())
    return client.prepare(Request("m", (), (), (UserMessage((Text("Hi"),)),), **more))


def test_a_session_goes_in_the_header_by_which_its_cache_is_found():
    env = {"FIREWORKS_API_KEY": "k"}
    asked = prepared("fireworks/m", env, session="s-1", cache_key="origin")
    assert asked.headers["x-session-affinity"] == "origin"
    assert "x-session-affinity" not in prepared("fireworks/m", env).headers


def test_between_results_and_a_persons_words_mistral_is_given_a_word_of_the_model():
    call = AssistantMessage((ToolCall("call_1", "read", {}),), "m", "tool_use")
    told = UserMessage((ToolOutput("call_1", (Text("1"),)), Text("Go on")))
    asked = Request("m", (), (), (UserMessage((Text("Hi"),)), call, told))
    route = resolve("mistral/mistral-large-4", {"MISTRAL_API_KEY": "k"})
    roles = [m["role"] for m in load("openai-chat").encode(asked, route, NO_PLAN)["messages"]]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]
