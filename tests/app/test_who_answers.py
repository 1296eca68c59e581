"""Who answers, and what is told when that changes: the chain of an app, and switches by hand."""

import asyncio
import time
from types import SimpleNamespace

import pytest

from agentcli.agent.events import Notice, Retrying, Spent
from agentcli.app.switching import losses, rereads
from agentcli.lib.value import replace
from agentcli.llm import models
from agentcli.llm.simulator import Fault, says
from agentcli.llm.types import Image, Text, ToolOutput, UserMessage

GPT = "gpt-6.1-sol"
SONNET = models.find("claude-sonnet-5-5", "anthropic")
PNG = Image("image/png", "AAAA")


def both(here):
    """GPT is served there too."""
    here.env |= {"OPENAI_BASE_URL": f"{here.server.url}/v1", "OPENAI_API_KEY": "k"}


def answered(front):
    return [(event.model, event.role) for event in front.of(Spent)]


def test_the_chosen_model_is_asked_again_when_it_has_rested_and_that_is_told(house):
    here = house(Fault("quota"), says("From GPT."), says("Still GPT."), says("Back."))
    both(here)

    async def session():
        async with here.app(fallback_model=(GPT,)) as app:
            await app.prompt("one")
            await app.prompt("two")
            app.engine().site.router._clock = lambda: time.monotonic() + 3601
            await app.prompt("three")
            return app.frontend

    front = asyncio.run(session())
    assert [why.why.count("goes on, reading") for why in front.of(Retrying)] == [1]
    claude = "claude-sonnet-5-5"
    assert answered(front) == [(GPT, "fallback"), (GPT, "fallback"), (claude, "main")]
    (told,) = [n.text for n in front.of(Notice) if "answers again" in n.text]
    assert told.startswith("anthropic/claude-sonnet-5-5 answers again; it sends ")
    assert "tokens uncached: $0.0" in told


def test_a_model_that_nobody_changed_is_not_announced(house):
    here = house(says("One."), says("Two."))

    async def session():
        async with here.app(fallback_model=()) as app:
            await app.prompt("one")
            app.set_mode("default")
            await app.prompt("two")
            return app.frontend

    assert not [n for n in asyncio.run(session()).of(Notice) if "Model is now" in n.text]


def test_the_way_back_costs_what_is_no_longer_cached(house):
    here = house(says("One."), says("Two."))
    both(here)

    async def session():
        async with here.app() as app:
            await app.prompt("word " * 4000)
            to = app.set_model(GPT)
            await app.prompt("two")
            back = app.set_model("claude-sonnet-5-5")
            clock = app.engine().billing.clock
            app.engine().billing.clock = lambda: clock() + 301
            return to, back, app.set_model("claude-sonnet-5-5"), app._rereads(app.route)

    to, back, same, later = asyncio.run(session())
    assert "The next message sends 6," in to
    assert "are still cached)" in back
    assert same == "Model is now claude-sonnet-5-5 (anthropic)."
    assert "still cached" not in later


@pytest.mark.parametrize(
    ("used", "unread", "words"),
    [
        (83_000, 83_000, "sends 83,000 tokens uncached: $0.2075"),
        (83_000, 1_000, "sends 1,000 tokens uncached: $0.0025 (82,000 are still cached)"),
        (83_000, 0, "is read from its cache, 83,000 tokens"),
    ],
)
def test_the_price_of_a_switch(used, unread, words):
    assert rereads(used, unread, SONNET) == words


def test_an_unknown_price_is_not_told_as_one():
    assert rereads(5, 5, models.unknown("x", "corp")) == "sends 5 tokens uncached"


def test_what_a_model_can_not_have():
    shown = UserMessage((Text("look"), PNG, ToolOutput("c", (PNG, Text("x")))))
    talk = SimpleNamespace(used=83_000, transcript=SimpleNamespace(messages=(shown,)))
    assert list(losses(talk, SONNET, 0.85)) == []
    blind, small = replace(SONNET, images=False), replace(SONNET, context=64_000)
    (images,) = losses(talk, blind, 0.85)
    assert "(2 in the conversation)" in images
    (window,) = losses(talk, small, 0.85)
    assert "holds 64,000 tokens: the conversation will be summed up" in window
