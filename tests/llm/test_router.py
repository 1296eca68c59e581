"""Who answers: deployments by their load, a chain when one fails, rests that end."""

import asyncio

import httpx
import pytest

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
from agentcli.llm.simulator import Fault, SimulatedProvider, says
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
    plain = ModelSpec("m", "p", prices=prices, cache=CacheKind("automatic"))
    from datetime import UTC, datetime

    at = datetime(2026, 11, 25, tzinfo=UTC)
    assert str(reprime(100_000, marked, at).total.normalize()) == "0.375"
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


def test_the_last_of_the_chain_fails_with_its_own_words():
    none = {
        "anthropic": SimulatedProvider([Fault("unauthorized")]),
        "openai": SimulatedProvider([Fault("quota")]),
    }
    with pytest.raises(QuotaExceeded) as failed:
        ask(none, ["sonnet", "gpt"])
    assert failed.value.provider == "openai"
