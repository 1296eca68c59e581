"""A session that begins with another one's tools and system finds them in the cache."""

import asyncio
import json
from functools import partial

import pytest
from simulated import NOW, READ

from agentcli.lib.value import replace
from agentcli.llm.cache import plan
from agentcli.llm.client import Client
from agentcli.llm.gaps import Gaps
from agentcli.llm.http import Http, InProcess
from agentcli.llm.marks import Mark
from agentcli.llm.miss import Sent, explain
from agentcli.llm.providers import resolve
from agentcli.llm.shape import chain, shape
from agentcli.llm.simulator import Failure, SimulatedProvider, says
from agentcli.llm.types import AssistantMessage, Request, Text, Usage, UserMessage

ROUTE = resolve("claude-sonnet-5-5", {"ANTHROPIC_API_KEY": "k"})
TALK = Request(
    "claude-sonnet-5-5",
    ("You are an agent. " * 500,),
    (READ, NOW),
    (UserMessage((Text("Do it. " * 200),)),),
    session="s",
)
CHILD = replace(TALK, messages=(UserMessage((Text("A part."),)),), session="s/1", parent="s")


def ask(*requests, pause=10.0, route=ROUTE, **options):
    """What the provider reported of each, and what was expected to be read; `pause` before each."""
    now = [0.0]
    provider = SimulatedProvider([says("ok")] * len(requests), clock=lambda: now[0], key="k")
    http = Http(transport=InProcess(provider.handle))
    client = Client(lambda _: route, lambda _: http, clock=lambda: now[0], **options)
    found = []

    async def main():
        for request in requests:
            now[0] += pause
            async with client.stream(request) as reply:
                async for _ in reply:
                    pass
            state = client.cache_state(request.session, request.model)
            found.append((reply.message.usage, state[0]))
            if request.session == "s/gone":
                client.forget(request.session)
        return client

    return asyncio.run(main()), found


def test_the_head_is_read_and_that_is_foretold():
    _, ((wrote, _), (read, planned)) = ask(TALK, CHILD)
    assert read.cache_read > 1_000
    assert read.cache_read < wrote.cache_write_5m
    assert abs(planned.expected_read - read.cache_read) < 0.15 * read.cache_read


def test_nothing_is_expected_of_a_session_with_another_head():
    other = replace(CHILD, system=("Somebody else. " * 500,))
    _, (_, (read, planned)) = ask(TALK, other)
    assert (read.cache_read, planned.expected_read) == (0, 0)


def test_nothing_is_expected_where_the_parent_was_silent_for_too_long():
    _, (_, (read, planned)) = ask(TALK, CHILD, pause=400.0)
    assert (read.cache_read, planned.expected_read) == (0, 0)


def test_the_parent_goes_on_as_if_nothing_had_been():
    on = replace(TALK, messages=(*TALK.messages, UserMessage((Text("And?"),))))
    _, found = ask(TALK, CHILD, on)
    assert found[2][1].expected_read > found[1][1].expected_read
    assert found[2][0].cache_read == found[0][0].cache_write_5m


def test_pauses_of_the_parents_person_do_not_make_it_dearer():
    patient = Gaps(0.0, 50.0, 0.0)
    _, (_, (_, planned)) = ask(TALK, CHILD, planner=partial(plan, prior=patient))
    assert {mark.ttl for mark in planned.marks} == {"5m"}
    longer = {"latest": "1h", "tools": "1h"}
    asked = plan(CHILD, ROUTE.model, None, 1.0, ttls=longer)
    latest = [mark.ttl for mark in asked.marks if mark.segment == "latest"]
    assert latest == ["5m"]
    own = plan(TALK, ROUTE.model, None, 0.0, ttls=longer)
    assert [mark.ttl for mark in own.marks if mark.segment == "latest"] == ["1h"]


GPT = resolve("gpt-6.1-sol", {"OPENAI_API_KEY": "k"})
TWO_PARTS = ("You are an agent. " * 500, "The project is here. " * 100)
GPT_TALK = replace(TALK, model="gpt-6.1-sol", system=TWO_PARTS, cache_key="s")
GPT_CHILD = replace(GPT_TALK, messages=CHILD.messages, session="s/1", parent="s")


def test_openai_keeps_the_head_where_it_is_marked_and_nothing_is_written_twice():
    _, ((wrote, _), (read, planned)) = ask(GPT_TALK, GPT_CHILD, route=GPT)
    assert 2_500 < read.cache_read < wrote.cache_write_5m
    assert abs(planned.expected_read - read.cache_read) < 0.15 * read.cache_read
    assert (wrote.input, wrote.prompt) == (0, wrote.cache_write_5m)


def test_openai_s_head_is_read_after_a_summary():
    anew = replace(GPT_TALK, messages=(UserMessage((Text("This is what happened."),)),))
    _, (_, (read, planned)) = ask(GPT_TALK, anew, route=GPT)
    assert read.cache_read > 2_500
    assert abs(planned.expected_read - read.cache_read) < 0.15 * read.cache_read


def test_of_a_cold_summary_openai_writes_only_the_head():
    """It is never sent again, so writing the rest would cost a quarter more for nothing."""
    sum_up = UserMessage((Text("Sum it up."),))
    final = replace(GPT_TALK, messages=(*GPT_TALK.messages, sum_up), final=True)
    _, (_, (cold, planned)) = ask(GPT_TALK, final, pause=1_900.0, route=GPT)
    assert cold.cache_read == 0
    assert cold.input > 200
    assert 2_500 < cold.cache_write_5m < 3_500
    expected = planned.expected
    assert abs(expected.cache_write_5m - cold.cache_write_5m) < 0.15 * cold.cache_write_5m
    _, (_, (warm, planned)) = ask(GPT_TALK, final, route=GPT)
    assert (warm.input, planned.only_marked) == (0, False)
    assert warm.cache_read == cold.prompt - warm.cache_write_5m


def test_a_second_summary_reads_what_the_first_one_in_vain_found():
    """What was sent last is known, so nobody takes a warm conversation for a cold one."""
    reply = AssistantMessage((Text("ok"),), GPT_TALK.model, "end_turn", usage=Usage(output=1))
    talk = replace(GPT_TALK, messages=(*GPT_TALK.messages, reply))

    def asked(words):
        last = UserMessage((Text(words),), "reminder")
        return replace(talk, messages=(*talk.messages, last), final=True)

    _, (_, _, (read, planned)) = ask(GPT_TALK, asked("Sum it up."), asked("In short."), route=GPT)
    assert not planned.only_marked
    assert read.cache_read > 2_500
    assert planned.expected_read > 2_500


def test_reading_past_openai_s_head_does_not_renew_it():
    more = [UserMessage((Text(f"And {n}?"),)) for n in range(3)]
    talk = [replace(GPT_TALK, messages=(*GPT_TALK.messages, *more[:n])) for n in range(4)]
    _, found = ask(*talk, GPT_CHILD, GPT_CHILD, pause=600.0, route=GPT)
    child, again = found[4], found[5]
    assert (child[0].cache_read, child[1].expected_read) == (0, 0)
    assert min(again[0].cache_read, again[1].expected_read) > 2_500


@pytest.mark.parametrize(
    ("model", "system"), [("gpt-5.4", TWO_PARTS), ("gpt-6.1-sol", TWO_PARTS[:1])]
)
def test_openai_s_head_is_marked_only_where_that_is_taken(model, system):
    spec = resolve(model, {"OPENAI_API_KEY": "k"}).model
    assert plan(replace(GPT_TALK, model=model, system=system), spec, None, 0.0).marks == ()
    assert plan(GPT_TALK, GPT.model, None, 0.0).marks == (Mark("memory", "30m"),)
    elsewhere = replace(GPT.model, provider="azure")
    assert plan(GPT_TALK, elsewhere, None, 0.0).marks == ()


def test_a_server_that_does_not_know_the_mark_is_asked_without_it_from_then_on():
    said = {"message": "Unknown parameter: 'input[0].content[0].prompt_cache_breakpoint'."}
    refused = Failure(400, json.dumps({"error": said}).encode())
    provider = SimulatedProvider([refused, says("ok"), says("ok")], key="k")
    http = Http(transport=InProcess(provider.handle))
    client = Client(lambda _: GPT, lambda _: http)

    async def main():
        for request in (GPT_TALK, GPT_CHILD):
            async with client.stream(request) as reply:
                async for _ in reply:
                    pass
        return client.cache_state("s/1", GPT_TALK.model)

    planned, _ = asyncio.run(main())
    marked = [b"prompt_cache_breakpoint" in request.body for request in provider.received]
    assert marked == [True, False, False]
    assert (planned.marks, planned.expected_read) == ((), 0)


def test_what_is_forgotten_is_gone():
    client, _ = ask(TALK, replace(CHILD, session="s/gone"), CHILD)
    assert client.cache_state("s/gone", TALK.model) is None
    assert client.cache_state("s", TALK.model) is not None
    assert client.cache_state("s/1", TALK.model) is not None


def sent(read, expected):
    usage = Usage(input=50, cache_read=read, cache_write_5m=3_000 - read)
    planned = replace(plan(CHILD, ROUTE.model, None, 0.0), expected_read=expected)
    form = shape(CHILD, chain(CHILD))
    return Sent(form, "anthropic", 0.0, usage, planned, ROUTE.model.cache)


def test_a_first_request_that_read_its_head_missed_nothing():
    assert explain(sent(2_900, 3_000), None) is None
    miss = explain(sent(0, 3_000), None)
    assert (miss.kind, miss.lost) == ("first", 3_000)
    assert "its head was expected in the cache" in miss.text
    assert explain(sent(0, 0), None).text == "first request"
