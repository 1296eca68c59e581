"""What was planned is what a provider bills: whole sessions against the simulated cache."""

import asyncio
import random
from collections import deque
from functools import partial

import pytest

from agentcli.lib.value import replace
from agentcli.llm.cache import plan
from agentcli.llm.client import Client
from agentcli.llm.http import Http, InProcess
from agentcli.llm.providers import resolve
from agentcli.llm.simulator import VENDORS, Say, Script, SimulatedProvider, Think, Turn, Use, When
from agentcli.llm.types import Request, Text, ToolOutput, ToolSpec, UserMessage

OPUS = "claude-opus-5-5"
NAMES = ("ANTHROPIC", "OPENAI", "GEMINI", "DEEPSEEK", "MINIMAX", "DASHSCOPE", "MOONSHOT")
KEYS = {f"{name}_API_KEY": "key" for name in (*NAMES, "OPENROUTER")} | {
    "AWS_BEARER_TOKEN_BEDROCK": "key",
    "AWS_REGION": "us-east-1",
}
WORDS = "the sly red fox ran far and hid and the big old dog got her too " * 70
"""Three letters each: a word is one token, and so are its four bytes to the simulator."""
TOOLS = tuple(
    ToolSpec(name, f"{name}s a file. {WORDS}", {"type": "object"}) for name in ("Edit", "Read")
)


class Session:
    """A conversation on a clock of its own; each request's plan and usage are kept."""

    def __init__(self, model=OPUS, provider="anthropic"):
        self.now = 1_000_000.0
        self.turns = deque()
        rules = (When(lambda _: True, lambda _: self.turns.popleft()),)
        self.provider = SimulatedProvider(
            Script(rules=rules), clock=lambda: self.now, vendor=VENDORS.get(provider)
        )
        self.route = resolve(f"{provider}/{model}", KEYS)
        self.effort = None
        self.messages, self.system, self.tools = [], (WORDS, WORDS), TOOLS
        self.client = self.process()

    def process(self, **options):
        """A client that remembers nothing; `options` are the planner's."""
        http = Http(transport=InProcess(self.provider.handle))
        return Client(
            lambda _: self.route, http, clock=lambda: self.now, planner=partial(plan, **options)
        )

    def say(self, text, after=0.0):
        self.now += after
        self.messages.append(UserMessage((Text(text),)))
        return self.ask(Turn((Say("Certainly. " * 8),)))

    def call(self, count=1, size=2_000, after=10.0):
        """The model makes calls; their results go back. Returns (planned, billed)."""
        told = self.ask(Turn(tuple(Use("Read", {"path": f"{n}.py"}) for n in range(count))))
        outputs = [
            ToolOutput(call.id, (Text(f"{call.id} " + "the new row " * (size // 12)),))
            for call in self.messages[-1].tool_calls
        ]
        self.messages.append(UserMessage(tuple(outputs), "tool"))
        self.now += after
        return told

    def ask(self, turn):
        self.turns.append(turn)
        request = Request(self.route.model.id, self.system, self.tools, tuple(self.messages))
        request = replace(request, session="s1", effort=self.effort)
        reply = asyncio.run(self._reply(request))
        self.messages.append(reply)
        state = self.client.cache_state("s1", self.route.model.id)
        return state[0].expected, reply.usage

    async def _reply(self, request):
        async with self.client.stream(request) as reply:
            async for _ in reply:
                pass
        return reply.message


def near(planned, billed):
    """Every class within 8 % of the prompt, as far as our own count is off."""
    names = ("input", "cache_read", "cache_write_5m", "cache_write_1h")
    room = max(60, billed.prompt * 0.08)
    return all(abs(getattr(planned, n) - getattr(billed, n)) <= room for n in names)


@pytest.mark.parametrize("seed", range(12))
def test_every_request_is_billed_as_planned(seed):
    chance, session = random.Random(seed), Session()
    session.messages.append(UserMessage((Text("Repair the shop."),)))
    for number in range(40):
        pause = chance.choice([5, 5, 5, 40, 200, 299, 301, 400, 1500, 3500, 3700])
        told = session.call(chance.choice([1, 1, 2, 6, 26]), chance.randrange(20, 6_000), pause)
        assert near(*told), (number, told)


def test_another_process_reads_what_the_first_one_wrote_past_many_results():
    """Look-ups end after 20 blocks; the conversation itself says where the last mark was."""
    session = Session()
    session.say("Read everything.")
    session.messages.append(UserMessage((Text("Go on."),)))
    session.call(1)
    _, before = session.call(30)
    session.client = session.process(last=session.now - 10.0)
    planned, billed = session.call(1)
    assert billed.cache_read == before.prompt == planned.cache_read


def test_a_session_taken_up_after_an_hour_expects_nothing():
    session = Session()
    session.say("Look around.")
    last = session.now
    session.client = session.process(last=last)
    planned, billed = session.say("And now?", after=7_200)
    assert planned.cache_read == billed.cache_read == 0


def test_a_rewound_conversation_reads_what_it_has_in_common():
    session = Session()
    session.say("Look around.")
    _, kept = session.say("Do it this way.", after=5)
    cut = tuple(session.messages)
    session.say("No, that way.", after=5)
    session.messages = list(cut)
    planned, billed = session.say("Rather like this.", after=5)
    assert planned.cache_read == billed.cache_read == kept.prompt
    session.say("Or so.", after=5)
    session.messages = list(cut)
    planned, billed = session.say("Once more, later.", after=400)
    assert planned.cache_read == billed.cache_read == 0


def test_a_summary_asked_for_in_vain_costs_no_cache():
    session = Session()
    _, before = session.say("Look around.")
    kept = list(session.messages)
    session.say("Sum it up.", after=5)
    session.messages = kept
    planned, billed = session.say("Go on.", after=5)
    assert billed.cache_read == planned.cache_read == before.prompt


def test_a_model_left_and_taken_up_again_reads_its_own_part():
    session = Session()
    _, before = session.say("Look around.")
    opus = session.route
    session.route = Session("claude-sonnet-5-5").route
    _, other = session.say("Rename it.", after=5)
    session.route = opus
    planned, billed = session.say("Go on.", after=5)
    assert other.cache_read == 0
    assert billed.cache_read == before.prompt == planned.cache_read


def test_an_hour_asked_for_is_an_hour_billed_and_an_hour_read():
    """A life that got lost on the way to the wire would be billed as 5 minutes."""
    session = Session()
    session.client = session.process(ttls={"latest": "1h"})
    _, first = session.say("Look around.")
    planned, later = session.say("Go on.", after=3_500)
    assert first.cache_write_1h == first.prompt
    assert later.cache_read == first.prompt == planned.cache_read


def test_another_effort_keeps_the_head_and_loses_the_messages():
    session = Session()
    session.say("Look around. " + WORDS)
    session.effort = "high"
    planned, billed = session.say("Go on.", after=5)
    assert 2_000 < billed.cache_read < billed.prompt / 1.2
    assert near(planned, billed)


def test_tools_in_another_order_are_another_prefix_and_known_to_be():
    session = Session()
    session.say("Look around.")
    session.tools = TOOLS[::-1]
    planned, billed = session.say("Go on.", after=5)
    assert planned.cache_read == billed.cache_read == 0


def test_a_new_epoch_reads_tools_and_system():
    session = Session()
    session.say("Look around.")
    session.messages = []
    planned, billed = session.say("This is what happened so far.", after=5)
    assert billed.cache_read > 2_000
    assert near(planned, billed)


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-6.1-sol", "openai"),
        ("gpt-5.4", "openai"),
        ("deepseek-flash", "deepseek"),
        ("gemini-3.8-flash", "gemini"),
        ("MiniMax-M3", "minimax"),
        ("qwen3.7-max", "dashscope"),
        ("kimi-k3", "moonshot"),
        ("anthropic/claude-opus-5.5", "openrouter"),
        ("us.anthropic.claude-opus-5-5-v1:0", "bedrock"),
        ("anthropic.claude-opus-5-5-v1:0", "anthropic-bedrock"),
    ],
)
def test_other_vendors_bill_as_planned(model, provider):
    session = Session(model, provider)
    for number in range(6):
        told = session.say(f"Now part {number}. {WORDS}", after=60)
        assert near(*told), (number, told)
    assert told[0].cache_read > 3_000


@pytest.mark.parametrize(
    ("model", "provider"), [("qwen3.7-max", "dashscope"), ("deepseek-v4-pro", "deepseek")]
)
def test_thoughts_count_in_the_next_prompt_only_where_they_go_back(model, provider):
    session = Session(model, provider)
    for number in range(4):
        session.messages.append(UserMessage((Text(f"Part {number}. {WORDS}"),)))
        session.now += 20
        planned, billed = session.ask(Turn((Think("Let me see. " * 500), Say("Done. " * 8))))
        if number:
            assert abs(planned.prompt - billed.prompt) < 0.03 * billed.prompt, number


def test_a_call_goes_back_as_the_model_wrote_it_and_is_read_from_its_own_cache():
    """DeepSeek keeps what it said too; written with other spaces it would be another prefix."""
    session = Session("deepseek-v4-pro", "deepseek")
    session.say("Look around.")
    _, asked = session.call(2)
    planned, billed = session.call(1)
    assert billed.cache_read == asked.prompt + asked.output
    assert near(planned, billed)


@pytest.mark.parametrize(
    ("model", "provider"),
    [(OPUS, "anthropic"), ("us.anthropic.claude-opus-5-5", "bedrock")],
)
def test_thoughts_signed_under_other_tools_are_left_out_and_the_session_goes_on(model, provider):
    """Another version takes up a session: its thoughts are bound to the tools it had before."""
    session = Session(model, provider)
    session.messages.append(UserMessage((Text("Look around."),)))
    session.ask(Turn((Think("Where to begin? " * 9), Say("Done."))))
    session.tools = (*TOOLS, ToolSpec("Write", "Writes a file.", {"type": "object"}))
    session.messages.append(UserMessage((Text("Go on."),)))
    session.ask(Turn((Think("And now? " * 9), Say("Done too."))))
    _, billed = session.say("And on.", after=5)
    assert [received.status for received in session.provider.received] == [200, 400, 200, 200]
    assert billed.cache_read > 3_000
