"""A maker's models at somebody else's: as able as at home, under another name, at another price."""

from __future__ import annotations

from collections.abc import Mapping

from agentcli.lib.value import replace
from agentcli.llm import models
from agentcli.llm.address import VERTEX, location
from agentcli.llm.models import RATES, ModelSpec, Prices
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
NATIVE = {
    ("litellm", "anthropic"): "anthropic",
    ("litellm", "openai"): "openai-responses",
}
"""Whose models a gateway also serves over their own wire, which keeps marks and signatures."""
PLACES = ("us", "eu", "regional", "gov")
"""Factors that hold for where a request is answered."""


def hosted(provider: Provider, name: str, env: Mapping[str, str]) -> ModelSpec | None:
    """The model as the list of this provider, or of its family, describes it.

    On Bedrock the name itself says who made a model.
    """
    plain, profile = bedrock_name(name) if provider.service else (name, "")
    made_by = "openai" if provider.service and "openai." in name else provider.models_of
    spec = models.find(plain, made_by or provider.name)
    if spec is None:
        return None
    shown = name if provider.service else spec.id
    spec = replace(spec, id=shown, provider=provider.name)
    if not provider.same_price:
        return replace(spec, prices=())
    place = _place(provider, profile, env)
    return in_region(spec, place) if place else spec


def in_region(spec: ModelSpec, place: str) -> ModelSpec:
    """The model where it is dearer; what an answer then says of its place costs nothing more."""
    factors = dict(spec.factors)
    factor = factors.get(place, "1")
    kept = tuple((word, by) for word, by in spec.factors if word not in PLACES)
    return replace(spec, prices=_raised(spec.prices, factor), factors=kept)


def at_host(spec: ModelSpec, base: str) -> ModelSpec:
    """OpenAI's hosts for Europe and the United States cost more (cost facts 4)."""
    host = base.partition("://")[2].partition("/")[0].partition(":")[0]
    place, _, rest = host.lower().partition(".")
    return in_region(spec, place) if rest == "api.openai.com" else spec


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
    """`claude-opus-4-6` of `us.anthropic.claude-opus-4-6-v1:0`, and the profile: `us`.

    An ARN ends in such a name, unless its owner made the profile: then `base_model` says it.
    """
    if name.startswith("arn:"):
        name = name.rpartition("/")[2]
    head, _, rest = name.partition(".")
    profile = head if head in PROFILES else ""
    plain = rest if profile else name
    plain = plain.removeprefix("anthropic.").removeprefix("openai.")
    stem, mark, version = plain.rpartition("-v")
    return stem if mark and version.replace(":", "").isdigit() else plain, profile


def _place(provider: Provider, profile: str, env: Mapping[str, str]) -> str:
    """The factor of an endpoint that answers from one place only (wire.md 6.1); "" for the world.

    Mantle's hosts are regional where no profile says otherwise; LiteLLM's rows have it so.
    """
    if VERTEX in provider.url:
        return "regional" if location(env) != "global" else ""
    if profile == "us-gov":
        return "gov"
    home = "" if provider.service != "bedrock-mantle" else "regional"
    return {"": home, "global": ""}.get(profile, "regional")


def _raised(prices: tuple[Prices, ...], factor: str) -> tuple[Prices, ...]:
    from decimal import Decimal

    def raised(row: Prices) -> Prices:
        rates = {name: getattr(row, name) for name in RATES}
        dearer = {n: f"{Decimal(r) * Decimal(factor):f}" for n, r in rates.items() if r is not None}
        return replace(row, **dearer)

    return tuple(raised(row) for row in prices)
