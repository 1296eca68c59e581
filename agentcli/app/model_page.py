"""All we know of one model, as a page and as JSON: `agent models show NAME`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agentcli.app.catalogue import RATES, hours, size
from agentcli.app.options import DEMO
from agentcli.app.routing import reach
from agentcli.config import Config
from agentcli.lib.value import replace
from agentcli.llm.auth import redact_url
from agentcli.llm.efforts import offered
from agentcli.llm.fetch import fetcher
from agentcli.llm.http import Http
from agentcli.llm.local import PATIENCE, fitted, look
from agentcli.llm.models import ModelSpec, Prices
from agentcli.llm.providers import rows
from agentcli.llm.route import Provider, Route
from agentcli.llm.types import JsonObject

EDIT_TOOLS = {"patch": "ApplyPatch", "replace": "Edit"}


async def routed(name: str, config: Config, env: Mapping[str, str]) -> Route:
    """The route, also where the key is missing. Raises UserError for an unknown name."""
    keyless = [replace(row, keyless=True) for row in rows(config.providers).values()]
    route = reach(name, replace(config, providers=tuple(keyless)), env)
    local = route.provider.local and route.provider.name != DEMO
    return await _asked(route) if local else route


async def _asked(route: Route) -> Route:
    http = Http()
    try:
        return fitted(route, await look(route, fetcher(http, seconds=PATIENCE)))
    finally:
        await http.aclose()


def facts(route: Route, env: Mapping[str, str]) -> JsonObject:
    """What a route, its provider and its model are like."""
    provider, spec = route.provider, route.model
    return {
        "name": f"{provider.name}/{spec.id}",
        "known": spec.known,
        "listed_as": spec.listed_as,
        "wire": route.wire,
        "other_wire": route.other_wire,
        "url": redact_url(route.url),
        "key": _key(provider, env),
        "context": spec.context,
        "max_output": spec.max_output,
        "prices": [_price(row) for row in spec.prices],
        "factors": _factors(spec),
        "cache": {
            "mode": spec.cache.mode,
            "min_tokens": spec.cache.min_tokens,
            "max_marks": spec.cache.max_marks,
            "ttls": list(spec.cache.ttls),
            "key": spec.cache.key,
        },
        "thinking": spec.thinking,
        "efforts": list(offered(route)),
        "images": spec.images,
        "tools": provider.quirks.tools,
        "edit": EDIT_TOOLS[spec.edit],
        "quirks": [
            {"quirk": odd.quirk, "setting": odd.setting, "seen": odd.seen, "why": odd.why}
            for odd in provider.odd
        ],
    }


def _factors(spec: ModelSpec) -> dict[str, str]:
    """What an answer may still multiply; the prices of a region are in the rows."""
    kept = (pair for pair in spec.factors if pair[0] not in ("regional", "gov"))
    return {word: factor for word, factor in kept if factor != "1"}


def _key(provider: Provider, env: Mapping[str, str]) -> JsonObject:
    names = [*provider.key_env, *provider.lent_env]
    return {"names": names, "set": next((name for name in names if env.get(name)), "")}


def _price(row: Prices) -> JsonObject:
    kept = {key: getattr(row, key) for key in RATES if getattr(row, key) is not None}
    when: JsonObject = {"since": row.since, "above": row.above, "hours": [*map(list, row.hours)]}
    return kept | {key: value for key, value in when.items() if value}


def page(route: Route, env: Mapping[str, str]) -> str:
    """The facts for a person, a line each."""
    found, spec = facts(route, env), route.model
    note = f"  (as {spec.listed_as})" if spec.listed_as else ""
    lines = [found["name"] + (note if found["known"] else "  (not in the table of models)")]
    for label, text in _lines(found, spec):
        lines.append(f"  {label:12}{text}")
    return "\n".join(lines)


def _lines(found: JsonObject, spec: ModelSpec) -> Iterator[tuple[str, str]]:
    other = f", else {found['other_wire']}" if found["other_wire"] else ""
    yield "wire", f"{found['wire']}{other}, at {found['url']}"
    yield "key", _key_line(found["key"])
    yield "context", f"{spec.context:,} tokens" if spec.context else "unknown"
    yield "output", f"at most {spec.max_output:,} tokens" if spec.max_output else "limit unknown"
    if not spec.prices:
        yield "price", "unknown"
    for row in spec.prices:
        yield "price", price_line(row)
    if found["factors"]:
        yield "factors", ", ".join(f"{word} ×{by}" for word, by in found["factors"].items())
    yield "cache", _cache_line(spec)
    yield "effort", ", ".join(found["efforts"]) or "no choice"
    yield "takes", "text and images" if spec.images else "text only"
    yield "edits with", found["edit"] if found["tools"] else "nothing: it has no tools"
    for odd in found["quirks"]:
        yield "quirk", f"{odd['quirk']} = {odd['setting']!r}: {odd['why']} (seen {odd['seen']})"


def _key_line(key: JsonObject) -> str:
    if key["set"]:
        return f"{key['set']} (set)"
    return f"{' or '.join(key['names'])} (not set)" if key["names"] else "none needed"


def price_line(row: Prices) -> str:
    """`2 in, 10 out, 0.1 cached, 2.5 written; past 272,000 tokens, from 2026-12-01`."""
    words = {"cache_read": "cached", "cache_write_5m": "written", "cache_write_1h": "for an hour"}
    parts = [f"${row.input} in", f"${row.output} out"]
    parts += [f"${getattr(row, key)} {word}" for key, word in words.items() if getattr(row, key)]
    when = [size(row)] if row.above else []
    when += [f"from {row.since}"] if row.since else []
    when += [hours(row)] if row.hours else []
    return ", ".join(parts) + (f"; {', '.join(when)}" if when else "")


def _cache_line(spec: ModelSpec) -> str:
    cache = spec.cache
    if cache.mode == "none":
        return "none that we know of"
    ways = {"automatic": "automatic", "explicit": f"where marked, {cache.max_marks} marks"}
    least = f", prompts of {cache.min_tokens:,} tokens or more" if cache.min_tokens else ""
    kept = f", kept for {' or '.join(cache.ttls)}" if cache.ttls else ""
    return ways[cache.mode] + least + kept + (", by prompt_cache_key" if cache.key else "")
