"""What sessions cost on the simulator, next to the least they can cost; exits with 1 on a miss.

USD of the prompts alone: what the model says back costs the same whatever is cached, and would
only flatter the ratios. `common` is the cheaper of two layouts: marks of 5 minutes, and of an hour.
`why` counts the requests that read less than was sent before and do not know why; `near` those
whose price was foretold within 5 %. Words on the command line choose scenarios by name; without
any, the table is kept in results/cost.md.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from cost_bound import bound, common, ours, prompt_cost, uncached, unexplained
from cost_content import counted_as
from cost_scenarios import SCENARIOS, Scenario
from cost_world import Bill, World

KEPT = Path(__file__).parent / "results" / "cost.md"
FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where the measured sessions are kept: their files wait for no disk."""
NEAR, SHARE = Decimal("0.05"), 0.95
"""An estimate is good within 5 % of the bill; so many of them must be."""
HEAD = (
    "| scenario | requests | ours | bound | common | uncached "
    "| ours/bound | target | read | why | near |"
)


@dataclass(frozen=True)
class Row:
    """One scenario, in USD."""

    scenario: Scenario
    bills: Sequence[Bill]
    ours: Decimal
    bound: Decimal
    common: Decimal
    uncached: Decimal
    unexplained: int

    @property
    def ratio(self) -> Decimal:
        return self.ours / self.bound

    @property
    def read(self) -> float:
        """The share of the input that came from cache."""
        usage = [bill.usage for bill in self.bills]
        return sum(u.cache_read for u in usage) / sum(u.prompt for u in usage)

    @property
    def near(self) -> int:
        """Requests whose price was foretold within 5 %."""
        return sum(_is_near(bill) for bill in self.bills)

    @property
    def misses(self) -> list[str]:
        wrong = {
            f"{self.ratio:.3f} of the bound": self.ratio > self.scenario.target,
            "dearer than the common layout": self.ours > self.common,
            f"{self.read:.3f} read": self.read < self.scenario.read,
            f"{self.unexplained} misses without a reason": self.unexplained > 0,
        }
        return [f"{self.scenario.name}: {text}" for text, is_so in wrong.items() if is_so]

    def __str__(self) -> str:
        money = "".join(f" {m:.4f} |" for m in (self.ours, self.bound, self.common, self.uncached))
        count = len(self.bills)
        return (
            f"| {self.scenario.name} | {count} |{money} {self.ratio:.3f} | "
            f"{self.scenario.target} | {self.read:.3f} | {self.unexplained} | {self.near}/{count} |"
        )


def measure(scenario: Scenario) -> Row:
    with (
        TemporaryDirectory(dir=FAST) as home,
        counted_as("gpt" if "gpt" in scenario.model else "claude"),
    ):
        bills = asyncio.run(_played(scenario, Path(home)))
    layouts = (common(bills, ttl) for ttl in bills[0].model.cache.ttls[:2] or ("5m",))
    return Row(
        scenario,
        bills,
        ours(bills),
        bound(bills),
        min(layouts),
        uncached(bills),
        unexplained(bills),
    )


async def _played(scenario: Scenario, home: Path) -> list[Bill]:
    world = World(home, scenario.model, scenario.config)
    async with world.talk() as talk:
        await scenario.play(talk)
    return world.bills


def _is_near(bill: Bill) -> bool:
    if bill.plan.expected is None:
        return False
    billed = prompt_cost(bill, bill.usage)
    return abs(prompt_cost(bill, bill.plan.expected) - billed) <= NEAR * billed


def main() -> int:
    words = sys.argv[1:]
    chosen = [s for s in SCENARIOS if not words or any(word in s.name for word in words)]
    lines = [HEAD, "|---" * HEAD.count("| ") + "|"]
    print(*lines, sep="\n")
    rows: list[Row] = []
    for scenario in chosen:
        rows.append(measure(scenario))
        lines.append(str(rows[-1]))
        print(lines[-1], flush=True)
    misses = [miss for row in rows for miss in row.misses]
    near, count = sum(row.near for row in rows), sum(len(row.bills) for row in rows)
    lines.append(f"\n{near} of {count} requests were priced within 5 % before they were sent.")
    if not words and near < SHARE * count:
        misses.append("estimates: too few are near")
    lines += [f"MISSED {miss}" for miss in misses]
    print(*lines[2 + len(rows) :], sep="\n")
    if not words:
        KEPT.write_text("\n".join(lines) + "\n")
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main())
