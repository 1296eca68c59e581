"""Which model a name means, and the route to it: whose it is, where, with which key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agentcli.lib.errors import UserError
from agentcli.lib.value import replace
from agentcli.llm import models
from agentcli.llm.auth import parse_custom_headers
from agentcli.llm.models import FREE, ModelSpec
from agentcli.llm.route import Auth, Odd, Provider, Quirks, Route
from agentcli.llm.rows import Rows

__all__ = [
    "PROVIDERS",
    "Auth",
    "Odd",
    "Provider",
    "Quirks",
    "Route",
    "default_model",
    "reachable",
    "resolve",
    "rows",
]

PROVIDERS = Rows()
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
    "minimax": "MiniMax-M3",
    "groq": "openai/gpt-oss-120b",
    "cerebras": "gpt-oss-120b",
    "together": "zai-org/GLM-5.3",
    "fireworks": "accounts/fireworks/models/glm-5p3",
    "openrouter": "anthropic/claude-sonnet-5.5",
}
"""The coding model taken when only a key is there; in order of preference."""


def rows(extra: Sequence[Provider] = ()) -> Mapping[str, Provider]:
    """All providers; the configured ones win over ours of the same name."""
    return Rows(extra) if extra else PROVIDERS


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
    listed = next((row for row in extra if name in row.models), None)
    if listed is not None:
        return _at(listed, name, env)
    homes = sorted(models.providers_of(full), key=lambda p: bool(short) and p != short[0])
    ready = (home for home in homes if home in known and _is_ready(known[home], env))
    home = next(ready, homes[0] if homes else "")
    return _at(known[home], full, env) if home in known else _guess(name, known, env)


def _at(provider: Provider, name: str, env: Mapping[str, str]) -> Route:
    family = provider.models_of or provider.name
    short = models.alias(name)
    if short and short[0] == family and not provider.service:
        name = short[1]
    spec = served(provider, name, env)
    if spec is not None:
        return _route(provider, spec, env)
    near = [n for n in models.suggest(name) if n in models.names(provider.name)]
    if near and _is_typo(name, near) and provider.name in MAKERS and not base_of(provider, env):
        raise UserError(f"{provider.name} has no model {name!r}. Did you mean {near[0]}?")
    spec = models.unknown(name, provider.name)
    return _route(provider, replace(spec, prices=FREE) if provider.local else spec, env)


MAKERS = ("anthropic", "openai", "gemini", "xai", "deepseek", "mistral", "moonshot")
"""Who serve their own models only, so that a name near one of them is a slip."""


def served(provider: Provider, name: str, env: Mapping[str, str]) -> ModelSpec | None:
    """The model by its provider's own list, or as its maker describes it; None if neither does.

    Its prices are those of the place that `env` sends requests to.
    """
    found = None if provider.service else models.find(name, provider.name)
    base = base_of(provider, env) if provider.name == "openai" else None
    if found is not None and base is None:
        return found
    from agentcli.llm.hosted import at_host, hosted, made_elsewhere

    if found is not None:
        return at_host(found, base or "")
    return hosted(provider, name, env) or made_elsewhere(provider, name)


def _is_typo(name: str, near: Sequence[str]) -> bool:
    """A slip of the pen; a name that differs in its number alone may be a newer model."""

    def split(text: str) -> tuple[str, str]:
        letters = "".join(c for c in text.lower() if c.isalpha())
        return letters, "".join(c for c in text if c.isdigit())

    mine, others = split(name), [split(other) for other in near]
    return mine in others or all(mine[0] != other[0] for other in others)


def _guess(name: str, known: Mapping[str, Provider], env: Mapping[str, str]) -> Route:
    """A bare name in no table: dated names, families by prefix, else a suggestion."""
    for provider in known.values():
        spec = models.find(name, provider.name)
        if spec is not None:
            return _route(provider, spec, env)
    near = models.suggest(name)
    ready = [row for row in known.values() if row.key_env and _is_ready(row, env)]
    moved = len(ready) == 1 and base_of(ready[0], env) is not None
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
    base = base_of(provider, env)
    wire, other = _wires(provider, model, base or "", env)
    url, region = _place(provider, base, wire, env)
    if wire != provider.wire and auth == "x-goog-api-key":
        auth = "bearer"
    if key is None and not (base or auth in ("none", "sigv4") or _needs_no_key(provider)):
        names = " or ".join((*provider.key_env, *provider.lent_env)) or "its key_env"
        raise UserError(
            f"No key for {provider.name}: set {names}, or choose another model with --model."
        )
    if auth == "sigv4" and not region:
        raise UserError(f"{provider.name} signs its requests for a region: set AWS_REGION.")
    headers = provider.headers | _headers(provider, env)
    service = provider.service
    return Route(provider, model, url, key, wire, auth, headers, other, region, service)


def _place(
    provider: Provider, base: str | None, wire: str, env: Mapping[str, str]
) -> tuple[str, str]:
    """The address, and the AWS region it is in."""
    if provider.url and not (base or provider.service or "{" in provider.url):
        return provider.url.rstrip("/"), ""
    from agentcli.llm.address import given_address, own_address, with_region

    env = with_region(provider, env)
    url = given_address(base, wire, provider, env) if base else own_address(provider, env)
    return url, env.get("AWS_REGION", "") if provider.service else ""


def base_of(provider: Provider, env: Mapping[str, str]) -> str | None:
    """The person's own URL for this provider, from the environment."""
    return next((env[name] for name in provider.base_env if env.get(name)), None)


def _needs_no_key(provider: Provider) -> bool:
    return provider.local or provider.keyless or bool(provider.key_command)


def _headers(provider: Provider, env: Mapping[str, str]) -> dict[str, str]:
    found = {header: env[name] for header, name in provider.header_env if env.get(name)}
    if provider.name == "anthropic":
        found |= parse_custom_headers(env.get("ANTHROPIC_CUSTOM_HEADERS", ""))
    return found


def _wires(provider: Provider, model: ModelSpec, base: str, env: Mapping[str, str]) -> list[str]:
    """The wire, and another to try: a gateway in OpenAI's place may speak Chat alone.

    For a model that is not OpenAI's own it is asked for Chat. OPENAI_WIRE names the only one.
    A base URL may itself say which of a vendor's surfaces it is.
    """
    path = base.rstrip("/")
    if provider.wire == "gemini" and path.endswith("/openai"):
        return ["openai-chat", ""]
    if provider.wire == "openai-chat" and path.endswith("/anthropic"):
        return ["anthropic", ""]
    if provider.name == "litellm" and model.wire == "openai-responses":
        return [model.wire, "openai-chat"]
    if provider.name != "openai" or not base or "api.openai.com" in base:
        return [model.wire or provider.wire, ""]
    if env.get("OPENAI_WIRE"):
        return [env["OPENAI_WIRE"], ""]
    if model.wire:
        return [model.wire, "openai-chat"]
    known = models.find(model.id, provider.name) is not None
    return ["openai-responses", "openai-chat"] if known else ["openai-chat", ""]


def _key(provider: Provider, env: Mapping[str, str]) -> tuple[str | None, Auth]:
    """The key and how it is shown; AWS signs unless there is one."""
    for name in (*provider.key_env, *provider.lent_env):
        if env.get(name):
            return env[name], "bearer" if provider.auth == "sigv4" else provider.auth
    token = next((env[name] for name in provider.token_env if env.get(name)), None)
    if token is not None:
        return token, "bearer"
    return None, provider.auth


def _is_ready(provider: Provider, env: Mapping[str, str]) -> bool:
    """Whether the environment says that this provider is meant."""
    own = (*provider.key_env, *provider.token_env, *provider.base_env)
    return provider.keyless or any(env.get(name) for name in own)


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
        for name in _offered(provider)
    )


def _offered(provider: Provider) -> tuple[str, ...]:
    """Names that are sure to be there: not where somebody deploys what they want, as on Azure."""
    if provider.models:
        return provider.models
    if provider.service or provider.deploys:
        return ()
    return models.names(provider.models_of or provider.name)
