"""Anthropic's cache rules (wire.md 1.12), one test or more for each."""

import pytest

from agentcli.llm.simulator.claude_cache import ClaudeCache, prompt
from agentcli.llm.simulator.claude_rules import MINIMUMS, binds_prefix, minimum, strips_thoughts
from agentcli.llm.simulator.tokens import block_tokens, count
from agentcli.llm.types import Usage

MODEL = "claude-opus-5-5"
MARK = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}


def text(words, mark=None):
    block = {"type": "text", "text": words}
    return block | {"cache_control": mark} if mark else block


def long(seed, tokens=600):
    """A text of exactly so many tokens."""
    return (seed * tokens * 4)[: tokens * 4]


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


def body(*messages, system=(), tools=(), model=MODEL, **fields):
    return {
        "model": model,
        "tools": list(tools),
        "system": list(system),
        "messages": list(messages),
        **fields,
    }


def tool(name, words="d", mark=None):
    found = {"name": name, "description": words, "input_schema": {"type": "object"}}
    return found | {"cache_control": mark} if mark else found


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


def test_tokens_are_a_quarter_of_the_bytes_rounded_up_by_block():
    assert [count(""), count("a"), count("abcd"), count("abcde"), count("é€")] == [0, 1, 1, 2, 2]
    assert block_tokens({"type": "image", "source": {}}) == 1600
    result = {"type": "tool_result", "tool_use_id": "x", "content": [text("abcd"), text("ef")]}
    assert block_tokens(result) == 2


def test_a_marked_prefix_is_written_then_read():
    account = Account()
    request = body(user(text(long("a"), MARK), text("tail")))
    assert account.ask(request) == Usage(input=1, cache_write_5m=600)
    assert account.ask(request, after=10) == Usage(input=1, cache_read=600)


def test_without_marks_nothing_is_cached():
    account = Account()
    request = body(user(text(long("a"))))
    assert account.ask(request) == account.ask(request) == Usage(input=600)


def test_marks_themselves_are_not_part_of_the_prefix():
    account = Account()
    account.ask(body(user(text(long("a"), MARK))))
    after = body(user(text(long("a")), text(long("b"), MARK)))
    assert account.ask(after) == Usage(cache_read=600, cache_write_5m=600)


def test_a_string_is_one_text_block():
    account = Account()
    account.ask(body({"role": "user", "content": long("a")}, cache_control=MARK))
    assert account.ask(body(user(text(long("a"), MARK)))).cache_read == 600


def test_neighbours_of_one_role_are_one_message():
    account = Account()
    account.ask(body(user(text(long("a")), text("b", MARK))))
    assert account.ask(body(user(text(long("a"))), user(text("b", MARK)))).cache_read == 601


def test_prefix_order_is_tools_system_messages():
    account = Account()
    words = {"tools": [tool("t", long("t"))], "system": [text(long("s"))]}
    whole = prompt(body(user(text("u")), **words))
    assert [p.path for p in whole.positions] == ["tools.0", "system.0", "messages.0.content.0"]
    account.ask(body(user(text("u")), tools=words["tools"], system=[text(long("s"), MARK)]))
    changed = body(user(text("u")), tools=[tool("t", long("x"))], system=[text(long("s"), MARK)])
    assert account.ask(changed).cache_read == 0


def test_key_order_inside_arguments_counts():
    account = Account()

    def request(arguments):
        use = {"type": "tool_use", "id": "t1", "name": "n", "input": arguments}
        result = {"type": "tool_result", "tool_use_id": "t1", "content": long("r")}
        return body(
            user(text("go")),
            {"role": "assistant", "content": [use]},
            user(result | {"cache_control": MARK}),
        )

    account.ask(request({"a": 1, "b": 2}))
    assert account.ask(request({"b": 2, "a": 1})).cache_read == 0
    assert account.ask(request({"a": 1, "b": 2})).cache_read > 600


@pytest.mark.parametrize(("model", "least"), [(f"claude-{k}", v) for k, v in MINIMUMS.items()])
def test_below_the_minimum_nothing_is_written(model, least):
    if model == "claude-mythos":
        model = "claude-mythos-preview"
    short = body(user(text(long("a", least - 1), MARK)), model=model)
    assert Account().ask(short) == Usage(input=least - 1)
    enough = body(user(text(long("a", least), MARK)), model=model)
    assert Account().ask(enough) == Usage(cache_write_5m=least)


def test_the_minimum_is_found_in_any_spelling():
    assert minimum("claude-haiku-4-5-20251001") == 4096
    assert minimum("us.anthropic.claude-opus-4-6-v1:0") == 4096
    assert minimum("claude-3-5-haiku-20241022") == 2048
    assert minimum("claude-sonnet-4-20250514") == 1024


def test_a_short_mark_before_a_long_one_costs_nothing():
    account = Account()
    request = body(user(text("short", MARK), text(long("a"), MARK)))
    assert account.ask(request) == Usage(cache_write_5m=602)


def test_the_look_back_is_twenty_positions():
    """The mark's own position and 19 before it."""
    for extra, read in ((19, 600), (20, 0)):
        account = Account()
        account.ask(body(user(text(long("a"), MARK))))
        more = [text(f"block {n}") for n in range(extra - 1)]
        grown = body(user(text(long("a")), *more, text("end", MARK)))
        assert account.ask(grown).cache_read == read, extra


def test_an_earlier_mark_opens_a_window_of_its_own():
    account = Account()
    account.ask(body(user(text(long("a"), MARK))))
    more = [text(f"block {n}") for n in range(30)]
    grown = body(user(text(long("a"), MARK), *more, text("end", MARK)))
    assert account.ask(grown).cache_read == 600


def test_the_longest_hit_wins():
    account = Account()
    account.ask(body(user(text(long("a"), MARK), text(long("b"), MARK))))
    again = body(user(text(long("a"), MARK), text(long("b"), MARK), text("c", MARK)))
    assert account.ask(again).cache_read == 1200


def test_only_marked_positions_are_written():
    account = Account()
    account.ask(body(user(text(long("a")), text(long("b"), MARK))))
    assert account.ask(body(user(text(long("a"), MARK)))).cache_read == 0


@pytest.mark.parametrize(("mark", "alive", "dead"), [(MARK, 299, 300), (HOUR, 3599, 3600)])
def test_entries_live_as_long_as_their_mark_says(mark, alive, dead):
    request = body(user(text(long("a"), mark)))
    for gap, read in ((alive, 600), (dead, 0)):
        account = Account()
        account.ask(request)
        assert account.ask(request, after=gap).cache_read == read


def test_reading_refreshes_for_free():
    account = Account()
    request = body(user(text(long("a"), MARK)))
    account.ask(request)
    for _ in range(5):
        assert account.ask(request, after=299) == Usage(cache_read=600)


def test_reading_a_long_prefix_refreshes_the_marked_ones_inside_it():
    account = Account()
    head = [text(long("s"), HOUR)]
    account.ask(body(user(text("a", MARK)), system=head))
    for _ in range(30):
        account.ask(body(user(text("a", MARK)), system=head), after=240)
    assert account.ask(body(user(text("other")), system=head), after=3000).cache_read == 600


def test_an_entry_can_be_read_only_after_the_first_answer_began():
    cache, request = ClaudeCache(), prompt(body(user(text(long("a"), MARK))))
    first, second = cache.look(request, 0), cache.look(request, 0.1)
    assert first.usage.cache_write_5m == second.usage.cache_write_5m == 600
    cache.publish(first)
    assert cache.look(request, 0.2).usage.cache_read == 600


def test_life_counts_from_the_start_of_the_request():
    cache, request = ClaudeCache(), prompt(body(user(text(long("a"), MARK))))
    slow = cache.look(request, 0)
    cache.publish(slow)
    assert cache.look(request, 301).usage.cache_read == 0


def test_mixed_lives_are_billed_apart():
    account = Account()
    request = body(
        user(text(long("u"), MARK), text("fresh")),
        tools=[tool("t", long("t"), HOUR)],
        system=[text(long("s"), HOUR)],
    )
    written = account.ask(request)
    tools = block_tokens(tool("t", long("t")))
    assert written == Usage(input=2, cache_write_1h=tools + 600, cache_write_5m=600)
    later = account.ask(request, after=600)
    assert later == Usage(input=2, cache_read=tools + 600, cache_write_5m=600)


def test_a_long_mark_inside_what_is_read_gets_no_free_hour():
    account = Account()
    account.ask(body(user(text(long("a")), text(long("b"), MARK))))
    account.ask(body(user(text(long("a"), HOUR), text(long("b"), MARK))))
    assert account.ask(body(user(text(long("a"), HOUR))), after=600).cache_read == 0


def test_the_automatic_mark_falls_on_the_last_block_that_may_carry_one():
    account = Account()
    account.ask(body(user(text(long("a"))), cache_control=MARK))
    grown = body(user(text(long("a"))), user(text("b")), cache_control=MARK)
    assert account.ask(grown) == Usage(cache_read=600, cache_write_5m=1)
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    ends = body(user(text(long("x"))), {"role": "assistant", "content": [thought]})
    positions = prompt(ends | {"cache_control": HOUR}).positions
    assert [p.ttl for p in positions] == ["1h", ""]


CHANGES = {
    "tool description": ({"tools": [tool("t", long("T"))]}, "TSM"),
    "model": ({"model": "claude-sonnet-5-5"}, "TSM"),
    "web search on": ({"tools": ["same", {"type": "web_search_20260318", "name": "w"}]}, "SM"),
    "speed": ({"speed": "fast"}, "SM"),
    "system text": ({"system": [text(long("S"), MARK)]}, "SM"),
    "tool choice": ({"tool_choice": {"type": "none"}}, "M"),
    "parallel off": ({"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}, "M"),
    "effort": ({"output_config": {"effort": "low"}}, "M"),
    "thinking off": ({"thinking": {"type": "disabled"}}, "M"),
    "format": ({"output_config": {"format": {"type": "json_schema"}}}, "M"),
    "context editing": ({"context_management": {"edits": []}}, "M"),
    "default effort named": ({"output_config": {"effort": "medium"}}, ""),
    "default thinking named": ({"thinking": {"type": "adaptive", "display": "omitted"}}, ""),
    "default choice named": ({"tool_choice": {"type": "auto"}}, ""),
    "max_tokens": ({"max_tokens": 9}, ""),
    "standard speed named": ({"speed": "standard"}, ""),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_change_loses(name):
    change, lost = CHANGES[name]
    tools, system = [tool("t", long("t"), MARK)], [text(long("s"), MARK)]
    request = body(user(text(long("u"), MARK)), tools=tools, system=system)
    if "tools" in change:
        change = {"tools": [tools[0] if t == "same" else t for t in change["tools"]]}
        change["tools"][0]["cache_control"] = MARK
    account = Account()
    account.ask(request)
    read = account.ask(request | change).cache_read
    tokens = {"T": block_tokens(tool("t", long("t"))), "S": 600, "M": 600}
    assert read == sum(n for part, n in tokens.items() if part not in lost)


def test_the_first_image_loses_the_messages():
    account = Account()
    system = [text(long("s"), MARK)]
    account.ask(body(user(text(long("a"), MARK)), system=system))
    image = {"type": "image", "source": {"type": "base64", "data": "x"}}
    shown = body(user(text(long("a"), MARK), image), system=system)
    assert account.ask(shown) == Usage(input=1600, cache_read=600, cache_write_5m=600)


def test_beta_headers_part_the_messages():
    account = Account()
    request = body(user(text(long("a"), MARK)))
    account.ask(request, beta="one-2026-01-01")
    assert account.ask(request, beta="two-2026-01-01").cache_read == 0
    assert account.ask(request, beta="one-2026-01-01").cache_read == 600


def test_an_edit_keeps_what_ends_before_it():
    account = Account()
    account.ask(body(user(text(long("a"), MARK), text(long("b"), MARK))))
    edited = body(user(text(long("a"), MARK), text(long("B"), MARK)))
    assert account.ask(edited) == Usage(cache_read=600, cache_write_5m=600)


def test_models_that_strip_thinking_lose_the_rest_when_a_person_speaks():
    thought = {"type": "thinking", "thinking": long("h", 100), "signature": "s"}
    talk = [
        user(text(long("a", 2000))),
        {"role": "assistant", "content": [thought, text("answer")]},
    ]
    for model, read in (("claude-sonnet-4-5", 2000), ("claude-sonnet-4-6", 2102)):
        account = Account()
        marked = {"role": "assistant", "content": [thought, text("answer", MARK)]}
        first = user(text(long("a", 2000), MARK))
        account.ask(body(first, marked, model=model))
        grown = body(*talk, user(text("next", MARK)), model=model)
        assert account.ask(grown).cache_read == read


def test_results_of_server_tools_are_marked_by_the_api():
    found = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []}
    talk = body(user(text(long("a"), MARK)), {"role": "assistant", "content": [found]})
    marks = [p.ttl for p in prompt(talk).positions]
    assert marks == ["5m", "5m"]
    plain = body(user(text(long("a"))), {"role": "assistant", "content": [found]})
    assert [p.ttl for p in prompt(plain).positions] == ["", ""]


def test_a_clock_that_goes_back_does_no_harm():
    account = Account()
    request = body(user(text(long("a"), MARK)))
    account.ask(request)
    assert account.ask(request, after=-100).cache_read == 600
    assert account.ask(request, after=350).cache_read == 600


def test_deferred_tools_stand_outside_the_prefix():
    account = Account()
    tools = [tool("t", long("t"), MARK)]
    account.ask(body(user(text("u")), tools=tools))
    hidden = tool("h", long("h")) | {"defer_loading": True}
    assert account.ask(body(user(text("u")), tools=[*tools, hidden])).cache_read > 600


def test_models_that_strip_thinking_keep_it_while_tools_answer():
    thought = {"type": "thinking", "thinking": long("h", 100), "signature": "s"}
    use = {"type": "tool_use", "id": "a", "name": "n", "input": {}}
    answer = {"type": "tool_result", "tool_use_id": "a", "content": "ok"}
    talk = (user(text(long("a", 2000))), {"role": "assistant", "content": [thought, use]})
    account = Account()
    first = body(*talk, user(answer | {"cache_control": MARK}), model="claude-sonnet-4-5")
    written = account.ask(first).cache_write_5m
    assert written > 2100
    more = body(*talk, user(answer, text("and", MARK)), model="claude-sonnet-4-5")
    assert account.ask(more).cache_read == written


def test_the_automatic_mark_may_fall_on_a_result():
    answer = {"type": "tool_result", "tool_use_id": "a", "content": long("r")}
    account = Account()
    assert account.ask(body(user(answer), cache_control=MARK)) == Usage(cache_write_5m=600)


KEEPS_512 = "fable-5 fable-5-1 fable-5-2 mythos-5 mythos-5-1 mythos-5-2 opus-5 opus-5-5"
LEAST = {
    512: f"{KEEPS_512} sonnet-5-5 haiku-5-5",
    1024: "opus-4-8 sonnet-5 sonnet-4-6 sonnet-4-5 opus-4-1 opus-4 sonnet-4 unknown",
    2048: "opus-4-7 mythos-preview haiku-3-5",
    4096: "opus-4-6 opus-4-5 haiku-4-5",
}


@pytest.mark.parametrize(("least", "names"), LEAST.items())
def test_the_documented_minimums(least, names):
    assert {minimum(f"claude-{name}") for name in names.split()} == {least}


def test_which_models_strip_thinking():
    strip = "opus-4 opus-4-1 sonnet-4 sonnet-4-5 haiku-4-5 haiku-3-5"
    keep = "opus-4-5 opus-4-6 sonnet-4-6 haiku-5-5 sonnet-5 fable-5 mythos-5"
    assert all(strips_thoughts(f"claude-{name}") for name in strip.split())
    assert not any(strips_thoughts(f"claude-{name}") for name in keep.split())


def test_which_models_bind_thinking_to_its_prefix():
    bind = "fable-5-1 mythos-5-1 opus-5-5 sonnet-5-5 haiku-5-5"
    free = "fable-5 mythos-5 opus-5 sonnet-5 haiku-4-5 opus-4-8"
    assert all(binds_prefix(f"claude-{name}") for name in bind.split())
    assert not any(binds_prefix(f"claude-{name}") for name in free.split())
