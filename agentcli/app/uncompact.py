"""Undoing a compaction: an epoch with what stood before it, and what was said since."""

from __future__ import annotations

from agentcli.agent.loop import Frame
from agentcli.app.talk import Talk
from agentcli.context.compaction import due, short
from agentcli.lib.errors import UserError
from agentcli.lib.value import replace
from agentcli.llm.counting import counted
from agentcli.llm.models import ModelSpec
from agentcli.session.epochs import earlier


def uncompact(talk: Talk, frame: Frame, model: ModelSpec, at: float) -> str:
    """Begin the epoch and say so; raises UserError where that can't be.

    Replies keep their provider's own blocks, so the same bytes go out as before the summary; `at`
    is the share of the window past which it would be compacted again at once.
    """
    found = earlier(talk.file.path) if talk.file is not None else None
    if found is None:
        raise UserError("There is no compaction in this session's file to undo.")
    messages = (*found.before, *found.since)
    request = replace(frame.request(talk.transcript), messages=messages)
    tokens = counted(request, model.id, None, 0).tokens
    if due(tokens, model.context, model.max_output, at):
        raise UserError(
            f"The compaction can't be undone: with {short(tokens)} tokens in a window of "
            f"{short(model.context or 0)}, the next request would compact again."
        )
    talk.transcript.restart(messages)
    talk.remote = found.remote
    talk.begin_epoch(frame.model, messages, restores=found.epoch)
    talk.used = tokens
    return (
        f"Undone: the conversation is whole again, {short(tokens)} tokens, which the next message "
        f"sends anew unless the cache still holds them."
    )
