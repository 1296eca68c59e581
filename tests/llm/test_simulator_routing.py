"""Who caches behind a gateway, on which machine, and for how long (wire.md 2.8, 5)."""

import json

import pytest

from agentcli.llm.simulator import VENDORS, SimulatedProvider, says
from agentcli.llm.simulator.chat_cache import RULES, ChatCache
from agentcli.llm.simulator.gpt_cache import GptCache, lookups
from agentcli.llm.simulator.gpt_prompt import chat_prompt, responses_blocks, responses_prompt
from agentcli.llm.simulator.vendors import Vendor
from agentcli.llm.types import Usage

NEW, OLD = "gpt-6.1-sol", "gpt-5"
CLAUDE = "anthropic/claude-sonnet-5"
MARK, HOUR = {"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}


def long(seed, tokens=1100):
    return (seed * tokens * 4)[: tokens * 4]


def user(*words, mark=None):
    parts = [{"type": "text", "text": text} for text in words]
    if mark:
        parts[-1]["cache_control"] = mark
    return {"role": "user", "content": parts}


def said(role, *words):
    kind = "output_text" if role == "assistant" else "input_text"
    content = [{"type": kind, "text": text} for text in words]
    return {"type": "message", "role": role, "content": content}


class Gpt:
    def __init__(self):
        self.cache = GptCache()
        self.now = 0.0

    def ask(self, *items, after=10.0, model=NEW, **fields):
        self.now += after
        body = {"model": model, "input": list(items)} | fields
        charge = self.cache.look(responses_prompt(body, responses_blocks(body)), self.now)
        charge.publish()
        return charge.usage


class Chat:
    def __init__(self, vendor, model):
        self.vendor = VENDORS.get(vendor) or Vendor(vendor)
        self.model = model
        self.cache = ChatCache(RULES)
        self.now = 0.0

    def ask(self, *talk, after=1.0, **fields):
        self.now += after
        prompt = chat_prompt({"model": self.model, "messages": list(talk)} | fields)
        charge = self.cache.look(self.vendor, prompt, self.now)
        charge.begin()
        charge.end(())
        return charge.usage


@pytest.mark.parametrize("model", [NEW, OLD])
def test_a_sixteenth_request_in_a_minute_goes_to_another_machine(model):
    account = Gpt()
    asked = said("user", long("a", 1152))
    first = account.ask(asked, model=model)
    assert first.cache_read == 0
    again = [account.ask(asked, after=1, model=model).cache_read for _ in range(15)]
    assert again == [1152] * 14 + [0]
    assert account.ask(asked, after=60, model=model).cache_read == 1152


def test_requests_older_than_a_minute_do_not_count():
    account = Gpt()
    account.ask(said("user", long("a")))
    assert all(account.ask(said("user", long("a")), after=4).cache_read for _ in range(40))


def test_another_key_or_beginning_is_another_route():
    account = Gpt()
    for number in range(20):
        account.ask(said("user", f"{number}" + long("b")), after=0)
        account.ask(said("user", long("a")), after=0, prompt_cache_key=f"k{number}")
    assert account.ask(said("user", long("a")), after=0).cache_read == 0
    assert account.ask(said("user", long("a")), after=0).cache_read == 1100


def test_only_the_first_256_tokens_choose_the_machine():
    account = Gpt()
    for number in range(15):
        account.ask(said("user", long("a", 256) + long(f"{number % 10}")), after=0)
    late = said("user", long("a", 256) + long("z"))
    account.ask(late, after=0)
    assert account.ask(late, after=61).cache_read == 0
    differs = said("user", long("a", 255) + long("y"))
    account.ask(differs, after=0)
    assert account.ask(differs, after=61).cache_read > 0


def test_in_memory_a_prefix_lives_an_hour_at_most():
    account = Gpt()
    fields = {"model": OLD, "prompt_cache_retention": "in_memory"}
    account.ask(said("user", long("a")), **fields)
    asked = said("user", long("a"))
    read = [account.ask(asked, after=240, **fields).cache_read for _ in range(14)]
    assert read == [1024] * 14
    assert account.ask(asked, after=239, **fields).cache_read == 1024
    assert account.ask(asked, after=1, **fields).cache_read == 0
    day = Gpt()
    day.ask(said("user", long("a")), model=OLD)
    assert all(day.ask(said("user", long("a")), after=7200, model=OLD).cache_read for _ in "1" * 20)


@pytest.mark.parametrize(
    ("model", "retention", "status"),
    [
        ("gpt-5", "in_memory", 200),
        ("gpt-5", "24h", 200),
        ("gpt-5.5", "24h", 200),
        ("gpt-5.5", "in_memory", 400),
        ("gpt-5", "1h", 400),
    ],
)
def test_which_retention_is_taken(model, retention, status):
    provider = SimulatedProvider([says("ok")])
    body = {"model": model, "input": "hi", "prompt_cache_retention": retention}
    data = json.dumps(body).encode()
    assert provider.handle("POST", "http://x/v1/responses", {}, data)[0] == status


def test_an_implicit_boundary_is_the_end_of_a_message_not_of_a_part():
    account = Gpt()
    account.ask(said("user", long("a")))
    assert account.ask(said("user", long("a"), "more")).cache_read == 0
    body = {"model": NEW, "input": [said("user", *"abc"), said("user", *"de")]}
    pieces = responses_prompt(body, responses_blocks(body)).pieces
    assert [piece.ends for piece in pieces] == [False, False, True, False, True]


def test_many_parts_of_a_message_take_no_look_ups_from_the_messages_before():
    turns = [said("user", *(f"{n} {part}" for part in range(5))) for n in range(30)]
    body = {"model": NEW, "input": turns}
    found = sorted(lookups(responses_prompt(body, responses_blocks(body))))
    assert found == [n * 5 + 4 for n in range(9, 30)]


def test_two_messages_are_not_one_of_two_parts():
    account = Gpt()
    account.ask(said("user", long("a"), "b"))
    assert account.ask(said("user", long("a")), said("user", "b")).cache_read == 0
    chat = Chat("deepseek", "deepseek-v4-pro")
    chat.ask(user(long("a"), "b"))
    assert chat.ask(user(long("a")), user("b")).cache_read == 0


def test_a_message_to_bedrocks_openai_models_ends_with_its_last_block():
    provider = SimulatedProvider([says("ok")] * 2, clock=lambda: 0.0)

    def written(*texts):
        talk = [{"role": "user", "content": [{"text": text} for text in texts]}]
        path = "http://x/model/openai.gpt-6-sol/converse"
        _, _, pieces = provider.handle("POST", path, {}, json.dumps({"messages": talk}).encode())
        usage = json.loads(b"".join(pieces))["usage"]
        return usage["cacheReadInputTokens"], usage["cacheWriteInputTokens"]

    assert written(long("a")) == (0, 1100)
    assert written(long("a"), "abcd") == (0, 1101)


def test_claude_behind_openrouter_caches_only_what_is_marked():
    account = Chat("openrouter", CLAUDE)
    for _ in range(2):
        assert account.ask(user(long("a"))) == Usage(1100)
    assert account.ask(user(long("a"), mark=MARK)) == Usage(cache_write_5m=1100)


def test_a_mark_at_the_top_is_one_at_claudes_end():
    account = Chat("openrouter", CLAUDE)
    assert account.ask(user(long("a")), cache_control=HOUR) == Usage(cache_write_1h=1100)
    more = (user(long("a")), user("abcd", mark=MARK))
    assert account.ask(*more, cache_control=MARK) == Usage(cache_read=1100, cache_write_5m=1)
    later = (*more, user("efgh"), user("ijkl"))
    assert account.ask(*later, cache_control=MARK) == Usage(cache_read=1101, cache_write_5m=2)
    assert account.ask(*later, user("mnop")) == Usage(3, cache_read=1101)
    account.ask(user(long("b")), cache_control=MARK)
    grown = account.ask(user(long("b")), user("abcd"), cache_control=MARK)
    assert grown == Usage(cache_read=1100, cache_write_5m=1)
    other = Chat("openrouter", "qwen/qwen3.8-max")
    other.ask(user(long("a")), cache_control=MARK)
    assert other.ask(user(long("a")), cache_control=MARK).cache_read == 1024


def test_a_mark_at_the_top_is_nothing_to_qwen():
    account = Chat("openrouter", "qwen/qwen3.8-max")
    talk = (user(long("a"), mark=MARK), user("abcd"))
    assert account.ask(*talk, cache_control=MARK) == Usage(1, cache_write_5m=1100)


def test_vllm_reads_blocks_of_sixteen_tokens():
    account = Chat("vllm", "m")
    account.ask(user(long("a", 31)))
    assert account.ask(user(long("a", 31))) == Usage(15, cache_read=16)
    account.ask(user(long("b", 15)))
    assert account.ask(user(long("b", 15))) == Usage(15)


def test_a_mark_at_the_top_is_one_of_four():
    provider = SimulatedProvider([says("ok")] * 3, vendor=VENDORS["openrouter"])

    def ask(count, last=None, **top):
        talk = [user(f"u{n}", mark=MARK) for n in range(count)]
        talk += [user("end", mark=last)]
        body = {"model": CLAUDE, "messages": talk} | (top or {"cache_control": MARK})
        data = json.dumps(body).encode()
        return provider.handle("POST", "http://x/chat/completions", {}, data)[0]

    assert (ask(3), ask(4), ask(3, MARK)) == (200, 400, 200)
    assert ask(4, cache_control=None) == 200


def test_gemini_behind_openrouter_heeds_the_last_mark():
    account = Chat("openrouter", "google/gemini-3.8-flash")
    talk = (user(long("a", 5000), mark=MARK), user(long("b", 100), mark=MARK), user("abcd"))
    assert account.ask(*talk) == Usage(1, cache_write_5m=5100)
    assert account.ask(talk[0]) == Usage(cache_write_5m=5000)
    assert account.ask(user(long("c", 4095), mark=MARK)) == Usage(4095)
    many = [user(f"{n}", mark=MARK) for n in range(5)]
    assert account.ask(user(long("d", 5000)), *many).cache_write_5m > 5000


def test_other_makers_behind_openrouter_cache_as_at_home():
    gpt = Chat("openrouter", "openai/gpt-6.1-sol")
    assert gpt.ask(user(long("a"), mark=MARK)) == Usage(cache_write_5m=1100)
    deep = Chat("openrouter", "deepseek/deepseek-v4-pro")
    deep.ask(user(long("a", 70)))
    assert deep.ask(user(long("a", 70)), user("abcd")) == Usage(1, cache_read=70)
    kimi = Chat("openrouter", "moonshotai/kimi-k3")
    assert kimi.ask(user(long("a"))).cache_write_5m == 1100


@pytest.mark.parametrize(
    ("model", "read"),
    [
        (CLAUDE, 1100),
        ("openai/gpt-6.1-sol", 1100),
        ("z-ai/glm-5.3", 1024),
        ("deepseek/deepseek-v4-pro", 1100),
        ("moonshotai/kimi-k3", 1100),
        ("qwen/qwen4-max", 1100),
    ],
)
def test_after_ten_minutes_openrouter_may_choose_another_host(model, read):
    asked = user(long("a"), mark=HOUR)
    for after, found in ((599, read), (600, 0)):
        account = Chat("openrouter", model)
        account.ask(asked)
        assert account.ask(asked, after=after).cache_read == found
        assert account.ask(asked).cache_read == read
    for fields in ({"session_id": "s"}, {"provider": {"order": ["x"]}}):
        account = Chat("openrouter", model)
        account.ask(asked, **fields)
        assert account.ask(asked, after=600, **fields).cache_read == read


def test_each_conversation_is_routed_by_itself():
    account = Chat("openrouter", CLAUDE)
    account.ask(user(long("a"), mark=HOUR))
    account.ask(user(long("b"), mark=HOUR), after=500)
    assert account.ask(user(long("b"), mark=HOUR), after=400).cache_read == 1100
    assert account.ask(user(long("a"), mark=HOUR)).cache_read == 0


@pytest.mark.parametrize(("model", "read"), [("qwen3.8-max", 0), ("qwen4-max", 1100)])
def test_only_qwen_4_keeps_a_marked_prefix_for_an_hour(model, read):
    account = Chat("dashscope", model)
    account.ask(user(long("a"), mark=HOUR))
    assert account.ask(user(long("a"), mark=HOUR), after=301).cache_read == read


@pytest.mark.parametrize(
    ("vendor", "tokens", "read"),
    [("vllm", 1000, 992), ("vllm", 15, 0), ("llamacpp", 7, 7), ("minimax", 1103, 1024)],
)
def test_servers_with_a_prefix_cache_of_their_own(vendor, tokens, read):
    account = Chat(vendor, "m")
    account.ask(user(long("a", tokens)))
    assert account.ask(user(long("a", tokens))).cache_read == read


def test_databricks_hands_marks_to_claude():
    account = Chat("databricks", "databricks-claude-sonnet-5")
    assert account.ask(user(long("a"), mark=MARK)).cache_write_5m == 1100
    assert account.ask(user(long("a"))) == Usage(1100)
    other = Chat("databricks", "databricks-llama")
    assert other.ask(user(long("a"), mark=MARK)) == Usage(1100)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("model", ["deepseek-v4-pro", "kimi-k2.7-code"])
def test_deepseek_and_kimi_cache_by_themselves_in_anthropics_words_too(model, stream):
    provider = SimulatedProvider([says("fine")] * 3, clock=lambda: 0.0)
    headers = {"anthropic-version": "2023-06-01"}

    def ask(*talk, **fields):
        body = {"model": model, "max_tokens": 9, "messages": list(talk), "stream": False} | fields
        data = json.dumps(body).encode()
        _, _, pieces = provider.handle("POST", "http://x/anthropic/v1/messages", headers, data)
        answer = b"".join(pieces)
        return None if fields.get("stream") else json.loads(answer)["usage"]

    first, reply = user(long("a"), mark=MARK), {"role": "assistant", "content": "fine"}
    ask(first, stream=stream)
    usage = ask(first, reply, user("abcd", mark=MARK))
    assert (usage["cache_read_input_tokens"], usage["input_tokens"]) == (1101, 1)
    assert usage["cache_creation_input_tokens"] == 0
    off = {"thinking": {"type": "disabled"}}
    assert ask(first, reply, user("abcd"), **off)["cache_read_input_tokens"] == 0


@pytest.mark.parametrize(("after", "read"), [(59.5, 0), (60, 1100)])
def test_a_minute_is_sixty_seconds(after, read):
    account = Gpt()
    account.now = 1_000.0
    for _ in range(15):
        account.ask(said("user", long("a")), after=0)
    assert account.ask(said("user", long("a")), after=after).cache_read == read


def test_gemini_behind_openrouter_is_routed_like_the_others():
    asked = user(long("a", 5000))
    for after, found in ((599, 4992), (600, 0)):
        account = Chat("openrouter", "google/gemini-3.8-flash")
        account.ask(asked)
        assert account.ask(asked, after=after).cache_read == found


@pytest.mark.parametrize(("after", "read"), [(299, 1024), (300, 0)])
def test_qwen_behind_openrouter_caches_as_at_home(after, read):
    account = Chat("openrouter", "qwen/qwen3.8-max")
    asked = user(long("a"))
    account.ask(asked, session_id="s")
    assert account.ask(asked, after=after, session_id="s").cache_read == read
    assert account.ask(user(long("b"), mark=MARK)) == Usage(cache_write_5m=1100)
    prompt = chat_prompt({"model": account.model, "messages": [user(long("c"), mark=MARK)]})
    charge = account.cache.look(account.vendor, prompt, account.now)
    charge.begin()
    assert account.cache.look(account.vendor, prompt, account.now).usage.cache_read == 0
    charge.end(())
    assert account.cache.look(account.vendor, prompt, account.now).usage.cache_read == 1100


@pytest.mark.parametrize(("cache", "read"), [("units", 70), ("openai", 0), ("none", 0)])
def test_a_vendor_without_a_row_caches_as_it_says(cache, read):
    account = Chat("deepseek", "m")
    account.vendor = Vendor("mine", cache)
    account.ask(user(long("a", 70)))
    assert account.ask(user(long("a", 70))).cache_read == read
    account.ask(user(long("b")))
    assert (account.ask(user(long("b"))).cache_read > 0) == (cache != "none")
