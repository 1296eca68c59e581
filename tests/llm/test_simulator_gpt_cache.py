"""OpenAI's cache rules before and since GPT-5.6 (wire.md 2.8)."""

import pytest

from agentcli.llm.simulator.gpt_cache import GptCache, lookups, writes
from agentcli.llm.simulator.gpt_prompt import chat_prompt, responses_blocks, responses_prompt
from agentcli.llm.types import Usage

NEW, OLD = "gpt-6.1-sol", "gpt-5"


def long(seed, tokens=1100):
    return (seed * tokens * 4)[: tokens * 4]


def said(role, words, mark=None):
    kind = "output_text" if role == "assistant" else "input_text"
    part = {"type": kind, "text": words}
    if mark is not None:
        part["prompt_cache_breakpoint"] = {"mode": "explicit", **mark}
    return {"type": "message", "role": role, "content": [part]}


def call(number):
    return {"type": "function_call", "call_id": f"c{number}", "name": "n", "arguments": "{}"}


def output(number, words="result"):
    return {"type": "function_call_output", "call_id": f"c{number}", "output": words}


def body(*items, model=NEW, **fields):
    return {"model": model, "input": list(items), **fields}


def prompt(request):
    return responses_prompt(request, responses_blocks(request))


class Account:
    def __init__(self):
        self.cache = GptCache()
        self.now = 0.0

    def ask(self, request, after=0.0):
        self.now += after
        charge = self.cache.look(prompt(request), self.now)
        charge.publish()
        return charge.usage


def test_before_5_6_whole_steps_of_128_are_read_and_writing_is_free():
    account = Account()
    request = body(said("user", long("a", 1300)), model=OLD)
    assert account.ask(request) == Usage(input=1300)
    assert account.ask(request) == Usage(input=20, cache_read=1280)


def test_before_5_6_any_common_prefix_counts():
    account = Account()
    account.ask(body(said("user", long("a", 1300)), model=OLD))
    other = body(said("user", long("a", 1200) + "else"), model=OLD)
    assert account.ask(other).cache_read == 1152


@pytest.mark.parametrize(("tokens", "read"), [(1023, 0), (1024, 1024), (1151, 1024), (1152, 1152)])
def test_before_5_6_reading_begins_at_1024(tokens, read):
    account = Account()
    request = body(said("user", long("a", tokens)), model=OLD)
    account.ask(request)
    assert account.ask(request).cache_read == read


def test_gpt_5_5_reads_in_steps_of_2048():
    account = Account()
    request = body(said("user", long("a", 5000)), model="gpt-5.5")
    account.ask(request)
    assert account.ask(request).cache_read == 4096


def test_before_5_6_the_key_parts_the_cache():
    account = Account()
    request = body(said("user", long("a")), model=OLD, prompt_cache_key="one")
    account.ask(request)
    assert account.ask(request | {"prompt_cache_key": "two"}).cache_read == 0
    assert account.ask(request).cache_read == 1024


@pytest.mark.parametrize(("retention", "life"), [("in_memory", 300), ("24h", 86_400)])
def test_before_5_6_retention_is_asked_for(retention, life):
    for gap, read in ((life - 1, 1024), (life, 0)):
        account = Account()
        request = body(said("user", long("a")), model=OLD, prompt_cache_retention=retention)
        account.ask(request)
        assert account.ask(request, after=gap).cache_read == read


def test_nothing_is_read_before_an_answer_began():
    cache, request = GptCache(), prompt(body(said("user", long("a"))))
    first = cache.look(request, 0)
    assert cache.look(request, 0).usage.cache_read == 0
    first.publish()
    assert cache.look(request, 0).usage.cache_read == 1100


def test_since_5_6_writes_are_billed_instead_of_input():
    account = Account()
    first = body(said("user", long("a")))
    assert account.ask(first) == Usage(cache_write_5m=1100)
    grown = body(said("user", long("a")), call(1), output(1, long("r", 200)))
    assert account.ask(grown) == Usage(cache_read=1100, cache_write_5m=201)


def test_since_5_6_boundaries_are_exact():
    account = Account()
    account.ask(body(said("user", long("a", 1300))))
    other = body(said("user", long("a", 1299) + "else"))
    assert account.ask(other).cache_read == 0


def test_since_5_6_below_1024_nothing_is_written():
    account = Account()
    assert account.ask(body(said("user", long("a", 1023)))) == Usage(input=1023)
    assert account.ask(body(said("user", long("b", 1024)))) == Usage(cache_write_5m=1024)


def test_what_follows_the_last_boundary_is_plain_input():
    account = Account()
    ends_in_talk = body(said("user", long("a")), said("assistant", long("b", 50)))
    assert account.ask(ends_in_talk) == Usage(input=50, cache_write_5m=1100)


def test_eligible_ends_are_user_messages_groups_of_outputs_and_the_first_developer_block():
    request = body(
        said("developer", "d"),
        said("user", "u"),
        call(1),
        call(2),
        output(1),
        output(2),
        said("developer", "later"),
        instructions="i",
    )
    ends = [index for index, piece in enumerate(prompt(request).pieces) if piece.ends]
    assert ends == [1, 2, 6]
    assert [index for index, piece in enumerate(prompt(request).pieces) if piece.opens] == [1]


def test_twenty_earlier_ends_are_looked_up():
    turns = [said("user", f"u{n}") for n in range(30)]
    assert sorted(lookups(prompt(body(*turns)))) == list(range(9, 30))
    assert 0 in lookups(prompt(body(*turns, instructions="i")))


def test_explicit_marks_write_the_latest_four_or_three_and_the_implicit_one():
    marked = [said("user", f"u{n}", {"ttl": "30m"}) for n in range(6)]
    implicit = prompt(body(*marked, said("user", "end")))
    assert [index for index, _ in writes(implicit)] == [3, 4, 5, 6]
    explicit = prompt(body(*marked, said("user", "end"), prompt_cache_options={"mode": "explicit"}))
    assert [index for index, _ in writes(explicit)] == [2, 3, 4, 5]


def test_the_first_two_and_the_latest_fifty_explicit_marks_are_looked_up():
    marked = [said("user", f"u{n}", {}) for n in range(60)]
    options = {"mode": "explicit"}
    found = lookups(prompt(body(*marked, prompt_cache_options=options)))
    assert sorted(found) == [0, 1, *range(10, 60)]


def test_explicit_mode_without_marks_caches_nothing():
    account = Account()
    request = body(said("user", long("a")), prompt_cache_options={"mode": "explicit"})
    account.ask(request)
    assert account.ask(request) == Usage(input=1100)


@pytest.mark.parametrize(("ttl", "life"), [("30m", 1800), ("12h", 43_200)])
def test_since_5_6_lives(ttl, life):
    for gap, read in ((life - 1, 1100), (life, 0)):
        account = Account()
        request = body(said("user", long("a")), prompt_cache_options={"ttl": ttl})
        written = account.ask(request)
        assert (written.cache_write_1h, written.cache_write_5m)[ttl == "30m"] == 1100
        assert account.ask(request, after=gap).cache_read == read


def test_reuse_refreshes():
    account = Account()
    request = body(said("user", long("a")))
    account.ask(request)
    for _ in range(4):
        assert account.ask(request, after=1700) == Usage(cache_read=1100)


@pytest.mark.parametrize(
    "change",
    [
        {"model": "gpt-6.2-sol"},
        {"prompt_cache_key": "other"},
        {"instructions": "other"},
        {"reasoning": {"effort": "low"}},
        {"text": {"verbosity": "low"}},
        {"text": {"format": {"type": "json_schema"}}},
        {"service_tier": "flex"},
        {"tools": [{"type": "function", "name": "n", "parameters": {}, "strict": False}]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_breaks_the_prefix(change):
    account = Account()
    request = body(said("user", long("a")))
    account.ask(request)
    assert account.ask(request | change).cache_read == 0
    assert account.ask(request | {"max_output_tokens": 99}).cache_read == 1100


def test_chat_and_responses_count_the_same():
    talk = [
        {"role": "system", "content": long("s")},
        {"role": "user", "content": "go"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "function": {"name": "n", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "result"},
    ]
    chat = chat_prompt({"model": NEW, "messages": talk})
    items = body(said("user", "go"), call(1), output(1), instructions=long("s"))
    assert chat.tokens == prompt(items).tokens
    assert [piece.ends for piece in chat.pieces] == [True, True, False, True]


@pytest.mark.parametrize(("model", "written"), [("gpt-5.5", 0), ("gpt-5.6-sol", 2100)])
def test_writes_are_billed_from_5_6_on(model, written):
    usage = Account().ask(body(said("user", long("a", 2100)), model=model))
    assert usage == Usage(2100 - written, cache_write_5m=written)


@pytest.mark.parametrize(("tokens", "kept"), [(1023, 0), (1024, 1024)])
def test_since_5_6_too_the_shortest_prefix_has_1024_tokens(tokens, kept):
    account = Account()
    request = body(said("user", long("a", tokens)))
    assert account.ask(request) == Usage(tokens - kept, cache_write_5m=kept)
    assert account.ask(request) == Usage(tokens - kept, cache_read=kept)


def test_since_5_6_the_longest_entry_is_read():
    account = Account()
    one, two = said("user", long("a")), said("user", "abcd")
    account.ask(body(one))
    account.ask(body(one, two))
    assert account.ask(body(one, two, said("user", "efgh"))) == Usage(
        cache_read=1101, cache_write_5m=1
    )


def test_a_write_is_of_one_life():
    request = body(said("user", long("a")), prompt_cache_options={"ttl": "12h"})
    assert Account().ask(request) == Usage(cache_write_1h=1100)


def test_pictures_count_and_their_breakpoints_are_no_part_of_them():
    account = Account()
    picture = {"type": "input_image", "image_url": "data:image/png;base64,AA"}
    mark = {"prompt_cache_breakpoint": {"mode": "explicit"}}
    marked, bare, other = (
        {"type": "message", "role": "user", "content": [part]}
        for part in (picture | mark, picture, picture | {"image_url": "data:image/png;base64,BB"})
    )
    account.ask(body(marked))
    assert account.ask(body(bare)) == Usage(cache_read=1600)
    assert account.ask(body(other)).cache_read == 0


def test_reasoning_is_part_of_the_prefix():
    def thought(sealed):
        return {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": sealed}

    account = Account()
    account.ask(body(thought("one"), said("user", long("a"))))
    same = body(thought("one") | {"id": "s"}, said("user", long("a")))
    assert account.ask(same).cache_read == 1100
    assert account.ask(body(thought("two"), said("user", long("a")))).cache_read == 0
    told = {"role": "assistant", "content": "x", "reasoning_content": "a" * 40}
    assert chat_prompt({"model": "m", "messages": [told]}).tokens == 11


def test_a_breakpoint_without_a_life_asks_for_thirty_minutes():
    marked = prompt(body(said("user", "a", {}), said("user", "b", {"ttl": "12h"})))
    assert [piece.mark for piece in marked.pieces] == ["30m", "12h"]


def test_a_mark_inside_what_is_read_is_not_written_again():
    account = Account()
    marked = said("user", long("a"), {})
    account.ask(body(marked, said("user", long("b"))))
    grown = body(marked, said("user", long("b")), said("user", "abcd"))
    assert account.ask(grown) == Usage(cache_read=2200, cache_write_5m=1)


def test_being_read_by_thirty_minutes_does_not_shorten_twelve_hours():
    account = Account()
    request = body(said("user", long("a")))
    account.ask(request | {"prompt_cache_options": {"ttl": "12h"}})
    assert account.ask(request, after=60) == Usage(cache_read=1100)
    assert account.ask(request, after=43_199).cache_read == 1100


def test_what_grew_for_twelve_hours_is_billed_by_what_is_new():
    account = Account()
    fields = {"prompt_cache_options": {"ttl": "12h"}}
    account.ask(body(said("user", long("a")), **fields))
    grown = body(said("user", long("a")), said("user", "abcd"), **fields)
    assert account.ask(grown) == Usage(cache_read=1100, cache_write_1h=1)


@pytest.mark.parametrize("count", [3, 4, 5, 6, 7])
def test_beside_the_implicit_one_the_latest_three_marks_are_written(count):
    marked = [said("user", f"u{n}", {}) for n in range(count)]
    found = [index for index, _ in writes(prompt(body(*marked, said("user", "end"))))]
    assert found == [*range(count - 3, count), count]


def test_a_mark_after_the_last_end_is_written_after_it():
    request = body(said("user", long("a")), said("developer", "abcd", {"ttl": "12h"}))
    assert Account().ask(request) == Usage(cache_write_5m=1100, cache_write_1h=1)


def test_a_mark_where_the_implicit_one_stands_decides_its_life():
    assert writes(prompt(body(said("user", "a", {"ttl": "12h"})))) == [(0, "12h")]


def test_before_5_6_too_who_said_it_counts():
    account = Account()
    account.ask(body(said("user", long("a", 1300)), model=OLD))
    assert account.ask(body(said("developer", long("a", 1300)), model=OLD)).cache_read == 0
