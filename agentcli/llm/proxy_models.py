"""What a LiteLLM proxy serves under a name: whose model, how large, at what price."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

from agentcli.lib.value import replace
from agentcli.llm import models
from agentcli.llm.auth import auth_headers
from agentcli.llm.cost import rates_for
from agentcli.llm.errors import LLMError
from agentcli.llm.fetch import Fetch
from agentcli.llm.hosted import MAKERS, NATIVE
from agentcli.llm.models import ModelSpec, Prices
from agentcli.llm.proxy import ROW
from agentcli.llm.route import Route
from agentcli.llm.types import JsonObject, PreparedRequest, Usage

RATES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write_5m": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
}


async def fitted(route: Route, fetch: Fetch) -> Route:
    """The route with what its proxy says of the model (wire.md 5.14); else as it was."""
    root = route.url.removesuffix("/v1")
    try:
        answer = await fetch(PreparedRequest(f"{root}/model/info", auth_headers(route), b"", "GET"))
    except LLMError:
        return route
    listed = answer.json() if answer.status == 200 else None
    rows = [row for row in _rows(listed) if row.get("model_name") == route.model.id]
    return _fit(route, rows) if rows else route


def _fit(route: Route, rows: list[JsonObject]) -> Route:
    """Of several deployments the first says what it costs, the smallest how much fits."""
    maker, _, name = str(_object(rows[0].get("litellm_params")).get("model")).partition("/")
    infos = [_object(row.get("model_info")) for row in rows]
    home = models.find(name, maker) if maker in MAKERS else None
    wire = NATIVE.get((ROW, maker), "") if home else route.model.wire
    spec = home or route.model
    sees = infos[0].get("supports_vision")
    spec = replace(
        spec,
        id=route.model.id,
        provider=route.provider.name,
        context=_least(infos, "max_input_tokens") or spec.context,
        max_output=_least(infos, "max_output_tokens") or spec.max_output,
        prices=_prices(infos[0], spec) or route.model.prices,
        images=sees if isinstance(sees, bool) else spec.images,
        wire=wire,
    )
    other = "openai-chat" if wire == "openai-responses" else ""
    return replace(route, model=spec, wire=wire or route.provider.wire, other_wire=other)


def _prices(info: JsonObject, spec: ModelSpec) -> tuple[Prices, ...]:
    """The proxy's flat rates; our own list where that begins with the same, since it has tiers."""
    rates = dict(_rates(info))
    if not {"input", "output"} <= rates.keys() or not any(Decimal(r) for r in rates.values()):
        return ()
    ours = rates_for(Usage(input=1), spec, datetime.now(UTC))
    if ours and all(_same(getattr(ours, name), rate) for name, rate in rates.items()):
        return spec.prices
    more = ("cache_read", "cache_write_5m", "cache_write_1h")
    read, short, long = (rates.get(name) for name in more)
    return (Prices(rates["input"], rates["output"], read, short, long),)


def _same(ours: str | None, theirs: str) -> bool:
    return ours is None or Decimal(ours) == Decimal(theirs)


def _rates(info: JsonObject) -> Iterator[tuple[str, str]]:
    """In USD per million tokens."""
    for name, field in RATES.items():
        rate = info.get(field)
        if isinstance(rate, int | float) and not isinstance(rate, bool) and rate >= 0:
            yield name, f"{(Decimal(str(rate)) * 1_000_000).normalize():f}"


def _least(infos: Iterable[JsonObject], field: str) -> int | None:
    sizes = (info.get(field) for info in infos)
    return min((n for n in sizes if type(n) is int and n > 0), default=None)


def _rows(listed: Any) -> list[JsonObject]:
    data: Any = _object(listed).get("data")
    return [_object(row) for row in cast("list[Any]", data)] if isinstance(data, list) else []


def _object(data: Any) -> JsonObject:
    return cast("JsonObject", data) if isinstance(data, dict) else {}
