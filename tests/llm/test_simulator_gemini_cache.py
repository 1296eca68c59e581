"""Gemini's implicit cache and the explicit one, on the virtual clock (wire.md 3.6)."""

import json

import pytest

from agentcli.llm.simulator import SimulatedProvider, says
from agentcli.llm.simulator.gemini_cache import CachedContents, GeminiCache
from agentcli.llm.simulator.gemini_prompt import positions

FLASH = "gemini-3.8-flash"
BASE = "http://x/v1beta"
TOOL = {"name": "Read", "description": "d" * 400}


def long(seed, tokens=5000):
    return (seed * tokens * 4)[: tokens * 4]


def user(*texts):
    return {"role": "user", "parts": [{"text": text} for text in texts]}


def model(text):
    return {"role": "model", "parts": [{"text": text}]}


class Account:
    def __init__(self):
        self.now = 1_000_000.0
        self.provider = SimulatedProvider([says("ok")] * 99, clock=lambda: self.now)

    def call(self, method, path, body):
        data = json.dumps(body).encode()
        status, _, pieces = self.provider.handle(method, f"{BASE}/{path}", {}, data)
        return status, json.loads(b"".join(pieces))

    def usage(self, *contents, after=0.0, name=FLASH, **fields):
        """(prompt, read) of one request."""
        self.now += after
        body = {"contents": list(contents)} | fields
        status, answer = self.call("POST", f"models/{name}:generateContent", body)
        assert status == 200, answer
        told = answer["usageMetadata"]
        return told["promptTokenCount"], told.get("cachedContentTokenCount", 0)

    def make(self, **fields):
        body = {"model": f"models/{FLASH}", "contents": [user(long("a"))]} | fields
        return self.call("POST", "cachedContents", body)


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("gemini-2.5-flash", 1024),
        ("gemini-3-flash-preview", 1024),
        ("gemini-2.5-pro", 4096),
        ("gemini-3-pro-preview", 4096),
        ("gemini-3.1-flash-lite", 4096),
        ("gemini-3.5-flash", 4096),
        ("gemini-3.8-flash", 4096),
        ("gemini-4-argon", 4096),
    ],
)
def test_the_minimum_by_model(name, least):
    account = Account()
    for tokens, read in ((least - 1, 0), (least, least)):
        account.usage(user(long("ab"[tokens == least], tokens)), name=name)
        asked = user(long("ab"[tokens == least], tokens))
        assert account.usage(asked, name=name) == (tokens, read)


def test_models_before_2_5_cache_nothing():
    account = Account()
    for _ in range(2):
        assert account.usage(user(long("a")), name="gemini-2.0-flash") == (5000, 0)


def test_whole_parts_of_the_longest_common_prefix_are_read():
    account = Account()
    account.usage(user(long("a"), "b"), model("cccc"), user("d"))
    assert account.usage(user(long("a"), "b"), model("cccc"), user("e")) == (5003, 5002)
    assert account.usage(user(long("a"), "other")) == (5002, 5000)
    assert account.usage(user(long("a") + "b")) == (5001, 0)


SYSTEM = {"parts": [{"text": "be brief"}]}
OTHER_SYSTEM = {"parts": [{"text": "be long!"}]}
TOOLS = [{"functionDeclarations": [TOOL]}]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "gemini-3.7-flash"},
        {"systemInstruction": OTHER_SYSTEM},
        {"tools": [{"functionDeclarations": [TOOL | {"name": "Write"}]}]},
        {"toolConfig": {"functionCallingConfig": {"mode": "NONE"}}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_breaks_the_prefix(change):
    account = Account()
    same = {"systemInstruction": SYSTEM, "tools": TOOLS}
    account.usage(user(long("a")), **same)
    assert account.usage(user(long("a")), **(same | change))[1] == 0
    settings = {"generationConfig": {"maxOutputTokens": 99}}
    assert account.usage(user(long("a")), **same, **settings)[1] > 5000


def test_system_and_tools_stand_before_the_contents():
    account = Account()
    fields = {"systemInstruction": {"parts": [{"text": long("s")}]}, "tools": TOOLS}
    whole, _ = account.usage(user("a"), **fields)
    assert account.usage(user("b"), **fields) == (whole, whole - 1)


def test_a_prefix_lives_some_minutes_and_is_renewed_by_use():
    account = Account()
    account.usage(user(long("a")))
    for _ in range(3):
        assert account.usage(user(long("a")), after=299) == (5000, 5000)
    assert account.usage(user(long("a")), after=300) == (5000, 0)


def test_parallel_first_requests_all_miss():
    cache = GeminiCache()
    places = positions({"contents": [user(long("a"))]}, FLASH)
    first, second = cache.look(FLASH, places, 0), cache.look(FLASH, places, 0)
    assert second.usage.cache_read == 0
    first.publish()
    assert cache.look(FLASH, places, 0).usage.cache_read == 5000


def test_pictures_count():
    picture = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    account = Account()
    assert account.usage({"role": "user", "parts": [picture]}) == (1600, 0)
    call = {"name": "Read", "args": {"a": "b"}}
    signed = {"functionCall": call, "thoughtSignature": "skip_thought_signature_validator"}
    answer = {"name": "Read", "response": {"output": "four"}, "parts": [picture]}
    told = {"role": "user", "parts": [{"functionResponse": answer}]}
    history = (user("go"), {"role": "model", "parts": [signed]}, told)
    assert account.usage(*history) == (1 + 4 + 1601, 0)


def test_an_explicit_cache_is_read_from_the_first_request_on():
    account = Account()
    _, made = account.make(systemInstruction=SYSTEM, tools=TOOLS)
    held = made["usageMetadata"]["totalTokenCount"]
    assert held > 5000
    use = {"cachedContent": made["name"]}
    assert account.usage(user("abcd"), **use) == (held + 1, held)
    assert account.usage(user("abcd"), **use) == (held + 1, held + 1)


def test_a_small_explicit_cache_is_refused():
    account = Account()
    status, answer = account.make(contents=[user(long("a", 4095))])
    assert status == 400
    assert "total_token_count=4095, min_total_token_count=4096" in answer["error"]["message"]
    assert account.make(contents=[user(long("a", 4096))])[0] == 200


def test_an_explicit_cache_is_of_one_model():
    account = Account()
    _, made = account.make()
    body = {"contents": [user("a")], "cachedContent": made["name"]}
    status, answer = account.call("POST", "models/gemini-4-argon:generateContent", body)
    assert status == 400
    assert "has to be the same" in answer["error"]["message"]
    assert account.make(model="")[0] == account.make(model=None)[0] == 400


@pytest.mark.parametrize(
    ("asked", "life"),
    [({}, 3600), ({"ttl": "60s"}, 60), ({"expireTime": "1970-01-12T14:36:40+00:00"}, 3000)],
)
def test_how_long_an_explicit_cache_lives(asked, life):
    account = Account()
    _, made = account.make(**asked)
    account.now += life - 1
    assert account.call("GET", made["name"], {})[0] == 200
    account.now += 1
    assert account.call("GET", made["name"], {})[0] == 403


@pytest.mark.parametrize(
    "asked",
    [
        {"ttl": "60"},
        {"ttl": "0s"},
        {"ttl": "xs"},
        {"expireTime": "1970-01-01T00:00:00+00:00"},
        {"ttl": "60s", "expireTime": "2100-01-01T00:00:00+00:00"},
    ],
    ids=str,
)
def test_an_end_that_is_none_is_refused(asked):
    assert Account().make(**asked)[0] == 400


def test_an_explicit_cache_can_be_kept_longer_and_removed():
    account = Account()
    _, made = account.make(ttl="60s")
    assert account.call("PATCH", made["name"], {"ttl": "600s"})[0] == 200
    assert account.call("PATCH", made["name"], {"contents": []})[0] == 400
    account.now += 599
    assert account.call("GET", made["name"], {})[1]["usageMetadata"] == {"totalTokenCount": 5000}
    assert account.call("DELETE", made["name"], {}) == (200, {})
    assert account.call("DELETE", made["name"], {})[0] == 403
    assert account.call("PUT", made["name"], {})[0] == 405


def test_storage_is_paid_from_making_to_the_end():
    contents = CachedContents()
    body = {"model": f"models/{FLASH}", "contents": [user(long("a", 6000))], "ttl": "7200s"}
    name = contents.make(body, "one", 0.0)["name"]
    assert contents.stored(1800.0) == 3000
    contents.make(body, "two", 3600.0)
    contents.change(name, {"ttl": "3600s"}, 3600.0)
    assert contents.stored(99_000.0) == 6000 * 2 + 6000 * 2
    other = contents.make(body, "three", 100_000.0)["name"]
    contents.remove(other, 100_000.0 + 1800)
    assert contents.stored(200_000.0) == 24_000 + 3000


def test_an_explicit_cache_is_shown_with_its_model_and_its_new_end():
    account = Account()
    _, made = account.make()
    end = {"expireTime": "1970-01-12T14:36:40+00:00"}
    status, changed = account.call("PATCH", made["name"], end)
    assert (status, changed["model"]) == (200, f"models/{FLASH}")
    assert changed["expireTime"] == end["expireTime"]
    account.now += 3000
    assert account.call("GET", made["name"], {})[0] == 403


def test_who_may_be_called_is_part_of_the_prefix_and_costs_nothing():
    account = Account()

    def choice(mode):
        return {"tools": TOOLS, "toolConfig": {"functionCallingConfig": {"mode": mode}}}

    bare, _ = account.usage(user(long("a")), tools=TOOLS)
    assert account.usage(user(long("a")), **choice("AUTO"))[0] == bare
    assert account.usage(user(long("a")), **choice("NONE"))[1] == 0
    assert account.usage(user(long("a")), **choice("AUTO"))[1] > 5000


def test_who_said_it_and_files_count():
    account = Account()
    account.usage(user(long("a")), model("bbbb"), user("c"))
    assert account.usage(user(long("a")), user("bbbb"), user("c")) == (5002, 5000)
    file = {"fileData": {"mimeType": "image/png", "fileUri": "u"}}
    assert account.usage({"role": "user", "parts": [file]})[0] == 1600
