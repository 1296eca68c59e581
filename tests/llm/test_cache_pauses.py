"""An hour is paid for when pauses cost more than it does, and only then."""

from itertools import pairwise
from math import inf

import pytest

from agentcli.lib.value import replace
from agentcli.llm import models
from agentcli.llm.cache import plan
from agentcli.llm.gaps import UNKNOWN, Gaps, observed
from agentcli.llm.types import AssistantMessage, Request, Text, ToolSpec, Usage, UserMessage

OPUS = models.find("claude-opus-5-5", "anthropic")
HEAD = "words and more words " * 400


def request(messages):
    return Request(OPUS.id, (HEAD,), (), tuple(messages), session="s1")


def talk(pauses, *, size=2_000, model=OPUS, told=None, **options):
    """The plans of a session whose requests are so many seconds apart; one result each."""
    messages, made, now, before = [UserMessage((Text("hi"),))], [], 0.0, None
    for pause in (*pauses, None):
        before = plan(request(messages), model, before, now, **options)
        made.append(before)
        reply = AssistantMessage((Text("ok"),), model.id, "end_turn", told)
        messages += [reply, UserMessage((Text("x" * size),), "tool")]
        now += pause or 0.0
    return made


def hours(made):
    """Which requests keep what they add for an hour."""
    return [index for index, p in enumerate(made) if p.marks[-1].ttl == "1h"]


@pytest.mark.parametrize(
    ("pauses", "ever"),
    [
        ([10] * 40, False),
        ([10, 10, 10, 290] * 10, False),
        ([10, 10, 10, 4200] * 10, False),
        ([10, 10, 10, 360] * 10, True),
        ([360] * 10, True),
        ([10, 10, 400, 10, 10, 4200] * 6, True),
    ],
    ids=["script", "quick", "long", "six-minutes", "chat", "mixed"],
)
def test_an_hour_is_asked_for_only_where_it_outlives_pauses(pauses, ever):
    assert bool(hours(talk(pauses))) is ever


def test_before_the_first_pause_nothing_is_paid_against_it():
    made = talk([10, 10, 10, 10, 360, 10, 10, 10, 10])
    assert min(hours(made)) > 4


def test_with_an_hour_at_its_end_the_stable_prefix_is_kept_for_an_hour_too():
    made = talk([10, 10, 10, 360] * 3)
    long = [p for p in made if p.marks[-1].ttl == "1h"]
    assert {mark.ttl for p in long for mark in p.marks} == {"1h"}


def test_one_hour_marks_come_before_five_minute_ones():
    for made in talk([10, 10, 10, 360] * 10):
        lives = [mark.ttl for mark in made.marks]
        assert lives == sorted(lives)


def test_the_hour_is_put_where_little_is_added():
    """It costs more on what is new alone, and keeps all before it: a big file waits."""
    past = Gaps(8.0, 2.0, 0.0)
    messages = [UserMessage((Text("hi"),))]
    first = plan(request(messages), OPUS, None, 0.0, prior=past)
    reply = AssistantMessage((Text("ok"),), OPUS.id, "end_turn")
    big = request([*messages, reply, UserMessage((Text("x" * 400_000),))])
    small = request([*messages, reply, UserMessage((Text("x" * 40),))])
    assert plan(big, OPUS, first, 10.0).marks[-1].ttl == "5m"
    assert plan(small, OPUS, first, 10.0).marks[-1].ttl == "1h"


def test_the_hour_is_renewed_when_enough_is_at_stake_again():
    """By expected cost about every tenth request, where one in fifty is followed by a pause."""
    asked = hours(talk([10] * 80, prior=Gaps(9_800.0, 200.0, 0.0)))
    apart = [later - earlier for earlier, later in pairwise(asked)]
    assert len(apart) > 4
    assert all(4 <= distance <= 15 for distance in apart)


def test_what_is_kept_for_an_hour_stays_marked_so():
    made = talk([10, 10, 10, 360, 10, 10, 10, 10, 10])
    later = made[hours(made)[0] + 1]
    assert [mark.ttl for mark in later.marks] == ["1h", "1h", "5m"]


def test_after_a_pause_what_was_kept_for_an_hour_is_marked_and_expected():
    made = talk([10, 10, 10, 360, 10, 10, 10, 10, 10])
    last = max(i for i in hours(made))
    kept = made[last]
    again = plan(continued(kept), OPUS, kept, kept.seen.at + 1800)
    assert kept.marks[-1].place in [mark.place for mark in again.marks]
    assert again.expected_read == kept.seen.tokens
    assert plan(continued(kept), OPUS, kept, kept.seen.at + 3600).expected_read == 0


def continued(made):
    """The request after a plan's, of the same session."""
    count = (made.seen.count - 1) // 2
    messages = [UserMessage((Text("hi"),))]
    for _ in range(count + 1):
        reply = AssistantMessage((Text("ok"),), OPUS.id, "end_turn")
        messages += [reply, UserMessage((Text("x" * 2_000),), "tool")]
    return request(messages)


@pytest.mark.parametrize(
    ("ttls", "lives"),
    [
        ({"latest": "1h"}, ["1h", "1h"]),
        ({"memory": "1h"}, ["1h", "5m"]),
        ({"system": "1h"}, ["1h", "5m"]),
        ({"history": "1h"}, ["1h", "1h"]),
        ({"latest": "5m"}, ["5m", "5m"]),
        ({}, ["5m", "5m"]),
    ],
)
def test_a_life_set_for_a_segment_wins(ttls, lives):
    first = plan(request([UserMessage((Text("hi"),))]), OPUS, None, 0.0, ttls=ttls)
    assert [mark.ttl for mark in first.marks] == lives


def test_a_life_of_five_minutes_set_for_the_latest_is_never_lengthened():
    assert hours(talk([360] * 10, ttls={"latest": "5m"})) == []


def test_a_head_kept_for_an_hour_is_billed_so_and_outlives_a_pause():
    made = talk([360], ttls={"memory": "1h"})
    assert made[0].expected.cache_write_1h == made[0].seen.head_tokens
    assert made[1].expected_read == made[0].seen.head_tokens


def test_tools_alone_can_be_kept_for_an_hour():
    tools = (ToolSpec("Read", HEAD, {"type": "object"}),)
    first = replace(request([UserMessage((Text("hi"),))]), tools=tools)
    made = plan(first, OPUS, None, 0.0, ttls={"tools": "1h"})
    assert [mark.ttl for mark in made.marks] == ["1h", "5m", "5m"]
    written = made.expected.cache_write_1h
    assert 0 < written < made.seen.head_tokens
    reply = AssistantMessage((Text("ok"),), OPUS.id, "end_turn")
    later = replace(first, messages=(*first.messages, reply, UserMessage((Text("go on"),))))
    assert plan(later, OPUS, made, 1_800.0, ttls={"tools": "1h"}).expected_read == written


def test_without_an_hour_in_its_offer_a_vendor_is_asked_for_none():
    minimax = models.find("MiniMax-M3", "minimax")
    assert hours(talk([360] * 10, model=minimax)) == []


def test_an_hour_that_was_silently_downgraded_is_not_counted_on():
    """Anthropic's hosts and gateways have billed 1h marks as 5m writes; so they lapse."""
    told = Usage(cache_read=2_000, cache_write_5m=500)
    made = talk([1, 360], ttls={"latest": "1h"}, told=told)
    assert made[0].marks[-1].ttl == "1h"
    assert made[-1].expected_read == 0


def test_marks_lost_on_the_way_are_not_counted_on():
    made = talk([10, 10], told=Usage(input=2_400))
    assert made[-1].expected_read == 0
    kept = talk([10, 10], told=Usage(input=10, cache_write_5m=2_390))
    assert kept[-1].expected_read == 2_400


def test_pauses_of_earlier_sessions_teach_before_the_first_of_this_one():
    habit = observed([0, 10, 20, 400, 410, 420, 800, 810, 820, 1200], UNKNOWN)
    assert habit == Gaps(8.0, 3.0, 0.0)
    assert min(hours(talk([10] * 5, prior=habit))) < 4


def test_a_clock_that_goes_backwards_teaches_nothing():
    assert observed([100.0, 50.0]) == UNKNOWN
    made = talk([10, -4000, 10])
    assert made[-1].gaps == Gaps(UNKNOWN.short + 2, 0.0, 0.0)


def test_a_resumed_session_expects_nothing_of_a_model_that_spoke_before_another():
    said = [AssistantMessage((Text("ok"),), name, "end_turn") for name in (OPUS.id, "gpt-6.1-sol")]
    first, second, third = (UserMessage((Text(text),)) for text in ("hi", "go", "on"))
    made = plan(request([first, said[0], second, said[1], third]), OPUS, None, 10.0, last=5.0)
    assert made.expected_read == 0
    assert (0, 0) in [mark.place for mark in made.marks]


def test_a_resumed_session_reads_as_much_as_its_age_allows():
    messages = list(continued(talk([10])[-1]).messages)
    reply = next(i for i in (4, 3, 2, 1) if isinstance(messages[i], AssistantMessage))
    told = Usage(input=5, cache_read=3_000, cache_write_5m=95, output=40)
    messages[reply] = AssistantMessage((Text("ok"),), OPUS.id, "end_turn", told)
    now = 10_000.0
    ages = {30: 3_100, 299: 3_100, 301: 0, inf: 0}
    for age, read in ages.items():
        made = plan(request(messages[: reply + 2]), OPUS, None, now, last=now - age)
        assert made.expected_read == read
        assert (reply - 1, 0) in [mark.place for mark in made.marks]
