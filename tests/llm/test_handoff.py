"""What of a history another model may have."""

from agentcli.lib.value import replace
from agentcli.llm.handoff import NOT_SEEN, handoff
from agentcli.llm.models import ModelSpec
from agentcli.llm.route import Provider, Quirks, Route
from agentcli.llm.types import (
    AssistantMessage,
    Image,
    Native,
    Text,
    Thinking,
    ToolOutput,
    Usage,
    UserMessage,
)

NATIVE = Native("anthropic", "m", ({"type": "thinking", "thinking": "hm", "signature": "s"},))
REPLY = AssistantMessage((Text("done"),), "m", "end_turn", native=NATIVE, provider="one")
PNG = Image("image/png", "AAAA")
TALK = (
    UserMessage((Text("look"), PNG)),
    REPLY,
    UserMessage((ToolOutput("c", (Text("a"), PNG)),), "tool"),
)


def route(provider="one", images=True):
    row = Provider(provider, "https://x.example", "anthropic")
    return Route(row, ModelSpec("m", provider, images=images), row.url)


def test_its_own_history_is_the_same_object():
    assert handoff(TALK, route()) is TALK


def test_a_history_from_before_providers_were_kept_is_its_own():
    old = (TALK[0], replace(REPLY, provider=""))
    assert handoff(old, route()) is old


def test_signatures_do_not_go_to_another_host_of_the_same_model():
    fit = handoff(TALK, route("two"))
    assert fit[1] == replace(REPLY, native=None)
    assert fit[0] is TALK[0]


def test_a_model_that_sees_no_images_gets_a_word_in_their_place():
    first, reply, results = handoff(TALK, route(images=False))
    assert first.content == (Text("look"), Text(NOT_SEEN))
    assert results.content == (ToolOutput("c", (Text("a"), Text(NOT_SEEN))),)
    assert reply is REPLY


def test_a_longer_history_is_handed_on_like_the_shorter_one_it_begins_with():
    to = route("two", images=False)
    assert handoff((*TALK, REPLY), to)[: len(TALK)] == handoff(TALK, to)


def thought(*kept, provider="one"):
    native = Native("openai-chat", "m", kept)
    usage = Usage(input=100, output=90, reasoning=70)
    content = (Thinking("hm"), Text("done"))
    return AssistantMessage(content, "m", "end_turn", native=native, provider=provider, usage=usage)


def on_chat(**quirks):
    row = Provider("one", "https://x.example", "openai-chat", quirks=Quirks(**quirks))
    return Route(row, ModelSpec("m", "one"), row.url)


def test_a_reply_whose_thoughts_stay_behind_counts_without_them():
    talk = (TALK[0], thought())
    fit = handoff(talk, on_chat())
    assert fit[1].usage == Usage(input=100, output=20)
    assert replace(fit[1], usage=talk[1].usage) == talk[1]
    anew = handoff((TALK[0], thought(provider="two")), on_chat())
    assert (anew[1].native, anew[1].usage.output) == (None, 20)


def test_a_reply_whose_thoughts_go_back_counts_with_them():
    talk = (TALK[0], thought({"reasoning_details": [{"text": "hm", "signature": "s"}]}))
    assert handoff(talk, on_chat()) is talk
    plain = (TALK[0], thought())
    assert handoff(plain, on_chat(reasoning_replay="reasoning_content")) is plain
    assert handoff(plain, route()) is plain
    other = (TALK[0], replace(thought(), model="another"))
    assert handoff(other, on_chat()) is other
