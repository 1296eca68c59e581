"""A maker's models at somebody else's: as able as at home, under another name, at another price."""

from __future__ import annotations

from collections.abc import Mapping

from agentcli.lib.value import replace
from agentcli.llm import models
from agentcli.llm.address import location
from agentcli.llm.models import ModelSpec, Prices
from agentcli.llm.route import Provider

PROFILES = ("global", "us", "eu", "jp", "au", "apac", "us-gov", "ca")
"""Whose inference profiles on Bedrock put their name before a model's (wire.md 4.1)."""
MAKERS = (
    "anthropic",
    "openai",
    "gemini",
    "xai",
    "deepseek",
    "mistral",
    "moonshot",
    "zai",
    "minimax",
    "dashscope",
)
"""Whose models others have too."""
NATIVE = {("litellm", "anthropic"): "anthropic"}
"""Whose models a gateway also serves over their own wire, which keeps marks and signatures."""
RATES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")


def hosted(provider: Provider, name: str, env: Mapping[str, str]) -> ModelSpec | None:
    """The model as the list of this provider, or of its family, describes it."""
    plain, profile = bedrock_name(name) if provider.service else (name, "")
    spec = models.find(plain, provider.models_of or provider.name)
    if spec is None:
        return None
    prices = spec.prices if provider.same_price else ()
    if _is_regional(provider, profile, env):
        prices = _raised(prices, dict(spec.factors).get("regional", "1"))
    shown = name if provider.service else spec.id
    return replace(spec, id=shown, provider=provider.name, prices=prices)


def made_elsewhere(provider: Provider, name: str) -> ModelSpec | None:
    """A model that a provider without a list of ours has under its maker's name.

    Its price is unknown. Not for this machine, where a window is what the server was given.
    """
    if provider.local or models.names(provider.models_of or provider.name):
        return None
    plain = bedrock_name(name)[0] if provider.service else name.rpartition("/")[2]
    for maker in MAKERS:
        spec = models.find(plain, maker)
        if spec is not None:
            wire = NATIVE.get((provider.name, maker), "")
            return replace(spec, id=name, provider=provider.name, prices=(), wire=wire)
    return None


def bedrock_name(name: str) -> tuple[str, str]:
    """`claude-opus-4-6` of `us.anthropic.claude-opus-4-6-v1:0`, and the profile: `us`."""
    head, _, rest = name.partition(".")
    profile = head if head in PROFILES else ""
    plain = rest if profile else name
    plain = plain.removeprefix("anthropic.").removeprefix("openai.")
    stem, mark, version = plain.rpartition("-v")
    return stem if mark and version.replace(":", "").isdigit() else plain, profile


def _is_regional(provider: Provider, profile: str, env: Mapping[str, str]) -> bool:
    """Whether an endpoint answers from one place only, which costs more (wire.md 6.1)."""
    if provider.wire == "anthropic-vertex":
        return location(env) != "global"
    return profile not in ("", "global")


def _raised(prices: tuple[Prices, ...], factor: str) -> tuple[Prices, ...]:
    from decimal import Decimal

    def raised(row: Prices) -> Prices:
        rates = {name: getattr(row, name) for name in RATES}
        dearer = {n: f"{Decimal(r) * Decimal(factor):f}" for n, r in rates.items() if r is not None}
        return replace(row, **dearer)

    return tuple(raised(row) for row in prices)
