"""The table of providers: how a row is written down, and how one is found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any, TypeAlias, cast

from agentcli.llm.route import Auth, Odd, Provider, Quirks
from agentcli.llm.types import JsonObject

SEEN = "2026-11-22"
"""The day of the fact sheet; a later finding carries its own date."""
TABLES = ("makers", "clouds", "hosts", "gateways")
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
    """A provider. `keys`, `lent`, `tokens`, `bases`: names of variables, with spaces between."""
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
        token_env=tuple(fields.pop("tokens", "").split()),
        base_env=bases,
        quirks=Quirks(**{each.quirk: each.setting for each in odds}) if odds else PLAIN,
        odd=odds,
        **fields,
    )


NEW_LIMIT = odd("max_tokens_field", "max_completion_tokens", "`max_tokens` is deprecated here")
CACHE_KEY = odd("prompt_cache_key", True, "requests of one key meet the same cache")
MARKS = odd("cache_control", True, "its explicit cache reads at a tenth of the price")
BARE_SCHEMAS = odd("plain_schemas", True, "$id, $schema and additionalProperties are refused")
NO_PADDING = odd("obfuscation", True, "padding doubles the bytes of a stream")
REPLAY = odd("reasoning_replay", "reasoning_content", "a turn with calls is refused without it")


class Rows(Mapping[str, Provider]):
    """Providers by name; a table is read, and a row made, when a name first needs it.

    `own` ones win over ours.
    """

    def __init__(self, own: Iterable[Provider] = ()) -> None:
        self._made = {row.name: row for row in own}
        self._rows: dict[str, Row] = {}
        self._unread = dict.fromkeys(TABLES)

    def __getitem__(self, name: str) -> Provider:
        if name not in self:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = provider(self._rows[name])
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        while name not in self._made and name not in self._rows and self._unread:
            self._read()
        return name in self._made or name in self._rows

    def __iter__(self) -> Iterator[str]:
        while self._unread:
            self._read()
        return iter(dict.fromkeys((*self._rows, *tuple(self._made))))

    def __len__(self) -> int:
        return len(tuple(iter(self)))

    def _read(self) -> None:
        """One table; it counts as read when its rows are there, since threads may look at once."""
        name = next(iter(tuple(self._unread)), None)
        if name is None:
            return
        table = import_module(f"{__name__}.{name}")
        self._rows |= {row[0]: row for row in cast("tuple[Row, ...]", table.ROWS)}
        self._unread.pop(name, None)
