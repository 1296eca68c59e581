"""The agent: a conversation that takes prompts one at a time and can be interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from agentcli.agent.events import Notice, TurnEnd, TurnReason, TurnStart
from agentcli.agent.loop import Client, Frame, run_turn
from agentcli.agent.turn import Limits, Surroundings, TurnSteps
from agentcli.llm.budget import OverBudget
from agentcli.llm.errors import LLMError
from agentcli.llm.types import Image, Text, UserMessage


@dataclass(slots=True)
class Agent:
    """Holds the collaborators and the transcript; what they do is theirs.

    `frame` is asked before every request, so that a model switch takes effect between steps.
    """

    client: Client
    around: Surroundings
    frame: Callable[[], Frame]
    limits: Callable[[], Limits]
    turns: int = 0
    _queue: list[str] = field(default_factory=list[str])
    _task: asyncio.Task[TurnReason] | None = None
    _why: TurnReason = "interrupted"

    @property
    def busy(self) -> bool:
        return self._task is not None

    async def prompt(self, content: tuple[Text | Image, ...], *context: str) -> TurnEnd:
        """Run one turn. `context` comes from hooks and follows the person's words."""
        self.turns += 1
        steps = TurnSteps(self.around, self.limits(), self._queue)
        self.around.emit(TurnStart(self.turns, self.frame().model))
        self.around.transcript.append(UserMessage(content, "human"))
        for text in context:
            self.around.transcript.append(UserMessage((Text(text),), "hook"))
        self._task = asyncio.ensure_future(
            run_turn(self.frame, self.around.transcript, self.client, steps)
        )
        error = ""
        try:
            reason = await self._task
        except asyncio.CancelledError:
            if not self._task.cancelled() or _cancelling():
                self._task.cancel()
                raise
            reason = self._why
        except OverBudget as why:
            reason = steps.unaffordable(why)
        except LLMError as failure:
            reason, error = "error", str(failure)
            self.around.emit(Notice("error", error))
        finally:
            self._task = None
        end = TurnEnd(reason, steps.steps, steps.usage, steps.cost, error)
        self.around.emit(end)
        return end

    def interrupt(self, reason: TurnReason = "interrupted") -> None:
        """End the running turn now; what was said is kept and every call is answered."""
        if self._task is not None:
            self._why = reason
            self._task.cancel()

    def steer(self, text: str) -> None:
        """Words for the model, delivered between two steps of the running turn."""
        self._queue.append(text)

    def take_queued(self) -> tuple[str, ...]:
        """What was typed but never delivered, because the turn ended first."""
        queued = tuple(self._queue)
        self._queue.clear()
        return queued


def _cancelling() -> bool:
    """Whether our own caller is being cancelled, rather than only the turn."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
