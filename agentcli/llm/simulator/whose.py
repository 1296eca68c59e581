"""Whose rules a recorded request is played by: its host's, else those of its model's maker."""

from __future__ import annotations

from functools import cache
from urllib.parse import urlsplit

from agentcli.lib.value import replace
from agentcli.llm.models import CacheKind
from agentcli.llm.providers import PROVIDERS
from agentcli.llm.simulator.bedrock_rules import NOVA_LEAST, family
from agentcli.llm.simulator.chat_cache import BEHIND_OPENROUTER, QWEN_LEAST, rule_of
from agentcli.llm.simulator.claude import AUTOMATIC
from agentcli.llm.simulator.claude_rules import LIVES, MAX_MARKS, generation, minimum
from agentcli.llm.simulator.gemini_rules import CACHES, version
from agentcli.llm.simulator.gemini_rules import minimum as gemini_least
from agentcli.llm.simulator.gpt_cache import BILLS_WRITES, LEAST
from agentcli.llm.simulator.recorded import Recorded
from agentcli.llm.simulator.vendors import VENDORS, Vendor, gpt_version, vendor_of

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


def kind_of(wire: str, model: str, vendor: Vendor | None, *, marked: bool) -> CacheKind:
    """How a model caches where a request was played, as the ledger knows models."""
    match wire:
        case "gemini":
            mode = "automatic" if version(model) >= CACHES else "none"
            return CacheKind(mode, gemini_least(model))
        case "openai-responses":
            return _openais(model)
        case "openai-chat":
            return _chats(vendor or vendor_of(model), model, marked=marked)
        case "bedrock" if family(model) != "claude":
            nova = CacheKind("explicit", NOVA_LEAST, MAX_MARKS, ("5m",))
            known = {"nova": nova, "openai": _openais(model)}
            return known.get(family(model), CacheKind())
        case _ if vendor_of(model).name in AUTOMATIC:
            return CacheKind("automatic")
        case _:
            return CacheKind("explicit", minimum(model), MAX_MARKS, tuple(LIVES))


def _openais(model: str) -> CacheKind:
    bills = gpt_version(model) >= BILLS_WRITES
    return CacheKind("automatic", LEAST, ttls=("30m",) if bills else ())


def _chats(vendor: Vendor, model: str, *, marked: bool) -> CacheKind:
    rule = rule_of(vendor, model)
    if marked and rule.heeds(model):
        least = minimum(model) if generation(model) else QWEN_LEAST
        return CacheKind("explicit", least, MAX_MARKS, tuple(LIVES))
    if rule.kind == "openai":
        return _openais(model)
    if rule.kind == "none":
        return CacheKind()
    return CacheKind("automatic", rule.least if rule.kind == "steps" else 0)


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
