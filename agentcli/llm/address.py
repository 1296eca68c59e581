"""Where requests go: a row's address filled from the environment, or the person's own base URL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from agentcli.lib.errors import UserError
from agentcli.llm.route import Provider

VERTEX = "{vertex_host}"
MULTI_REGIONS = ("us", "eu")


def own_address(provider: Provider, env: Mapping[str, str]) -> str:
    """The row's URL, complete. Raises UserError naming the variables that are missing."""
    url = provider.url.rstrip("/")
    if not url:
        raise UserError(f"{provider.name} has no fixed address; set {provider.base_env[0]}.")
    return "".join(_pieces(url, provider, env))


def given_address(base: str, wire: str, provider: Provider, env: Mapping[str, str]) -> str:
    """A base URL as the person gave it, with or without its version, as the wires want it."""
    scheme, mark, rest = base.strip().rstrip("/").partition("://")
    if not mark or scheme.lower() not in ("http", "https") or not rest:
        names = " or ".join(provider.base_env) or provider.name
        raise UserError(f"{names}: {base!r} is no URL; it must begin with http:// or https://.")
    if "/" in rest:
        return f"{scheme}://{rest}"
    if "{" in provider.url:
        path = provider.url.partition("://")[2].partition("/")[2]
        return "".join((f"{scheme}://{rest}/", *_pieces(path, provider, env))).rstrip("/")
    return f"{scheme}://{rest}/v1" if wire.startswith("openai") else f"{scheme}://{rest}"


def with_region(provider: Provider, env: Mapping[str, str]) -> Mapping[str, str]:
    """The environment, with the region that an AWS profile names when no variable does."""
    if not provider.service or env.get("AWS_REGION"):
        return env
    from agentcli.llm.sigv4 import find_region

    home = Path(env.get("HOME") or Path.home())
    region = find_region(env, home) or env.get("AWS_REGION_NAME")
    return {**env, "AWS_REGION": region} if region else env


def _pieces(url: str, provider: Provider, env: Mapping[str, str]) -> Iterator[str]:
    """The parts of a URL, its `{A|B=default}` replaced by what the environment has."""
    while url:
        before, brace, rest = url.partition("{")
        yield before
        if not brace:
            return
        blank, _, url = rest.partition("}")
        yield _vertex_host(env) if f"{{{blank}}}" == VERTEX else _filled(blank, provider, env)


def _filled(blank: str, provider: Provider, env: Mapping[str, str]) -> str:
    names, _, default = blank.partition("=")
    found = next((env[each] for each in names.split("|") if env.get(each)), default)
    if not found:
        known = names.replace("|", " or ")
        raise UserError(f"{provider.name} needs {known}; or set {provider.base_env[0]}.")
    return found.strip()


def location(env: Mapping[str, str]) -> str:
    """Where on Google's cloud; the whole world unless said otherwise."""
    names = ("GOOGLE_CLOUD_LOCATION", "VERTEXAI_LOCATION", "CLOUD_ML_REGION")
    return next((env[name].strip() for name in names if env.get(name)), "global")


def _vertex_host(env: Mapping[str, str]) -> str:
    """One host for the world, one for each continent, one for each region (wire.md 1.11, 3.1)."""
    place = location(env)
    if place == "global":
        return "aiplatform.googleapis.com"
    if place in MULTI_REGIONS:
        return f"aiplatform.{place}.rep.googleapis.com"
    return f"{place}-aiplatform.googleapis.com"
