"""Money before it is spent: the most a request can cost, and whether budgets hold it; pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Literal

from agentcli.lib.value import replace, value
from agentcli.llm.cost import MILLION, anew, factor_for, price, rates_reached
from agentcli.llm.errors import LLMError
from agentcli.llm.estimate import (
    most_tokens_of_message,
    tokens_of_message,
    tokens_of_request,
)
from agentcli.llm.miss import IDLE, Sent
from agentcli.llm.models import ModelSpec, Prices
from agentcli.llm.types import Request, Usage

Scope = Literal["turn", "session", "day", "repo"]
SCOPES: tuple[Scope, ...] = ("turn", "session", "day", "repo")
LEAST_OUTPUT = 1_024
"""A reply shorter than this is not worth asking for."""
USUAL_OUTPUT = 32_000
"""What the wires ask for where a request does not say (`DEFAULT_MAX_OUTPUT`)."""
DEAREST_OUTPUT = 65_536
"""What the wire of Gemini asks for instead."""
HEAD_MARGIN = Decimal("1.5")
"""How far our count of tools and system prompt, which are plain words, may be too low."""
TOOLS_OVERHEAD = 600
"""Tokens that a provider adds to a prompt with tools (a few hundred at Anthropic)."""
HORIZON = timedelta(hours=1)
"""Within which a request goes that money was promised to, however often it is tried again."""
UNASKED = (("priority",), ("us", "eu"))
"""Tiers, and regions, that an account may have set for all its requests: one of each counts."""
SMALL_CHANGE = 64
"""Tokens of what holds a few messages together."""
WARNING = Decimal("0.8")


@value
class Purse:
    """One budget in USD. `held` is promised to requests on their way."""

    scope: Scope
    limit: Decimal
    spent: Decimal = Decimal(0)
    held: Decimal = Decimal(0)

    @property
    def left(self) -> Decimal:
        return max(Decimal(0), self.limit - self.spent - self.held)

    @property
    def is_low(self) -> bool:
        return self.spent >= self.limit * WARNING


@value
class Bound:
    """The most one request can cost: its prompt at the dearest class, and all of its output."""

    tokens: int
    """Of the prompt, at most."""
    prompt: Decimal
    output: int
    """Tokens."""
    rate: Decimal
    """USD for one token of output."""

    @property
    def total(self) -> Decimal:
        return self.prompt + self.output * self.rate


@value
class Grant:
    """The request may go: `held` USD are promised to it. `max_output` is set where it was cut."""

    held: Decimal
    max_output: int | None = None


@value
class Refusal:
    """The purse that cannot hold even the shortest reply."""

    purse: Purse
    least: Decimal
    """USD that would be needed."""


def expected_tokens(request: Request, before: Sent | None) -> tuple[int, int]:
    """Tokens of a prompt: what is expected, and the most it may be.

    Where the previous request was reported, only what came since is estimated.
    """
    same = before is not None and before.usage is not None and _goes_on(request, before)
    if same and before is not None and before.usage is not None:
        known = before.usage.prompt + before.usage.output
        new = request.messages[before.shape.count + 1 :]
        added = sum(map(tokens_of_message, new))
        return known + added, known + sum(map(most_tokens_of_message, new)) + SMALL_CHANGE
    said = sum(map(tokens_of_message, request.messages))
    head = tokens_of_request(request) - said
    most = int(head * HEAD_MARGIN) + sum(map(most_tokens_of_message, request.messages))
    return head + said, most + (TOOLS_OVERHEAD if request.tools else SMALL_CHANGE)


def _goes_on(request: Request, before: Sent) -> bool:
    """Whether the request adds to the previous one and its reply."""
    old = before.shape
    if old.count >= len(request.messages) or len(request.tools) != len(old.tools):
        return False
    return before.last is None or request.messages[old.count - 1] == before.last


def upper_bound(
    tokens: int,
    max_output: int | None,
    model: ModelSpec,
    at: datetime,
    factor: Decimal = Decimal(1),
) -> Bound | None:
    """What a prompt of at most `tokens` can cost at most; None where a price is unknown.

    The dearest class counts, of every tier that so long a prompt passes, at the dearest hour until
    the request will have gone; `factor` is what the account's tier and region multiply it by.
    """
    moments = (at, at + HORIZON)
    rows = [row for moment in moments for row in rates_reached(tokens, model, moment)]
    if not rates_reached(tokens, model, at) or not rows:
        return None
    prompt = max(map(_dearest, rows)) * factor / MILLION
    output = max(Decimal(row.output) for row in rows) * factor / MILLION
    return Bound(tokens, tokens * prompt, _most_output(max_output, model), output)


def _most_output(wanted: int | None, model: ModelSpec) -> int:
    """What is asked for, or the wires ask for; half the window where a limit is not known."""
    usual = DEAREST_OUTPUT if model.provider == "gemini" else USUAL_OUTPUT
    if model.max_output is None and model.context:
        usual = min(usual, model.context // 2)
    return min(wanted or usual, model.max_output or wanted or usual)


def dearest_factor(model: ModelSpec) -> Decimal:
    """What an account's settings may multiply a price by, before an answer tells."""
    most = Decimal(1)
    for words in UNASKED:
        most *= max(Decimal(1), *(factor_for(model, word) for word in words))
    return most


def _dearest(row: Prices) -> Decimal:
    classes = (row.input, row.cache_read, row.cache_write_5m, row.cache_write_1h)
    return max(Decimal(rate) for rate in classes if rate is not None)


def reserve(purses: tuple[Purse, ...], bound: Bound) -> Grant | Refusal:
    """Whether all purses hold the request, if need be with a shorter reply."""
    if not purses:
        return Grant(Decimal(0))
    tightest = min(purses, key=lambda purse: purse.left)
    if bound.total <= tightest.left:
        return Grant(bound.total)
    shortest = min(LEAST_OUTPUT, bound.output)
    least = bound.prompt + shortest * bound.rate
    if least > tightest.left:
        return Refusal(tightest, least)
    room = (tightest.left - bound.prompt) / bound.rate
    output = int(room.to_integral_value(ROUND_FLOOR))
    return Grant(bound.prompt + output * bound.rate, output)


def hold(purses: tuple[Purse, ...], amount: Decimal) -> tuple[Purse, ...]:
    """Promise `amount` to a request; a negative one takes a promise back."""
    return tuple(replace(purse, held=max(Decimal(0), purse.held + amount)) for purse in purses)


def settle(purses: tuple[Purse, ...], held: Decimal, spent: Decimal) -> tuple[Purse, ...]:
    """The bill came: the promise becomes what it really cost."""
    freed = hold(purses, -held)
    return tuple(replace(purse, spent=purse.spent + spent) for purse in freed)


@value
class Rewrite:
    """What the next message sends anew, in tokens and USD; None where the price is unknown."""

    tokens: int
    usd: Decimal | None
    extra: Decimal | None
    """How much dearer that is than reading them from a warm cache."""


def rewrite_cost(
    before: Sent | None, model: ModelSpec, now: float, used: int = 0
) -> Rewrite | None:
    """What the next message will send anew because the cache was left alone for too long.

    `used` is how long the conversation is now, if known: a summary may have made it shorter.
    None while the cache lives, where nobody promises how long it does, and where nothing is in it.
    """
    life = before.plan.life if before else None
    if before is None or life is None or now - before.at < life or not before.held:
        return None
    kept = before.plan.anchor
    lives = kept is not None and kept.sure and now - kept.at < kept.life
    tokens = min(before.held, used or before.held) - (kept.tokens if kept and lives else 0)
    if tokens <= 0:
        return None
    at = datetime.fromtimestamp(now, UTC)
    long = any(mark.ttl == "1h" for mark in before.plan.marks)
    dear = price(anew(tokens, model, long=long), model, at=at)
    warm = price(Usage(cache_read=tokens), model, at=at)
    if dear is None or warm is None:
        return Rewrite(tokens, None, None)
    return Rewrite(tokens, dear.total, dear.total - warm.total)


def unread(before: Sent | None, latest: Sent | None, now: float, used: int) -> int:
    """Tokens of a conversation of `used` tokens that a model asked next has to read uncached.

    `before` is its own last request, `latest` the newest to any: what it cached it reads, as long
    as that lives and the conversation still begins so.
    """
    if before is None or latest is None or before.shape.begins != latest.shape.begins:
        return used
    life = IDLE if before.plan.life is None else before.plan.life
    return used if now - before.at >= life else max(0, used - before.held)


class OverBudget(LLMError):
    """A request was not sent, because a budget can't hold it."""

    kind = "budget"
