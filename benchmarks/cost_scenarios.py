"""Sessions whose cost is measured: each plays one in a world of its own and leaves the bills."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal

from cost_world import Step, Talk, World

from agentcli.llm.types import Text, UserMessage
from agentcli.tools.remote import Offer, define

STRAIGHT, ROUGH = Decimal("1.03"), Decimal("1.10")


@dataclass(frozen=True)
class Scenario:
    name: str
    play: Callable[[World], Awaitable[None]]
    target: Decimal
    """Our cost over the lower bound, at most."""
    read: float = 0.0
    """The share of the input that is read from cache, at least."""
    model: str = "claude-opus-5-5"
    provider: str = "anthropic"


async def fixbug(world: World) -> None:
    talk = Talk(world)
    await talk.turn(
        "The tests fail. Find out why and repair it.",
        Step(2, 2_000),
        Step(2, 6_000),
        Step(1, 3_000),
        Step(1, 900),
        Step(1, 2_400),
        Step(1, 900),
        Step(1, 2_000),
    )


def long(turns: int) -> Callable[[World], Awaitable[None]]:
    async def play(world: World) -> None:
        talk = Talk(world)
        for number in range(turns):
            await talk.turn(f"Now repair part {number}.", *[Step(1, 1_800)] * (1 + number % 2))
            talk.pause(0.5 + number % 3)

    return play


def paused(*minutes: float) -> Callable[[World], Awaitable[None]]:
    """30 turns of 3 to 7 requests, each followed by a pause."""

    async def play(world: World) -> None:
        talk = Talk(world)
        for number in range(30):
            steps = [Step(), Step(1, 900), Step()] * 2
            await talk.turn(f"Now repair part {number}.", *steps[: 2 + number * 3 % 5])
            talk.pause(minutes[number % len(minutes)])

    return play


async def three_processes(world: World) -> None:
    talk = Talk(world)
    for number in range(3):
        await talk.turn(f"Now do task {number}.", Step(2), Step(), Step(1, 900), Step())
        talk.pause(1.5)
        talk.resume()


async def parallel(world: World) -> None:
    talk = Talk(world)
    steps = [Step(5 if number % 2 else 25, 1_200) for number in range(8)]
    await talk.turn("Read everything in the project, many files at once.", *steps)


async def late_mcp(world: World) -> None:
    """The server comes up in the first turn; its tools join when the epoch ends."""
    talk = Talk(world)
    for number in range(4):
        await talk.turn(f"Now repair part {number}.", Step(), Step(3), Step())
        talk.pause(1)
    await talk.compact()
    talk.remote = tuple(told.to_json() for told in define(GITHUB))
    for number in range(4, 8):
        await talk.turn(f"Now repair part {number}.", Step(), Step(3), Step())
        talk.pause(1)


async def plan_mode(world: World) -> None:
    talk = Talk(world)
    await talk.turn("Look around first.", Step(2), Step(3))
    for note in ("Plan mode is on: change nothing.", "Plan mode is off: go on and do it."):
        talk.pause(1)
        talk.transcript.append(UserMessage((Text(note),), "reminder"))
        await talk.turn("Now this.", Step(2), Step(), Step())
    talk.pause(1)
    await talk.turn("And the tests.", Step(2), Step())


async def model_switch(world: World) -> None:
    talk = Talk(world)
    await talk.turn("Look around first.", Step(3), Step(3), Step(2))
    talk.pause(0.5)
    talk.model = "claude-sonnet-5-5"
    await talk.turn("Rename it everywhere.", Step(1, 900), Step(1, 900))
    talk.pause(0.5)
    talk.model = "claude-opus-5-5"
    await talk.turn("And now the hard part.", Step(), Step(2), Step(), Step())
    talk.pause(0.5)
    await talk.turn("And the tests.", Step(), Step(2))


async def compaction(world: World) -> None:
    talk = Talk(world)
    for number in range(200):
        await talk.turn(f"Now repair part {number}.", Step(3, 6_000), Step(1, 6_000), Step())
        talk.pause(1)
        if world.bills[-1].usage.prompt > 150_000:
            break
    await talk.compact()
    for number in range(6):
        await talk.turn(f"Now repair part {number}.", Step(3, 6_000), Step(1, 6_000), Step())
        talk.pause(1)


GITHUB = tuple(
    Offer(
        "github",
        name,
        f"{name} of a repository on GitHub; the repository is given as owner/name. " * 4,
        {"type": "object", "properties": {"repo": {"type": "string"}}, "required": ["repo"]},
    )
    for name in ("list_issues", "create_issue", "get_pull", "list_pulls", "search_code")
)

GPT = "gpt-6.1-sol"
SCENARIOS = (
    Scenario("fixbug (8 requests)", fixbug, STRAIGHT),
    Scenario("long, 10 turns", long(10), STRAIGHT),
    Scenario("long, 30 turns", long(30), STRAIGHT, read=0.95),
    Scenario("long, 50 turns", long(50), STRAIGHT),
    Scenario("three prompts, three processes", three_processes, STRAIGHT),
    Scenario("parallel, up to 25 calls", parallel, STRAIGHT),
    Scenario("pauses of 7 minutes", paused(7), ROUGH),
    Scenario("pauses of 70 minutes", paused(70), ROUGH),
    Scenario("pauses of 7 and 70 minutes", paused(7, 70), ROUGH),
    Scenario("late MCP server", late_mcp, ROUGH),
    Scenario("plan mode and back", plan_mode, ROUGH),
    Scenario("model switch and back", model_switch, ROUGH),
    Scenario("compaction at 150 k", compaction, ROUGH),
    Scenario("fixbug, GPT", fixbug, STRAIGHT, model=GPT, provider="openai"),
    Scenario("long, 30 turns, GPT", long(30), STRAIGHT, 0.95, GPT, "openai"),
    Scenario("parallel, GPT", parallel, STRAIGHT, model=GPT, provider="openai"),
    Scenario("pauses of 7 minutes, GPT", paused(7), ROUGH, model=GPT, provider="openai"),
    Scenario("pauses of 7 and 70 minutes, GPT", paused(7, 70), ROUGH, model=GPT, provider="openai"),
    Scenario("long, 200 turns", long(200), STRAIGHT, read=0.95),
)
