"""What reports give away: counts that a proxy dropped, and words that nobody counted."""

import asyncio
from decimal import Decimal

import pytest
from till import COLD, GPT, SONNET, WARM, Till

from agentcli.app.billing import Paid
from agentcli.app.suspicions import Suspicions
from agentcli.lib.value import replace
from agentcli.llm.estimate import tokens_of, tokens_of_block
from agentcli.llm.testing import says
from agentcli.llm.types import AssistantMessage, Request, Text, Usage, UserMessage

HEAD = ("You are an agent. " * 600,)
"""About 2,800 tokens."""
DROPPED = Usage(input=3, output=5)
WORDS = Text("word " * 400)
SAID = tokens_of_block(WORDS)
"""As Anthropic counts a warm request, without the fields for what was read and written."""


class Headed(Till):
    """Requests with a system prompt of a real size."""

    async def ask(self, *words):
        said = tuple(UserMessage((Text(text),)) for text in words)
        request = Request("m", HEAD, (), said, session="s")
        async with Paid(self.model, self.billing).stream(request) as reply:
            async for _ in reply:
                pass
        return self.billing.spend(reply.message)


def test_dropped_cache_fields_are_said_once_and_the_cost_is_estimated(tmp_path):
    """A named bug: the three tokens after the last mark are not the bill."""
    here = Headed(tmp_path, [says("x", usage=DROPPED)] * 2)

    async def main():
        return [await here.ask("one"), await here.ask("one", "two")]

    spents = asyncio.run(main())
    first, second = here.close()
    assert [spent.cost for spent in spents] == [None, None]
    assert first.usage is None
    assert first.basis == "unknown"
    assert min(first.guess, second.guess) > tokens_of(HEAD[0]) * Decimal("2.5") / 1_000_000
    (told,) = here.notices()
    assert "drops what was read from the cache" in told


@pytest.mark.parametrize("usage", [WARM, COLD, Usage(input=2_900, output=5)])
def test_a_whole_report_is_believed(tmp_path, usage):
    here = Headed(tmp_path, [says("x", usage=usage)])
    asyncio.run(here.ask("one"))
    assert here.close()[0].usage == usage
    assert here.notices() == []


def test_a_vendor_whose_input_includes_what_was_cached_is_believed(tmp_path):
    here = Headed(tmp_path, [says("x", usage=DROPPED)])
    here.route = GPT
    asyncio.run(here.ask("one"))
    assert here.close()[0].usage == DROPPED


@pytest.mark.parametrize(
    ("stop", "output", "counted"),
    [
        ("interrupted", 1, SAID),
        ("interrupted", 900, 900),
        ("end_turn", 0, SAID),
        ("end_turn", 1, 1),
    ],
)
def test_words_that_nobody_counted_are_counted(stop, output, counted):
    """The report of a stream begins with an output of one token; its end may never come."""
    message = AssistantMessage((WORDS,), "m", stop, usage=replace(WARM, output=output))
    seen = Suspicions(lambda event: None)
    assert seen.believed(message, Request("m", HEAD, (), ()), SONNET.model).output == counted
