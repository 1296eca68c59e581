"""Fetches newer prices into the person's data folder: `agent models refresh`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from agentcli.config import places
from agentcli.llm.catalogue.published import URL
from agentcli.llm.fetch import fetcher
from agentcli.llm.http import Http
from agentcli.llm.prices import Change, refresh

PATIENCE = 60.0
"""Seconds for the whole list."""


async def refreshed(env: Mapping[str, str]) -> tuple[Change, ...] | None:
    """What changed; None when nothing newer is published. AGENT_PRICES_URL moves the list."""
    http = Http()
    try:
        url = env.get("AGENT_PRICES_URL") or URL
        fetch = fetcher(http, seconds=PATIENCE)
        return await refresh(fetch, url, places(env).prices, datetime.now(UTC))
    finally:
        await http.aclose()
