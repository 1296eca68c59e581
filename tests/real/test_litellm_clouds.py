"""Prices of the clouds' endpoints against LiteLLM's list: each difference has its reason here."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from litellm_program import needs_litellm, program

from agentcli.llm.cost import rates_for
from agentcli.llm.models import RATES
from agentcli.llm.pricing import find
from agentcli.llm.providers import PROVIDERS
from agentcli.llm.types import Usage

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
LIST = "lib/python*/site-packages/litellm/model_prices_and_context_window_backup.json"
THEIRS = (
    "input_cost_per_token",
    "output_cost_per_token",
    "cache_read_input_token_cost",
    "cache_creation_input_token_cost",
    "cache_creation_input_token_cost_above_1hr",
)
OURS = {
    "bedrock": "bedrock",
    "bedrock_converse": "bedrock",
    "bedrock_mantle": "bedrock-mantle",
    "vertex_ai-anthropic_models": "vertex-anthropic",
    "vertex_ai-language-models": "vertex",
    "azure": "azure",
}
DIFFERENT = {
    "bedrock_mantle/anthropic.claude-haiku-4-5": "its host is regional like those of its sisters",
    "azure/gpt-4o-2024-05-13": "a release switched off on 23 October",
}


def listed():
    """(LiteLLM's key, our name for it, its rates) of models that both lists price."""
    python, _ = program("python")
    (file,) = Path(python).parents[1].glob(LIST)
    for key, row in json.loads(file.read_text(encoding="utf-8")).items():
        host = OURS.get(row.get("litellm_provider"))
        chat = row.get("mode") in ("chat", "responses") and row.get("input_cost_per_token")
        name = key.rpartition("/")[2]
        elsewhere = key.count("/") > 1 or re.search(r"claude-[123]", name)
        if host is None or not chat or elsewhere:
            continue
        host = "openai-bedrock" if host == "bedrock-mantle" and "openai." in name else host
        yield key, f"{host}/{name}", {r: row.get(t) for r, t in zip(RATES, THEIRS, strict=True)}


@needs_litellm
def test_an_endpoint_costs_what_litellm_says():
    seen, unlike = 0, set()
    for key, name, rates in listed():
        ours = rates_for(Usage(), find(name, {}, PROVIDERS), NOW)
        if ours is None:
            continue
        seen += 1
        for rate, theirs in rates.items():
            mine = getattr(ours, rate)
            if theirs is None or mine is None:
                continue
            if abs(Decimal(str(theirs)) * 1_000_000 - Decimal(mine)) > Decimal("0.000001"):
                unlike.add(key)
    assert unlike == DIFFERENT.keys()
    assert seen > 150
