"""Anthropic's cache rules where they are easily got wrong (wire.md 1.6, 1.7, 1.12)."""

import json

import pytest

from agentcli.llm.simulator import SimulatedProvider, says
from agentcli.llm.simulator.claude_cache import ClaudeCache, prompt
from agentcli.llm.simulator.claude_rules import can_read, effort, thinking_mode
from agentcli.llm.simulator.tokens import block_tokens
from agentcli.llm.types import Usage

MODEL = "claude-opus-5-5"
MARK = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}
SEARCH = {"type": "web_search_20260318", "name": "web_search"}


def text(words, mark=None):
    block = {"type": "text", "text": words}
    return block | {"cache_control": mark} if mark else block


def long(seed, tokens=600):
    """A text of exactly so many tokens."""
    return (seed * tokens * 4)[: tokens * 4]


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


def model(*blocks):
    return {"role": "assistant", "content": list(blocks)}


def tool(name, words="d"):
    return {"name": name, "description": words, "input_schema": {"type": "object"}}


def body(*messages, **fields):
    return {"model": MODEL, "max_tokens": 100, "messages": list(messages)} | fields


class Account:
    """A cache and a clock; `ask` is one request whose answer begins."""

    def __init__(self):
        self.cache = ClaudeCache()
        self.now = 0.0

    def ask(self, request, after=0.0, beta=""):
        self.now += after
        charge = self.cache.look(prompt(request, beta=beta), self.now)
        self.cache.publish(charge)
        return charge.usage


def ask(provider, request, key="k", host="x", **headers):
    """(status, answer) of one request over HTTP."""
    given = {"anthropic-version": "2023-06-01", "x-api-key": key} | headers
    data = json.dumps(request).encode()
    status, _, pieces = provider.handle("POST", f"http://{host}/v1/messages", given, data)
    return status, json.loads(b"".join(pieces))


@pytest.mark.parametrize(
    ("block", "marked"),
    [
        ({"type": "image", "source": {}}, True),
        ({"type": "document", "source": {}}, True),
        ({"type": "search_result", "content": []}, True),
        ({"type": "tool_result", "tool_use_id": "a"}, True),
        ({"type": "tool_use", "id": "a", "name": "n", "input": {}}, True),
        ({"type": "compaction", "content": "c"}, True),
        ({"type": "tool_addition", "tool_name": "n"}, True),
        ({"type": "tool_removal", "tool_name": "n"}, False),
        ({"type": "thinking", "thinking": "hm", "signature": "s"}, False),
        ({"type": "redacted_thinking", "data": "s"}, False),
        ({"type": "server_tool_use", "id": "s", "name": "n", "input": {}}, False),
        (text(""), False),
        (text("a"), True),
    ],
    ids=lambda block: block["type"] if isinstance(block, dict) else "",
)
def test_the_automatic_mark_walks_back_to_a_block_that_may_carry_one(block, marked):
    request = body(user(text("first"), block), cache_control=HOUR)
    first, last = prompt(request).positions
    assert (last.ttl, first.ttl) == (("1h", "") if marked else ("", "1h"))


def test_with_no_block_that_may_carry_it_the_automatic_mark_is_left_out():
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    assert [p.ttl for p in prompt(body(model(thought), cache_control=MARK)).positions] == [""]


def test_without_messages_the_automatic_mark_falls_on_a_tool():
    found = prompt(body(tools=[tool("a"), tool("b")], cache_control=MARK)).positions
    assert [p.ttl for p in found] == ["", "5m"]


def test_four_marks_and_the_automatic_one_on_the_last_of_them_are_four():
    marked = [text(f"{n}", MARK) for n in range(4)]
    provider = SimulatedProvider([says("ok")] * 3)
    assert ask(provider, body(user(*marked), cache_control=MARK))[0] == 200
    assert ask(provider, body(user(*marked, text("z")), cache_control=MARK))[0] == 400
    assert ask(provider, body(user(*marked), cache_control=HOUR))[0] == 400


def test_anthropics_own_tools_stand_between_tools_and_system():
    """So switching web search on keeps the tools; its mark and its tokens count."""
    request = body(user(text("u")), system=[text("s")], tools=[SEARCH | {"cache_control": MARK}])
    first, *_ = prompt(request).positions
    assert (first.path, first.ttl, first.tokens) == ("tools.0", "5m", block_tokens(SEARCH))
    mixed = body(user(text("u")), tools=[SEARCH, tool("a")])
    assert [p.path for p in prompt(mixed).positions][:2] == ["tools.1", "tools.0"]


def test_a_mark_on_anthropics_own_tool_counts_as_one_of_four():
    provider = SimulatedProvider([says("ok")] * 2)
    tools = [tool("a"), SEARCH | {"cache_control": MARK}]
    marked = [text(f"{n}", MARK) for n in range(4)]
    assert ask(provider, body(user(*marked[:3]), tools=tools))[0] == 200
    assert ask(provider, body(user(*marked), tools=tools))[0] == 400


@pytest.mark.parametrize(
    "cited",
    [
        {"type": "document", "source": {}, "citations": {"enabled": True}},
        {"type": "search_result", "content": [], "citations": {"enabled": True}},
        {
            "type": "tool_result",
            "tool_use_id": "a",
            "content": [{"type": "document", "source": {}, "citations": {"enabled": True}}],
        },
    ],
    ids=lambda block: block["type"],
)
def test_citations_switched_on_lose_the_system_too(cited):
    account = Account()
    fields = {"tools": [tool("t", long("t")) | {"cache_control": MARK}]}
    fields["system"] = [text(long("s"), MARK)]
    account.ask(body(user(text("u")), **fields))
    kept = account.ask(body(user(text("u"), cited), **fields)).cache_read
    assert kept == block_tokens(tool("t", long("t")))
    off = json.loads(json.dumps(cited).replace("true", "false"))
    assert account.ask(body(user(text("u"), off), **fields)).cache_read == kept + 600


def test_citations_that_a_reply_made_are_no_switch():
    made = text("a") | {"citations": [{"type": "page_location"}]}
    account = Account()
    system = [text(long("s"), MARK)]
    account.ask(body(user(text("u")), system=system))
    assert account.ask(body(user(text("u")), model(made), system=system)).cache_read == 600


@pytest.mark.parametrize(
    "change",
    [
        {"tool_choice": {"type": "auto", "disable_parallel_tool_use": False}},
        {"speed": "standard"},
        {"output_config": {"effort": "medium"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_naming_a_default_loses_nothing(change):
    account = Account()
    request = body(user(text(long("a"), MARK)), tools=[tool("t")])
    account.ask(request)
    assert account.ask(request | change).cache_read > 600


def test_a_beta_named_twice_or_in_another_order_is_the_same():
    account = Account()
    request = body(user(text(long("a"), MARK)))
    account.ask(request, beta="one,two")
    assert account.ask(request, beta=" two, one,two,").cache_read == 600


def test_effort_named_in_a_message_keeps_the_cache():
    """wire.md 1.7: `output_config` on a system message in the conversation."""
    account = Account()
    account.ask(body(user(text(long("a"), MARK))))
    note = {"role": "system", "content": "x", "output_config": {"effort": "low"}}
    assert account.ask(body(user(text(long("a"), MARK)), note)).cache_read == 600


def test_a_picture_inside_a_result_loses_the_messages_as_well():
    picture = {"type": "image", "source": {}}
    answer = {"type": "tool_result", "tool_use_id": "a", "content": [picture]}
    account = Account()
    account.ask(body(user(text(long("a"), MARK))))
    assert account.ask(body(user(text(long("a"), MARK)), user(answer))).cache_read == 0


def test_a_budget_changed_loses_the_messages():
    account = Account()
    thinking = {"type": "enabled", "budget_tokens": 1024}
    request = body(user(text(long("a", 1100), MARK)), model="claude-sonnet-4-5")
    account.ask(request | {"thinking": thinking})
    account.ask(request | {"thinking": thinking | {"budget_tokens": 2048}})
    assert account.ask(request | {"thinking": thinking}).cache_read == 1100
    assert account.ask(request | {"thinking": thinking | {"budget_tokens": 4096}}).cache_read == 0


def test_words_in_a_message_beside_the_results_are_one_turn_with_them():
    """Neighbouring messages of one role are one: the thinking before them stays."""
    thought = {"type": "thinking", "thinking": long("h", 100), "signature": "s"}
    use = {"type": "tool_use", "id": "a", "name": "n", "input": {}}
    answer = {"type": "tool_result", "tool_use_id": "a", "content": "ok"}
    talk = (user(text(long("a", 2000))), model(thought, use), user(answer))
    old = {"model": "claude-sonnet-4-5"}
    kept = prompt(body(*talk, user(text("and")), **old))
    assert "messages.1.content.0" in [p.path for p in kept.positions]
    gone = prompt(body(*talk, model(text("done")), user(text("and")), **old))
    assert "messages.1.content.0" not in [p.path for p in gone.positions]
    later = (model(thought, use), user(answer))
    both = prompt(body(*talk, model(text("done")), user(text("and")), *later, **old))
    paths = [p.path for p in both.positions]
    assert ("messages.1.content.0" in paths, "messages.5.content.0" in paths) == (False, True)


def test_a_slow_first_answer_does_not_shorten_what_a_second_wrote():
    cache, request = ClaudeCache(), prompt(body(user(text(long("a"), MARK))))
    slow, quick = cache.look(request, 0), cache.look(request, 100)
    cache.publish(quick)
    cache.publish(slow)
    assert cache.look(request, 399).usage.cache_read == 600


def test_of_two_lives_written_at_once_the_longer_holds():
    cache = ClaudeCache()
    hour = cache.look(prompt(body(user(text(long("a"), HOUR)))), 0)
    minutes = cache.look(prompt(body(user(text(long("a"), MARK)))), 1)
    cache.publish(hour)
    cache.publish(minutes)
    assert cache.look(prompt(body(user(text(long("a"), MARK)))), 3599).usage.cache_read == 600


def test_a_mark_of_an_hour_renews_five_minutes_as_five_minutes():
    account = Account()
    account.ask(body(user(text(long("a"), MARK))))
    assert account.ask(body(user(text(long("a"), HOUR)))) == Usage(cache_read=600)
    assert account.ask(body(user(text(long("a"), HOUR))), after=301) == Usage(cache_write_1h=600)


def test_a_mark_below_the_minimum_opens_no_hour():
    """B is the last one-hour mark that is written at all (wire.md 1.12.6, 1.12.8)."""
    request = body(user(text("short", HOUR), text(long("a"), MARK)))
    assert Account().ask(request) == Usage(cache_write_5m=602)


def test_prewarming_writes_and_says_nothing():
    provider = SimulatedProvider([says("not said"), says("ok")], clock=lambda: 0.0)
    request = body(user(text(long("a"), MARK)))
    status, answer = ask(provider, request | {"max_tokens": 0})
    assert (status, answer["content"], answer["stop_reason"]) == (200, [], "max_tokens")
    assert answer["usage"]["output_tokens"] == 0
    assert answer["usage"]["cache_creation_input_tokens"] == 600
    assert ask(provider, request)[1]["usage"]["cache_read_input_tokens"] == 600


KEYS = {"a1": "acme/one", "a2": "acme/two", "a3": "acme/one", "b": "other/one"}


def read(provider, request, **where):
    status, answer = ask(provider, request, **where)
    assert status == 200
    return answer["usage"]["cache_read_input_tokens"]


def test_a_workspace_reads_nothing_of_anothers():
    provider = SimulatedProvider([says("ok")] * 9, key=KEYS, clock=lambda: 0.0)
    request = body(user(text(long("a"), MARK)))
    assert read(provider, request, key="a1") == 0
    assert [read(provider, request, key=key) for key in ("a2", "b", "a3")] == [0, 0, 600]
    named = {"anthropic-workspace-id": "w"}
    assert read(provider, request, key="a1", **named) == 0
    assert ask(provider, request, key="c")[0] == 401


def test_on_bedrock_an_organisation_reads_in_one_region():
    provider = SimulatedProvider([says("ok")] * 9, key=KEYS, clock=lambda: 0.0)
    point = {"cachePoint": {"type": "default"}}
    request = {"messages": [user({"text": long("a")}, point)]}

    def usage(key, region):
        path = f"http://{region}/model/anthropic.claude-opus-5-5/converse"
        data, headers = json.dumps(request).encode(), {"authorization": f"Bearer {key}"}
        _, _, pieces = provider.handle("POST", path, headers, data)
        return json.loads(b"".join(pieces))["usage"]["cacheReadInputTokens"]

    assert usage("a1", "us") == 0
    assert [usage("a2", "us"), usage("b", "us"), usage("a1", "eu")] == [600, 0, 0]


A, B = long("a"), long("b")


def pair(mark_a=None, mark_b=None):
    return body(user(text(A, mark_a), text(B, mark_b)))


def test_without_a_system_prompt_what_parts_it_parts_the_messages():
    account = Account()
    request = body(user(text(A, MARK)))
    account.ask(request)
    assert account.ask(request | {"speed": "fast"}).cache_read == 0


def test_the_models_own_steps_strip_no_thinking():
    def step(name):
        thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
        use = {"type": "tool_use", "id": name, "name": "n", "input": {}}
        answer = {"type": "tool_result", "tool_use_id": name, "content": "ok"}
        return model(thought, use), user(answer)

    talk = body(user(text("go")), *step("a"), *step("b"), model="claude-sonnet-4-5")
    paths = [p.path for p in prompt(talk).positions]
    assert {"messages.1.content.0", "messages.3.content.0"} < set(paths)


def test_what_is_found_by_looking_back_is_renewed():
    account = Account()
    account.ask(pair(mark_a=MARK))
    assert account.ask(pair(mark_b=MARK), after=200).cache_read == 600
    assert account.ask(pair(mark_a=MARK), after=250).cache_read == 600


def test_inside_what_is_read_only_what_is_marked_is_renewed():
    account = Account()
    account.ask(pair(MARK, MARK))
    account.ask(pair(mark_b=MARK), after=200)
    assert account.ask(pair(mark_a=MARK), after=150).cache_read == 0


def test_what_died_is_written_again_and_lives():
    account = Account()
    account.ask(pair(mark_a=MARK))
    assert account.ask(pair(mark_a=MARK), after=300).cache_read == 0
    assert account.ask(pair(mark_a=MARK), after=299).cache_read == 600


def test_an_hour_inside_what_is_read_is_not_billed_again():
    account = Account()
    account.ask(pair(HOUR, MARK))
    more = body(user(text(A, HOUR), text(B, MARK), text("abcd", MARK)))
    assert account.ask(more) == Usage(cache_read=1200, cache_write_5m=1)


def test_looking_back_ends_at_the_first_block():
    account = Account()
    account.ask(pair(mark_b=MARK))
    assert account.ask(pair(mark_a=MARK)).cache_read == 0


def test_an_hour_written_beside_five_minutes_holds():
    cache, minutes, hour = ClaudeCache(), prompt(pair(MARK)), prompt(pair(HOUR))
    first, second = cache.look(minutes, 0), cache.look(hour, 1)
    cache.publish(first)
    cache.publish(second)
    assert cache.look(hour, 3600).usage.cache_read == 600


def test_an_hour_beyond_five_minutes_is_an_hour():
    account = Account()
    account.ask(pair(mark_a=MARK))
    assert account.ask(pair(mark_b=HOUR)) == Usage(cache_read=600, cache_write_1h=600)
    assert account.ask(pair(mark_b=HOUR), after=3599).cache_read == 1200


def test_an_hour_inside_an_hour_is_an_hour():
    account = Account()
    account.ask(pair(mark_b=HOUR))
    account.ask(pair(HOUR, HOUR))
    assert account.ask(pair(mark_a=HOUR), after=3599).cache_read == 600


def test_five_minutes_inside_an_hour_stay_five_minutes():
    account = Account()
    account.ask(pair(mark_a=MARK))
    account.ask(pair(mark_b=HOUR))
    account.ask(pair(HOUR, HOUR))
    assert account.ask(pair(mark_a=HOUR), after=301).cache_read == 0


def test_a_dead_hour_inside_five_minutes_does_not_rise_again():
    account = Account()
    account.ask(pair(HOUR, MARK))
    for _ in range(16):
        account.ask(pair(mark_b=MARK), after=240)
    assert account.ask(pair(HOUR, MARK)).cache_read == 1200
    assert account.ask(pair(mark_a=HOUR), after=301).cache_read == 0


ALWAYS = "fable-5 fable-5-1 fable-5-2 mythos-5 mythos-5-1 mythos-5-2 opus-5-5"
MODES = {
    "adaptive": f"{ALWAYS} sonnet-5-5 haiku-5-5 opus-5 sonnet-5 opus-4-8 opus-4-7 opus-4-6 "
    "sonnet-4-6",
    "enabled": "opus-4-6 sonnet-4-6 opus-4-5 sonnet-4-5 haiku-4-5",
    "between_tools": "sonnet-5-5",
    "disabled": "haiku-5-5 opus-5 sonnet-5 opus-4-8 opus-4-7 opus-4-6 sonnet-4-6 opus-4-5 "
    "sonnet-4-5 haiku-4-5",
}
MODELS = sorted({name for names in MODES.values() for name in names.split()})
"""wire.md 1.6, the table of thinking modes."""


@pytest.mark.parametrize("name", MODELS)
def test_the_thinking_modes_of_each_model(name):
    provider = SimulatedProvider([says("ok")] * 4)
    taken = []
    for mode in MODES:
        budget = {"budget_tokens": 1024} if mode == "enabled" else {}
        request = body(user(text("a")), model=f"claude-{name}", max_tokens=2000)
        status, _ = ask(provider, request | {"thinking": {"type": mode} | budget})
        taken += [mode] if status == 200 else []
    assert taken == [mode for mode, names in MODES.items() if name in names.split()]


@pytest.mark.parametrize("name", MODELS)
def test_the_mode_without_a_field(name):
    thinks = f"{ALWAYS} sonnet-5-5 haiku-5-5 opus-5 sonnet-5".split()
    assert thinking_mode({"model": f"claude-{name}"}) == (
        "adaptive" if name in thinks else "disabled"
    )


@pytest.mark.parametrize(
    ("name", "mode", "status"),
    [
        ("sonnet-5-5", "between_tools", 400),
        ("haiku-5-5", "disabled", 400),
        ("opus-5", "disabled", 400),
        ("sonnet-5", "disabled", 200),
        ("opus-4-8", "disabled", 200),
    ],
)
def test_off_above_effort_high(name, mode, status):
    provider = SimulatedProvider([says("ok")] * 3)
    request = body(user(text("a")), model=f"claude-{name}") | {"thinking": {"type": mode}}
    for asked, found in (("high", 200), ("xhigh", status), ("max", status)):
        given = request | {"output_config": {"effort": asked}}
        assert ask(provider, given)[0] == found, asked


SYSTEM_ROLE = "fable-5 fable-5-1 mythos-5 mythos-5-1 opus-4-8 opus-5 opus-5-5 sonnet-5-5 haiku-5-5"


@pytest.mark.parametrize("name", MODELS)
def test_which_models_take_a_system_message_in_the_conversation(name):
    taken = name in SYSTEM_ROLE.split() or name.endswith("5-2")
    note = {"role": "system", "content": "x"}
    request = body(user(text("a")), note, model=f"claude-{name}")
    assert (ask(SimulatedProvider([says("ok")]), request)[0] == 200) == taken


@pytest.mark.parametrize(
    ("reader", "reads", "drops"),
    [
        ("fable-5-1", "fable-5 opus-5 opus-4-8 sonnet-5 haiku-4-5 opus-5-5", "fable-5-2 opus-6"),
        ("opus-5-5", "opus-5 opus-4-8 sonnet-5 haiku-4-5 sonnet-5-5 haiku-5-5", "fable-5 opus-6"),
        ("sonnet-5-5", "sonnet-5 opus-4-8 haiku-4-5 haiku-5-5", "opus-5 opus-5-5 fable-5"),
        ("haiku-5-5", "sonnet-5 opus-4-8 haiku-4-5", "opus-5 sonnet-5-5 opus-5-5"),
        ("opus-5", "", "opus-4-8 sonnet-5"),
        ("fable-5", "", "opus-4-8 sonnet-5"),
    ],
)
def test_whose_thinking_a_model_reads(reader, reads, drops):
    def can(writer):
        return can_read(f"claude-{reader}", f"claude-{writer}")

    assert can(reader)
    assert [name for name in reads.split() if not can(name)] == []
    assert [name for name in drops.split() if can(name)] == []


@pytest.mark.parametrize(("name", "default"), [("opus-5-5", "medium"), ("haiku-5-5", "medium")])
def test_whose_effort_is_medium(name, default):
    assert effort({"model": f"claude-{name}"}) == default
    assert effort({"model": "claude-sonnet-5-5"}) == effort({"model": "claude-opus-5"}) == "high"


@pytest.mark.parametrize(
    ("name", "status"),
    [("opus-4-5", 200), ("opus-4-6", 400), ("sonnet-4-6", 400), ("sonnet-5", 400)],
)
def test_since_4_6_no_reply_is_begun_for_the_model(name, status):
    request = body(user(text("a")), model(text("b")), model=f"claude-{name}")
    assert ask(SimulatedProvider([says("ok")]), request)[0] == status
