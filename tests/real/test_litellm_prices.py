"""Our bills against LiteLLM's own: each difference is listed here with its reason."""

import json
import subprocess
from collections import Counter
from decimal import Decimal
from pathlib import Path

from litellm_program import needs_litellm, program
from oracle_usages import usages

from agentcli.llm import models
from agentcli.llm.cost import price

MICRO = Decimal("0.000001")
HERE = Path(__file__).parent


def at(rates, twice_from=None):
    """What a usage costs at (input, output, read) in USD per million, twice that from a size on."""
    fresh, output, read = (Decimal(rate) for rate in rates.split())

    def bill(usage, ours):
        once = usage.input * fresh + usage.output * output + usage.cache_read * read
        return once * (2 if twice_from and usage.prompt >= twice_from else 1) / 1_000_000

    return bill


def always(moment):
    return True


def in_december(moment):
    return moment.month == 12


DIFFERENT = {
    "claude-fable-5-2": (
        always,
        lambda usage, ours: Decimal(0),
        "not in its table, and a Claude it does not know is free (cost facts 6)",
    ),
    "gpt-6.1-terra": (
        always,
        lambda usage, ours: Decimal(0),
        "not in its table, and a GPT it does not know is free (cost facts 6)",
    ),
    "kimi-k3.1-pro": (
        always,
        lambda usage, ours: None,
        "not in its table: unknown, and said so (wire.md 7.2)",
    ),
    "gemini-4-argon": (
        in_december,
        lambda usage, ours: ours / 2,
        "its price doubles on 1 December (wire.md 6.3); LiteLLM knows no dates",
    ),
    "grok-code-fast-1": (
        always,
        at("1 2 0.2", twice_from=200_000),
        "priced as grok-build-0.1, another model; 0.2, 1.5 and 0.02 are right (wire.md 6.4)",
    ),
    "mistral-large-4": (
        always,
        at("0.68 2.09 0.068"),
        "stale: 0.70 and 2.10 since 29 October (wire.md 6.4, 7.2)",
    ),
}
"""By model: at which moments, what LiteLLM says (from the usage and our bill), why we do not."""


def litellm_bills(cases):
    """In a Python of its own; None where it has no price."""
    python, env = program("python")
    asked = [
        (provider, model, u.input, u.output, u.cache_read, u.cache_write_5m, u.cache_write_1h)
        for provider, model, u, _ in cases
    ]
    done = subprocess.run(
        [python, HERE / "litellm_costs.py"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        env=env,
        timeout=100,
        check=True,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    return [None if bill is None else Decimal(bill) for bill in told]


def alike(one, other):
    return one is other or (None not in (one, other) and abs(one - other) < MICRO)


def at_another_hour(provider, ours, theirs):
    """DeepSeek's peak is twice the rest; LiteLLM takes the hour it prices at (cost facts 3.5)."""
    return provider == "deepseek" and (alike(ours * 2, theirs) or alike(ours / 2, theirs))


@needs_litellm
def test_where_litellm_says_another_bill_the_reason_is_known():
    cases, found, unlisted = usages(), Counter(), []
    for (provider, model, usage, moment), theirs in zip(cases, litellm_bills(cases), strict=True):
        ours = price(usage, models.find(model, provider), at=moment).total
        when, instead, _ = DIFFERENT.get(model, (None, None, ""))
        if when and when(moment):
            found[model] += 1
            assert alike(theirs, instead(usage, ours)), f"{model}: {usage}"
        elif at_another_hour(provider, ours, theirs):
            found[provider] += 1
        elif not alike(theirs, ours):
            unlisted.append((model, usage, moment, ours, theirs))
    assert not unlisted
    assert found.keys() == DIFFERENT.keys() | {"deepseek"}
