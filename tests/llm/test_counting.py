"""A prompt's length before it is sent: our count, put right by what was reported."""

import pytest

from agentcli.llm.counting import counted
from agentcli.llm.types import AssistantMessage, Request, Text, Thinking, Usage, UserMessage

HEAD = "a line of the prompt " * 200
OK = (Text("ok"),)
WORDS = "a line of what was read " * 400


def user(text):
    return UserMessage((Text(text),))


def reply(usage, model="m-1", content=OK):
    return AssistantMessage(content, model, "end_turn", usage)


def count(*messages):
    return counted(Request("m-1", (HEAD,), (), messages), "m-1", None, 0)


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.3])
def test_what_is_new_is_counted_in_the_tokens_of_the_provider(scale):
    first = count(user(WORDS))
    prompt = round(first.tokens * scale)
    told = Usage(input=100, cache_read=prompt - 100, output=50)
    then = count(user(WORDS), reply(told), user(WORDS))
    assert then.answered == prompt
    assert then.tokens - prompt - 50 == pytest.approx(scale * (first.tokens - first.head), rel=0.01)
    assert then.head == pytest.approx(scale * first.head, rel=0.01)


def test_a_report_that_lost_its_cache_fields_does_not_shrink_the_prompt():
    first = count(user(WORDS))
    told = Usage(input=12, output=50)
    assert count(user(WORDS), reply(told)).tokens == first.tokens + 50


def test_counting_on_is_counting_at_once():
    talk = [user(WORDS), reply(Usage(input=3_400, output=9)), user("go on"), user(WORDS)]
    request = Request("m-1", (HEAD,), (), tuple(talk))
    begun = count(*talk[:2])
    assert counted(request, "m-1", begun, 2) == count(*talk)


def test_what_another_model_thought_is_not_sent_and_not_counted():
    short = count(user("hi"), reply(None, "m-2"))
    thought = (Thinking(WORDS), Text("ok"))
    told = Usage(input=10, output=9_000)
    assert count(user("hi"), reply(told, "m-2", thought)).tokens == short.tokens
