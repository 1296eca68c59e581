"""What the keys in the environment reach, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agentcli.llm import models
from agentcli.llm.models import ModelSpec
from agentcli.llm.providers import Provider, reachable


def model_table(env: Mapping[str, str], extra: Sequence[Provider], wanted: str) -> str:
    """A row a model: name, window, and dollars per million tokens in, read, written, out."""
    names = [name for name in reachable(env, extra) if wanted.lower() in name.lower()]
    if not names:
        return (
            "No model is reachable: no provider's key is in the environment"
            + (f", or none matches {wanted!r}" if wanted else "")
            + ".\nSet a key such as ANTHROPIC_API_KEY or OPENAI_API_KEY, name a local model "
            "(agent --model ollama/NAME), or try `agent demo`."
        )
    head = f"{'model':44}{'context':>10}{'input':>9}{'cached':>9}{'written':>9}{'output':>9}"
    return "\n".join([head, *(_row(name) for name in names)])


def _row(name: str) -> str:
    provider, _, model = name.partition("/")
    spec = models.find(model, provider)
    return f"{name:44}" + (_numbers(spec) if spec else "")


def _numbers(spec: ModelSpec) -> str:
    base = next((row for row in spec.prices if not row.above and not row.since), None)
    context = f"{spec.context:,}" if spec.context else "?"
    if base is None:
        return f"{context:>10}{'price unknown':>15}"
    prices = (base.input, base.cache_read, base.cache_write_5m, base.output)
    return f"{context:>10}" + "".join(f"{price or '-':>9}" for price in prices)
