"""Sessions whose cost is measured: each plays one in a world of its own and leaves the bills."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal

from cost_world import Step, Talk

from agentcli.tools.remote import Offer

STRAIGHT, ROUGH = Decimal("1.03"), Decimal("1.10")
OPUS = "anthropic/claude-opus-5-5"


@dataclass(frozen=True)
class Scenario:
    name: str
    play: Callable[[Talk], Awaitable[None]]
    target: Decimal
    """Our cost over the lower bound, at most."""
    read: float = 0.0
    """The share of the input that is read from cache, at least."""
    model: str = OPUS
    config: str = ""


async def fixbug(talk: Talk) -> None:
    """Eight turns: found, repaired, tested, and what a person wants besides."""
    await talk.turn("The tests fail. Find out why.", Step(1, 2_000), Step(2, 6_000))
    await talk.turn("Repair it.", Step(1, 900), Step(1, 2_400))
    for number in range(6):
        talk.pause(0.5 + number % 3)
        await talk.turn(f"Then see to point {number}.", Step(1, 900 + 500 * number))


def long(turns: int) -> Callable[[Talk], Awaitable[None]]:
    async def play(talk: Talk) -> None:
        for number in range(turns):
            await talk.turn(f"Now repair part {number}.", *[Step(1, 1_800)] * (1 + number % 2))
            talk.pause(0.5 + number % 3)

    return play


def paused(*minutes: float, turns: int = 30) -> Callable[[Talk], Awaitable[None]]:
    """Turns of 3 to 7 requests, each followed by a pause."""

    async def play(talk: Talk) -> None:
        for number in range(turns):
            steps = [Step(), Step(1, 900), Step()] * 2
            await talk.turn(f"Now repair part {number}.", *steps[: 2 + number * 3 % 5])
            talk.pause(minutes[number % len(minutes)])

    return play


async def three_processes(talk: Talk) -> None:
    for number in range(3):
        await talk.turn(f"Now do task {number}.", Step(2), Step(), Step(1, 900), Step())
        talk.pause(1.5)
        await talk.resume()


async def parallel(talk: Talk) -> None:
    steps = [Step(5 if number % 2 else 25, 1_200) for number in range(8)]
    await talk.turn("Read everything in the project, many files at once.", *steps)


async def mixed(talk: Talk) -> None:
    """What our count could be wrong about: each result of another kind than the one before."""
    for number in range(12):
        kinds = ("py", "log", "json", "zh", "b64", "csv")
        steps = [Step(1, 2_400, kinds[(number + n) % 6]) for n in range(3)]
        await talk.turn(f"Now look at data set {number}.", *steps)
        talk.pause(1)


async def late_mcp(talk: Talk) -> None:
    """The server comes up in the first turn; its tools join when the epoch ends."""
    for number in range(4):
        await talk.turn(f"Now repair part {number}.", Step(), Step(3), Step())
        talk.pause(1)
    await talk.compact()
    talk.connect(GITHUB)
    for number in range(4, 8):
        await talk.turn(f"Now repair part {number}.", Step(), Step(3), Step())
        talk.pause(1)


async def plan_mode(talk: Talk) -> None:
    await talk.turn("Look around first.", Step(2), Step(3))
    for mode in ("plan", "bypass"):
        talk.pause(1)
        talk.app.set_mode(mode)
        await talk.turn("Now this.", Step(2), Step(), Step())
    talk.pause(1)
    await talk.turn("And the tests.", Step(2), Step())


async def model_switch(talk: Talk) -> None:
    await talk.turn("Look around first.", Step(3), Step(3), Step(2))
    talk.pause(0.5)
    talk.app.set_model("anthropic/claude-sonnet-5-5")
    await talk.turn("Rename it everywhere.", Step(1, 900), Step(1, 900))
    talk.pause(0.5)
    talk.app.set_model(OPUS)
    await talk.turn("And now the hard part.", Step(), Step(2), Step(), Step())
    talk.pause(0.5)
    await talk.turn("And the tests.", Step(), Step(2))


async def compaction(talk: Talk) -> None:
    """By itself, as soon as 150,000 tokens are passed, in the middle of a turn."""
    number = epoch = 0
    while number < epoch + 6 or not epoch:
        await talk.turn(f"Now repair part {number}.", Step(3, 6_000), Step(1, 6_000), Step())
        talk.pause(1)
        number += 1
        if talk.compacted and not epoch:
            epoch = number


GITHUB = tuple(
    Offer(
        "github",
        name,
        f"{name} of a repository on GitHub; the repository is given as owner/name. " * 4,
        {"type": "object", "properties": {"repo": {"type": "string"}}, "required": ["repo"]},
    )
    for name in ("list_issues", "create_issue", "get_pull", "list_pulls", "search_code")
)

GPT, DEEPSEEK = "openai/gpt-6.1-sol", "deepseek/deepseek-v4-pro"
BEDROCK, QWEN = "bedrock/us.anthropic.claude-opus-5-5", "dashscope/qwen3.7-max"
HAIKU = "anthropic/claude-haiku-4-5"
AT_150K = f"[compaction]\nat = {150_000 / (1_000_000 - 128_000):.4f}\n"
SCENARIOS = (
    Scenario("fixbug (8 turns)", fixbug, STRAIGHT),
    Scenario("long, 10 turns", long(10), STRAIGHT),
    Scenario("long, 30 turns", long(30), STRAIGHT, read=0.95),
    Scenario("long, 50 turns", long(50), STRAIGHT, read=0.95),
    Scenario("three prompts, three processes", three_processes, STRAIGHT),
    Scenario("parallel, up to 25 calls", parallel, STRAIGHT),
    Scenario("all kinds of content", mixed, STRAIGHT),
    Scenario("pauses of 7 minutes", paused(7), ROUGH),
    Scenario("pauses of 70 minutes", paused(70), ROUGH),
    Scenario("pauses of 7 and 70 minutes", paused(7, 70), ROUGH),
    Scenario("late MCP server", late_mcp, ROUGH),
    Scenario("plan mode and back", plan_mode, ROUGH),
    Scenario("model switch and back", model_switch, ROUGH),
    Scenario("compaction at 150 k", compaction, ROUGH, config=AT_150K),
    Scenario("fixbug, GPT", fixbug, STRAIGHT, model=GPT),
    Scenario("long, 30 turns, GPT", long(30), STRAIGHT, 0.95, GPT),
    Scenario("parallel, GPT", parallel, STRAIGHT, model=GPT),
    Scenario("all kinds of content, GPT", mixed, STRAIGHT, model=GPT),
    Scenario("pauses of 7 and 70 minutes, GPT", paused(7, 70), ROUGH, model=GPT),
    Scenario("compaction at 150 k, GPT", compaction, ROUGH, model=GPT, config=AT_150K),
    Scenario("fixbug, Haiku 4.5", fixbug, STRAIGHT, model=HAIKU),
    Scenario("parallel, Bedrock", parallel, STRAIGHT, model=BEDROCK),
    Scenario("pauses of 7 minutes, Bedrock", paused(7, turns=15), ROUGH, model=BEDROCK),
    Scenario("long, 10 turns, DeepSeek", long(10), STRAIGHT, model=DEEPSEEK),
    Scenario("parallel, DeepSeek", parallel, STRAIGHT, model=DEEPSEEK),
    Scenario("long, 10 turns, Qwen", long(10), STRAIGHT, model=QWEN),
    Scenario("parallel, Qwen", parallel, STRAIGHT, model=QWEN),
    Scenario("long, 200 turns", long(200), STRAIGHT, read=0.95),
)
