"""Which API a path belongs to, and what the path itself says (wire.md 1.11, 3.1, 4.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import unquote

from agentcli.lib.value import value
from agentcli.llm.simulator.bedrock import Bedrock
from agentcli.llm.simulator.chat import Chat
from agentcli.llm.simulator.claude import Claude
from agentcli.llm.simulator.claude_hosted import BEDROCK, VERTEX, HostedClaude
from agentcli.llm.simulator.dialect import Dialect, Store
from agentcli.llm.simulator.gemini import Gemini
from agentcli.llm.simulator.responses import Responses
from agentcli.llm.simulator.vendors import Vendor

Job = Literal["reply", "count", "store"]
BY_WORKSPACE = ("anthropic",)
"""wire.md 1.12: each workspace has a cache of its own; elsewhere an organisation has one."""


@value
class Place:
    """One endpoint. Where the path names a model or says that it streams, the body does not."""

    dialect: Dialect
    job: Job = "reply"
    model: str = ""
    streams: bool | None = None
    """None where the body says it."""
    store: Store | None = None


class Routes:
    """Every API of one account, found by the end of the path: each host puts its own before it."""

    def __init__(self, vendor: Vendor | None) -> None:
        claude, responses, gemini, bedrock = Claude(), Responses(), Gemini(), Bedrock()
        vertex, invoked = HostedClaude(VERTEX), HostedClaude(BEDROCK)
        self._places = [
            (re.compile(pattern + "$"), place)
            for pattern, place in (
                ("/messages/count_tokens", Place(claude, "count")),
                ("/responses/input_tokens", Place(responses, "count")),
                ("/messages", Place(claude)),
                ("/responses", Place(responses)),
                ("/chat/completions", Place(Chat(vendor))),
                ("/models/count-tokens:rawPredict", Place(vertex, "count")),
                (r"/publishers/anthropic/models/(.+):(?:streamR|r)awPredict", Place(vertex)),
                ("/model/([^/]+)/converse-stream", Place(bedrock, streams=True)),
                ("/model/([^/]+)/converse", Place(bedrock, streams=False)),
                ("/model/([^/]+)/count-tokens", Place(bedrock, "count")),
                ("/model/([^/]+)/invoke-with-response-stream", Place(invoked, streams=True)),
                ("/model/([^/]+)/invoke", Place(invoked, streams=False)),
                ("/models/(.+):streamGenerateContent", Place(gemini, streams=True)),
                ("/models/(.+):generateContent", Place(gemini, streams=False)),
                ("/models/(.+):countTokens", Place(gemini, "count")),
                ("/cachedContents(?:/[^/]+)?", Place(gemini, "store", store=gemini.store)),
            )
        ]

    def find(self, path: str) -> Place | None:
        for pattern, place in self._places:
            found = pattern.search(path)
            if found is not None:
                model = unquote(found[1]) if pattern.groups else place.model
                return Place(place.dialect, place.job, model, place.streams, place.store)
        return None


class Accounts:
    """What every account has cached at every host: one reads nothing of another's.

    `owners` says of a key whose it is, as `organisation/workspace`; the others are of one. Hosts
    stand for regions (wire.md 2.8.5, 4.5).
    """

    def __init__(self, vendor: Vendor | None, owners: Mapping[str, str]) -> None:
        self._vendor = vendor
        self._owners = owners
        self._routes: dict[tuple[str, str], Routes] = {}

    def find(self, host: str, path: str, key: str, headers: Mapping[str, str]) -> Place | None:
        account = self._owners.get(key, "")
        place = self._of(host, account.partition("/")[0]).find(path)
        if place is None or place.dialect.wire not in BY_WORKSPACE:
            return place
        workspace = headers.get("anthropic-workspace-id", "")
        return self._of(host, f"{account}/{workspace}").find(path)

    def _of(self, host: str, account: str) -> Routes:
        if (host, account) not in self._routes:
            self._routes[host, account] = Routes(self._vendor)
        return self._routes[host, account]
