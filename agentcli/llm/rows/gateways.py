"""Those who pass requests on to many others, and servers on this machine (wire.md 5.5, 5.10-14)."""

from __future__ import annotations

from agentcli.llm.rows import CACHE_KEY, MARKS, local, odd, row

BOTH = odd("switch", "both", "some models have a word, others a switch of their template")
TEMPLATE = odd("switch", "template", "thinking is a switch of the model's chat template")

ROWS = (
    row(
        "openrouter",
        "https://openrouter.ai/api/v1",
        "OPENROUTER_API_KEY OR_API_KEY",
        MARKS,
        CACHE_KEY,
        odd("session_id", True, "else a conversation may move to a host without its cache"),
        odd("switch", "reasoning", "effort is `reasoning.effort`, whoever serves the model"),
    ),
    row(
        "litellm",
        "http://localhost:4000/v1",
        "LITELLM_API_KEY LITELLM_PROXY_API_KEY",
        bases="LITELLM_PROXY_API_BASE",
    ),
    row(
        "vercel",
        "https://ai-gateway.vercel.sh/v1",
        "AI_GATEWAY_API_KEY VERCEL_AI_GATEWAY_API_KEY VERCEL_OIDC_TOKEN",
    ),
    row(
        "opencode",
        "https://opencode.ai/inference/go/openai/v1",
        "OPENCODE_API_KEY OPENCODE_GO_API_KEY",
    ),
    row("poe", "https://api.poe.com/v1", "POE_API_KEY"),
    row("helicone", "https://ai-gateway.helicone.ai", "HELICONE_API_KEY"),
    row("aihubmix", "https://aihubmix.com/v1", "AIHUBMIX_API_KEY"),
    row("aiml", "https://api.aimlapi.com/v1", "AIML_API_KEY"),
    row("cometapi", "https://api.cometapi.com/v1", "COMETAPI_KEY"),
    row("cortecs", "https://api.cortecs.ai/v1", "CORTECS_API_KEY"),
    row("edenai", "https://api.edenai.run/v3", "EDENAI_API_KEY"),
    row("nanogpt", "https://nano-gpt.com/api/v1", "NANOGPT_API_KEY"),
    row("assemblyai", "https://llm-gateway.assemblyai.com/v1", "ASSEMBLYAI_API_KEY"),
    row("apertis", "https://api.stima.tech/v1", "STIMA_API_KEY"),
    row("hostinger", "https://router.hostinger.com/v1", "HOSTINGER_ROUTER_API_KEY"),
    row("kyma", "https://kymaapi.com/v1", "KYMA_API_KEY"),
    row("nadir", "https://api.getnadir.com/v1", "NADIR_API_KEY"),
    local("ollama", "http://localhost:11434/v1"),
    local("lmstudio", "http://localhost:1234/v1", keys="LM_STUDIO_API_KEY LMSTUDIO_API_KEY"),
    local("llamacpp", "http://localhost:8080/v1", TEMPLATE, keys="LLAMACPP_API_KEY"),
    local(
        "vllm",
        "http://localhost:8000/v1",
        odd("plain_schemas", True, "some of its grammars refuse what LiteLLM therefore strips"),
        BOTH,
        keys="VLLM_API_KEY HOSTED_VLLM_API_KEY",
    ),
    local("sglang", "http://localhost:30000/v1", BOTH, keys="SGLANG_API_KEY"),
    local("llamafile", "http://localhost:8080/v1"),
    local("lemonade", "http://localhost:8000/api/v1", keys="LEMONADE_API_KEY"),
    local("docker", "http://localhost:22088/engines/llama.cpp/v1"),
    local("xinference", "http://localhost:9997/v1", keys="XINFERENCE_API_KEY"),
    row("demo", "http://demo.invalid", "", wire="anthropic", auth="none", local=True),
)
