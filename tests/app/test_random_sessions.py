"""Whole sessions, in any order of steps: planned within the rules, and never dearer."""

import asyncio
import random

import pytest
from cost_bound import bound, common, ours, unexplained
from cost_content import counted_as
from cost_scenarios import GITHUB, SCENARIOS
from cost_world import Step, World

BEDROCK = "bedrock/us.anthropic.claude-opus-5-5"
QUICK = [0.1, 0.5, 1, 2]
HEAD = 1_000
"""Tokens of our own tools, which new ones after them leave in the cache: welcome, not foreseen."""
SLOW = [0.1, 0.5, 4.9, 5.1, 7, 30, 70]


async def play(talk, chance, pauses):
    """Up to a dozen turns, and between them whatever a person may do."""
    others = ["claude-sonnet-5-5", talk.world.model.rpartition("/")[2]]
    for number in range(chance.randrange(4, 12)):
        match chance.randrange(12):
            case 0:
                await talk.resume()
            case 1:
                talk.app.set_mode(chance.choice(["plan", "bypass", "accept-edits"]))
            case 2:
                talk.app.set_model(f"anthropic/{chance.choice(others)}")
            case 3 if talk.app.talk.used > 4_000:
                await talk.compact()
                if not talk.world.tools:
                    talk.connect(GITHUB)
            case 4:
                talk.app.pin(f"Mind point {number}.")
            case _:
                pass
        sizes = [(chance.choice([1, 1, 2, 5, 14, 26]), chance.choice([60, 900, 4_000]))]
        steps = [Step(count, size) for count, size in sizes * chance.randrange(3)]
        await talk.turn(f"Now repair part {number}.", *steps)
        talk.pause(chance.choice(pauses))
    await talk.turn("Thank you.")


def session(tmp_path, seed, pauses, model="anthropic/claude-opus-5-5"):
    world = World(tmp_path, model)

    async def main():
        async with world.talk() as talk:
            await play(talk, random.Random(seed), pauses)

    with counted_as("claude"):
        asyncio.run(main())
    return world.bills


@pytest.mark.parametrize("seed", range(5))
def test_a_session_without_long_pauses_costs_what_it_must(tmp_path, seed):
    bills = session(tmp_path, seed, QUICK)
    assert ours(bills) <= bound(bills) * 110 / 100


@pytest.mark.parametrize("model", ["anthropic/claude-opus-5-5", BEDROCK])
@pytest.mark.parametrize("seed", range(100, 103))
def test_any_session_is_planned_within_the_rules(tmp_path, seed, model):
    """That no mark stands where none may is what the strict server says; it refuses."""
    bills = session(tmp_path, seed, SLOW, model)
    for bill in bills:
        lives = [mark.ttl for mark in bill.plan.marks]
        assert len(lives) <= 4
        assert lives == sorted(lives)
        unforeseen = bill.usage.cache_read - bill.plan.expected_read
        assert unforeseen == 0 or (bill.miss and 0 < unforeseen < HEAD)
    assert ours(bills) <= common(bills) * 101 / 100
    assert unexplained(bills) == 0


@pytest.mark.parametrize("name", ["fixbug (8 turns)", "plan mode and back", "parallel, DeepSeek"])
def test_the_benchmark_finds_its_targets_held(tmp_path, name):
    (scenario,) = (scenario for scenario in SCENARIOS if scenario.name == name)
    world = World(tmp_path, scenario.model)

    async def main():
        async with world.talk() as talk:
            await scenario.play(talk)

    with counted_as("claude"):
        asyncio.run(main())
    assert ours(world.bills) <= bound(world.bills) * scenario.target
    assert ours(world.bills) <= common(world.bills)
    assert unexplained(world.bills) == 0
