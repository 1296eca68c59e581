"""A history made legal before it is sent: calls answered once, no orphans, nothing empty.

A session must always be able to go on, whatever a crash, a hook or another vendor left in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import is_
from typing import Any, TypeVar, cast

from agentcli.lib.value import replace
from agentcli.llm.surrogates import well_formed, well_formed_json
from agentcli.llm.types import (
    AssistantMessage,
    Image,
    JsonObject,
    Message,
    Native,
    Text,
    Thinking,
    ToolCall,
    ToolOutput,
    UserMessage,
)

NOT_RUN = "interrupted: this call was not run"
NO_BEGINNING = "(the beginning of this conversation is missing)"
IMAGE_GONE = "(an earlier image was left out: there were too many)"
MAX_IMAGES = 100
"""Images the strictest API takes in one request."""
IMAGE_STEP = 20
"""Images left out at a time, so that not every new one breaks the cached prefix."""
_ID_KEYS = ("id", "call_id", "tool_call_id", "toolUseId")
_ARGUMENTS = ("input", "arguments", "args")
_Block = TypeVar("_Block", bound=Text | Image | Thinking | ToolCall | ToolOutput)


def repair(messages: tuple[Message, ...]) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    """The messages, legal for every wire, and what was repaired, in words.

    The same object comes back when nothing is wrong. A longer history is repaired like the
    shorter one it begins with, so that cached prefixes hold and old repairs read the same.
    """
    return Repairer().repaired(messages)


class Repairer:
    """`repair` for a history that grows: what nothing can be added to is looked at once."""

    def __init__(self) -> None:
        self._closed: tuple[Message, ...] = ()
        self._work = _Work()

    def repaired(
        self, messages: tuple[Message, ...]
    ) -> tuple[tuple[Message, ...], tuple[str, ...]]:
        if not _begins_with(messages, self._closed):
            self._closed, self._work = (), _Work()
        done = len(self._closed)
        *closed, last = _runs(messages[done:], done + 1)
        for run in closed:
            self._work.add(*run)
        if closed:
            self._closed = messages[: last[0] - 1]
        work = self._work.copy()
        work.add(*last)
        work.leave_out_images()
        if work.fixed and isinstance(work.fixed[0], AssistantMessage):
            work.note(1, "the conversation did not begin with the user")
            work.fixed.insert(0, UserMessage((Text(NO_BEGINNING),), "reminder"))
        return (tuple(work.fixed), tuple(work.notes)) if work.notes else (messages, ())


def _begins_with(messages: tuple[Message, ...], begin: tuple[Message, ...]) -> bool:
    return len(begin) < len(messages) and all(map(is_, messages, begin))


def _runs(
    messages: tuple[Message, ...], start: int
) -> Iterator[tuple[int, AssistantMessage | None, list[UserMessage]]]:
    """Each assistant message with its number and the user messages up to the next one."""
    assistant, users = None, list[UserMessage]()
    for number, message in enumerate(messages, start):
        if isinstance(message, UserMessage):
            users.append(message)
            continue
        yield start, assistant, users
        start, assistant, users = number, message, []
    yield start, assistant, users


@dataclass(slots=True)
class _Work:
    """The repaired messages so far, the call ids they use, and what was done to them."""

    fixed: list[Message] = field(default_factory=list[Message])
    notes: list[str] = field(default_factory=list[str])
    used: set[str] = field(default_factory=set[str])
    images: int = 0

    def copy(self) -> _Work:
        return _Work(list(self.fixed), list(self.notes), set(self.used), self.images)

    def note(self, number: int, what: str) -> None:
        self.notes.append(f"message {number}: {what}")

    def add(
        self, number: int, assistant: AssistantMessage | None, users: list[UserMessage]
    ) -> None:
        """One reply and what the user's side said to it; `number` counts messages from 1."""
        owed: list[tuple[str, str]] = []
        if assistant is not None:
            kept = self._reply(number, assistant)
            if kept is not None:
                self.fixed.append(kept)
                old, new = assistant.tool_calls, kept.tool_calls
                owed = [(a.id, b.id) for a, b in zip(old, new, strict=True)]
            number += 1
        if not _is_answered(owed, users):
            users = self._answered(number, owed, users)
        for offset, user in enumerate(users):
            cleaned = self._user(number + offset, user)
            if cleaned is not None:
                self.fixed.append(cleaned)
                self.images += _images(cleaned)

    def _reply(self, number: int, message: AssistantMessage) -> AssistantMessage | None:
        # Models write blank lines before a call all the time; the wires know what to do with them.
        spoken = tuple(b for b in message.content if not (isinstance(b, Text) and not b.text))
        content = self._cleaned(number, message.content, spoken)
        if not content and not (message.native and message.native.blocks):
            self.note(number, "an empty reply was left out")
            return None
        if content is not message.content:
            message = replace(message, content=content)
        return self._with_own_ids(number, message)

    def _with_own_ids(self, number: int, message: AssistantMessage) -> AssistantMessage:
        """Ids that were used before are renamed, in the provider's own blocks too."""
        if message.stop != "tool_use":
            return message
        names: dict[str, list[str]] = {}
        content: list[Text | Thinking | ToolCall] = []
        for block in message.content:
            if isinstance(block, ToolCall):
                fresh = self._fresh(number, block.id)
                names.setdefault(block.id, []).append(fresh)
                content.append(block if fresh == block.id else replace(block, id=fresh))
            else:
                content.append(block)
        if all([old] == fresh for old, fresh in names.items()):
            return message
        return replace(message, content=tuple(content), native=_renamed(message.native, names))

    def _fresh(self, number: int, call_id: str) -> str:
        fresh, count = call_id or "call", 1
        while fresh in self.used:
            count += 1
            fresh = f"{(call_id or 'call')[:56]}_{count}"
        if fresh != call_id:
            self.note(number, f"the call id {call_id!r} became {fresh!r}: ids are used once")
        self.used.add(fresh)
        return fresh

    def _answered(
        self, number: int, owed: list[tuple[str, str]], users: list[UserMessage]
    ) -> list[UserMessage]:
        """Exactly one output a call, all in the first message and before anything else."""
        found: dict[str, list[ToolOutput]] = {}
        for block in _outputs(*users):
            found.setdefault(block.call_id, []).append(block)
        told = len(self.notes)
        answers: list[ToolOutput] = []
        for old, new in owed:
            given = found.get(old)
            if not given:
                self.note(number, f"the call {new!r} had no output")
            output = given.pop(0) if given else ToolOutput(new, (Text(NOT_RUN),), is_error=True)
            answers.append(output if output.call_id == new else replace(output, call_id=new))
        for call_id in (block.call_id for rest in found.values() for block in rest):
            self.note(number, f"an output for {call_id!r} answered no call")
        if len(self.notes) == told and any(old == new for old, new in owed):
            self.note(number, "outputs were put directly after their calls")
        return _placed(answers, users)

    def _user(self, number: int, message: UserMessage) -> UserMessage | None:
        spoken = tuple(b for b in message.content if not _is_blank(b))
        content = self._cleaned(number, message.content, spoken)
        if not content:
            self.note(number, "an empty message was left out")
            return None
        return message if content is message.content else replace(message, content=content)

    def _cleaned(
        self, number: int, content: tuple[_Block, ...], spoken: tuple[_Block, ...]
    ) -> tuple[_Block, ...]:
        """What is `spoken` of it, without half characters; the same tuple if that is all."""
        kept = tuple(_well_formed(block) for block in spoken)
        if len(kept) != len(content):
            self.note(number, "an empty block was left out")
            return kept
        if all(new is old for new, old in zip(kept, content, strict=True)):
            return content
        self.note(number, "half a character was replaced")
        return kept

    def leave_out_images(self) -> None:
        """The oldest ones, where there are more than any API takes."""
        if self.images <= MAX_IMAGES:
            return
        drop = -(-(self.images - MAX_IMAGES) // IMAGE_STEP) * IMAGE_STEP
        self.notes.append(f"the {drop} oldest images were left out")
        for index, message in enumerate(self.fixed):
            if isinstance(message, UserMessage) and drop and _images(message):
                gone = min(drop, _images(message))
                self.fixed[index] = replace(message, content=_faded(message.content, gone))
                drop -= gone


def _is_answered(owed: list[tuple[str, str]], users: list[UserMessage]) -> bool:
    """Whether the first message begins with one output for each call, and there are no others."""
    outputs = _outputs(*users)
    if not owed and not outputs:
        return True
    leading = users[0].content[: len(owed)] if users else ()
    names = {block.call_id for block in leading if isinstance(block, ToolOutput)}
    same = all(old == new for old, new in owed) and names == {new for _, new in owed}
    return same and len(outputs) == len(owed)


def _outputs(*users: UserMessage) -> list[ToolOutput]:
    return [block for user in users for block in user.content if isinstance(block, ToolOutput)]


def _placed(answers: list[ToolOutput], users: list[UserMessage]) -> list[UserMessage]:
    """The answers first: in the first message if it held any, else in one of their own.

    So a history that ends in unanswered calls reads the same once the user has gone on.
    """
    bare = [
        replace(user, content=tuple(b for b in user.content if not isinstance(b, ToolOutput)))
        for user in users
    ]
    joined = bool(users) and bool(_outputs(users[0]))
    if joined:
        bare[0] = replace(bare[0], content=(*answers, *bare[0].content))
    elif answers:
        bare.insert(0, UserMessage(tuple(answers), "tool"))
    return [user for user in bare if user.content]


def _is_blank(block: Text | Image | ToolOutput) -> bool:
    return isinstance(block, Text) and not block.text.strip()


def _well_formed(block: _Block) -> _Block:
    match block:
        case Text(text) | Thinking(text):
            clean = well_formed(text)
            return block if clean is text else replace(block, text=clean)
        case ToolCall():
            value = well_formed_json(block.input)
            return block if value is block.input else replace(block, input=value)
        case ToolOutput(_, content):
            parts = tuple(_well_formed(part) for part in content)
            same = all(new is old for new, old in zip(parts, content, strict=True))
            return block if same else replace(block, content=parts)
        case _:
            return block


def _renamed(native: Native | None, names: dict[str, list[str]]) -> Native | None:
    if native is None:
        return None
    left = {old: iter(fresh) for old, fresh in names.items()}
    return replace(native, blocks=tuple(_rename(block, left) for block in native.blocks))


def _rename(value: Any, left: dict[str, Iterator[str]]) -> Any:
    """The n-th block that carries an id gets its n-th new name; arguments are left alone."""
    if isinstance(value, list):
        return [_rename(inner, left) for inner in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    block = cast("JsonObject", value)
    old = next(
        (block[k] for k in _ID_KEYS if isinstance(block.get(k), str) and block[k] in left), None
    )
    fresh = next(left[old], old) if old is not None else None
    return {
        name: fresh
        if name in _ID_KEYS and inner == old
        else (inner if name in _ARGUMENTS else _rename(inner, left))
        for name, inner in block.items()
    }


def _images(message: Message) -> int:
    if isinstance(message, AssistantMessage):
        return 0
    outputs = (part for block in _outputs(message) for part in block.content)
    return sum(isinstance(block, Image) for block in (*message.content, *outputs))


def _faded(
    content: tuple[Text | Image | ToolOutput, ...], gone: int
) -> tuple[Text | Image | ToolOutput, ...]:
    """The first `gone` images replaced by a word about them."""
    kept: list[Text | Image | ToolOutput] = []
    for block in content:
        parts = block.content if isinstance(block, ToolOutput) else (block,)
        images = sum(isinstance(part, Image) for part in parts)
        if not images or not gone:
            kept.append(block)
            continue
        faded = tuple(_without_first(parts, gone))
        kept += [replace(block, content=faded)] if isinstance(block, ToolOutput) else faded
        gone = max(0, gone - images)
    return tuple(kept)


def _without_first(parts: tuple[Text | Image, ...], gone: int) -> Iterator[Text | Image]:
    for part in parts:
        if isinstance(part, Image) and gone:
            gone -= 1
            yield Text(IMAGE_GONE)
        else:
            yield part
