"""Those who serve the models they make (wire.md 1, 2, 3, 5)."""

from __future__ import annotations

from agentcli.llm.rows import (
    BARE_SCHEMAS,
    CACHE_KEY,
    MARKS,
    NEW_LIMIT,
    NO_PADDING,
    REPLAY,
    odd,
    row,
)

COARSE = odd("efforts", ("low", "high", "max"), "the switch has these three places only")
OFF = odd("off", True, "thinking is on unless `thinking` disables it")
NINE = odd("short_ids", True, "ids of calls are refused unless nine letters and digits long")
NO_OPTIONS = odd("stream_options", False, "usage always comes; some deployments refuse the field")
THINKING_PARTS = odd("reasoning_replay", "parts", "thinking is a part of the content, both ways")
ON_OR_OFF = odd("efforts", ("none", "high"), "thinking is on or off")
NAMED = odd("switch", "thinking", "thinking is switched by `thinking.type`")
CLEAR = odd("kept", {"clear_thinking": False}, "else earlier thinking is dropped from the prompt")
PRESERVED = odd("reasoning_replay", "reasoning_content", "thinking that is kept must come back")
PIECES = odd("fields", {"tool_stream": True}, "else arguments come whole, after a long silence")
BUDGET = odd("switch", "enable_thinking", "thinking is `enable_thinking` and `thinking_budget`")
SWITCHED = odd(
    "switched", ("kimi-k2.5", "kimi-k2.6"), "these think or not, by `thinking.type`; no effort"
)
BRIDGED = odd("bridged", True, "older models refuse the role user right after the role tool")
MISTRAL = (NO_OPTIONS, CACHE_KEY, NINE, BARE_SCHEMAS, THINKING_PARTS, ON_OR_OFF, BRIDGED)
GLM = (PRESERVED, NAMED, CLEAR, PIECES)
KIMI = (NEW_LIMIT, CACHE_KEY, REPLAY, COARSE, SWITCHED)
QWEN = (MARKS, BUDGET)

ROWS = (
    row(
        "anthropic",
        "https://api.anthropic.com",
        "ANTHROPIC_API_KEY",
        tokens="ANTHROPIC_AUTH_TOKEN",
        wire="anthropic",
        auth="x-api-key",
    ),
    row(
        "openai",
        "https://api.openai.com/v1",
        "OPENAI_API_KEY",
        NEW_LIMIT,
        CACHE_KEY,
        NO_PADDING,
        wire="openai-responses",
        header_env=(
            ("openai-organization", "OPENAI_ORG_ID"),
            ("openai-project", "OPENAI_PROJECT_ID"),
        ),
    ),
    row(
        "gemini",
        "https://generativelanguage.googleapis.com",
        "GEMINI_API_KEY GOOGLE_API_KEY",
        wire="gemini",
        auth="x-goog-api-key",
        bases="GOOGLE_GEMINI_BASE_URL",
    ),
    row(
        "deepseek",
        "https://api.deepseek.com",
        "DEEPSEEK_API_KEY",
        REPLAY,
        COARSE,
        OFF,
    ),
    row(
        "deepseek-anthropic",
        "https://api.deepseek.com/anthropic",
        "",
        odd(
            "efforts", ("low", "high", "max"), "budgets are ignored; `output_config.effort` is not"
        ),
        OFF,
        lent="DEEPSEEK_API_KEY",
        models_of="deepseek",
        wire="anthropic",
        auth="x-api-key",
    ),
    row(
        "xai",
        "https://api.x.ai/v1",
        "XAI_API_KEY",
        NEW_LIMIT,
        CACHE_KEY,
        odd("session_header", "x-grok-conv-id", "Chat finds a session's cache by it"),
        wire="openai-responses",
    ),
    row("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", *MISTRAL),
    row(
        "codestral",
        "https://codestral.mistral.ai/v1",
        "CODESTRAL_API_KEY",
        *MISTRAL,
        models_of="mistral",
    ),
    row("moonshot", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY", *KIMI),
    row(
        "moonshot-cn",
        "https://api.moonshot.cn/v1",
        "MOONSHOT_CN_API_KEY",
        *KIMI,
        lent="MOONSHOT_API_KEY",
        models_of="moonshot",
        same_price=False,
    ),
    row(
        "moonshot-anthropic",
        "https://api.moonshot.ai/anthropic",
        "",
        lent="MOONSHOT_API_KEY",
        models_of="moonshot",
        wire="anthropic",
    ),
    row("zai", "https://api.z.ai/api/paas/v4", "ZAI_API_KEY", *GLM),
    row(
        "zai-coding",
        "https://api.z.ai/api/coding/paas/v4",
        "ZAI_CODING_API_KEY",
        *GLM,
        lent="ZAI_API_KEY",
        models_of="zai",
        same_price=False,
    ),
    row(
        "zai-anthropic",
        "https://api.z.ai/api/anthropic",
        "",
        OFF,
        lent="ZAI_API_KEY",
        models_of="zai",
        wire="anthropic",
    ),
    row(
        "bigmodel",
        "https://open.bigmodel.cn/api/paas/v4",
        "BIGMODEL_API_KEY",
        *GLM,
        models_of="zai",
        same_price=False,
    ),
    row(
        "dashscope",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "DASHSCOPE_API_KEY QWENCLOUD_API_KEY",
        *QWEN,
    ),
    row(
        "dashscope-cn",
        "https://dashscope.aliyuncs.com/compatible-mode/v1",
        "DASHSCOPE_CN_API_KEY QWEN_AI_PLATFORM_API_KEY",
        *QWEN,
        lent="DASHSCOPE_API_KEY",
        models_of="dashscope",
        same_price=False,
    ),
    row(
        "dashscope-us",
        "https://dashscope-us.aliyuncs.com/compatible-mode/v1",
        "DASHSCOPE_US_API_KEY",
        *QWEN,
        lent="DASHSCOPE_API_KEY",
        models_of="dashscope",
    ),
    row(
        "dashscope-anthropic",
        "https://dashscope-intl.aliyuncs.com/apps/anthropic",
        "",
        OFF,
        lent="DASHSCOPE_API_KEY",
        models_of="dashscope",
        wire="anthropic",
        auth="x-api-key",
    ),
    row(
        "minimax",
        "https://api.minimax.io/anthropic",
        "MINIMAX_API_KEY",
        wire="anthropic",
        auth="x-api-key",
    ),
    row(
        "minimax-cn",
        "https://api.minimaxi.com/anthropic",
        "MINIMAX_CN_API_KEY",
        lent="MINIMAX_API_KEY",
        models_of="minimax",
        same_price=False,
        wire="anthropic",
        auth="x-api-key",
    ),
    row(
        "minimax-chat",
        "https://api.minimax.io/v1",
        "",
        odd("fields", {"reasoning_split": True}, "else thinking is mixed into the text"),
        odd("switch", "", "nothing switches its thinking"),
        lent="MINIMAX_API_KEY",
        models_of="minimax",
    ),
    row("meta", "https://api.meta.ai/v1", "META_API_KEY"),
    row("llama", "https://api.llama.com/compat/v1", "LLAMA_API_KEY"),
    row("amazon-nova", "https://api.nova.amazon.com/v1", "AMAZON_NOVA_API_KEY"),
    row("ai21", "https://api.ai21.com/studio/v1", "AI21_API_KEY"),
    row("inception", "https://api.inceptionlabs.ai/v1", "INCEPTION_API_KEY"),
    row("reka", "https://api.reka.ai/v1", "REKA_API_KEY"),
    row("cognition", "https://api.cognition.ai/v1", "COGNITION_API_KEY"),
    row("xiaomi", "https://api.xiaomimimo.com/v1", "XIAOMI_MIMO_API_KEY XIAOMI_API_KEY"),
    row(
        "sarvam",
        "https://api.sarvam.ai/v1",
        "SARVAM_API_KEY",
        header_env=(("api-subscription-key", "SARVAM_API_KEY"),),
    ),
    row("morph", "https://api.morphllm.com/v1", "MORPH_API_KEY"),
    row(
        "v0",
        "https://api.v0.dev/v1",
        "V0_API_KEY",
        odd("max_tokens_field", "", "it takes no limit"),
    ),
    row(
        "perplexity",
        "https://api.perplexity.ai",
        "PERPLEXITY_API_KEY PERPLEXITYAI_API_KEY",
        odd("tools", False, "its models search the web and call nothing"),
    ),
)
