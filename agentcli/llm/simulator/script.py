"""What the simulated model says: a list of steps, some of them conditional, some of them faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from agentcli.lib.value import made, replace, value
from agentcli.llm.types import JsonObject

TroubleKind = Literal["cut", "reset", "cut_in_call", "malformed", "error"]
FaultName = Literal[
    "rate_limited",
    "quota",
    "overloaded",
    "context_overflow",
    "unauthorized",
    "no_key",
    "model_not_found",
    "server_error",
    "html",
    "empty",
    "json_error_200",
]


@value
class Asked:
    """One request as the model reads it, whatever its wire: what a script may react to."""

    wire: str
    model: str
    body: JsonObject
    number: int
    """Counted from 1 over the provider's life."""
    system: str
    texts: tuple[str, ...]
    """Every user text, oldest first."""
    results: tuple[str, ...]
    """The tool results that came last, in their order; empty when a person spoke last."""

    @property
    def latest(self) -> str:
        """What is new: the last results, else the last user text."""
        return "\n".join(self.results) or (self.texts[-1] if self.texts else "")


@value
class Say:
    text: str


@value
class Think:
    text: str
    redacted: bool = False


@value
class Use:
    """A tool call. `raw` replaces the arguments as sent: broken JSON, or none at all."""

    name: str
    input: JsonObject = made(default_factory=dict[str, Any])
    id: str = ""
    raw: str | None = None


Part: TypeAlias = Say | Think | Use


@value
class Trouble:
    """How a reply breaks after it began.

    `after` counts bytes of the body for "cut" (a clean end of the body that comes too early) and
    "reset" (the connection breaks), deltas for "malformed" and "error".
    """

    kind: TroubleKind
    after: int = 1
    error: str = "overloaded_error"
    """The vendor's word in an error event."""


@value
class Turn:
    """One reply of the model."""

    parts: tuple[Part, ...]
    stop: str = ""
    """A stop reason of wire.md 0.1, or the wire's own word; what the parts imply when empty."""
    usage: JsonObject | None = None
    """Fields laid over the computed usage object."""
    reports_usage: bool = True
    trouble: Trouble | None = None
    wait: float = 0.0
    """Seconds before the first byte of the answer."""
    pause: float = 0.0
    """Seconds before each event."""

    @property
    def calls(self) -> tuple[Use, ...]:
        return tuple(part for part in self.parts if isinstance(part, Use))


@value
class Failure:
    """An answer that is no reply: any status, headers and body."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = made(default_factory=dict[str, str])


@value
class Fault:
    """A failure by name, in the words of whichever vendor is asked."""

    name: FaultName
    retry_after: float | None = None
    """Seconds, sent as a header."""


@value
class Drop:
    """The connection is closed before a byte of answer."""


@value
class Hang:
    """Nothing is ever answered."""


Outcome: TypeAlias = Turn | Failure | Fault | Drop | Hang


@value
class When:
    """A step for requests that pass a test; for others the script goes on without it."""

    test: Callable[[Asked], bool]
    then: Step


Step: TypeAlias = "Outcome | When | Callable[[Asked], Outcome]"


@value
class Script:
    """Steps are used up in order. Rules are asked first, at every request, and never used up."""

    steps: tuple[Step, ...] = ()
    rules: tuple[When, ...] = ()
    delta: int = 24
    """Characters of text in one delta."""
    chunk: int = 0
    """Bytes in one piece of the body; 0 for one event a piece."""


def says(text: str) -> Turn:
    return Turn((Say(text),))


def calls(*wanted: tuple[str, JsonObject], text: str = "") -> Turn:
    """Tool calls as (name, input), all in one reply, after a text if one is given."""
    said: tuple[Part, ...] = (Say(text),) if text else ()
    return Turn(said + tuple(Use(name, arguments) for name, arguments in wanted))


def thinks(thought: str, turn: Turn) -> Turn:
    """The same turn, thought about first."""
    return replace(turn, parts=(Think(thought), *turn.parts))


def breaks(turn: Turn, kind: TroubleKind, after: int = 1, *, error: str = "") -> Turn:
    """The same turn, broken off or spoilt on its way."""
    trouble = Trouble(kind, after, error) if error else Trouble(kind, after)
    return replace(turn, trouble=trouble)


def as_script(script: Script | Sequence[Step]) -> Script:
    return script if isinstance(script, Script) else Script(tuple(script))


class Player:
    """A script being played: remembers which steps are used up."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._next = 0

    @property
    def left(self) -> int:
        """Steps not yet reached."""
        return len(self._script.steps) - self._next

    def play(self, asked: Asked) -> Outcome:
        """The outcome for this request; a plain text saying so when the script is over."""
        for rule in self._script.rules:
            outcome = _outcome(rule, asked)
            if outcome is not None:
                return outcome
        while self._next < len(self._script.steps):
            step = self._script.steps[self._next]
            self._next += 1
            outcome = _outcome(step, asked)
            if outcome is not None:
                return outcome
        count = len(self._script.steps)
        return says(f"The script is over: all {count} of its steps have been played.")


def _outcome(step: Step, asked: Asked) -> Outcome | None:
    if isinstance(step, When):
        return _outcome(step.then, asked) if step.test(asked) else None
    if isinstance(step, Turn | Failure | Fault | Drop | Hang):
        return step
    return step(asked)
