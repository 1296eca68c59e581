"""What `--effort` becomes in each vendor's words, and that nothing is asked of who can't think."""

import pytest

from agentcli.llm.cache import NO_PLAN
from agentcli.llm.efforts import nearest
from agentcli.llm.providers import PROVIDERS, resolve
from agentcli.llm.types import Request, Text, UserMessage
from agentcli.llm.wire import load

SWITCHES = (
    "thinking",
    "reasoning_effort",
    "reasoning",
    "enable_thinking",
    "thinking_budget",
    "chat_template_kwargs",
    "output_config",
    "outputConfig",
    "reasoning_format",
)
ADAPTIVE = {"thinking": {"type": "adaptive", "display": "summarized"}}
BUDGET = {"type": "enabled"}
PARSED = {"reasoning_format": "parsed"}
NO_TEMPLATE = {"enable_thinking": False}
TEMPLATE = {"enable_thinking": True, "reasoning_effort": "high"}
ON = {"type": "enabled", "clear_thinking": False}


def asked(model, effort):
    """The fields of the body that switch thinking."""
    row = PROVIDERS[model.partition("/")[0]]
    env = {name: "k" for name in (*row.key_env, *row.lent_env)} | {"AWS_REGION": "us-east-1"}
    route = resolve(model, env)
    request = Request("m", (), (), (UserMessage((Text("Hi"),)),), effort=effort)
    body = load(route.wire).encode(request, route, NO_PLAN)
    return {name: body[name] for name in SWITCHES if name in body}


@pytest.mark.parametrize(
    ("model", "effort", "fields"),
    [
        ("anthropic/claude-opus-5-5", "max", ADAPTIVE | {"output_config": {"effort": "max"}}),
        ("anthropic/claude-opus-5-5", "none", ADAPTIVE | {"output_config": {"effort": "low"}}),
        ("anthropic/claude-sonnet-4-6", "xhigh", ADAPTIVE | {"output_config": {"effort": "high"}}),
        ("anthropic/claude-haiku-5-5", "none", {"thinking": {"type": "disabled"}}),
        ("anthropic/claude-haiku-4-5", "none", {}),
        ("anthropic/claude-opus-7", "high", ADAPTIVE | {"output_config": {"effort": "high"}}),
        ("anthropic/claude-opus-7", None, {}),
        ("minimax/MiniMax-M3", "xhigh", ADAPTIVE | {"output_config": {"effort": "high"}}),
        ("moonshot-anthropic/kimi-k3", "none", {"thinking": BUDGET | {"budget_tokens": 1024}}),
        ("openai/gpt-6.2-sol", "max", {"reasoning": {"effort": "max", "summary": "auto"}}),
        ("openai/gpt-6.2-sol", "minimal", {"reasoning": {"effort": "low", "summary": "auto"}}),
        ("openai/gpt-5.4", "none", {"reasoning": {"effort": "none", "summary": "auto"}}),
        ("openai/gpt-5.4", "minimal", {"reasoning": {"effort": "low", "summary": "auto"}}),
        ("openai/o3", "max", {"reasoning": {"effort": "high", "summary": "auto"}}),
        ("openai/gpt-4.1", "high", {}),
        ("xai/grok-4.7", "max", {"reasoning": {"effort": "xhigh", "summary": "auto"}}),
        (
            "bedrock/global.anthropic.claude-opus-4-6-v1",
            "xhigh",
            {"outputConfig": {"effort": "high"}},
        ),
        ("deepseek/deepseek-v4-pro", None, {}),
        ("deepseek/deepseek-v4-pro", "none", {"thinking": {"type": "disabled"}}),
        ("deepseek/deepseek-v4-pro", "medium", {"reasoning_effort": "high"}),
        ("deepseek/deepseek-v4-pro", "max", {"reasoning_effort": "max"}),
        ("moonshot/kimi-k3", "minimal", {"reasoning_effort": "low"}),
        ("moonshot/kimi-k3", "none", {"reasoning_effort": "low"}),
        ("moonshot/kimi-k2.6", "none", {"thinking": {"type": "disabled"}}),
        ("moonshot/kimi-k2.6", "max", {"thinking": {"type": "enabled"}}),
        ("moonshot/kimi-k2.7-code", "medium", {"reasoning_effort": "high"}),
        ("mistral/mistral-large-4", "medium", {"reasoning_effort": "high"}),
        ("mistral/mistral-large-4", "none", {"reasoning_effort": "none"}),
        ("zai/glm-5.3", None, {"thinking": ON}),
        ("zai/glm-5.3", "low", {"thinking": ON}),
        ("zai/glm-5.3", "none", {"thinking": ON | {"type": "disabled"}}),
        ("zai/glm-4-32b-0414-128k", "high", {}),
        ("dashscope/qwen3.8-max", "low", {"enable_thinking": True, "thinking_budget": 4096}),
        ("dashscope/qwen3.8-max", "max", {"enable_thinking": True, "thinking_budget": 32_000}),
        ("dashscope/qwen3.8-max", "none", {"enable_thinking": False}),
        ("openrouter/anthropic/claude-opus-5.5", "xhigh", {"reasoning": {"effort": "xhigh"}}),
        ("openrouter/anthropic/claude-opus-5.5", "max", {"reasoning": {"effort": "xhigh"}}),
        ("groq/openai/gpt-oss-120b", "high", {"reasoning_effort": "high"}),
        ("groq/openai/gpt-oss-120b", "max", {"reasoning_effort": "high"}),
        ("groq/openai/gpt-oss-120b", "none", {"reasoning_effort": "low"}),
        ("groq/qwen/qwen3.8-27b", "high", PARSED | {"reasoning_effort": "default"}),
        ("groq/qwen/qwen3.8-27b", "none", PARSED | {"reasoning_effort": "none"}),
        ("groq/qwen/qwen3.8-27b", None, PARSED),
        ("cerebras/gpt-oss-120b", "xhigh", {"reasoning_effort": "high"}),
        ("nvidia/some/model", "xhigh", {"reasoning_effort": "high"}),
        ("volcengine/doubao", "minimal", {"thinking": {"type": "disabled"}}),
        ("vllm/qwen", "none", {"reasoning_effort": "none", "chat_template_kwargs": NO_TEMPLATE}),
        ("sglang/qwen", "max", {"reasoning_effort": "high", "chat_template_kwargs": TEMPLATE}),
        ("groq/llama-3.3-70b-versatile", "high", {}),
        ("llamacpp/qwen", "max", {"chat_template_kwargs": TEMPLATE}),
        ("llamacpp/qwen", "none", {"chat_template_kwargs": {"enable_thinking": False}}),
        ("ollama/gpt-oss:20b", "high", {"reasoning_effort": "high"}),
        ("ollama/gpt-oss:20b", None, {}),
        ("minimax-chat/MiniMax-M3", "high", {}),
        ("zai-anthropic/glm-5.3", "none", {"thinking": {"type": "disabled"}}),
        ("zai-anthropic/glm-5.3", "low", {"thinking": {"type": "enabled", "budget_tokens": 4096}}),
        (
            "deepseek-anthropic/deepseek-v4-pro",
            "xhigh",
            {
                "thinking": {"type": "enabled", "budget_tokens": 20000},
                "output_config": {"effort": "high"},
            },
        ),
    ],
)
def test_effort(model, effort, fields):
    assert asked(model, effort) == fields


@pytest.mark.parametrize(
    ("effort", "words", "word"),
    [
        ("minimal", ("low", "high", "max"), "low"),
        ("medium", ("low", "high", "max"), "high"),
        ("xhigh", ("low", "high", "max"), "high"),
        ("max", ("low", "high"), "high"),
        ("low", ("none", "high"), "high"),
        ("minimal", ("none", "high"), "none"),
    ],
)
def test_the_nearest_word_of_two_the_more_usual(effort, words, word):
    assert nearest(effort, words) == word
