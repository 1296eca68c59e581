"""Which tools of an MCP server a person knows: what is new or changed is asked about."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from difflib import unified_diff

from agentcli.lib.text import cut, visible
from agentcli.lib.value import value
from agentcli.llm.types import JsonObject
from agentcli.tools.remote import Offer

SHOWN = 4_000
"""Characters of a difference that a question shows."""
KNOWN = 8
"""Fingerprints kept of one tool."""
HELD_BACK = "Leave them out"
TAKEN = "Use them"


@value
class Approval:
    """One tool as it was approved: every fingerprint that was, and the newest words."""

    marks: tuple[str, ...]
    description: str
    schema: JsonObject


@value
class Sifted:
    known: tuple[Offer, ...]
    changed: tuple[Offer, ...]
    """Not approved as they are now, new ones among them."""


def sift(offers: Iterable[Offer], approved: Mapping[str, Approval]) -> Sifted:
    """Part what a server offers. From a server of which nothing is known everything is taken:
    the person has just configured or trusted it."""
    found = tuple(offers)
    if not approved:
        return Sifted(found, ())
    known = [o for o in found if o.tool in approved and o.mark in approved[o.tool].marks]
    return Sifted(tuple(known), tuple(o for o in found if o not in known))


def approve(approved: Mapping[str, Approval], offers: Iterable[Offer]) -> dict[str, Approval]:
    """What is approved, with these tools as they are."""
    found = dict(approved)
    for offer in offers:
        before = found[offer.tool].marks if offer.tool in found else ()
        marks = (offer.mark, *(mark for mark in before if mark != offer.mark))[:KNOWN]
        found[offer.tool] = Approval(marks, offer.description, offer.schema)
    return found


def question(server: str, changed: tuple[Offer, ...], approved: Mapping[str, Approval]) -> str:
    """What a person is asked, with the difference."""
    new = [offer for offer in changed if offer.tool not in approved]
    other = [offer for offer in changed if offer.tool in approved]
    parts = [
        *([f"{len(other)} changed since you approved them"] if other else []),
        *([f"{len(new)} new"] if new else []),
    ]
    head = f"The MCP server {server} has other tools: {', '.join(parts)}. Use these?"
    shown = [_difference(offer, approved[offer.tool]) for offer in other]
    shown += [f"+ {offer.tool}: {offer.description}" for offer in new]
    return visible(head + "\n" + cut("\n".join(shown), SHOWN))


def _difference(offer: Offer, before: Approval) -> str:
    old, new = _lines(before.description, before.schema), _lines(offer.description, offer.schema)
    lines = list(unified_diff(old, new, n=1, lineterm=""))[3:]
    return "\n".join([f"{offer.tool}:", *lines])


def _lines(description: str, schema: JsonObject) -> list[str]:
    told = visible(description).splitlines()
    return told + json.dumps(schema, indent=1, sort_keys=True).splitlines()
