"""What the keys in the environment reach, with what it costs now: `agent models`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from agentcli.app.routing import reach
from agentcli.config import Config
from agentcli.lib.errors import UserError
from agentcli.lib.value import value
from agentcli.llm.cost import rates_for
from agentcli.llm.models import ModelSpec, Prices
from agentcli.llm.providers import reachable, rows
from agentcli.llm.types import JsonObject, Usage

RATES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
NO_KEY = """No model is reachable: no provider's key is in the environment.

Set one, such as ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY or OPENROUTER_API_KEY, or
  agent --model ollama/NAME     a model on this machine
  agent models show sonnet      any model's limits and prices, without a key
  agent demo                    see it work offline, with a scripted model"""


@value
class Offer:
    """One model within reach."""

    name: str
    """provider/model, as --model takes it."""
    spec: ModelSpec | None
    """None where more than a key is missing to reach it."""


def offers(env: Mapping[str, str], config: Config, wanted: str = "") -> tuple[Offer, ...]:
    """Every model whose name has all words of `wanted`."""
    words = wanted.lower().split()
    names = [
        name
        for name in reachable(env, config.providers)
        if all(word in name.lower() for word in words)
    ]
    return tuple(Offer(name, _spec(name, env, config)) for name in names)


def unlisted(env: Mapping[str, str], config: Config) -> tuple[str, ...]:
    """Providers with a key whose models only the person knows: deployments, long catalogues."""
    listed = {name.partition("/")[0] for name in reachable(env, config.providers)}
    return tuple(
        row.name
        for row in rows(config.providers).values()
        if row.name not in listed and any(env.get(n) for n in (*row.key_env, *row.base_env))
    )


def _spec(name: str, env: Mapping[str, str], config: Config) -> ModelSpec | None:
    try:
        return reach(name, config, env).model
    except UserError:
        return None


def table(found: Sequence[Offer], others: Sequence[str], wanted: str, at: datetime) -> str:
    """A line a model: name, window, dollars per million tokens, and when those are others."""
    more = f"Name a model yourself at: {', '.join(f'{name}/NAME' for name in others)}"
    if not found:
        missed = f"No model within reach matches {wanted!r}."
        return missed if wanted else more if others else NO_KEY
    width = max(24, *(len(offer.name) for offer in found)) + 2
    heads = ("context", "input", "cached", "written", "1 hour", "output")
    head = f"{'USD per million tokens':{width}}" + "".join(f"{word:>10}" for word in heads)
    lines = [head, *(_line(offer, width, at) for offer in found)]
    return "\n".join(lines + ([more] if others and not wanted else []))


def _line(offer: Offer, width: int, at: datetime) -> str:
    spec = offer.spec
    context = f"{spec.context:,}" if spec and spec.context else "?"
    now = rates_for(Usage(), spec, at) if spec else None
    if spec is None or now is None:
        return f"{offer.name:{width}}{context:>10}   price unknown"
    rates = "".join(f"{getattr(now, key) or '-':>10}" for key in RATES)
    notes = "; ".join(_otherwise(spec.prices, now, at))
    return f"{offer.name:{width}}{context:>10}{rates}" + (f"   {notes}" if notes else "")


def _otherwise(rows: Sequence[Prices], now: Prices, at: datetime) -> Iterator[str]:
    """When a price is another one: for long prompts, at peak hours, from a later day."""
    today = at.date().isoformat()
    for row in rows:
        price = f"{row.input} in, {row.output} out"
        if row.since > today and not row.above and not row.hours:
            yield f"from {row.since}: {price}"
        elif row.since == now.since and row.above and bool(row.hours) == bool(now.hours):
            yield f"{size(row)}: {price}"
        elif row.since == now.since and row.hours and not row.above and not now.hours:
            yield f"{hours(row)}: {price}"


def size(row: Prices) -> str:
    """`past 272,000 tokens`; xAI's tiers begin at their size (wire.md 6.4)."""
    rounded = row.above + 1
    return f"from {rounded:,} tokens" if rounded % 1000 == 0 else f"past {row.above:,} tokens"


def hours(row: Prices) -> str:
    """`Mon-Fri 1-4, 6-10 UTC`."""
    return "Mon-Fri " + ", ".join(f"{a}-{b}" for a, b in row.hours) + " UTC"


def offer_json(offer: Offer, at: datetime) -> JsonObject:
    spec = offer.spec
    now = rates_for(Usage(), spec, at) if spec else None
    return {
        "name": offer.name,
        "context": spec.context if spec else None,
        "max_output": spec.max_output if spec else None,
        "price": {key: getattr(now, key) for key in RATES} if now else None,
    }
