"""Cache points of Converse, by the model behind them (wire.md 4.4, 4.5)."""

import json

import pytest

from agentcli.llm.simulator import SimulatedProvider, says

SONNET, OPUS = "global.anthropic.claude-sonnet-4-6", "us.anthropic.claude-opus-5-5"
NOVA = "us.amazon.nova-pro-v1:0"
POINT = {"cachePoint": {"type": "default"}}
HOUR = {"cachePoint": {"type": "default", "ttl": "1h"}}
TOOL = {"toolSpec": {"name": "Read", "inputSchema": {"json": {"type": "object"}}}}
PICTURE = {"image": {"format": "png", "source": {"bytes": "AAAA"}}}


def long(seed, tokens=1100):
    return {"text": (seed * tokens * 4)[: tokens * 4]}


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


def model(text="x"):
    return {"role": "assistant", "content": [{"text": text}]}


class Account:
    def __init__(self, name=SONNET):
        self.name = name
        self.now = 0.0
        self.provider = SimulatedProvider([says("ok")] * 99, clock=lambda: self.now)

    def ask(self, *messages, after=0.0, begun=True, **fields):
        """(input, read, written) of one request, and what its details say."""
        self.now += after
        request = json.dumps({"messages": list(messages)} | fields).encode()
        path = f"http://x/model/{self.name.replace(':', '%3A')}/converse"
        status, _, pieces = self.provider.handle("POST", path, {}, request)
        if not begun:
            return None
        answer = json.loads(b"".join(pieces))
        assert status == 200, answer
        usage = answer["usage"]
        self.details = usage.get("cacheDetails")
        names = ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
        return tuple(usage[name] for name in names)


def test_what_ends_at_a_point_is_written_and_then_read():
    account = Account()
    asked = (user(long("a"), POINT, {"text": "abcd"}),)
    assert account.ask(*asked) == (1, 0, 1100)
    assert account.details == [{"ttl": "5m", "inputTokens": 1100}]
    assert account.ask(*asked) == (1, 1100, 0)
    assert account.details is None


def test_tools_system_and_messages_are_one_prefix_and_lives_are_told_apart():
    account = Account()
    fields = {
        "toolConfig": {"tools": [TOOL, HOUR]},
        "system": [long("s"), HOUR],
    }
    left, _, written = account.ask(user(long("a"), POINT), **fields)
    hour, minutes = account.details[1]["inputTokens"], account.details[0]["inputTokens"]
    assert (left, minutes) == (0, 1100)
    assert hour > 1100
    assert written == hour + minutes
    assert account.ask(user(long("b"), POINT), **fields) == (0, hour, 1100)


def test_without_points_nothing_is_cached():
    account = Account()
    for _ in range(2):
        assert account.ask(user(long("a"))) == (1100, 0, 0)


@pytest.mark.parametrize(
    ("name", "least"),
    [(OPUS, 512), (SONNET, 1024), ("anthropic.claude-opus-4-7", 2048), ("claude-opus-4-5", 4096)],
)
def test_the_minimum_by_model(name, least):
    account = Account(name)
    assert account.ask(user(long("a", least - 1), POINT)) == (least - 1, 0, 0)
    assert account.ask(user(long("b", least), POINT)) == (0, 0, least)


@pytest.mark.parametrize(("blocks", "read"), [(19, 1100), (20, 0)])
def test_claude_looks_back_twenty_blocks(blocks, read):
    account = Account()
    account.ask(user(long("a"), POINT))
    more = [{"text": f"b{n}"} for n in range(blocks)]
    assert account.ask(user(long("a"), *more, POINT))[1] == read


@pytest.mark.parametrize(("point", "life"), [(POINT, 300), (HOUR, 3600)])
def test_lives_count_from_the_last_use(point, life):
    account = Account()
    asked = user(long("a"), point)
    account.ask(asked)
    for _ in range(2):
        assert account.ask(asked, after=life - 1) == (0, 1100, 0)
    assert account.ask(asked, after=life) == (0, 0, 1100)


def test_an_entry_is_there_once_the_first_answer_begins():
    account = Account()
    asked = user(long("a"), POINT)
    account.ask(asked, begun=False)
    assert account.ask(asked) == (0, 0, 1100)
    assert account.ask(asked) == (0, 1100, 0)


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"outputConfig": {"effort": "low"}}, "system"),
        ({"toolConfig": {"tools": [TOOL], "toolChoice": {"any": {}}}}, "system"),
        ({"additionalModelRequestFields": {"thinking": {"type": "adaptive"}}}, "system"),
        ({"additionalModelRequestFields": {"anthropic_beta": ["x"]}}, "system"),
        ({"toolConfig": {"tools": [TOOL, {"toolSpec": TOOL["toolSpec"] | {"name": "b"}}]}}, ""),
        ({"system": [long("t"), POINT]}, ""),
        ({"inferenceConfig": {"maxTokens": 9}}, "messages"),
    ],
    ids=str,
)
def test_what_a_change_loses(change, kept):
    account = Account()
    fields = {"system": [long("s"), POINT], "toolConfig": {"tools": [TOOL]}}
    asked = user(long("a"), POINT)
    _, _, whole = account.ask(asked, **fields)
    _, read, _ = account.ask(asked, **fields | change)
    assert read == {"system": whole - 1100, "": 0, "messages": whole}[kept]


def test_a_first_picture_loses_the_messages():
    account = Account()
    account.ask(user(long("a"), POINT))
    assert account.ask(user(long("a"), POINT, PICTURE))[1] == 0


def test_a_result_that_became_an_error_is_another():
    account = Account()
    use = {"toolUse": {"toolUseId": "a", "name": "Read", "input": {}}}
    called = {"role": "assistant", "content": [use]}

    def ask(status):
        told = {"toolUseId": "a", "content": [{"text": "abcd"}], "status": status}
        last = user({"toolResult": told}, POINT)
        return account.ask(user(long("a")), called, last, toolConfig={"tools": [TOOL]})[1]

    assert (ask("success"), ask("error"), ask("success") > 1100) == (0, 0, True)


def test_each_model_has_its_own_cache():
    account = Account()
    account.ask(user(long("a"), POINT))
    account.name = OPUS
    assert account.ask(user(long("a"), POINT))[1] == 0


def test_nova_reads_only_at_points_and_looks_no_further_back():
    account = Account(NOVA)
    account.ask(user(long("a"), POINT))
    assert account.ask(user(long("a"), POINT)) == (0, 1100, 0)
    more = user(long("a"), {"text": "abcd"}, POINT)
    assert account.ask(more) == (0, 0, 1101)
    both = user(long("a"), POINT, {"text": "abcd"}, {"text": "efgh"}, POINT)
    assert account.ask(both) == (0, 1100, 2)


@pytest.mark.parametrize(
    ("tokens", "kept"), [(999, 0), (1000, 1000), (20_000, 20_000), (20_001, 0)]
)
def test_nova_keeps_between_one_and_twenty_thousand_tokens(tokens, kept):
    account = Account(NOVA)
    account.ask(user(long("a", tokens), POINT))
    assert account.ask(user(long("a", tokens), POINT))[1] == kept


def test_openai_on_bedrock_caches_by_itself():
    account = Account("openai.gpt-oss-120b-1:0")
    account.ask(user(long("a")))
    assert account.ask(user(long("a"))) == (1100 - 1024, 1024, 0)
    account = Account("openai.gpt-6-sol")
    assert account.ask(user(long("a"))) == (0, 0, 1100)
    assert account.ask(user(long("a")), model(), user({"text": "abcd"})) == (0, 1100, 2)


def test_other_models_cache_nothing():
    account = Account("deepseek.v3-v1:0")
    account.ask(user(long("a")))
    assert account.ask(user(long("a"))) == (1100, 0, 0)


def test_what_follows_novas_last_point_is_plain_input():
    account = Account(NOVA)
    asked = user(long("a"), POINT, {"text": "abcd"}, {"text": "efgh"})
    assert account.ask(asked) == (2, 0, 1100)
    assert account.ask(asked) == (2, 1100, 0)
