"""Providers: one row each: where it is, which wire it speaks, what is odd about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from agentcli.lib.errors import UserError
from agentcli.lib.value import made, replace, value
from agentcli.llm import models
from agentcli.llm.auth import parse_custom_headers
from agentcli.llm.models import ModelSpec, Prices

Auth = Literal["bearer", "x-api-key", "api-key", "none"]


@value
class Quirks:
    """Departures from the wire; each field names who needs it. Data, read by the wires."""

    max_tokens_field: str = "max_tokens"
    """OpenAI itself, xAI, Groq and Moonshot want `max_completion_tokens` (wire.md 5)."""
    stream_options: bool = True
    """Mistral wants no `stream_options` (wire.md 5.3)."""
    prompt_cache_key: bool = False
    """Whether the server takes `prompt_cache_key`; some refuse unknown fields."""
    reasoning_replay: str = ""
    """The field in which earlier reasoning must go back: `reasoning_content` (DeepSeek, Kimi)."""
    cache_control: bool = False
    """A Chat server that takes Anthropic's marks on content parts (OpenRouter, DashScope)."""


@value
class Provider:
    name: str
    url: str
    wire: str
    auth: Auth = "bearer"
    key_env: tuple[str, ...] = ()
    base_env: tuple[str, ...] = ()
    quirks: Quirks = Quirks()
    local: bool = False
    """A server on this machine: needs no key, costs nothing."""
    headers: dict[str, str] = made(default_factory=dict[str, str])


@value
class Route:
    """Everything needed to reach one model: who, where, as whom, over which wire."""

    provider: Provider
    model: ModelSpec
    url: str
    """Base URL without a trailing slash."""
    key: str | None = None
    wire: str = ""
    auth: Auth = "bearer"
    headers: dict[str, str] = made(default_factory=dict[str, str])
    other_wire: str = ""
    """Tried when the server turns out not to have `wire`."""


NEW_LIMIT = Quirks(max_tokens_field="max_completion_tokens", prompt_cache_key=True)
PLAIN = Quirks()
KEYED = Quirks(prompt_cache_key=True)


def _chat(name: str, url: str, keys: str, quirks: Quirks = PLAIN) -> Provider:
    base = f"{name.upper().replace('-', '_')}_BASE_URL"
    return Provider(name, url, "openai-chat", "bearer", tuple(keys.split()), (base,), quirks)


def _local(name: str, url: str) -> Provider:
    base = f"{name.upper()}_BASE_URL"
    return Provider(name, url, "openai-chat", "none", (), (base,), PLAIN, local=True)


PROVIDERS: dict[str, Provider] = {
    row.name: row
    for row in (
        Provider(
            "anthropic",
            "https://api.anthropic.com",
            "anthropic",
            "x-api-key",
            ("ANTHROPIC_API_KEY",),
            ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"),
        ),
        Provider(
            "openai",
            "https://api.openai.com/v1",
            "openai-responses",
            "bearer",
            ("OPENAI_API_KEY",),
            ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
            NEW_LIMIT,
        ),
        Provider(
            "azure",
            "",
            "openai-responses",
            "api-key",
            ("AZURE_OPENAI_API_KEY", "AZURE_API_KEY"),
            ("AZURE_OPENAI_BASE_URL", "AZURE_API_BASE"),
            NEW_LIMIT,
        ),
        _chat(
            "gemini",
            "https://generativelanguage.googleapis.com/v1beta/openai",
            "GEMINI_API_KEY GOOGLE_API_KEY",
        ),
        _chat(
            "deepseek",
            "https://api.deepseek.com",
            "DEEPSEEK_API_KEY",
            Quirks(reasoning_replay="reasoning_content", prompt_cache_key=True),
        ),
        Provider(
            "xai",
            "https://api.x.ai/v1",
            "openai-responses",
            "bearer",
            ("XAI_API_KEY",),
            ("XAI_BASE_URL",),
            NEW_LIMIT,
        ),
        _chat(
            "mistral",
            "https://api.mistral.ai/v1",
            "MISTRAL_API_KEY",
            Quirks(stream_options=False, prompt_cache_key=True),
        ),
        _chat(
            "groq",
            "https://api.groq.com/openai/v1",
            "GROQ_API_KEY",
            Quirks(max_tokens_field="max_completion_tokens"),
        ),
        _chat(
            "openrouter",
            "https://openrouter.ai/api/v1",
            "OPENROUTER_API_KEY",
            Quirks(cache_control=True, prompt_cache_key=True),
        ),
        _chat(
            "moonshot",
            "https://api.moonshot.ai/v1",
            "MOONSHOT_API_KEY",
            Quirks("max_completion_tokens", True, True, "reasoning_content"),
        ),
        _chat(
            "zai",
            "https://api.z.ai/api/paas/v4",
            "ZAI_API_KEY",
            Quirks(reasoning_replay="reasoning_content"),
        ),
        _chat(
            "dashscope",
            "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
            "DASHSCOPE_API_KEY",
            Quirks(cache_control=True),
        ),
        Provider(
            "minimax",
            "https://api.minimax.io/anthropic",
            "anthropic",
            "x-api-key",
            ("MINIMAX_API_KEY",),
            ("MINIMAX_BASE_URL",),
        ),
        _chat("cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
        _chat("together", "https://api.together.xyz/v1", "TOGETHER_API_KEY"),
        _chat("fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY", KEYED),
        _chat("huggingface", "https://router.huggingface.co/v1", "HF_TOKEN HUGGINGFACE_API_KEY"),
        _chat("nvidia", "https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY NVIDIA_NIM_API_KEY"),
        _chat("github", "https://models.github.ai/inference", "GITHUB_MODELS_TOKEN GITHUB_API_KEY"),
        _chat("perplexity", "https://api.perplexity.ai", "PERPLEXITY_API_KEY PERPLEXITYAI_API_KEY"),
        _chat("sambanova", "https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY"),
        _chat("nebius", "https://api.studio.nebius.ai/v1", "NEBIUS_API_KEY"),
        _chat("novita", "https://api.novita.ai/v3/openai", "NOVITA_API_KEY"),
        _chat("deepinfra", "https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"),
        _chat("hyperbolic", "https://api.hyperbolic.xyz/v1", "HYPERBOLIC_API_KEY"),
        _chat("litellm", "http://localhost:4000/v1", "LITELLM_API_KEY LITELLM_PROXY_API_KEY"),
        _local("ollama", "http://localhost:11434/v1"),
        _local("lmstudio", "http://localhost:1234/v1"),
        _local("llamacpp", "http://localhost:8080/v1"),
        _local("vllm", "http://localhost:8000/v1"),
        _local("sglang", "http://localhost:30000/v1"),
        Provider("demo", "http://demo.invalid", "anthropic", "none", local=True),
    )
}
FLAGSHIPS = {
    "anthropic": "claude-sonnet-5-5",
    "openai": "gpt-6.1-sol",
    "gemini": "gemini-3.8-flash",
    "xai": "grok-4.7",
    "deepseek": "deepseek-v4-pro",
    "moonshot": "kimi-k3",
    "zai": "glm-5.3",
    "mistral": "mistral-large-4",
    "dashscope": "qwen3.8-max",
    "groq": "openai/gpt-oss-120b",
    "openrouter": "anthropic/claude-sonnet-5.5",
}
"""The coding model taken when only a key is there; in order of preference."""
FREE = (Prices("0", "0"),)
SAME_MODELS = {"azure": "openai"}
"""Who sells whose models at the same list price; a deployment is known by the model's name."""


def rows(extra: Sequence[Provider] = ()) -> dict[str, Provider]:
    """All providers; the configured ones win over ours of the same name."""
    return PROVIDERS | {row.name: row for row in extra}


def resolve(name: str, env: Mapping[str, str], extra: Sequence[Provider] = ()) -> Route:
    """The route for what a person calls a model: an alias, a name, or provider/name.

    Raises UserError for a name nobody knows, naming the nearest, and for a missing key.
    """
    known = rows(extra)
    if name == "demo":
        priced_as = models.find("claude-sonnet-5-5", "anthropic")
        return _route(known["demo"], priced_as or models.unknown(name, name), env)
    head, slash, rest = name.partition("/")
    if not name.strip() or (slash and not rest):
        raise UserError("A model needs a name, as in --model sonnet or --model ollama/NAME.")
    if slash and head in known:
        return _at(known[head], rest, env)
    short = models.alias(name)
    full = short[1] if short else name
    homes = [known[p] for p in models.providers_of(full) if p in known]
    homes.sort(key=lambda home: bool(short) and home.name != short[0])
    ready = [home for home in homes if _is_ready(home, env)]
    if homes:
        return _at((ready or homes)[0], full, env)
    return _guess(name, known, env)


def _at(provider: Provider, name: str, env: Mapping[str, str]) -> Route:
    short = models.alias(name)
    if short and short[0] == provider.name:
        name = short[1]
    spec = models.find(name, SAME_MODELS.get(provider.name, provider.name))
    if spec is not None:
        return _route(provider, replace(spec, provider=provider.name), env)
    near = [n for n in models.suggest(name) if n in models.names(provider.name)]
    if near and _is_typo(name, near) and provider.name in MAKERS and not _base(provider, env):
        raise UserError(f"{provider.name} has no model {name!r}. Did you mean {near[0]}?")
    spec = models.unknown(name, provider.name)
    return _route(provider, replace(spec, prices=FREE) if provider.local else spec, env)


MAKERS = ("anthropic", "openai", "gemini", "xai", "deepseek", "mistral", "moonshot")
"""Who serve their own models only, so that a name near one of them is a slip."""


def _is_typo(name: str, near: Sequence[str]) -> bool:
    """A slip of the pen; a name that differs in its number alone may be a newer model."""

    def split(text: str) -> tuple[str, str]:
        letters = "".join(c for c in text.lower() if c.isalpha())
        return letters, "".join(c for c in text if c.isdigit())

    mine, others = split(name), [split(other) for other in near]
    return mine in others or all(mine[0] != other[0] for other in others)


def _guess(name: str, known: dict[str, Provider], env: Mapping[str, str]) -> Route:
    """A bare name in no table: dated names, families by prefix, else a suggestion."""
    for provider in known.values():
        spec = models.find(name, provider.name)
        if spec is not None:
            return _route(provider, spec, env)
    near = models.suggest(name)
    ready = [row for row in known.values() if row.key_env and _is_ready(row, env)]
    moved = len(ready) == 1 and _base(ready[0], env) is not None
    if near and _is_typo(name, near) and not moved:
        raise UserError(f"No model {name!r}. Did you mean {near[0]}?")
    families = {"claude": "anthropic", "gpt": "openai", "gemini": "gemini", "grok": "xai"}
    home = families.get(name.partition("-")[0])
    if home and not moved:
        return _route(known[home], models.unknown(name, home), env)
    if len(ready) == 1:
        return _route(ready[0], models.unknown(name, ready[0].name), env)
    raise UserError(
        f"No model {name!r}. Say where it is, as in openrouter/{name} or ollama/{name}; "
        "`agent models` lists what your keys reach."
    )


def _route(provider: Provider, model: ModelSpec, env: Mapping[str, str]) -> Route:
    key, auth = _key(provider, env)
    base = _base(provider, env)
    wire, other = _wires(provider, model, base or "", env)
    wire = model.wire or wire
    url = _address(base, wire, provider) if base else provider.url.rstrip("/")
    if not url:
        raise UserError(f"{provider.name} has no fixed address; set {provider.base_env[0]}.")
    if key is None and provider.auth != "none" and not provider.local and not base:
        raise UserError(
            f"No key for {provider.name}: set {' or '.join(provider.key_env) or 'its key_env'}, "
            "or choose another model with --model."
        )
    headers = dict(provider.headers)
    if provider.name == "anthropic":
        headers |= parse_custom_headers(env.get("ANTHROPIC_CUSTOM_HEADERS", ""))
    return Route(provider, model, url, key, wire, auth, headers, other)


def _address(base: str, wire: str, provider: Provider) -> str:
    """A base URL as the person gave it, with or without its version, as the wires want it."""
    scheme, mark, rest = base.strip().rstrip("/").partition("://")
    if not mark or scheme.lower() not in ("http", "https") or not rest:
        names = " or ".join(provider.base_env) or provider.name
        raise UserError(f"{names}: {base!r} is no URL; it must begin with http:// or https://.")
    host, slash, _ = rest.partition("/")
    if slash or not wire.startswith("openai"):
        return f"{scheme}://{rest}"
    return f"{scheme}://{host}/openai/v1" if provider.name == "azure" else f"{scheme}://{host}/v1"


def _wires(provider: Provider, model: ModelSpec, base: str, env: Mapping[str, str]) -> list[str]:
    """The wire, and another to try: a gateway in OpenAI's place may speak Chat alone.

    For a model that is not OpenAI's own it is asked for Chat. OPENAI_WIRE names the only one.
    """
    if provider.name != "openai" or not base or "api.openai.com" in base:
        return [provider.wire, ""]
    if env.get("OPENAI_WIRE"):
        return [env["OPENAI_WIRE"], ""]
    known = models.find(model.id, provider.name) is not None
    return ["openai-responses", "openai-chat"] if known else ["openai-chat", ""]


def _key(provider: Provider, env: Mapping[str, str]) -> tuple[str | None, Auth]:
    for name in provider.key_env:
        if env.get(name):
            return env[name], provider.auth
    if provider.name == "anthropic" and env.get("ANTHROPIC_AUTH_TOKEN"):
        return env["ANTHROPIC_AUTH_TOKEN"], "bearer"
    return None, provider.auth


def _base(provider: Provider, env: Mapping[str, str]) -> str | None:
    return next((env[name] for name in provider.base_env if env.get(name)), None)


def _is_ready(provider: Provider, env: Mapping[str, str]) -> bool:
    return _key(provider, env)[0] is not None or _base(provider, env) is not None


def default_model(env: Mapping[str, str]) -> str | None:
    """The flagship of the first provider whose key is in the environment."""
    for name, model in FLAGSHIPS.items():
        if _is_ready(PROVIDERS[name], env):
            return f"{name}/{model}"
    return None


def reachable(env: Mapping[str, str], extra: Sequence[Provider] = ()) -> tuple[str, ...]:
    """provider/model names that the keys in the environment reach."""
    return tuple(
        f"{provider.name}/{name}"
        for provider in rows(extra).values()
        if _is_ready(provider, env)
        for name in models.names(provider.name)
    )
