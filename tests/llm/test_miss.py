"""Each reason for a cache miss, told from two requests; and silence where nothing was missed."""

import pytest

from agentcli.lib.value import replace
from agentcli.llm.cache import CachePlan, Mark
from agentcli.llm.miss import Sent, duration, explain, shortened
from agentcli.llm.models import CacheKind
from agentcli.llm.shape import chain, shape
from agentcli.llm.types import (
    AssistantMessage,
    Native,
    Request,
    Text,
    ToolSpec,
    Usage,
    UserMessage,
)

MARKED = CacheKind("explicit", min_tokens=1024, max_marks=4, ttls=("5m", "1h"))
AUTOMATIC = CacheKind("automatic", min_tokens=1024)
PLAN = CachePlan(marks=(Mark("latest", message=0, block=0),), life=300)


def tool(name, words="does it"):
    return ToolSpec(name, words, {"type": "object"})


def user(text, origin="human"):
    return UserMessage((Text(text),), origin)


def reply(text, native=None):
    return AssistantMessage((Text(text),), "m", "end_turn", native=native)


TALK = (user("one"), reply("two"), user("three"), reply("four"), user("five"))
FIRST = Request("m", ("be good", "the repository"), (tool("Bash"), tool("Read")), TALK[:3])
SECOND = replace(FIRST, messages=TALK)


def sent(request, usage, at=0.0, kind=MARKED, plan=PLAN, provider="p"):
    links = chain(request)
    return Sent(shape(request, links), provider, at, usage, plan, kind, links.links)


WARM = sent(FIRST, Usage(input=10, cache_read=9_000, cache_write_5m=1_000))
NOTHING = Usage(input=5, cache_write_5m=12_000)


def reason(request, usage=NOTHING, before=WARM, **more):
    miss = explain(sent(request, usage, **{"at": 60.0, **more}), before, before)
    return miss and (miss.kind, miss.text, miss.lost)


def test_reading_what_was_left_is_no_miss():
    assert reason(SECOND, Usage(input=5, cache_read=10_000, cache_write_5m=300)) is None


def test_a_first_request_is_called_that_and_lost_nothing():
    assert reason(FIRST, before=None) == ("first", "first request", 0)


def without(name):
    return tuple(t for t in SECOND.tools if t.name != name)


GITHUB = (tool("mcp__github__issue"), tool("mcp__github__pull"))


@pytest.mark.parametrize(
    ("tools", "words"),
    [
        ((*SECOND.tools, *GITHUB), "tools changed: MCP github connected"),
        ((*SECOND.tools, tool("Web")), "tools changed: Web added"),
        (without("Bash"), "tools changed: Bash removed"),
        ((tool("Bash", "now otherwise"), tool("Read")), "tools changed: Bash edited"),
        (SECOND.tools[::-1], "tools changed: their order"),
        ((tool("Read"), tool("Web")), "tools changed: Web added, Bash removed"),
    ],
)
def test_changed_tools_are_named(tools, words):
    assert reason(replace(SECOND, tools=tools)) == ("tools", words, 10_000)


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"system": ("be bad", "the repository")}, "system", "system changed"),
        (
            {"system": ("be good", "another branch")},
            "memory",
            "instructions or repository facts changed",
        ),
        ({"effort": "high"}, "options", "effort or output format changed"),
        (
            {"messages": (TALK[0], reply("other"), *TALK[2:])},
            "messages",
            "message 2 edited",
        ),
        ({"messages": TALK[:1]}, "messages", "2 messages were taken back"),
        (
            {"messages": (user("so far: …", "summary"), *TALK[3:])},
            "compaction",
            "compaction",
        ),
    ],
)
def test_the_first_difference_is_the_reason(changes, kind, words):
    assert reason(replace(SECOND, **changes)) == (kind, words, 10_000)


def test_tools_come_before_the_system_and_the_system_before_messages():
    both = replace(SECOND, tools=without("Bash"), system=("other",), messages=TALK[:1])
    assert reason(both)[0] == "tools"
    assert reason(replace(SECOND, system=("other",), messages=TALK[:1]))[0] == "system"


def test_what_was_taken_back_is_not_sent_anew():
    rewound = replace(FIRST, messages=TALK[:1])
    assert reason(rewound, Usage(5, cache_read=4_000)) == (
        "messages",
        "2 messages were taken back",
        5,
    )


def test_after_a_compaction_only_the_new_prompt_is_sent_anew():
    compacted = replace(FIRST, messages=(user("so far: …", "summary"),))
    usage = Usage(input=5, cache_read=2_000, cache_write_5m=1_000)
    assert reason(compacted, usage) == ("compaction", "compaction", 1_005)


def test_a_fork_has_a_cache_of_its_own_where_requests_carry_a_key():
    before = replace(WARM, key="s-1")
    mine = replace(sent(SECOND, NOTHING, 60.0), key="s-2")
    miss = explain(mine, before, before)
    assert (miss.kind, miss.text) == ("key", "another cache key, as a fork has")


def test_another_provider_has_another_cache():
    assert reason(SECOND, at=9_999.0, provider="q") == (
        "routed",
        "another provider: p → q",
        10_000,
    )


def test_what_is_replayed_to_the_provider_counts_as_sent():
    signed = Native("w", "m", ({"type": "thinking", "signature": "a"},))
    edited = replace(SECOND, messages=(TALK[0], reply("two", signed), *TALK[2:]))
    assert reason(edited)[1] == "message 2 edited"


def test_an_edit_before_a_resume_is_seen_without_the_old_messages():
    resumed = replace(WARM, links=())
    assert reason(SECOND, Usage(5, cache_read=10_000), before=resumed) is None
    edited = replace(SECOND, messages=(user("uno"), *TALK[1:]))
    assert reason(edited, before=resumed)[1] == "earlier messages were edited"


@pytest.mark.parametrize(
    ("idle", "words"),
    [
        (300, "expired 0 s ago (kept for 5 min)"),
        (720, "expired 7 min ago (kept for 5 min)"),
        (90_000, "expired 25 h ago (kept for 5 min)"),
    ],
)
def test_expired_says_how_long_ago(idle, words):
    assert reason(SECOND, at=idle) == ("expired", words, 10_000)


def test_in_life_and_nothing_read_the_provider_routed_elsewhere():
    kind, words, lost = reason(SECOND, at=299.0)
    assert (kind, lost) == ("routed", 10_000)
    assert words == "routed elsewhere by the provider: 10,000 tokens expected, none read"


def test_a_clock_that_went_backwards_expires_nothing():
    assert reason(SECOND, at=-5000.0)[0] == "routed"


def test_a_part_read_in_life_is_unknown():
    assert reason(SECOND, Usage(5, cache_read=4_000, cache_write_5m=8_000)) == (
        "unknown",
        "unknown: 4,000 of 10,000 tokens were read",
        6_000,
    )


def test_where_no_life_is_promised_idleness_is_the_reason():
    free = CachePlan()
    before = sent(FIRST, Usage(input=10_000), kind=AUTOMATIC, plan=free)
    asked = {"before": before, "kind": AUTOMATIC, "plan": free}
    late = reason(SECOND, Usage(input=10_500), at=900.0, **asked)
    assert late == ("expired", "let go after 15 min (no life is promised)", 10_000)
    assert reason(SECOND, Usage(input=10_500), at=20.0, **asked)[0] == "routed"
    rounded_down = Usage(input=628, cache_read=9_872)
    assert reason(SECOND, rounded_down, at=20.0, **asked) is None


def test_a_short_prompt_is_below_the_minimum_and_lost_nothing():
    short = sent(FIRST, Usage(input=700), plan=CachePlan())
    assert reason(SECOND, Usage(input=1_500), before=short, plan=CachePlan()) == (
        "minimum",
        "the prompt was below the minimum of 1,024 tokens",
        0,
    )


def test_marks_without_reads_and_writes_got_lost():
    assert reason(FIRST, Usage(input=9_000), before=None)[0] == "marks"
    assert reason(SECOND, Usage(input=9_000))[0] == "marks"
    assert reason(FIRST, Usage(input=1_500), before=None)[0] == "first"


HOUR = CachePlan((Mark("memory", "1h"), Mark("latest", "1h", 0, 0)), life=3600)
MIXED = CachePlan((Mark("memory", "1h"), Mark("latest", "5m", 0, 0)), life=300)


@pytest.mark.parametrize(
    ("plan", "usage", "short"),
    [
        (HOUR, Usage(cache_write_5m=900), True),
        (HOUR, Usage(cache_read=500, cache_write_5m=900), True),
        (HOUR, Usage(cache_write_1h=900), False),
        (HOUR, Usage(cache_read=900), False),
        (HOUR, None, False),
        (MIXED, Usage(cache_write_5m=900), True),
        (MIXED, Usage(cache_read=500, cache_write_5m=900), False),
        (MIXED, Usage(cache_write_1h=500, cache_write_5m=900), False),
        (PLAN, Usage(cache_write_5m=900), False),
    ],
)
def test_an_hour_that_became_five_minutes_is_seen(plan, usage, short):
    assert shortened(usage, plan) is short


def test_a_switch_of_models_names_both():
    elsewhere = explain(sent(replace(SECOND, model="n"), NOTHING, 60.0), None, WARM)
    assert (elsewhere.kind, elsewhere.text) == ("model", "model switched: m → n")
    assert elsewhere.lost == 10_010


def test_back_at_the_first_model_its_own_cache_counts():
    other = sent(replace(SECOND, model="n"), NOTHING, 60.0)
    back = sent(SECOND, Usage(5, cache_read=10_000), 100.0)
    assert explain(back, WARM, other) is None
    assert explain(sent(SECOND, NOTHING, 400.0), WARM, other).kind == "expired"


def test_without_usage_nothing_is_known():
    assert reason(SECOND, None)[0] == "unknown"


def test_who_does_not_cache_misses_nothing():
    assert reason(SECOND, Usage(input=9_000), kind=CacheKind()) is None


def test_a_chain_goes_on_where_the_last_one_ended():
    before = chain(FIRST)
    longer = chain(SECOND, before)
    assert longer.links == chain(SECOND).links
    assert longer.links[:3] == before.links


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (89, "89 s"), (90, "2 min"), (5400, "2 h")]
)
def test_durations_are_short(seconds, words):
    assert duration(seconds) == words
