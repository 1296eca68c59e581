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
)
ON = {"type": "enabled", "clear_thinking": False}


def asked(model, effort):
    """The fields of the body that switch thinking."""
    row = PROVIDERS[model.partition("/")[0]]
    env = {name: "k" for name in (*row.key_env, *row.lent_env)}
    route = resolve(model, env)
    request = Request("m", (), (), (UserMessage((Text("Hi"),)),), effort=effort)
    body = load(route.wire).encode(request, route, NO_PLAN)
    return {name: body[name] for name in SWITCHES if name in body}


@pytest.mark.parametrize(
    ("model", "effort", "fields"),
    [
        ("deepseek/deepseek-v4-pro", None, {}),
        ("deepseek/deepseek-v4-pro", "none", {"thinking": {"type": "disabled"}}),
        ("deepseek/deepseek-v4-pro", "medium", {"reasoning_effort": "high"}),
        ("deepseek/deepseek-v4-pro", "max", {"reasoning_effort": "max"}),
        ("moonshot/kimi-k3", "minimal", {"reasoning_effort": "low"}),
        ("mistral/mistral-large-4", "medium", {"reasoning_effort": "high"}),
        ("mistral/mistral-large-4", "none", {"reasoning_effort": "none"}),
        ("zai/glm-5.3", None, {"thinking": ON}),
        ("zai/glm-5.3", "low", {"thinking": ON}),
        ("zai/glm-5.3", "none", {"thinking": ON | {"type": "disabled"}}),
        ("zai/glm-4-32b-0414-128k", "high", {}),
        ("dashscope/qwen3.8-max", "low", {"enable_thinking": True, "thinking_budget": 4096}),
        ("dashscope/qwen3.8-max", "none", {"enable_thinking": False}),
        ("openrouter/anthropic/claude-opus-5.5", "xhigh", {"reasoning": {"effort": "xhigh"}}),
        ("groq/openai/gpt-oss-120b", "high", {"reasoning_effort": "high"}),
        ("groq/llama-3.3-70b-versatile", "high", {}),
        ("llamacpp/qwen", "high", {"chat_template_kwargs": {"enable_thinking": True}}),
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
                "thinking": {"type": "enabled", "budget_tokens": 30976},
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
