"""Newer prices, fetched when a person asks for them and never else: `agent models refresh`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from agentcli.lib.errors import UserError
from agentcli.lib.files import write
from agentcli.lib.value import value
from agentcli.llm import models
from agentcli.llm.auth import redact_url
from agentcli.llm.catalogue.newer import in_force, newer
from agentcli.llm.catalogue.published import read
from agentcli.llm.errors import LLMError
from agentcli.llm.fetch import Answer, Fetch
from agentcli.llm.types import JsonObject, PreparedRequest

Rows = Mapping[str, Mapping[str, JsonObject]]


@value
class Change:
    """One model whose prices are no longer what they were; None where it had none."""

    name: str
    before: list[JsonObject] | None
    after: list[JsonObject]


async def refresh(fetch: Fetch, url: str, file: Path, now: datetime) -> tuple[Change, ...] | None:
    """Fetch the list and keep in `file` what it has otherwise than the shipped table.

    None when it is the one we have. Raises UserError, the old file kept, when nothing sound came.
    """
    old = _stored(file, url)
    tag = old.get("etag")
    request = PreparedRequest(url, {"if-none-match": tag} if tag else {}, method="GET")
    try:
        answer = await fetch(request)
    except LLMError as error:
        raise UserError(f"No prices were fetched: {error}") from None
    if answer.status == 304 and tag:
        return None
    rows = _sound(answer, url)
    table: JsonObject = {
        "fetched": now.isoformat(timespec="seconds"),
        "url": url,
        "etag": answer.headers.get("etag", ""),
        "models": rows,
    }
    try:
        write(file, json.dumps(table, separators=(",", ":")).encode())
    except OSError as error:
        raise UserError(f"Cannot write {file}: {error.strerror}.") from None
    return tuple(_changes(old.get("models", {}), rows))


def _sound(answer: Answer, url: str) -> Rows:
    where = redact_url(url)
    if answer.status != 200:
        raise UserError(f"No prices were fetched: {where} answered HTTP {answer.status}.")
    table = models.shipped()
    try:
        return newer(read(answer.body), table["models"], table["left_out"])
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"The price list at {where} is broken, so the prices stay as they were: {error}."
        ) from None


def _stored(file: Path, url: str) -> JsonObject:
    """What was fetched from there since the shipped table was made; nothing where it is spoilt."""
    try:
        data: Any = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    old = cast("JsonObject", data) if isinstance(data, dict) else {}
    fresh = old.get("url") == url and str(old.get("fetched")) >= models.shipped()["made"]
    return old if fresh and isinstance(old.get("models"), dict) else {}


def _changes(old: Rows, new: Rows) -> list[Change]:
    shipped: Rows = models.shipped()["models"]
    found: list[Change] = []
    for provider in sorted({*old, *new}):
        for name in sorted({*old.get(provider, {}), *new.get(provider, {})}):
            row = shipped.get(provider, {}).get(name, {})
            before = (row | old.get(provider, {}).get(name, {})).get("prices")
            after = (row | new.get(provider, {}).get(name, {})).get("prices")
            if after is not None and before != after:
                found.append(Change(f"{provider}/{name}", before, after))
    return found


def told(change: Change) -> str:
    """One line: what each class cost, and costs now; or that later or larger prices differ."""
    before, after = in_force(change.before or []), in_force(change.after)
    if not before:
        words = [f"{key} {after[key]}" for key in after]
        return f"{change.name}: new, {', '.join(words)}"
    words = [
        f"{key} {before.get(key, '-')} → {after.get(key, '-')}"
        for key in dict.fromkeys((*before, *after))
        if before.get(key) != after.get(key)
    ]
    return f"{change.name}: {', '.join(words) or 'its tiers or the prices of another day'}"
