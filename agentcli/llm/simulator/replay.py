"""Recorded requests played through the cache rules: what each would read, write and miss, and why.

Signatures of real providers cannot be checked here, so their thoughts count as plain text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, cast

from agentcli.lib.errors import UserError
from agentcli.lib.value import value
from agentcli.llm.marks import SECONDS, CachePlan, Mark
from agentcli.llm.miss import Miss, Sent, explain
from agentcli.llm.simulator.dialect import Call, Heard
from agentcli.llm.simulator.recorded import Recorded
from agentcli.llm.simulator.refusal import Refused, as_object
from agentcli.llm.simulator.routes import Routes
from agentcli.llm.simulator.seal import unseal
from agentcli.llm.simulator.tokens import objects
from agentcli.llm.simulator.vendors import Vendor
from agentcli.llm.simulator.whose import kind_of, whose
from agentcli.llm.simulator.wire_shape import WireShape, wire_shape
from agentcli.llm.types import JsonObject, Usage

HEADERS = {"anthropic-version": "2023-06-01"}
SKIPPED = "skip_thought_signature_validator"
BRANCHES = 128
"""Conversations of one vendor whose newest request is remembered."""


@value
class Played:
    """What one request met. `why` says why something that was cached was not read."""

    number: int
    model: str
    usage: Usage
    why: str = ""
    reason: str = ""
    """The kind of `why`, in the ledger's words."""
    lost: int = 0
    """Tokens that were sent anew for it."""
    refused: str = ""

    def __str__(self) -> str:
        """The request as one line for a person."""
        head = f"{self.number:4}  {self.model:28}"
        if self.refused:
            return f"{head}  refused: {self.refused}"
        written = self.usage.cache_write_5m + self.usage.cache_write_1h
        counts = (
            f"{self.usage.cache_read:>9,} read {written:>9,} written {self.usage.input:>9,} new"
        )
        return f"{head}{counts}  {self.why}".rstrip()


def told(played: Played) -> JsonObject:
    """The same as JSON, in the words of wire.md 0.1."""
    usage = played.usage
    return {
        "request": played.number,
        "model": played.model,
        "cache_read": usage.cache_read,
        "cache_write_5m": usage.cache_write_5m,
        "cache_write_1h": usage.cache_write_1h,
        "uncached_input": usage.input,
        "why": played.why or None,
        "reason": played.reason or None,
        "lost": played.lost,
        "refused": played.refused or None,
    }


def play(requests: Iterable[Recorded]) -> Iterator[Played]:
    """Each request in turn, answered at once, under the rules of its vendor.

    Raises UserError for one that no API answers.
    """
    known: dict[tuple[str, str], _Account] = {}
    for number, request in enumerate(requests, 1):
        provider, vendor = whose(request)
        key = request.host, vendor.name if vendor else ""
        if key not in known:
            known[key] = _Account(provider, vendor)
        yield known[key].play(number, request)


class _Account:
    """One vendor's APIs and the conversations that were had there."""

    def __init__(self, provider: str, vendor: Vendor | None) -> None:
        self._provider = provider
        self._vendor = vendor
        self._routes = Routes(vendor)
        self._talks: list[_Talk] = []

    def play(self, number: int, request: Recorded) -> Played:
        place = self._routes.find(request.path)
        if place is None or place.job != "reply":
            raise UserError(f"{request.where}: no API answers at {request.path}.")
        model = place.model or str(request.body.get("model") or "")
        headers = HEADERS | dict(request.headers)
        shape = wire_shape(request.body, model, headers.get("anthropic-beta", ""))
        body = cast("JsonObject", _trusted(request.body))
        before = self._before(shape)
        if before:
            before.goes_on(body)
        try:
            call = Call(request.path, headers, body, number, request.at, place.model)
            heard = place.dialect.hear(call)
        except Refused as refused:
            return Played(number, model, Usage(), refused=str(refused))
        heard.publish()
        heard.ended({"role": "assistant", "content": cast("list[Any]", [])})
        talk = _Talk(self._sent(request, shape, heard.usage, place.dialect.wire), shape, heard)
        missed = _missed(talk, before, self._latest(shape))
        self._remember(talk, before)
        if missed is None:
            return Played(number, model, heard.usage)
        return Played(number, model, heard.usage, missed.text, missed.kind, missed.lost)

    def _sent(self, request: Recorded, shape: WireShape, usage: Usage, wire: str) -> Sent:
        model, marks = shape.shape.model, shape.marks
        kind = kind_of(wire, model, self._vendor, marked=bool(marks))
        life = SECONDS[kind.ttls[0]] if kind.ttls else None
        if kind.mode == "explicit" and marks:
            life = SECONDS.get(marks[-1], life)
        placed = [Mark("latest", "1h" if ttl == "1h" else "5m") for ttl in marks]
        plan = CachePlan(tuple(placed), life=life)
        key = str(request.body.get("prompt_cache_key") or "")
        links = shape.links
        return Sent(shape.shape, self._provider, request.at, usage, plan, kind, links, key=key)

    def _before(self, shape: WireShape) -> _Talk | None:
        """The request that this one goes on from: of the same model, with the most in common."""
        model = shape.shape.model
        same = [talk for talk in self._talks if talk.sent.shape.model == model]
        best = max(same, key=lambda talk: talk.shared(shape), default=None)
        shared = best.shared(shape) if best else 0
        whole = best and shared in (shape.shape.count, best.sent.shape.count)
        if shared and (whole or shape.answered):
            return best
        return same[-1] if same and (shape.shape.summary or shape.answered) else None

    def _latest(self, shape: WireShape) -> Sent | None:
        """The newest of the same conversation, to another model."""
        model = shape.shape.model
        others = [talk for talk in self._talks if talk.sent.shape.model != model]
        same = [talk for talk in others if talk.shared(shape)]
        return same[-1].sent if same else None

    def _remember(self, talk: _Talk, before: _Talk | None) -> None:
        """In place of what it goes on from, so that one request stands for a conversation."""
        if before and before.shared(talk.shape) == before.shape.shape.count:
            self._talks.remove(before)
        self._talks = [*self._talks[-BRANCHES:], talk]


@value
class _Talk:
    """The newest request of one conversation."""

    sent: Sent
    shape: WireShape
    heard: Heard

    def shared(self, other: WireShape) -> int:
        """How many messages both begin with."""
        pairs = enumerate(zip(self.shape.links, other.links, strict=False))
        first = next((index for index, (mine, its) in pairs if mine != its), None)
        return min(len(self.shape.links), len(other.links)) if first is None else first

    def goes_on(self, body: JsonObject) -> None:
        """What was replied stands in the next request; some vendors keep it, too."""
        place = self.shape.heads + self.shape.shape.count
        for message in objects(body.get("messages"))[place : place + 1]:
            if message.get("role") == "assistant":
                self.heard.ended(message)


def _missed(now: _Talk, before: _Talk | None, latest: Sent | None) -> Miss | None:
    """In the ledger's words, and what only shows in requests that another program made."""
    kind = now.sent.kind
    if kind.mode == "explicit" and not now.sent.plan.marks:
        return Miss("marks", "nothing is marked")
    found = explain(now.sent, before.sent if before else None, latest)
    if found and found.kind in ("routed", "unknown") and kind.mode == "explicit":
        return Miss("marks", "no mark within reach of what was cached", found.lost)
    return found


def _trusted(part: Any) -> Any:
    """Thoughts that carry somebody else's signature, as the plain text they are for a cache."""
    if isinstance(part, list):
        return [_trusted(inner) for inner in cast("list[Any]", part)]
    if not isinstance(part, dict):
        return part
    block = cast("JsonObject", part)
    match block.get("type"):
        case "thinking" | "redacted_thinking" if _is_foreign(
            block.get("signature") or block.get("data")
        ):
            return {"type": "text", "text": block.get("thinking") or "…"}
        case "reasoning" if _is_foreign(block.get("encrypted_content")):
            content = [{"type": "output_text", "text": _text(block.get("summary"))}]
            return {"type": "message", "role": "assistant", "content": content}
        case _:
            pass
    if "reasoningContent" in block and _is_foreign(_signature(block["reasoningContent"])):
        return {"text": _text(block["reasoningContent"])}
    if _is_foreign(block.get("thoughtSignature")) and block.get("thoughtSignature"):
        block = block | {"thoughtSignature": SKIPPED}
    return {name: _trusted(inner) for name, inner in block.items()}


def _signature(reasoning: Any) -> Any:
    """Where Converse has it."""
    told = as_object(as_object(reasoning).get("reasoningText"))
    return told.get("signature") or as_object(reasoning).get("redactedContent")


def _is_foreign(signature: Any) -> bool:
    return not (isinstance(signature, str) and unseal(signature))


def _text(part: Any) -> str:
    return json.dumps(part, ensure_ascii=False)
