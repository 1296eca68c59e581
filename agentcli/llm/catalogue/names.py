"""Which models of the packages are worth a row, and what they are called here."""

from __future__ import annotations

import re

PROVIDERS = {
    "anthropic": ("anthropic", "", "anthropic"),
    "openai": ("openai", "", "openai"),
    "gemini": ("gemini", "gemini/", "google"),
    "xai": ("xai", "xai/", "x-ai"),
    "deepseek": ("deepseek", "deepseek/", "deepseek"),
    "mistral": ("mistral", "mistral/", "mistral"),
    "groq": ("groq", "groq/", "groq"),
    "moonshot": ("moonshot", "moonshot/", "moonshotai"),
    "zai": ("zai", "zai/", "zai"),
    "dashscope": ("dashscope", "dashscope/", ""),
    "minimax": ("minimax", "minimax/", "minimax"),
    "cerebras": ("cerebras", "cerebras/", "cerebras"),
    "openrouter": ("openrouter", "openrouter/", "openrouter"),
    "together": ("together_ai", "together_ai/", "together"),
    "fireworks": ("fireworks_ai", "fireworks_ai/", "fireworks"),
}
"""Ours: (litellm's provider, its name prefix, the provider of genai-prices)."""


SKIPPED = re.compile(
    r"ft:|audio|realtime|tts|transcri|image|search|live|embed|moderation|gpt-3|davinci|babbage"
    r"|claude-[123]|claude-instant|computer-use|robotics|-latest-|gpt-4-|gpt-4$|gpt-4o-20"
    r"|\b(20\d{6}|20\d\d-\d\d-\d\d)|-\d{4}-\d\d-\d\d|:free|gemini-1|gemini-2\.0|gemma|learnlm|lyria"
    r"|container|codex-mini|open-mistral|mixtral|chatgpt|instruct|preview-\d\d-|-exp|:extended"
)


WANTED = {
    "gemini": r"gemini-",
    "openai": r"gpt-(?!oss)|o\d|codex",
    "openrouter": r"(anthropic/claude-\w+-[45]|openai/gpt-(5|6)(?!.*chat)|google/gemini-[34]"
    r"|x-ai/grok-4\.|deepseek/deepseek-(v4|flash)|moonshotai/kimi-k(2\.[67]|3)|qwen/qwen3\.[78]"
    r"|z-ai/glm-5|minimax/minimax-m3)(?!.*:)(?!.*-fast)",
    "together": r"MiniMaxAI|Qwen/Qwen3|deepseek-ai/DeepSeek-V4|moonshotai/|zai-org/GLM-5"
    r"|openai/gpt-oss|meta-models/Muse",
    "fireworks": r"accounts/fireworks/models/(deepseek-v4|glm-5|kimi-k(2p[67]|3)|minimax-m|gpt-oss"
    r"|qwen3p[678]|muse)",
}
"""Of those who host or list more than their own, the models worth offering to code with."""


def our_name(provider: str, name: str) -> str:
    if provider == "zai":
        return name.lower()
    return f"accounts/fireworks/models/{name}" if provider == "fireworks" else name


def is_wanted(provider: str, name: str) -> bool:
    return provider not in WANTED or re.match(WANTED[provider], name) is not None
