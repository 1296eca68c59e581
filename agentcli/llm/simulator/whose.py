"""Whose rules a recorded request is played by: its host's, else those of its model's maker."""

from __future__ import annotations

from functools import cache
from urllib.parse import urlsplit

from agentcli.lib.value import replace
from agentcli.llm.providers import PROVIDERS
from agentcli.llm.simulator.chat_cache import BEHIND_OPENROUTER
from agentcli.llm.simulator.recorded import Recorded
from agentcli.llm.simulator.vendors import VENDORS, Vendor, vendor_of

MAKERS = {
    "qwen": "dashscope",
    "qwq": "dashscope",
    "mistral": "mistral",
    "codestral": "mistral",
    "devstral": "mistral",
    "magistral": "mistral",
    "glm": "zai",
    "minimax": "minimax",
}
"""The beginnings of bare names, beside those that `vendor_of` knows."""
BEHIND = {"azure": "openai", "moonshot-cn": "moonshot", "dashscope-cn": "dashscope"} | {
    "codestral": "mistral",
    "bigmodel": "zai",
}
"""Hosts whose rules are those of another row."""


def whose(request: Recorded) -> tuple[str, Vendor | None]:
    """The provider's name, and the vendor of Chat Completions behind it; None elsewhere."""
    provider = _hosts().get(request.host, "")
    if not request.path.endswith("/chat/completions"):
        return provider or request.host, None
    vendor = VENDORS.get(BEHIND.get(provider, provider)) or _maker(
        str(request.body.get("model") or "")
    )
    lenient = vendor if vendor.name == "openai" else replace(vendor, checks_fields=False)
    return provider or vendor.name, lenient


def _maker(model: str) -> Vendor:
    maker, slash, _ = model.partition("/")
    if slash and maker in BEHIND_OPENROUTER:
        return VENDORS["openrouter"]
    name = model.lower()
    found = next((vendor for start, vendor in MAKERS.items() if name.startswith(start)), None)
    return VENDORS[found] if found else vendor_of(model)


@cache
def _hosts() -> dict[str, str]:
    """Provider by host, where its URL names one; the first row of a host counts."""
    found: dict[str, str] = {}
    for row in PROVIDERS.values():
        host = urlsplit(row.url).netloc
        if host and "{" not in host:
            found.setdefault(host, row.name)
    return found
