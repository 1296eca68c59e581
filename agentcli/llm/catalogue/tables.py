"""Prices and limits a person copied from the vendors: they win over the packages."""

from __future__ import annotations

from agentcli.llm.types import JsonObject

TABLE_61: dict[str, str] = {
    "claude-fable-5-2": "8 10 16 0.20 40",
    "claude-mythos-5-2": "8 10 16 0.20 40",
    "claude-fable-5-1": "10 12.5 20 0.25 50",
    "claude-mythos-5-1": "10 12.5 20 0.25 50",
    "claude-fable-5": "10 12.5 20 1.00 50",
    "claude-mythos-5": "10 12.5 20 1.00 50",
    "claude-opus-5-5": "4 5 8 0.20 20",
    "claude-opus-5": "5 6.25 10 0.50 25",
    "claude-opus-4-8": "5 6.25 10 0.50 25",
    "claude-opus-4-7": "5 6.25 10 0.50 25",
    "claude-opus-4-6": "5 6.25 10 0.50 25",
    "claude-opus-4-5": "5 6.25 10 0.50 25",
    "claude-sonnet-5-5": "2 2.5 4 0.10 10",
    "claude-sonnet-5": "2 2.5 4 0.20 10",
    "claude-sonnet-4-6": "3 3.75 6 0.30 15",
    "claude-sonnet-4-5": "3 3.75 6 0.30 15",
    "claude-haiku-4-5": "1 1.25 2 0.10 5",
}
"""Input, write 5m, write 1h, read, output in USD per million tokens (wire.md 6.1)."""

TABLE_62: dict[str, str] = {
    "gpt-6.2-astra": "8 10 - 0.40 40",
    "gpt-6.2-sol": "2 2.5 - 0.10 10",
    "gpt-6-astra": "10 12.5 - 1.00 50",
    "gpt-6.1-sol": "2 2.5 - 0.10 10",
    "gpt-6.1-terra": "1 1.25 - 0.05 5",
    "gpt-6-sol": "2 2.5 - 0.20 10",
    "gpt-6-luna": "0.10 0.125 - 0.01 0.50",
    "gpt-5.6-sol": "4 5 - 0.40 20",
    "gpt-5.6-terra": "2 2.5 - 0.20 12",
    "gpt-5.6-luna": "0.20 0.25 - 0.02 1.20",
    "gpt-5.5": "5 - - 0.50 30",
    "gpt-5.5-pro": "30 - - - 180",
    "gpt-5.4": "2.5 - - 0.25 15",
    "gpt-5.4-mini": "0.75 - - 0.075 4.5",
    "gpt-5.3-codex": "1.75 - - 0.175 14",
    "gpt-5": "1.25 - - 0.125 10",
    "gpt-5-mini": "0.25 - - 0.025 2",
    "gpt-4.1": "2 - - 0.50 8",
    "o3": "2 - - 0.50 8",
}
"""The same columns for OpenAI (wire.md 6.2); those of 5.4 and later double past 272,000."""

TABLE_64: dict[str, dict[str, str]] = {
    "deepseek": {
        "deepseek-flash": "0.15 - - 0.003 0.60",
        "deepseek-v4-flash": "0.15 - - 0.003 0.60",
        "deepseek-v4-pro": "0.66 - - 0.022 1.98",
    },
    "xai": {
        "grok-4.7": "2 - - 0.50 6",
        "grok-4.6": "2 - - 0.50 6",
        "grok-4.5": "2 - - 0.30 6",
        "grok-4.3": "1.25 - - 0.20 2.5",
        "grok-build-0.1": "1 - - 0.2 2",
        "grok-code-fast": "0.2 - - 0.02 1.5",
        "grok-code-fast-1": "0.2 - - 0.02 1.5",
        "grok-code-fast-1-0825": "0.2 - - 0.02 1.5",
    },
    "mistral": {
        "mistral-large-4": "0.70 - - 0.07 2.10",
        "mistral-medium-3-5": "1.5 - - 0.15 7.5",
        "mistral-large-2512": "0.5 - - 0.05 1.5",
        "mistral-small-latest": "0.15 - - 0.015 0.6",
        "codestral-latest": "0.3 - - 0.03 0.9",
    },
    "moonshot": {
        "kimi-k3": "3 3 6 0.30 15",
        "kimi-k3.1-pro": "2 2 4 0.20 10",
        "kimi-k3.1-pro-highspeed": "4 4 8 0.20 20",
        "kimi-k2.7-code": "0.95 - - 0.19 4",
        "kimi-k2.6": "0.95 - - 0.16 4",
    },
    "zai": {
        "glm-5.3": "1.4 - - 0.26 4.4",
        "glm-5.2": "1.4 - - 0.26 4.4",
        "glm-5.1": "1.4 - - 0.26 4.4",
        "glm-5.3-flash": "0.15 - - 0.03 0.5",
        "glm-5.3-flashx": "0.37 - - 0.075 1.25",
        "glm-5": "1 - - 0.2 3.2",
        "glm-4.7": "0.6 - - 0.11 2.2",
    },
    "dashscope": {
        "qwen3.8-max": "2 - - 0.25 6",
        "qwen3.7-max": "2.5 3.125 - 0.25 7.5",
        "qwen3.8-flash": "0.15 0.2 - 0.016 0.47",
    },
    "groq": {
        "openai/gpt-oss-120b": "0.15 - - 0.075 0.60",
        "openai/gpt-oss-20b": "0.075 - - 0.0375 0.30",
        "qwen/qwen3.8-27b": "0.8 - - - 4",
        "llama-3.3-70b-versatile": "0.59 - - - 0.79",
    },
}
"""The same columns for others (wire.md 6.4); reads of qwen3.7-max at the price of marked ones."""

LIMITS: dict[str, dict[str, JsonObject]] = {
    "gemini": {"gemini-4-argon": {"max_output": 65_536}},
    "mistral": {"codestral-latest": {"context": 256_000}},
    "groq": {"llama-3.3-70b-versatile": {"context": 131_072}},
}
"""Sizes in tokens that the packages lack, or have smaller (wire.md 6.3, 6.4)."""

EFFORTS: dict[str, dict[str, str]] = {
    "anthropic": {
        "claude-haiku-5-5": "none low medium high xhigh max",
        "claude-opus-5": "none low medium high xhigh max",
        "claude-sonnet-5": "none low medium high xhigh max",
        "claude-opus-4-8": "none low medium high xhigh max",
        "claude-opus-4-7": "none low medium high xhigh max",
        "claude-opus-4-6": "none low medium high max",
        "claude-sonnet-4-6": "none low medium high max",
    },
    "openai": {
        "gpt-6.2-astra": "low medium high xhigh max",
        "gpt-6.2-sol": "low medium high xhigh max",
    },
    "xai": {
        "grok-4.7": "low medium high xhigh",
        "grok-4.6": "low medium high xhigh",
        "grok-4.5": "low medium high xhigh",
        "grok-4.3": "low medium high xhigh",
    },
}
"""Efforts of models of which the packages know fewer (wire.md 1.6, 2.2, 5.2)."""

CACHE_MIN = {
    512: "fable-5 mythos-5 opus-5 sonnet-5-5 haiku-5-5",
    1024: "opus-4-8 sonnet-5 sonnet-4-6 sonnet-4-5 opus-4-1 opus-4-20 sonnet-4-20",
    2048: "opus-4-7",
    4096: "opus-4-6 opus-4-5 haiku-4-5",
}
"""Fewest tokens Anthropic caches, by model (wire.md 1.12)."""

BUDGET_THINKING = ("opus-4-5", "sonnet-4-5", "haiku-4-5", "opus-4-1")
ALIASES = {
    "sonnet": ("anthropic", "claude-sonnet-5-5"),
    "opus": ("anthropic", "claude-opus-5-5"),
    "haiku": ("anthropic", "claude-haiku-5-5"),
    "fable": ("anthropic", "claude-fable-5-2"),
    "gpt": ("openai", "gpt-6.1-sol"),
    "astra": ("openai", "gpt-6.2-astra"),
    "codex": ("openai", "gpt-5.3-codex"),
    "gemini": ("gemini", "gemini-3.8-flash"),
    "flash": ("gemini", "gemini-3.8-flash"),
    "argon": ("gemini", "gemini-4-argon"),
    "grok": ("xai", "grok-4.7"),
    "deepseek": ("deepseek", "deepseek-v4-pro"),
    "kimi": ("moonshot", "kimi-k3"),
    "glm": ("zai", "glm-5.3"),
    "mistral": ("mistral", "mistral-large-4"),
    "qwen": ("dashscope", "qwen3.8-max"),
}
