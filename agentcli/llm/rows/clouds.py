"""Models hosted by the large clouds, under their addresses and keys (wire.md 1.11, 2.9, 3.1, 4)."""

from __future__ import annotations

from agentcli.llm.rows import CACHE_KEY, MARKS, NEW_LIMIT, NO_PADDING, odd, row

REGION = "{AWS_REGION|AWS_DEFAULT_REGION|AWS_REGION_NAME}"
PROJECT = "{GOOGLE_CLOUD_PROJECT|VERTEXAI_PROJECT|ANTHROPIC_VERTEX_PROJECT_ID}"
LOCATION = "{GOOGLE_CLOUD_LOCATION|VERTEXAI_LOCATION|CLOUD_ML_REGION=global}"
VERTEX = f"https://{{vertex_host}}/v1/projects/{PROJECT}/locations/{LOCATION}"
VERTEX_KEYS = "VERTEX_ACCESS_TOKEN GOOGLE_OAUTH_ACCESS_TOKEN CLOUDSDK_AUTH_ACCESS_TOKEN"
GCLOUD = "gcloud auth print-access-token"
BEDROCK = f"https://bedrock-runtime.{REGION}.amazonaws.com"
MANTLE = f"https://bedrock-mantle.{REGION}.api.aws"
BEDROCK_KEY = "AWS_BEARER_TOKEN_BEDROCK"

ROWS = (
    row(
        "azure",
        "https://{AZURE_OPENAI_RESOURCE|AZURE_RESOURCE_NAME}.openai.azure.com/openai/v1",
        "AZURE_OPENAI_API_KEY AZURE_API_KEY",
        NEW_LIMIT,
        CACHE_KEY,
        NO_PADDING,
        wire="openai-responses",
        auth="api-key",
        bases="AZURE_OPENAI_BASE_URL AZURE_OPENAI_ENDPOINT",
        tokens="AZURE_OPENAI_AD_TOKEN AZURE_AD_TOKEN",
        deploys=True,
        models_of="openai",
    ),
    row(
        "azure-anthropic",
        "https://{ANTHROPIC_FOUNDRY_RESOURCE}.services.ai.azure.com/anthropic",
        "ANTHROPIC_FOUNDRY_API_KEY AZURE_AI_API_KEY",
        wire="anthropic",
        auth="x-api-key",
        bases="ANTHROPIC_FOUNDRY_BASE_URL",
        tokens="AZURE_AD_TOKEN",
        deploys=True,
        models_of="anthropic",
    ),
    row(
        "azure-ai",
        "https://{AZURE_AI_RESOURCE}.services.ai.azure.com/openai/v1",
        "AZURE_AI_API_KEY",
        auth="api-key",
        tokens="AZURE_AD_TOKEN",
        deploys=True,
    ),
    row(
        "vertex",
        VERTEX + "/publishers/google",
        VERTEX_KEYS,
        wire="gemini",
        key_command=GCLOUD,
        models_of="gemini",
    ),
    row(
        "vertex-express",
        "https://aiplatform.googleapis.com/v1/publishers/google",
        "VERTEX_API_KEY",
        wire="gemini",
        auth="x-goog-api-key",
        models_of="gemini",
    ),
    row(
        "vertex-anthropic",
        VERTEX,
        "",
        wire="anthropic-vertex",
        bases="ANTHROPIC_VERTEX_BASE_URL",
        lent=VERTEX_KEYS,
        key_command=GCLOUD,
        models_of="anthropic",
    ),
    row(
        "bedrock",
        BEDROCK,
        BEDROCK_KEY,
        wire="bedrock",
        auth="sigv4",
        service="bedrock",
        models_of="anthropic",
    ),
    row(
        "anthropic-bedrock",
        BEDROCK,
        "",
        wire="anthropic-bedrock",
        auth="sigv4",
        bases="ANTHROPIC_BEDROCK_BASE_URL",
        lent=BEDROCK_KEY,
        service="bedrock",
        models_of="anthropic",
    ),
    row(
        "bedrock-mantle",
        MANTLE + "/anthropic",
        "BEDROCK_MANTLE_API_KEY",
        wire="anthropic",
        auth="sigv4",
        lent=BEDROCK_KEY,
        service="bedrock-mantle",
        models_of="anthropic",
    ),
    row(
        "openai-bedrock",
        MANTLE + "/openai/v1",
        "",
        NEW_LIMIT,
        CACHE_KEY,
        wire="openai-responses",
        auth="sigv4",
        lent="BEDROCK_MANTLE_API_KEY AWS_BEARER_TOKEN_BEDROCK",
        service="bedrock-mantle",
        models_of="openai",
    ),
    row(
        "anthropic-aws",
        f"https://aws-external-anthropic.{REGION}.api.aws",
        "ANTHROPIC_AWS_API_KEY",
        wire="anthropic",
        auth="sigv4",
        service="aws-external-anthropic",
        header_env=(("anthropic-workspace-id", "ANTHROPIC_AWS_WORKSPACE_ID"),),
        models_of="anthropic",
    ),
    row(
        "databricks",
        "https://{DATABRICKS_WORKSPACE}/serving-endpoints",
        "DATABRICKS_API_KEY DATABRICKS_TOKEN",
        MARKS,
        odd("switch", "", "thinking is asked for in each vendor's own words"),
    ),
    row(
        "snowflake",
        "https://{SNOWFLAKE_ACCOUNT_ID}.snowflakecomputing.com/api/v2/cortex/v1",
        "SNOWFLAKE_JWT",
    ),
    row(
        "cloudflare",
        "https://api.cloudflare.com/client/v4/accounts/{CLOUDFLARE_ACCOUNT_ID}/ai/v1",
        "CLOUDFLARE_API_KEY CLOUDFLARE_API_TOKEN",
    ),
    row("heroku", "", "HEROKU_API_KEY INFERENCE_KEY", bases="INFERENCE_URL"),
    row("digitalocean", "https://inference.do-ai.run/v1", "GRADIENT_AI_API_KEY"),
    row("scaleway", "https://api.scaleway.ai/v1", "SCW_SECRET_KEY"),
    row("ovhcloud", "https://oai.endpoints.kepler.ai.cloud.ovh.net/v1", "OVHCLOUD_API_KEY"),
    row(
        "volcengine",
        "https://ark.cn-beijing.volces.com/api/v3",
        "VOLCENGINE_API_KEY ARK_API_KEY",
        odd("switch", "thinking", "thinking is switched by `thinking.type`"),
    ),
    row("tencent", "https://tokenhub-intl.tencentcloudmaas.com/v1", "TENCENT_API_KEY"),
    row(
        "streamlake",
        "https://vanchin.streamlake.ai/api/gateway/v1/endpoints",
        "STREAMLAKE_API_KEY",
        odd("max_tokens_field", "max_completion_tokens", "the other name is not taken"),
        MARKS,
    ),
    row("modelscope", "https://api-inference.modelscope.cn/v1", "MODELSCOPE_API_KEY"),
    row("nvidia", "https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY NVIDIA_NIM_API_KEY"),
    row("github", "https://models.github.ai/inference", "GITHUB_MODELS_TOKEN GITHUB_API_KEY"),
)
