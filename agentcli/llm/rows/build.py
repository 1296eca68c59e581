"""How rows are written down, and the quirks that several of them share."""

from __future__ import annotations

from typing import Any, TypeAlias

from agentcli.llm.route import Auth, Odd, Provider, Quirks
from agentcli.llm.types import JsonObject

SEEN = "2026-11-22"
"""The day of the fact sheet; a later finding carries its own date."""
PLAIN = Quirks()
Row: TypeAlias = tuple[str, JsonObject, tuple[Odd, ...]]
"""Name, fields and quirks; a hundred of these cost a start what twenty providers would."""


def odd(quirk: str, setting: Any, why: str, seen: str = SEEN) -> Odd:
    return Odd(quirk, setting, seen, why)


def row(
    name: str,
    url: str,
    keys: str,
    *odds: Odd,
    wire: str = "openai-chat",
    auth: Auth = "bearer",
    **more: Any,
) -> Row:
    """A provider. `keys`, `lent` and `bases` are names of variables, with spaces between."""
    return name, {"url": url, "key_env": keys, "wire": wire, "auth": auth} | more, odds


def local(name: str, url: str, *odds: Odd, keys: str = "") -> Row:
    return row(name, url, keys, *odds, auth="bearer" if keys else "none", local=True)


def provider(row: Row) -> Provider:
    """A row as a value. `<NAME>_BASE_URL` and `<NAME>_API_BASE` (LiteLLM's word) move it."""
    name, fields, odds = row
    fields = dict(fields)
    stem = name.upper().replace("-", "_")
    bases = (f"{stem}_BASE_URL", *fields.pop("bases", "").split(), f"{stem}_API_BASE")
    return Provider(
        name,
        fields.pop("url"),
        fields.pop("wire"),
        key_env=tuple(fields.pop("key_env").split()),
        lent_env=tuple(fields.pop("lent", "").split()),
        base_env=bases,
        quirks=Quirks(**{each.quirk: each.setting for each in odds}) if odds else PLAIN,
        odd=odds,
        **fields,
    )


NEW_LIMIT = odd("max_tokens_field", "max_completion_tokens", "`max_tokens` is deprecated here")
CACHE_KEY = odd("prompt_cache_key", True, "requests of one key meet the same cache")
MARKS = odd("cache_control", True, "its explicit cache reads at a tenth of the price")
NO_PADDING = odd("obfuscation", True, "padding doubles the bytes of a stream")
REPLAY = odd("reasoning_replay", "reasoning_content", "a turn with calls is refused without it")
