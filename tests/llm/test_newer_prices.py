"""Newer prices win once a person has fetched them, and a broken list changes none."""

import asyncio
import copy
import json
import os
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from loopback import loopback, sized

from agentcli.lib.errors import UserError
from agentcli.lib.value import replace
from agentcli.llm import models
from agentcli.llm.cost import price, rates_for
from agentcli.llm.fetch import fetcher
from agentcli.llm.http import Http
from agentcli.llm.prices import refresh, told
from agentcli.llm.types import Usage

NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)


def model(name, prices, **more):
    return {"id": name, "match": {"equals": name}, "prices": prices} | more


def rates(fresh, out, **more):
    return {"input_mtok": fresh, "output_mtok": out} | more


SONNET = rates(2, 10, cache_read_mtok=0.1, cache_write_mtok=2.5, cache_write_1h_mtok=4)
GPT = rates(
    {"base": 2, "tiers": [{"start": 272000, "price": 4}]},
    {"base": 10, "tiers": [{"start": 272000, "price": 15}]},
    cache_read_mtok={"base": 0.1, "tiers": [{"start": 272000, "price": 0.2}]},
    cache_write_mtok={"base": 2.5, "tiers": [{"start": 272000, "price": 5}]},
)
LIST = [
    {
        "id": "anthropic",
        "name": "Anthropic",
        "models": [model("claude-sonnet-5-5", SONNET, context_window=1000000)],
    },
    {"id": "openai", "models": [model("gpt-6.1-sol", GPT, context_window=1050000)]},
    {"id": "google", "models": [model("gemini-2.5-flash", rates(0.3, 2.5, cache_read_mtok=0.03))]},
]
"""The published shape, with what the shipped table has too."""


def changed(provider, **prices):
    """The list, with other models at one provider."""
    found = copy.deepcopy(LIST)
    rows = next(row for row in found if row["id"] == provider)["models"]
    for name, price_ in prices.items():
        name = name.replace("_", "-").replace("-dot-", ".")
        rows[:] = [row for row in rows if row["id"] != name]
        rows.append(model(name, price_, context_window=1_000_000))
    return found


class World:
    """A published list that may change, a file for what is fetched, and what was asked."""

    def __init__(self, file):
        self.file = file
        self.page = json.dumps(LIST).encode()
        self.status = b"200 OK"
        self.asked = []

    def publish(self, data):
        self.page = data if isinstance(data, bytes) else json.dumps(data).encode()

    async def answer(self, number, request, writer):
        line, headers, _ = request
        self.asked.append((line.split()[0], headers.get("if-none-match")))
        tag = f'"{hash(self.page)}"'
        if headers.get("if-none-match") == tag:
            writer.write(b"HTTP/1.1 304 Not Modified\r\n\r\n")
        else:
            writer.write(sized(self.page, self.status, b"etag: " + tag.encode()))

    def refresh(self):
        async def go():
            async with loopback(self.answer) as box:
                http = Http()

                def fetch(request):
                    assert request.url == "http://prices.test/data.json"
                    return fetcher(http, seconds=5)(replace(request, url=box.url))

                try:
                    return await refresh(fetch, "http://prices.test/data.json", self.file, NOW)
                finally:
                    await http.aclose()

        changes = asyncio.run(go())
        models.use_prices(self.file)
        return changes

    def find(self, name, provider="anthropic"):
        return models.find(name, provider)


@pytest.fixture
def world(tmp_path):
    yield World(tmp_path / "data/prices.json")
    models.use_prices(tmp_path / "none.json")


def test_what_is_published_unchanged_changes_nothing(world):
    before = world.find("claude-sonnet-5-5"), world.find("gpt-6.1-sol", "openai")
    assert world.refresh() == ()
    assert (world.find("claude-sonnet-5-5"), world.find("gpt-6.1-sol", "openai")) == before


def test_a_newer_price_wins_and_is_told(world):
    dearer = changed("anthropic", claude_sonnet_5_5=SONNET | {"input_mtok": 2.25})
    world.publish(dearer)
    (change,) = world.refresh()
    assert told(change) == "anthropic/claude-sonnet-5-5: input 2 → 2.25"
    spec = world.find("claude-sonnet-5-5")
    assert price(Usage(input=1_000_000), spec, at=NOW).total == Decimal("2.25")
    assert (spec.cache.min_tokens, spec.thinking) == (512, "adaptive")


def test_dates_tiers_and_peaks_are_read(world):
    dated = [
        {"prices": SONNET},
        {"constraint": {"start_date": "2027-02-01"}, "prices": SONNET | {"output_mtok": 12}},
        {"constraint": {"start_time": "08:00:00Z", "end_time": "16:00:00Z"}, "prices": SONNET},
    ]
    world.publish(changed("anthropic", claude_sonnet_5_5=dated))
    assert len(world.refresh()) == 1
    spec = world.find("claude-sonnet-5-5")
    february = datetime(2027, 2, 2, 4, tzinfo=UTC)
    assert rates_for(Usage(input=1), spec, NOW).output == "10"
    assert rates_for(Usage(input=1), spec, february).output == "12"
    assert rates_for(Usage(input=1), spec, february.replace(hour=9)).hours == ((8, 16),)


def test_a_new_model_is_known_with_its_price_and_the_habits_of_its_kind(world):
    world.publish(changed("openai", gpt_7_dot_1_sol=rates(3, 12, cache_read_mtok=0.3)))
    (change,) = world.refresh()
    assert told(change) == "openai/gpt-7.1-sol: new, input 3, output 12, cache_read 0.3"
    spec = world.find("gpt-7.1-sol", "openai")
    assert (spec.known, spec.edit, spec.context) == (True, "patch", 1_000_000)
    assert "gpt-7.1-sol" in models.names("openai")
    assert models.providers_of("GPT-7-1-SOL") == ("openai",)


def test_what_was_retired_before_is_not_new(world):
    world.publish(changed("openai", o1=rates(15, 60)))
    assert world.refresh() == ()


def test_an_unfilled_price_of_zero_is_not_believed(world):
    world.publish(changed("anthropic", claude_sonnet_5_5=rates(0, 0)))
    assert world.refresh() == ()


def test_what_the_list_leaves_out_stays(world):
    world.publish(changed("anthropic", claude_sonnet_5_5=rates(2, 10)))
    world.refresh()
    assert world.find("claude-sonnet-5-5").prices[0].cache_read == "0.1"


def test_the_same_list_is_not_fetched_twice(world):
    assert world.refresh() == ()
    assert world.refresh() is None
    (first, none), (second, tag) = world.asked
    assert (first, second, none) == ("GET", "GET", None)
    assert tag is not None


def test_back_to_the_old_price_is_a_change_too(world):
    world.publish(changed("anthropic", claude_sonnet_5_5=SONNET | {"input_mtok": 2.4}))
    world.refresh()
    world.publish(LIST)
    (change,) = world.refresh()
    assert told(change) == "anthropic/claude-sonnet-5-5: input 2.4 → 2"
    assert world.find("claude-sonnet-5-5").prices[0].input == "2"


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"<html>busy</html>",
        json.dumps(LIST).encode()[:-40],
        b"\xff\xfe",
        b"{}",
        b"[]",
        b"[3]",
        json.dumps(LIST[:1]).encode(),
        json.dumps(changed("openai", gpt_5=rates(-1, 2))).encode(),
        json.dumps(changed("openai", gpt_5=rates("1", 2))).encode(),
        json.dumps(changed("openai", gpt_5=rates(float("nan"), 2))).encode(),
        json.dumps(changed("openai", gpt_5=rates({"tiers": []}, 2))).encode(),
        b"[" * 100_000,
    ],
    ids=range(13),
)
def test_a_broken_list_is_refused_and_the_old_one_kept(world, page):
    world.publish(changed("anthropic", claude_sonnet_5_5=SONNET | {"input_mtok": 2.4}))
    world.refresh()
    kept = world.file.read_bytes()
    world.publish(page)
    with pytest.raises(UserError, match="stay as they were"):
        world.refresh()
    assert world.file.read_bytes() == kept
    assert world.find("claude-sonnet-5-5").prices[0].input == "2.4"
    assert os.listdir(world.file.parent) == ["prices.json"]


def test_a_server_that_refuses_is_told(world):
    world.status = b"503 Service Unavailable"
    with pytest.raises(UserError, match="HTTP 503"):
        world.refresh()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"models": 3}',
        '{"fetched": "2026-01-01"}',
        '{"fetched": 5, "models": {}}',
        '{"fetched": "2027", "models": 3}',
        '{"fetched": "2027", "models": {"anthropic": []}}',
        '{"fetched": "2027", "models": {"anthropic": {"claude-sonnet-5-5": 1}}}',
        '{"fetched": "2027", "models": {"anthropic": {"claude-sonnet-5-5": {"prices": [{}]}}}}',
        '{"fetched": "2027", "models": {"anthropic": {"x": {"prices": [{"input": "1", "a": 2}]}}}}',
        *(
            json.dumps({"fetched": "2027", "models": {"anthropic": {"claude-sonnet-5-5": row}}})
            for row in (
                {"prices": [{"input": "2x", "output": "10"}]},
                {"prices": [{"input": "-2", "output": "10"}]},
                {"prices": [{"input": "2", "output": "NaN"}]},
                {"prices": [{"input": "1e9", "output": "10"}]},
                {"prices": [{"input": 9, "output": 10}]},
                {"prices": [{"input": "9", "output": "10", "above": "many"}]},
                {"prices": [{"input": "9", "output": "10", "since": 2027}]},
                {"prices": [{"input": "9", "output": "10", "hours": [["a", "b"]]}]},
                {"context": "large", "prices": [{"input": "9", "output": "10"}]},
            )
        ),
    ],
)
def test_a_spoilt_file_counts_as_none_and_is_replaced(world, text):
    world.file.parent.mkdir()
    world.file.write_text(text)
    models.use_prices(world.file)
    assert world.find("claude-sonnet-5-5").prices[0].input == "2"
    assert world.refresh() == ()
    assert world.asked == [("GET", None)]


def test_prices_older_than_the_shipped_table_are_left_alone(world):
    world.publish(changed("anthropic", claude_sonnet_5_5=SONNET | {"input_mtok": 2.4}))
    world.refresh()
    data = json.loads(world.file.read_bytes()) | {"fetched": "2026-01-01T00:00:00+00:00"}
    world.file.write_text(json.dumps(data))
    models.use_prices(world.file)
    assert world.find("claude-sonnet-5-5").prices[0].input == "2"
