"""Those who serve open models of others over the Chat wire (wire.md 5.4, 5.9)."""

from __future__ import annotations

from agentcli.llm.rows import CACHE_KEY, NEW_LIMIT, odd, row

ROWS = (
    row(
        "groq",
        "https://api.groq.com/openai/v1",
        "GROQ_API_KEY",
        NEW_LIMIT,
        odd("defaulted", "qwen", "its Qwens know the efforts `none` and `default` only"),
        odd("parsed", True, "thinking inside the text is refused beside tools"),
    ),
    row(
        "cerebras",
        "https://api.cerebras.ai/v1",
        "CEREBRAS_API_KEY",
        odd("stream_options", False, "not among its parameters; the last chunk has the usage"),
    ),
    row(
        "together",
        "https://api.together.xyz/v1",
        "TOGETHER_API_KEY TOGETHER_AI_API_KEY TOGETHERAI_API_KEY",
        bases="TOGETHER_AI_API_BASE",
    ),
    row(
        "fireworks",
        "https://api.fireworks.ai/inference/v1",
        "FIREWORKS_API_KEY FIREWORKS_AI_API_KEY",
        CACHE_KEY,
        odd("session_header", "x-session-affinity", "requests of one session meet its cache"),
    ),
    row(
        "huggingface",
        "https://router.huggingface.co/v1",
        "HF_TOKEN HUGGINGFACE_API_KEY",
        bases="HF_BASE_URL HF_API_BASE",
    ),
    row("sambanova", "https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY"),
    row("nebius", "https://api.studio.nebius.ai/v1", "NEBIUS_API_KEY"),
    row("novita", "https://api.novita.ai/v3/openai", "NOVITA_API_KEY"),
    row("deepinfra", "https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"),
    row("hyperbolic", "https://api.hyperbolic.xyz/v1", "HYPERBOLIC_API_KEY"),
    row("baseten", "https://inference.baseten.co/v1", "BASETEN_API_KEY"),
    row("chutes", "https://llm.chutes.ai/v1", "CHUTES_API_KEY"),
    row("clarifai", "https://api.clarifai.com/v2/ext/openai/v1", "CLARIFAI_API_KEY CLARIFAI_PAT"),
    row("compactifai", "https://api.compactif.ai/v1", "COMPACTIFAI_API_KEY"),
    row("crusoe", "https://api.inference.crusoecloud.com/v1", "CRUSOE_API_KEY"),
    row(
        "featherless",
        "https://api.featherless.ai/v1",
        "FEATHERLESS_API_KEY FEATHERLESS_AI_API_KEY",
    ),
    row("friendli", "https://api.friendli.ai/serverless/v1", "FRIENDLI_TOKEN FRIENDLIAI_API_KEY"),
    row("galadriel", "https://api.galadriel.com/v1", "GALADRIEL_API_KEY"),
    row("gmi", "https://api.gmi-serving.com/v1", "GMI_API_KEY"),
    row("lambda", "https://api.lambda.ai/v1", "LAMBDA_API_KEY"),
    row("libertai", "https://api.libertai.io/v1", "LIBERTAI_API_KEY"),
    row("llamagate", "https://api.llamagate.dev/v1", "LLAMAGATE_API_KEY"),
    row("nscale", "https://inference.api.nscale.com/v1", "NSCALE_API_KEY"),
    row("openinfer", "https://api.openinfer.ai/v1", "OPENINFER_API_KEY"),
    row("parasail", "https://api.parasail.io/v1", "PARASAIL_API_KEY"),
    row("prism", "https://api.prisminference.com/v1", "PRISM_API_KEY"),
    row("publicai", "https://api.publicai.co/v1", "PUBLICAI_API_KEY"),
    row("sail", "https://api.sailresearch.com/v1", "SAIL_API_KEY"),
    row("scx", "https://api.scx.ai/v1", "SCX_API_KEY"),
    row("synthetic", "https://api.synthetic.new/openai/v1", "SYNTHETIC_API_KEY"),
    row("tensormesh", "https://serverless.tensormesh.ai/v1", "TENSORMESH_INFERENCE_API_KEY"),
    row("venice", "https://api.venice.ai/api/v1", "VENICE_API_KEY VENICE_AI_API_KEY"),
    row("wandb", "https://api.inference.wandb.ai/v1", "WANDB_API_KEY"),
)
