"""How vendors behind Chat Completions cache: DeepSeek, Qwen, Groq and others (wire.md 5)."""

import json

import pytest
from simulated import Session

from agentcli.llm.models import CacheKind, ModelSpec
from agentcli.llm.providers import PROVIDERS, Route
from agentcli.llm.simulator import VENDORS, SimulatedProvider, calls, says, thinks
from agentcli.llm.simulator.chat_cache import OPTIMISTIC, RULES, ChatCache
from agentcli.llm.simulator.gpt_prompt import chat_prompt, message_pieces
from agentcli.llm.simulator.vendors import Vendor
from agentcli.llm.types import Usage

DEEP, QWEN, OSS = "deepseek-v4-pro", "qwen3.8-max", "openai/gpt-oss-120b"
MARK = {"type": "ephemeral"}


def long(seed, tokens=1100):
    return (seed * tokens * 4)[: tokens * 4]


def user(words, mark=None):
    part = {"type": "text", "text": words}
    return {"role": "user", "content": [part | ({"cache_control": mark} if mark else {})]}


def answered(words):
    return {"role": "assistant", "content": words}


class Account:
    def __init__(self, vendor, model, rules=RULES):
        self.vendor = VENDORS.get(vendor) or Vendor(vendor)
        self.model = model
        self.cache = ChatCache(rules)
        self.now = 0.0

    def look(self, *talk, after=0.0, **fields):
        self.now += after
        prompt = chat_prompt({"model": self.model, "messages": list(talk)} | fields)
        return self.cache.look(self.vendor, prompt, self.now)

    def ask(self, *talk, reply="fine", **fields):
        charge = self.look(*talk, **fields)
        charge.begin()
        charge.end(tuple(message_pieces(answered(reply))))
        return charge.usage


def test_deepseek_reads_whole_units_or_nothing():
    account = Account("deepseek", DEEP)
    assert account.ask(user(long("a", 70))) == Usage(input=70)
    assert account.ask(user(long("a", 70)), user("abcd")) == Usage(input=1, cache_read=70)
    assert account.ask(user(long("a", 69))) == Usage(input=69)


def test_deepseek_keeps_a_unit_at_the_end_of_the_output_too():
    account = Account("deepseek", DEEP)
    account.ask(user(long("a", 70)), reply=long("b", 30))
    talk = (user(long("a", 70)), answered(long("b", 30)), user("abcd"))
    assert account.ask(*talk) == Usage(input=1, cache_read=100)


def test_no_unit_ends_inside_an_output():
    account = Account("deepseek", DEEP)
    charge = account.look(user(long("a", 70)))
    charge.begin()
    call = {"id": "c", "function": {"name": "n", "arguments": "{}"}}
    charge.end(tuple(message_pieces(answered("bbbb") | {"tool_calls": [call]})))
    talk = (user(long("a", 70)), answered("bbbb"))
    assert account.look(*talk).usage == Usage(1, cache_read=70)


def test_the_longest_unit_wins():
    account = Account("deepseek", DEEP)
    account.ask(user("aaaa"))
    account.ask(user("aaaa"), user("bbbb"))
    assert account.ask(user("aaaa"), user("bbbb"), user("cccc")).cache_read == 2


def test_a_deepseek_unit_is_not_there_before_the_answer():
    account = Account("deepseek", DEEP)
    first = account.look(user(long("a", 70)))
    assert account.look(user(long("a", 70))).usage.cache_read == 0
    first.begin()
    assert account.look(user(long("a", 70))).usage.cache_read == 70


@pytest.mark.parametrize(
    "change", [{"model": "deepseek-flash"}, {"thinking": {"type": "disabled"}}], ids=str
)
def test_what_breaks_a_deepseek_prefix(change):
    account = Account("deepseek", DEEP)
    account.ask(user(long("a", 70)))
    assert account.ask(user(long("a", 70)), **change).cache_read == 0
    assert account.ask(user(long("a", 70)), max_tokens=9).cache_read == 70


def test_an_unused_deepseek_unit_vanishes_and_a_used_one_stays():
    account = Account("deepseek", DEEP)
    account.ask(user("aaaa"))
    assert account.ask(user("aaaa"), after=3599).cache_read == 1
    assert account.ask(user("aaaa"), after=3599).cache_read == 1
    assert account.ask(user("aaaa"), after=3600).cache_read == 0


def test_deepseek_at_best_reads_any_64_tokens():
    account = Account("deepseek", DEEP, {"deepseek": OPTIMISTIC})
    account.ask(user(long("a", 200)))
    assert account.ask(user(long("a", 130))) == Usage(input=2, cache_read=128)
    assert account.ask(user(long("a", 64))) == Usage(cache_read=64)
    assert account.ask(user(long("a", 63))) == Usage(input=63)


@pytest.mark.parametrize(("model", "billed"), [("kimi-k3", 1100), ("kimi-k2.7-code", 0)])
def test_moonshot_bills_the_writes_of_its_newest_models(model, billed):
    account = Account("moonshot", model)
    assert account.ask(user(long("a"))) == Usage(1100 - billed, cache_write_5m=billed)
    assert account.ask(user(long("a"))) == Usage(cache_read=1100)
    details = reported("moonshot", model, messages=[user(long("a"))])
    assert details.get("cache_write_tokens", 0) == billed


def test_qwen_reads_and_bills_what_was_marked():
    account = Account("dashscope", QWEN)
    assert account.ask(user(long("a"), MARK), user("abcd")) == Usage(1, cache_write_5m=1100)
    assert account.ask(user(long("a"), MARK), user("abcd")) == Usage(1, cache_read=1100)


@pytest.mark.parametrize(("tokens", "written"), [(1023, 0), (1024, 1024)])
def test_qwen_keeps_no_short_prefix(tokens, written):
    account = Account("dashscope", QWEN)
    assert account.ask(user(long("a", tokens), MARK)).cache_write_5m == written


@pytest.mark.parametrize(("blocks", "read"), [(19, 1100), (20, 0)])
def test_qwen_looks_back_twenty_blocks(blocks, read):
    account = Account("dashscope", QWEN)
    account.ask(user(long("a"), MARK))
    more = [user(f"b{n}") for n in range(blocks - 1)]
    assert account.ask(user(long("a")), *more, user("end", MARK)).cache_read == read


def test_a_qwen_prefix_lives_five_minutes_and_a_hit_renews_it():
    account = Account("dashscope", QWEN)
    account.ask(user(long("a"), MARK))
    for _ in range(3):
        assert account.ask(user(long("a"), MARK), after=299).cache_read == 1100
    assert account.ask(user(long("a"), MARK), after=300).cache_read == 0


def test_a_qwen_prefix_is_there_once_the_answer_has_ended():
    account = Account("dashscope", QWEN)
    first = account.look(user(long("a"), MARK))
    first.begin()
    assert account.look(user(long("a"), MARK)).usage.cache_read == 0
    first.end(())
    assert account.look(user(long("a"), MARK)).usage.cache_read == 1100


def test_a_marked_qwen_request_reads_nothing_that_was_cached_unasked():
    account = Account("dashscope", QWEN)
    account.ask(user(long("a")))
    assert account.ask(user(long("a"))).cache_read == 1024
    assert account.ask(user(long("a"), MARK)).cache_read == 0
    other = Account("dashscope", QWEN)
    other.ask(user(long("a"), MARK))
    assert other.ask(user(long("a"))).cache_read == 0


def test_a_fifth_mark_is_refused():
    provider = SimulatedProvider([says("ok")] * 2, vendor=VENDORS["dashscope"])

    def ask(count):
        talk = [user(f"u{n}", MARK) for n in range(count)]
        body = json.dumps({"model": QWEN, "messages": talk}).encode()
        return provider.handle("POST", "http://x/chat/completions", {}, body)[0]

    assert (ask(4), ask(5)) == (200, 400)


@pytest.mark.parametrize(
    ("model", "least"), [("anthropic/claude-sonnet-5", 1024), ("anthropic/claude-opus-5-5", 512)]
)
def test_openrouter_hands_marks_to_claude(model, least):
    account = Account("openrouter", model)
    assert account.ask(user(long("a", least - 1), MARK)).cache_write_5m == 0
    hour = account.ask(user(long("b", least), MARK | {"ttl": "1h"}))
    assert (hour.cache_write_5m, hour.cache_write_1h) == (0, least)
    first = account.look(user(long("c", least), MARK))
    first.begin()
    assert account.ask(user(long("c", least), MARK)).cache_read == least


@pytest.mark.parametrize(
    ("model", "read"), [(OSS, 1024), ("moonshotai/kimi-k2", 1024), ("qwen3.8-27b", 0)]
)
def test_groq_caches_some_models_only(model, read):
    account = Account("groq", model)
    account.ask(user(long("a")))
    assert account.ask(user(long("a"))) == Usage(1100 - read, cache_read=read)


def test_groq_heeds_no_marks():
    account = Account("groq", OSS)
    account.ask(user(long("a"), MARK))
    assert account.ask(user(long("a"), MARK)) == Usage(76, cache_read=1024)


def test_groq_keeps_a_prefix_two_hours_and_no_short_one():
    account = Account("groq", OSS)
    account.ask(user(long("a")))
    assert account.ask(user(long("a")), after=7199).cache_read == 1024
    assert account.ask(user(long("a")), after=7200).cache_read == 0
    account.ask(user(long("b", 1023)))
    assert account.ask(user(long("b", 1023))).cache_read == 0


@pytest.mark.parametrize(
    ("vendor", "life"), [("dashscope", 300), ("openrouter", 600), ("zai", 3600)]
)
def test_what_is_cached_unasked_lives(vendor, life):
    account = Account(vendor, "m")
    account.ask(user(long("a")))
    assert account.ask(user(long("a")), after=life - 1) == Usage(76, cache_read=1024)
    assert account.ask(user(long("a")), after=life).cache_read == 0


def test_openai_caches_by_its_own_rules_in_chat_too():
    account = Account("openai", "gpt-6.1-sol")
    assert account.ask(user(long("a"))) == Usage(cache_write_5m=1100)
    assert account.ask(user(long("a"))) == Usage(cache_read=1100)
    details = reported("openai", "gpt-6.1-sol", messages=[user(long("a"))])
    assert details == {"cached_tokens": 0, "cache_write_tokens": 1100}


def test_mistral_caches_by_key():
    account = Account("mistral", "mistral-large-4")
    account.ask(user(long("a")))
    assert account.ask(user(long("a"))).cache_read == 0
    account.ask(user(long("a")), prompt_cache_key="k")
    assert account.ask(user(long("a")), prompt_cache_key="k").cache_read == 1024
    assert account.ask(user(long("a")), prompt_cache_key="other").cache_read == 0


def test_others_cache_nothing():
    account = Account("compatible", "m")
    account.ask(user(long("a")))
    assert account.ask(user(long("a"))) == Usage(1100)


def test_a_mark_is_no_part_of_what_it_marks():
    account = Account("dashscope", QWEN)
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
    first = {"role": "user", "content": [picture | {"cache_control": MARK}]}
    account.ask(first)
    moved = {"role": "user", "content": [picture]}
    assert account.ask(moved, user("more", MARK)).cache_read == 1600


def reported(vendor, model, **fields):
    provider = SimulatedProvider([says("ok")], vendor=VENDORS[vendor])
    body = {"model": model, "messages": [user(long("a"), MARK)]} | fields
    status, _, pieces = provider.handle(
        "POST", "http://x/chat/completions", {}, json.dumps(body).encode()
    )
    assert status == 200
    return json.loads(b"".join(pieces))["usage"]["prompt_tokens_details"]


def test_each_vendor_names_its_writes():
    assert reported("dashscope", QWEN) == {
        "cached_tokens": 0,
        "cache_creation_input_tokens": 1100,
        "cache_creation": {"ephemeral_5m_input_tokens": 1100},
    }
    claude = reported("openrouter", "anthropic/claude-sonnet-5-5")
    assert claude == {"cached_tokens": 0, "cache_write_tokens": 1100}


def test_a_streamed_deepseek_reply_is_a_unit():
    turn = thinks("hm", calls(("Read", {"path": "a"})))
    provider = SimulatedProvider([turn, says("done")], vendor=VENDORS["deepseek"])
    tool = {"type": "function", "function": {"name": "Read", "parameters": {"type": "object"}}}
    body = {"model": DEEP, "messages": [user(long("a", 400))], "tools": [tool]}

    def ask(stream):
        request = json.dumps(body | {"stream": stream}).encode()
        _, _, pieces = provider.handle("POST", "http://x/chat/completions", {}, request)
        return b"".join(pieces)

    events = [json.loads(e[6:]) for e in ask(True).split(b"\n\n")[:-2]]
    deltas = [e["choices"][0]["delta"] for e in events]
    made = [d["tool_calls"][0] for d in deltas if "tool_calls" in d]
    arguments = "".join(c["function"]["arguments"] for c in made)
    call = {"id": made[0]["id"], "type": "function"}
    call["function"] = {"name": "Read", "arguments": arguments}
    reply = {"role": "assistant", "content": None, "reasoning_content": "hm", "tool_calls": [call]}
    body["messages"] += [reply, {"role": "tool", "tool_call_id": call["id"], "content": "abcd"}]
    usage = json.loads(ask(False))["usage"]
    assert usage["prompt_cache_miss_tokens"] == 1
    assert usage["prompt_tokens"] == usage["prompt_cache_hit_tokens"] + 1


@pytest.mark.parametrize(
    ("vendor", "model"), [("dashscope", QWEN), ("openrouter", "anthropic/claude-sonnet-5-5")]
)
def test_thirty_turns_of_marked_requests_read_from_the_cache(vendor, model):
    marks = CacheKind("explicit", 1024, 4, ("5m",))
    spec = ModelSpec(model, vendor, max_output=64_000, cache=marks, images=True)
    route = Route(PROVIDERS[vendor], spec, "http://x", "k")
    turns = [thinks("so", calls(("Read", {"path": str(n)}))) for n in range(29)]
    session = Session([*turns, says("done")], route, vendor=VENDORS[vendor])
    usage = sum((session.step().usage for _ in range(30)), Usage())
    assert usage.cache_read / usage.prompt > 0.9
    assert usage.cache_write_5m > 0
