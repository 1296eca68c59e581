"""A LiteLLM proxy on the way: what it is told of a request, and what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from agentcli.lib.value import value

ROW = "litellm"
"""Our row for it; another row may prove to be one by its answers."""


@value
class Standing:
    """What a proxy said with its last answer."""

    model: str
    """The model that stands behind the name it was asked for."""
    spent: Decimal | None
    """USD that its key has spent so far."""
    budget: Decimal | None
    """USD that its key may spend."""


def hints(session: str) -> dict[str, str]:
    """Headers: whose request it is, for its logs, and that nobody but us tries again.

    Else its retries multiply with ours.
    """
    told = {"x-litellm-num-retries": "0"}
    if session:
        told |= {"x-litellm-session-id": session, "x-litellm-trace-id": session}
    return told


def standing(headers: Mapping[str, str]) -> Standing | None:
    """What the head of an answer says; None where it comes from no LiteLLM."""
    if "x-litellm-version" not in headers:
        return None
    return Standing(
        headers.get("x-litellm-model-name", ""),
        _usd(headers.get("x-litellm-key-spend", "")),
        _usd(headers.get("x-litellm-key-max-budget", "")),
    )


def _usd(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None
