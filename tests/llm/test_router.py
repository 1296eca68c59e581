"""Who answers: deployments by their load, a chain when one fails, rests that end."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from agentcli.lib.value import replace
from agentcli.llm.client import Client
from agentcli.llm.errors import (
    AuthFailed,
    BadRequest,
    ContextOverflow,
    Overloaded,
    QuotaExceeded,
    RateLimited,
)
from agentcli.llm.http import Http, InProcess
from agentcli.llm.models import CacheKind, ModelSpec, Prices
from agentcli.llm.providers import resolve
from agentcli.llm.route import Provider, Route
from agentcli.llm.router import REST, Deployment, Router, reprime
from agentcli.llm.simulator import Drop, Failure, Fault, SimulatedProvider, breaks, says
from agentcli.llm.types import Request, Text, UserMessage

ENV = {"ANTHROPIC_API_KEY": "a", "OPENAI_API_KEY": "o", "DEEPSEEK_API_KEY": "d"}


def route(name, *, context=None, key="k"):
    provider = Provider(name, f"https://{name}.example", "anthropic")
    return Route(provider, ModelSpec("m", name, context=context), provider.url, key)


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


ONE, TWO, THREE = route("one"), route("two"), route("three")


def router(main=(ONE,), fallback=(TWO, THREE), clock=None, **options):
    deployments = [one if isinstance(one, Deployment) else Deployment(one) for one in main]
    links = [[Deployment(one)] for one in fallback]
    return Router(lambda: deployments, links, clock=clock or Clock(), **options)


@pytest.mark.parametrize("kind", [Overloaded, RateLimited, QuotaExceeded, AuthFailed])
def test_the_chain_is_gone_down_and_returned_to_after_the_rest(kind):
    clock = Clock()
    chain = router(clock=clock)
    assert chain.pick() is ONE
    assert chain.instead(ONE, kind("no")) is TWO
    assert chain.pick() is TWO
    rest = min(REST[kind.kind], 1e9)
    clock.now += rest - 1
    assert chain.pick() is not ONE
    clock.now += 1
    assert (chain.pick() is ONE) == (kind is not AuthFailed)


def test_the_chain_ends():
    chain = router()
    chain.instead(ONE, Overloaded("no"))
    assert chain.instead(TWO, Overloaded("no")) is THREE
    assert chain.instead(THREE, Overloaded("no")) is None


def test_a_rest_is_as_long_as_the_server_says():
    clock = Clock()
    chain = router(clock=clock)
    chain.instead(ONE, RateLimited("later", retry_after=300))
    clock.now += 299
    assert chain.pick() is TWO
    clock.now += 1
    assert chain.pick() is ONE


def test_a_bad_request_is_nobody_elses():
    assert router().instead(ONE, BadRequest("bad")) is None


def test_what_does_not_fit_goes_to_a_larger_window_only():
    small, large = route("small", context=100), route("large", context=1000)
    chain = router((small,), (route("same", context=100), route("unknown"), large))
    assert chain.instead(small, ContextOverflow("too long")) is large
    assert router((large,), (small,)).instead(large, ContextOverflow("too long")) is None


def test_when_all_rest_the_one_that_wakes_first_is_asked():
    clock = Clock()
    other = route("one", key="other")
    chain = router((ONE, other), (), clock=clock)
    chain.instead(ONE, RateLimited("later", retry_after=50))
    assert chain.instead(other, RateLimited("later", retry_after=20)) is None
    assert chain.pick() is other


def test_deployments_share_what_comes_at_once_by_weight():
    light, heavy = Deployment(ONE), Deployment(TWO, weight=3)
    chain = router((light, heavy), ())
    taken = []
    for _ in range(8):
        chosen = chain.pick()
        chain.began(chosen)
        taken.append(chosen)
    assert (taken.count(ONE), taken.count(TWO)) == (2, 6)


def test_a_deployment_is_kept_while_nothing_else_runs():
    chain = router((ONE, TWO), ())
    first = chain.pick()
    for _ in range(5):
        chain.began(first)
        chain.ended(first)
        assert chain.pick() is first
    chain.instead(first, Overloaded("busy"))
    second = chain.pick()
    assert second is not first
    assert chain.pick() is second


def test_reading_anew_is_priced_as_the_model_caches():
    prices = (Prices("3", "15", cache_read="0.3", cache_write_5m="3.75"),)
    marked = ModelSpec("m", "p", prices=prices, cache=CacheKind("explicit", max_marks=4))
    unasked = ModelSpec("m", "p", prices=prices, cache=CacheKind("automatic"))
    plain = replace(unasked, prices=(replace(prices[0], cache_write_5m=None),))
    at = datetime(2026, 11, 25, tzinfo=UTC)
    assert str(reprime(100_000, marked, at).total.normalize()) == "0.375"
    assert str(reprime(100_000, unasked, at).total.normalize()) == "0.375"
    assert str(reprime(100_000, plain, at).total.normalize()) == "0.3"
    assert reprime(100_000, ModelSpec("x", "p"), at) is None


def ask(servers, names, **options):
    """One request through the whole client; `servers` by host."""
    routes = [resolve(name, ENV) for name in names]
    chain = router(routes[:1], routes[1:])
    retries, slept = [], []

    def answer(method, url, headers, body):
        host = httpx.URL(url).host
        return next(server for name, server in servers.items() if name in host).handle(
            method, url, headers, body
        )

    async def sleep(seconds):
        slept.append(seconds)

    client = Client(chain.pick, Http(transport=InProcess(answer)), sleep=sleep, routing=chain)

    async def run():
        request = Request(names[0], ("be brief",), (), (UserMessage((Text("hi " * 9000),)),))
        async with client.stream(request, on_retry=retries.append) as reply:
            async for _ in reply:
                pass
        await client.aclose()
        return reply.message

    return asyncio.run(run()), retries, slept


def test_another_vendor_answers_over_its_own_wire_and_says_so():
    busy = SimulatedProvider([Fault("overloaded")] * 9)
    other = SimulatedProvider([says("Here.")])
    message, retries, _ = ask({"anthropic": busy, "openai": other}, ["sonnet", "gpt"])
    assert message.text == "Here."
    assert (message.provider, message.model) == ("openai", "gpt-6.1-sol")
    assert message.native.wire == "openai-responses"
    told = retries[-1].why
    assert "verloaded" in told
    assert "openai/gpt-6.1-sol goes on, reading" in told
    assert "$" in told
    assert len(busy.received) == 5


def test_a_long_wait_is_not_slept_when_somebody_else_can_answer():
    limited = SimulatedProvider([Fault("rate_limited", retry_after=3600)])
    other = SimulatedProvider([says("Here.")])
    message, _, slept = ask({"anthropic": limited, "deepseek": other}, ["sonnet", "deepseek"])
    assert message.provider == "deepseek"
    assert slept == [0.0]
    assert len(limited.received) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        Fault("empty"),
        Fault("html"),
        Fault("json_error_200"),
        Drop(),
        breaks(says("Hello."), "cut", 30),
        Failure(200, b"<html>a captive portal</html>", {"content-type": "text/html"}),
        Failure(404, b"nothing here"),
        Failure(401, b""),
    ],
)
def test_whatever_an_outage_looks_like_the_next_one_answers(trouble):
    bad, good = SimulatedProvider([trouble] * 9), SimulatedProvider([says("Here.")])
    message, retries, _ = ask({"anthropic": bad, "openai": good}, ["sonnet", "gpt"])
    assert message.text == "Here."
    assert retries[-1].why.startswith("anthropic/claude-sonnet-5-5: ")
    assert len(good.received) == 1


def test_a_prompt_goes_to_nobody_whose_window_is_too_small_for_it():
    tiny, unknown = route("tiny", context=1000), route("unknown")
    chain = router(fallback=(tiny, unknown))
    assert chain.instead(ONE, Overloaded("no"), 1001) is unknown
    assert router(fallback=(tiny, unknown)).instead(ONE, Overloaded("no"), 1000) is tiny
    assert router(fallback=(tiny,)).instead(ONE, Overloaded("no"), 1001) is None


def test_a_server_that_failed_five_times_is_not_taken_at_its_word():
    clock = Clock()
    chain = router(clock=clock)
    chain.instead(ONE, Overloaded("soon", retry_after=0.01))
    clock.now += REST["overloaded"] - 1
    assert chain.pick() is TWO


def test_the_first_one_says_when_it_answers_again():
    clock, back = Clock(), []
    chain = router(clock=clock, on_return=back.append)
    for _ in range(2):
        chain.instead(ONE, Overloaded("no"))
        chain.began(chain.pick())
        assert chain.stands_in(TWO)
        clock.now += REST["overloaded"]
        chain.began(chain.pick())
        chain.began(chain.pick())
    assert back == [ONE, ONE]


def test_a_model_chosen_by_hand_is_not_one_that_came_back():
    back, chosen = [], [ONE]
    chain = Router(
        lambda: [Deployment(chosen[0])], [[Deployment(TWO)]], clock=Clock(), on_return=back.append
    )
    chain.instead(ONE, Overloaded("no"))
    chain.began(chain.pick())
    chosen[0] = replace(THREE, model=replace(THREE.model, id="other"))
    chain.began(chain.pick())
    assert back == []


def test_conversations_are_spread_by_weight_and_each_keeps_its_place():
    deployments = [Deployment(ONE, 3), Deployment(TWO)]
    first = [
        Router(lambda: deployments, seed=f"s{n}", clock=Clock()).pick().provider.name
        for n in range(400)
    ]
    assert 260 < first.count("one") < 340
    again = [Router(lambda: deployments, seed=f"s{n}").pick().provider.name for n in range(400)]
    assert again == first
    turned = [Router(lambda: deployments[::-1], seed=f"s{n}").pick() for n in range(400)]
    assert [one.provider.name for one in turned] == first


class Deployed:
    """Two keys of one model, and requests through the whole client; `answers` by key."""

    def __init__(self, **answers):
        self.servers = {key: SimulatedProvider(script) for key, script in answers.items()}
        self.slept, self.retries = [], []
        row = resolve("sonnet", ENV)
        routes = [replace(row, key=key) for key in answers]
        self.clock = Clock()
        self.router = Router(lambda: [Deployment(one) for one in routes], clock=self.clock)
        self.client = Client(
            self.router.pick,
            Http(transport=InProcess(self.answer)),
            sleep=self.sleep,
            routing=self.router,
        )

    def answer(self, method, url, headers, body):
        return self.servers[headers["x-api-key"]].handle(method, url, headers, body)

    async def sleep(self, seconds):
        self.slept.append(seconds)

    async def ask(self, *words):
        talk = tuple(UserMessage((Text(text),)) for text in words or ("hi",))
        request = Request("sonnet", ("be brief",), (), talk, session="s")
        async with self.client.stream(request, on_retry=self.retries.append) as reply:
            async for _ in reply:
                pass
        return reply.message

    def counts(self):
        return [len(server.received) for server in self.servers.values()]


def test_a_wait_is_not_slept_where_another_key_can_answer():
    here = Deployed(a=[Fault("rate_limited", 20)], b=[says("Here.")])
    assert asyncio.run(here.ask()).text == "Here."
    assert (here.counts(), here.slept) == ([1, 1], [0.0])
    here.clock.now += 19
    assert here.router.pick().key == "b"


def test_a_short_wait_is_slept_where_the_cache_is_warm():
    here = Deployed(a=[Fault("rate_limited", 2), says("Here.")], b=[says("Cold.")])
    assert asyncio.run(here.ask()).text == "Here."
    assert (here.counts(), here.slept) == ([2, 0], [2.0])


def test_what_comes_at_once_is_spread_over_the_keys():
    scripts = {key: [says("Here.")] * 4 for key in ("a", "b", "c", "d")}
    here = Deployed(**scripts)

    async def crowd():
        return await asyncio.gather(*(here.ask(f"number {n}") for n in range(8)))

    assert {message.text for message in asyncio.run(crowd())} == {"Here."}
    assert here.counts() == [2, 2, 2, 2]


def test_what_one_key_has_cached_is_not_expected_of_another():
    """Keys may belong to different accounts, and each account has its own cache."""
    long = "word " * 5000
    here = Deployed(a=[says("One."), Fault("rate_limited", 20)], b=[says("Two.")])
    asyncio.run(here.ask(long))
    asyncio.run(here.ask(long, "more"))
    assert here.retries[-1].anew > 4000
    plan, _ = here.client.cache_state("s", "claude-sonnet-5-5")
    assert plan.expected_read == 0


def test_a_reply_that_breaks_off_twice_rests_its_route():
    broken = breaks(says("Half an answer, " * 20), "error", 4)
    here = Deployed(a=[broken, says("Whole."), broken, broken], b=[says("Here.")])
    said = []
    for _ in range(4):
        try:
            said.append(asyncio.run(here.ask()).text)
        except Overloaded as error:
            said.append(error.elsewhere.partition(" goes on")[0])
    name = "anthropic/claude-sonnet-5-5"
    assert said == ["", "Whole.", "", name]
    assert asyncio.run(here.ask()).text == "Here."


def test_the_last_of_the_chain_fails_with_its_own_words():
    none = {
        "anthropic": SimulatedProvider([Fault("unauthorized")]),
        "openai": SimulatedProvider([Fault("quota")]),
    }
    with pytest.raises(QuotaExceeded) as failed:
        ask(none, ["sonnet", "gpt"])
    assert failed.value.provider == "openai"
