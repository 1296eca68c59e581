"""What another price engine is known to bill wrongly (cost facts 6) is billed right here."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from agentcli.lib.errors import UserError
from agentcli.llm import models
from agentcli.llm.cost import price
from agentcli.llm.overrides import ModelTable, overridden
from agentcli.llm.pricing import find, priced, usage_of
from agentcli.llm.providers import PROVIDERS
from agentcli.llm.types import Usage

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
OURS = {"uncached_input": 1_000_000, "output": 100_000}


def total(name, usage, env=None, **options):
    told = priced(find(name, env or {}, PROVIDERS), usage, at=NOW, **options)
    assert (told["total"] is None) == (told["basis"] == "unknown")
    if told["cost"] is not None:
        assert sum(map(Decimal, told["cost"].values())) == Decimal(told["total"])
    return told["total"]


@pytest.mark.parametrize(
    "name",
    [
        "gpt-9-nonexistent",
        "claude-nova-9",
        "gemini-9-pro",
        "us.anthropic.claude-opus-9",
        "bedrock/us.anthropic.claude-opus-9-20270101-v1:0",
        "vertex-anthropic/claude-opus-9",
        "claude-opus-5-6",
        "claude-opus",
        "openai/gpt-6.1",
        "openai/gpt-6.1-sol-pro",
        "openai/gpt-6.1-solo",
        "openrouter/openai/gpt-9",
        "anthropic/",
        "made-up",
        "",
    ],
)
def test_a_name_nobody_knows_is_unknown_not_free_and_not_a_sister(name):
    assert total(name, OURS) is None


@pytest.mark.parametrize(
    ("name", "dollars"),
    [
        ("claude-opus-5-5-20261001", "6"),
        ("claude-opus-5-5@20261001", "6"),
        ("anthropic/claude-haiku-4-5-20251001", "1.5"),
        ("openai/gpt-5-2025-08-07", "2.25"),
    ],
)
def test_a_dated_release_costs_what_its_model_costs_and_says_so(name, dollars):
    assert total(name, OURS) == dollars
    base = priced(find(name, {}, PROVIDERS), OURS, at=NOW)["priced_as"]
    assert base and name.rpartition("/")[2].startswith(base)
    assert priced(find(base, {}, PROVIDERS), OURS, at=NOW)["priced_as"] is None


US, ARN = "us.anthropic.claude-opus-5-5-v1:0", "arn:aws:bedrock:us-east-1:123456789012:"


@pytest.mark.parametrize(
    ("name", "dollars"),
    [
        ("bedrock/anthropic.claude-opus-5-5-v1:0", "6"),
        ("bedrock/global.anthropic.claude-opus-5-5-v1:0", "6"),
        (f"bedrock/{US}", "6.6"),
        (US, "6.6"),
        ("bedrock/eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "4.95"),
        ("bedrock/us-gov.anthropic.claude-opus-5-5-v1:0", "7.2"),
        ("bedrock/us.anthropic.claude-opus-4-1-20250805-v1:0", "22.5"),
        ("bedrock-mantle/anthropic.claude-opus-5-5", "6.6"),
        (f"bedrock/{ARN}inference-profile/{US}", "6.6"),
        (f"{ARN}inference-profile/global.anthropic.claude-opus-5-5-v1:0", "6"),
        (f"{ARN}foundation-model/anthropic.claude-opus-5-5-v1:0", "6"),
        ("openai-bedrock/openai.gpt-5.4", "7.975"),
        ("openai-bedrock/us.openai.gpt-5.4", "7.975"),
        ("openai-bedrock/global.openai.gpt-5.4", "7.25"),
        ("bedrock/us.openai.gpt-5.4", "7.975"),
        ("bedrock/global.openai.gpt-5.4", "7.25"),
        ("us.openai.gpt-5.4", "7.975"),
    ],
)
def test_bedrocks_places_have_prices_of_their_own(name, dollars):
    assert total(name, OURS) == dollars


@pytest.mark.parametrize(
    ("name", "env", "dollars"),
    [
        ("vertex-anthropic/claude-opus-5-5", {}, "6"),
        ("vertex-anthropic/claude-opus-5-5", {"GOOGLE_CLOUD_LOCATION": "global"}, "6"),
        ("vertex-anthropic/claude-opus-5-5", {"GOOGLE_CLOUD_LOCATION": "us"}, "6.6"),
        ("vertex-anthropic/claude-opus-5-5@20261001", {"CLOUD_ML_REGION": "us-east5"}, "6.6"),
        ("vertex/gemini-3.8-flash", {"GOOGLE_CLOUD_LOCATION": "europe-west4"}, "1.2375"),
        ("vertex/gemini-2.5-flash", {"GOOGLE_CLOUD_LOCATION": "europe-west4"}, "0.55"),
        ("gemini-3.8-flash", {"GOOGLE_CLOUD_LOCATION": "europe-west4"}, "1.125"),
        ("openai/gpt-5.4", {"OPENAI_BASE_URL": "https://eu.api.openai.com/v1"}, "7.975"),
        ("gpt-5.4", {"OPENAI_BASE_URL": "https://us.api.openai.com"}, "7.975"),
        ("gpt-5.4", {"OPENAI_BASE_URL": "https://api.openai.com/v1"}, "7.25"),
        ("gpt-5.4", {"OPENAI_BASE_URL": "https://eu.gateway.test/v1"}, "7.25"),
        ("gpt-5", {"OPENAI_BASE_URL": "https://eu.api.openai.com/v1"}, "2.25"),
    ],
)
def test_an_endpoint_of_one_region_costs_more_where_the_list_says_so(name, env, dollars):
    assert total(name, OURS, env) == dollars


def test_what_an_answer_says_of_its_place_is_not_paid_twice():
    usage = {"input_tokens": 1_000_000, "output_tokens": 0, "inference_geo": "us"}
    assert total("claude-opus-5-5", usage) == "4.4"
    assert total(f"bedrock/{US}", usage) == "4.4"


def based(name, base):
    """A name of one's own, and what the configuration says stands behind it."""
    spec = find(name, {}, PROVIDERS)
    return overridden(spec, [(name.partition("/")[2], ModelTable(base_model=base))], {})


@pytest.mark.parametrize(
    ("name", "base", "dollars"),
    [
        ("azure/my-deployment", "gpt-5.4", "7.25"),
        ("azure/my-deployment", "openai/gpt-5.4", "7.25"),
        (f"bedrock/{ARN}application-inference-profile/abc", US, "6.6"),
        (f"bedrock/{ARN}application-inference-profile/abc", "claude-opus-5-5", "6"),
        ("litellm/house", "sonnet", "3"),
    ],
)
def test_a_name_of_ones_own_costs_what_its_base_model_costs(name, base, dollars):
    assert total(name, OURS) is None
    spec = based(name, base)
    assert f"{spec.provider}/{spec.id}" == name
    told = priced(spec, OURS, at=NOW)
    assert told["total"] == dollars
    assert told["priced_as"] in base or base == "sonnet"
    assert (spec.known, spec.context) == (True, 1_050_000 if "gpt" in base else 1_000_000)


def test_a_deployment_edits_as_its_base_model_does():
    assert find("azure/my-deployment", {}, PROVIDERS).edit == "replace"
    assert based("azure/my-deployment", "gpt-5.4").edit == "patch"


def test_a_base_model_nobody_knows_is_refused():
    with pytest.raises(UserError, match="no model 'gpt-9' is known"):
        based("azure/my-deployment", "gpt-9")


def test_a_batch_pays_for_an_hour_twice_its_input():
    spec = models.find("claude-opus-5-5", "anthropic")
    hour, fresh = (
        price(usage, spec, at=NOW, tier="batch").total
        for usage in (Usage(cache_write_1h=1_000_000), Usage(input=1_000_000))
    )
    assert (hour, fresh) == (Decimal(4), Decimal(2))


PROMPT = {"prompt_tokens": 10_000, "completion_tokens": 1_000}


@pytest.mark.parametrize(
    ("name", "usage", "dollars"),
    [
        ("moonshot/kimi-k3", PROMPT | {"cached_tokens": 9_000}, "0.0207"),
        ("mistral/mistral-large-4", PROMPT | {"num_cached_tokens": 9_000}, "0.00343"),
        (
            "mistral/mistral-large-4",
            PROMPT | {"prompt_token_details": {"cached_tokens": 9_000}},
            "0.00343",
        ),
        ("deepseek/deepseek-v4-pro", PROMPT | {"prompt_cache_hit_tokens": 9_000}, "0.002838"),
        (
            "deepseek/deepseek-v4-pro",
            {"prompt_cache_hit_tokens": 9_000, "prompt_cache_miss_tokens": 1_000},
            "0.000858",
        ),
        ("groq/openai/gpt-oss-120b", PROMPT, "0.0021"),
    ],
)
def test_cached_tokens_are_read_wherever_they_are_told(name, usage, dollars):
    assert total(name, usage) == dollars


def test_with_a_key_of_ones_own_the_fee_is_not_the_bill():
    said = PROMPT | {"cost": 0.0006, "is_byok": True}
    upstream = {"cost_details": {"upstream_inference_cost": 0.0117}}
    assert total("openrouter/some/model", said | upstream) == "0.0123"
    assert total("openrouter/some/model", said) is None
    assert total("openrouter/z-ai/glm-5.3", said) == "0.0184"


def test_more_read_than_sent_is_read():
    usage = {"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 200}}
    told = usage_of(usage | {"completion_tokens": 0})
    assert (told.input, told.cache_read) == (0, 200)


def test_thoughts_inside_the_answer_are_not_added_to_it():
    said = {"promptTokenCount": 100, "candidatesTokenCount": 50, "thoughtsTokenCount": 30}
    assert usage_of(said | {"totalTokenCount": 180}).output == 80
    assert usage_of(said | {"totalTokenCount": 150}).output == 50
    assert usage_of(said).output == 80


def test_a_request_gone_over_several_times_is_billed_each_time():
    once = {"input_tokens": 1_000, "output_tokens": 100, "cache_read_input_tokens": 50}
    said = once | {"iterations": [once | {"type": "compaction"}, once, None]}
    told = usage_of(said)
    assert (told.input, told.output, told.cache_read) == (2_000, 200, 100)


def test_a_price_of_ones_own_wins_over_what_the_provider_says():
    spec = models.find("anthropic/claude-opus-5.5", "openrouter")
    own = overridden(spec, [("*opus*", ModelTable(input="1", output="2"))], {})
    usage = Usage(input=1_000_000)
    assert price(usage, spec, at=NOW, reported="0.25").total == Decimal("0.25")
    mine = price(usage, own, at=NOW, reported="0.25", tier="flex")
    assert (mine.total, mine.exact) == (1, False)
    assert price(None, own, at=NOW, reported="0.25").total == Decimal("0.25")
