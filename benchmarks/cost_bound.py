"""What a session's requests would have cost otherwise: at best, uncached, and marked as others do.

The lower bound knows nothing of the planner and all of the future. It takes the requests as they
were sent and asks of every block, by itself: at each of its uses, was it still in a cache, and if
not, what is the cheapest way to send it, knowing when it is used next? No plan can cost less.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cost_world import Bill

from agentcli.llm.cost import MILLION, price, rates_for
from agentcli.llm.models import ModelSpec, Prices, find
from agentcli.llm.simulator.claude_cache import ClaudeCache, may_carry_mark, prompt
from agentcli.llm.simulator.claude_talk import readable
from agentcli.llm.simulator.gpt_cache import places_of
from agentcli.llm.simulator.gpt_prompt import responses_blocks, responses_prompt
from agentcli.llm.simulator.prefix import flatten
from agentcli.llm.types import Usage

SHORT, LONG = 300.0, 3600.0
"""wire.md 1.12.7."""
HALF_HOUR = 1800.0
"""wire.md 2.8.5."""


def model_of(bill: Bill) -> ModelSpec:
    found = find(bill.model, "anthropic" if _is_marked(bill) else "openai")
    assert found is not None
    return found


def _is_marked(bill: Bill) -> bool:
    return "messages" in bill.body


def moment(bill: Bill) -> datetime:
    return datetime.fromtimestamp(bill.at, UTC)


def prompt_cost(bill: Bill, usage: Usage) -> Decimal:
    """Of the prompt alone: what is said back costs the same whatever is cached."""
    found = price(usage, model_of(bill), at=moment(bill))
    assert found is not None
    return found.total - found.output


def ours(bills: Sequence[Bill]) -> Decimal:
    return sum((prompt_cost(bill, bill.usage) for bill in bills), Decimal(0))


def uncached(bills: Sequence[Bill]) -> Decimal:
    return sum((prompt_cost(b, Usage(input=b.usage.prompt)) for b in bills), Decimal(0))


def common(bills: Sequence[Bill]) -> Decimal:
    """Marks on the system and on the last message, 5 minutes each: the layout of most agents.

    Where nothing is marked, most agents do as we do.
    """
    cache, total = ClaudeCache(), Decimal(0)
    for bill in bills:
        if not _is_marked(bill):
            total += prompt_cost(bill, bill.usage)
            continue
        body = _unmarked(bill.body)
        system = body.get("system")
        if system:
            system[-1]["cache_control"] = {"type": "ephemeral"}
        last = [b for b in flatten(body) if b.part == "messages" and may_carry_mark(b)]
        last[-1].value["cache_control"] = {"type": "ephemeral"}
        charge = cache.look(prompt(body, beta=bill.beta, blocks=_kept(body, bill)), bill.at)
        cache.publish(charge)
        total += prompt_cost(bill, charge.usage)
    return total


def _kept(body: dict[str, Any], bill: Bill) -> list[Any]:
    return readable(body, flatten(body), bill.beta)[0]


def _unmarked(body: Any) -> Any:
    """A copy of the request without its marks."""
    if isinstance(body, dict):
        return {k: _unmarked(v) for k, v in body.items() if k != "cache_control"}
    return [_unmarked(v) for v in body] if isinstance(body, list) else copy.copy(body)


def bound(bills: Sequence[Bill]) -> Decimal:
    """The sum over all blocks of the least each can cost."""
    uses: dict[str, list[int]] = defaultdict(list)
    tokens: dict[str, int] = {}
    for number, bill in enumerate(bills):
        before = 0
        for digest, end in _places(bill):
            uses[digest].append(number)
            tokens[digest] = end - before
            before = end
    together: dict[tuple[int, ...], int] = defaultdict(int)
    for digest, numbers in uses.items():
        together[tuple(numbers)] += tokens[digest]
    rates = [_rates(bill) for bill in bills]
    lives = (SHORT, LONG) if _is_marked(bills[0]) else (HALF_HOUR, HALF_HOUR)
    least = (
        count * _cheapest([bills[n].at for n in numbers], [rates[n] for n in numbers], lives)
        for numbers, count in together.items()
    )
    return sum(least, Decimal(0)) / MILLION


def _places(bill: Bill) -> Iterator[tuple[str, int]]:
    """The digest and the tokens of the prefix that ends with each block."""
    if not _is_marked(bill):
        yield from places_of(responses_prompt(bill.body, responses_blocks(bill.body)))
        return
    for position in prompt(bill.body, beta=bill.beta, blocks=_kept(bill.body, bill)).positions:
        yield position.digest, position.tokens


def _rates(bill: Bill) -> Prices:
    found = rates_for(bill.usage, model_of(bill), moment(bill))
    assert found is not None
    return found


def _cheapest(
    times: Sequence[float], rates: Sequence[Prices], lives: tuple[float, float]
) -> Decimal:
    """The least a token used at these times can cost, from the last use backwards.

    A token that is read may live on for any life: an entry that ends behind it keeps it alive, and
    whoever pays for that entry pays only for what it adds (wire.md 1.12.4, 1.12.8).
    """
    short, long = lives
    read_later = sent_later = Decimal(0)
    for number in range(len(times) - 1, -1, -1):
        row = rates[number]
        gap = times[number + 1] - times[number] if number + 1 < len(times) else long
        fresh, read = Decimal(row.input), Decimal(row.cache_read or row.input)
        written = Decimal((row.cache_write_5m if gap < short else row.cache_write_1h) or row.input)
        if gap >= long:
            read_now, sent_now = read + sent_later, fresh + sent_later
        else:
            read_now = read + min(read_later, sent_later)
            sent_now = min(written + read_later, fresh + sent_later)
        read_later, sent_later = read_now, sent_now
    return sent_later
