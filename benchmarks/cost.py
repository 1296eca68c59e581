"""What sessions cost on the simulator, next to the least they can cost; exits with 1 on a miss.

USD of the prompts alone: what the model says back costs the same whatever is cached, and would
only flatter the ratios.
"""

from __future__ import annotations

import asyncio
import sys

from cost_bound import bound, common, cost, ours, uncached
from cost_scenarios import SCENARIOS, Scenario
from cost_world import World

NAMES = ("scenario", "requests", "ours $", "bound $", "uncached $", "common $", "ours/bound")


def measure(scenario: Scenario) -> None:
    world = World()
    asyncio.run(scenario.play(world))
    bills = world.bills
    a, b, c, d = ours(bills), bound(bills), uncached(bills), common(bills)
    usage = [bill.usage for bill in bills]
    read = sum(u.cache_read for u in usage) / sum(u.prompt for u in usage)
    print(
        f"{scenario.name:32}{len(bills):5}{a:10.4f}{b:10.4f}{c:10.4f}{d:10.4f}"
        f"{a / b:8.3f}{scenario.target:6} {d / b:8.3f} read {read:.3f} est {estimated(bills)}"
    )


def estimated(bills):
    off = [cost(b, b.plan.expected) / cost(b, b.usage) - 1 for b in bills]
    return [f"{float(o):.3f}" for o in off if abs(o)>.05]


def main() -> int:
    for scenario in SCENARIOS:
        if not any(w in scenario.name for w in sys.argv[1:]): continue
        measure(scenario)
    return 0


if __name__ == "__main__":
    sys.exit(main())
