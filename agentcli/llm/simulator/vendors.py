"""Who is simulated behind Chat Completions: what each takes, refuses and reports."""

from __future__ import annotations

import re
from typing import Literal

from agentcli.lib.value import value

CacheRule = Literal["openai", "units", "none"]


@value
class Vendor:
    """Departures from OpenAI's Chat Completions; each field names who has it."""

    name: str
    cache: CacheRule = "none"
    """How prompts are cached: OpenAI's rules, DeepSeek's whole units, or not at all."""
    checks_fields: bool = False
    """Refuses fields it does not know, in the request and in its messages."""
    takes: str = ""
    """Names of fields it knows beside the plain ones."""
    refuses: str = ""
    """Plain fields that it does not know."""
    efforts: str = ""
    """The only words its `reasoning_effort` takes (Kimi, Mistral)."""
    switched: str = ""
    """In the names of models that take no effort at all (Kimi's older ones, wire.md 5.6)."""
    defaulted: str = ""
    """In the names of models that take `none` and `default`, and have thoughts apart from text
    beside tools only when `reasoning_format` asks for that (Groq's Qwens, wire.md 5.4)."""
    short_ids: bool = False
    """Ids of calls are nine letters and digits (Mistral, wire.md 5.3)."""
    bare_schemas: bool = False
    """Refuses `$schema` and `additionalProperties` in tools (Mistral)."""
    marks: bool = False
    """Takes Anthropic's marks on parts of a content (OpenRouter, Qwen)."""
    new_limit: bool = False
    """Refuses `max_tokens` for reasoning models (OpenAI, wire.md 2.5)."""
    images_in_results: bool = True
    """Takes images in tool messages (not OpenAI, wire.md 2.5)."""
    reasoning_field: str = ""
    """The delta field reasoning is streamed in (DeepSeek, Kimi); "" for hidden.

    `reasoning_details` (OpenRouter) and `thinking_blocks` (LiteLLM) come with a signature; `parts`
    are of the content (Mistral).
    """
    wants_reasoning: bool = False
    """Refuses a history whose turns with calls lack their reasoning (wire.md 5.1, 5.6)."""
    bridged: bool = False
    """Refuses a user's message right after results (Mistral's older models, wire.md 5.3)."""
    always_usage: bool = False
    """Reports the usage of a stream unasked (Mistral, Cerebras)."""
    hit_fields: bool = False
    """Reports `prompt_cache_hit_tokens` (DeepSeek)."""


STRICT = (
    Vendor(
        "plain",
        checks_fields=True,
        images_in_results=False,
        reasoning_field="reasoning_content",
    ),
    Vendor(
        "litellm",
        checks_fields=True,
        reasoning_field="thinking_blocks",
    ),
    Vendor(
        "deepseek-strict",
        "units",
        checks_fields=True,
        takes="thinking",
        efforts="low high max",
        reasoning_field="reasoning_content",
        wants_reasoning=True,
        hit_fields=True,
    ),
    Vendor(
        "moonshot-strict",
        "units",
        checks_fields=True,
        takes="max_completion_tokens prompt_cache_key thinking",
        refuses="max_tokens temperature top_p",
        efforts="low high max",
        switched="kimi-k2.6",
        reasoning_field="reasoning_content",
        wants_reasoning=True,
    ),
    Vendor(
        "mistral",
        checks_fields=True,
        takes="prompt_cache_key",
        refuses="stream_options",
        efforts="none high",
        bridged=True,
        images_in_results=False,
        short_ids=True,
        bare_schemas=True,
        reasoning_field="parts",
        always_usage=True,
    ),
    Vendor(
        "groq",
        checks_fields=True,
        takes="max_completion_tokens reasoning_format",
        refuses="max_tokens",
        defaulted="qwen",
        reasoning_field="reasoning",
    ),
    Vendor(
        "openrouter",
        checks_fields=True,
        takes="reasoning prompt_cache_key session_id provider models cache_control",
        refuses="reasoning_effort",
        marks=True,
        reasoning_field="reasoning_details",
    ),
    Vendor(
        "zai",
        checks_fields=True,
        takes="thinking tool_stream",
        refuses="reasoning_effort",
        reasoning_field="reasoning_content",
        wants_reasoning=True,
    ),
    Vendor(
        "dashscope",
        checks_fields=True,
        takes="enable_thinking thinking_budget preserve_thinking",
        refuses="reasoning_effort",
        marks=True,
        reasoning_field="reasoning_content",
    ),
    Vendor(
        "minimax-chat",
        checks_fields=True,
        takes="reasoning_split",
        refuses="reasoning_effort",
        reasoning_field="reasoning_details",
    ),
    Vendor(
        "volcengine",
        checks_fields=True,
        takes="thinking",
        refuses="reasoning_effort",
        reasoning_field="reasoning_content",
    ),
    Vendor(
        "cerebras",
        checks_fields=True,
        refuses="stream_options",
        reasoning_field="reasoning",
        always_usage=True,
    ),
    Vendor(
        "fireworks",
        checks_fields=True,
        takes="prompt_cache_key",
        reasoning_field="reasoning_content",
    ),
    Vendor(
        "streamlake",
        checks_fields=True,
        takes="max_completion_tokens",
        refuses="max_tokens",
        marks=True,
        reasoning_field="reasoning_content",
    ),
    Vendor(
        "databricks",
        checks_fields=True,
        refuses="reasoning_effort",
        marks=True,
        reasoning_field="reasoning_content",
    ),
    Vendor(
        "xai",
        checks_fields=True,
        takes="max_completion_tokens prompt_cache_key",
        refuses="max_tokens",
        reasoning_field="reasoning_content",
    ),
    Vendor("v0", checks_fields=True, refuses="max_tokens", reasoning_field="reasoning_content"),
    Vendor("perplexity", checks_fields=True, refuses="tools tool_choice parallel_tool_calls"),
    Vendor(
        "vllm",
        checks_fields=True,
        takes="chat_template_kwargs",
        efforts="none low medium high",
        bare_schemas=True,
        reasoning_field="reasoning",
    ),
    Vendor(
        "sglang",
        checks_fields=True,
        takes="chat_template_kwargs",
        efforts="none low medium high",
        reasoning_field="reasoning_content",
    ),
    Vendor(
        "llamacpp",
        checks_fields=True,
        takes="chat_template_kwargs cache_prompt id_slot",
        refuses="reasoning_effort",
        reasoning_field="reasoning_content",
    ),
)
"""Each refuses all that its documentation does not name (wire.md 5)."""
VENDORS = {
    row.name: row
    for row in (
        Vendor("openai", "openai", checks_fields=True, new_limit=True, images_in_results=False),
        Vendor(
            "deepseek",
            "units",
            reasoning_field="reasoning_content",
            wants_reasoning=True,
            hit_fields=True,
        ),
        Vendor("moonshot", "units", reasoning_field="reasoning_content"),
        Vendor("compatible", reasoning_field="reasoning"),
        *STRICT,
    )
}
_FAMILIES = {"gpt": "openai", "chatgpt": "openai", "deepseek": "deepseek", "kimi": "moonshot"}
_O_SERIES = re.compile(r"o\d")
_GPT = re.compile(r"gpt-(\d+)(?:\.(\d+))?")


def vendor_of(model: str) -> Vendor:
    """Who makes a model of this name; `compatible` for names that say nothing."""
    short = model.rpartition("/")[2]
    if short.startswith("gpt-oss"):
        return VENDORS["compatible"]
    if _O_SERIES.match(short):
        return VENDORS["openai"]
    return VENDORS[_FAMILIES.get(short.partition("-")[0], "compatible")]


def gpt_version(model: str) -> tuple[int, int]:
    """(6, 2) of `gpt-6.2-sol`; (0, 0) for what is no GPT."""
    found = _GPT.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def reasons(model: str) -> bool:
    """Whether a model of OpenAI's or xAI's thinks: the o series, GPT since 5, and Grok."""
    short = model.rpartition("/")[2]
    if short.startswith("grok-"):
        return "non-reasoning" not in short
    return bool(_O_SERIES.match(short)) or gpt_version(short) >= (5, 0)
