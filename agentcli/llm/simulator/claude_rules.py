"""The Messages API's rules as tables: generations, thinking modes, cache minimums and resets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal

from agentcli.lib.value import value
from agentcli.llm.simulator.prefix import content_blocks
from agentcli.llm.simulator.refusal import as_object
from agentcli.llm.simulator.tokens import IMAGES, compact, objects
from agentcli.llm.types import JsonObject

Mode = Literal["adaptive", "enabled", "between_tools", "disabled"]

MAX_MARKS = 4
"""wire.md 1.12.2: with the automatic one."""
MARKABLE = (
    "text",
    "image",
    "document",
    "tool_use",
    "tool_result",
    "search_result",
    "compaction",
    "tool_addition",
)
"""wire.md 1.12.2: the blocks of messages that may carry a mark."""
LOOK_BACK = 20
"""wire.md 1.12.5: positions a mark looks at, its own included."""
LIVES = {"5m": 300.0, "1h": 3600.0}
"""wire.md 1.12.7: seconds from the start of the request that wrote or read."""
MINIMUMS = {
    **dict.fromkeys(("fable-5", "fable-5-1", "fable-5-2", "mythos-5", "mythos-5-1"), 512),
    **dict.fromkeys(("mythos-5-2", "opus-5", "opus-5-5", "sonnet-5-5", "haiku-5-5"), 512),
    **dict.fromkeys(("opus-4-8", "sonnet-5", "sonnet-4-6", "sonnet-4-5"), 1024),
    **dict.fromkeys(("opus-4-1", "opus-4", "sonnet-4"), 1024),
    **dict.fromkeys(("opus-4-7", "mythos", "haiku-3-5"), 2048),
    **dict.fromkeys(("opus-4-6", "opus-4-5", "haiku-4-5"), 4096),
}
"""wire.md 1.12.6: tokens below which a prefix is not written. `mythos` is the preview."""
OTHER_MINIMUM = 1024
STRIPS_THOUGHTS = {"haiku": (4, 5), "opus": (4, 1), "sonnet": (4, 5)}
"""wire.md 1.6: up to these a person's next word removes earlier thinking from the context."""
BINDS_PREFIX = {
    **dict.fromkeys(("fable", "mythos"), (5, 1)),
    **dict.fromkeys(("opus", "sonnet", "haiku"), (5, 5)),
}
"""wire.md 1.6: from these on a thought is refused when what stood before it changed."""
NO_PREFILL = (4, 6)
NO_SAMPLING = (4, 7)
"""wire.md 1.6: from here on a temperature other than the default is refused."""
SYSTEM_ROLE = {
    **dict.fromkeys(("fable", "mythos"), (5, 0)),
    "opus": (4, 8),
    **dict.fromkeys(("sonnet", "haiku"), (5, 5)),
}
"""wire.md 1.7: from these on `system` messages are taken between the others."""
MEDIUM = ("opus-5-5", "haiku-5-5")
"""wire.md 1.6: whose effort is medium when none is asked for; the others' is high."""
EFFORTS = ("low", "medium", "high", "xhigh", "max")

_NAME = re.compile(r"(fable|mythos|opus|sonnet|haiku)-(\d{1,2})(?!\d)(?:-(\d{1,2})(?!\d))?")
_OLD_NAME = re.compile(r"claude-(\d)-(\d)-(opus|sonnet|haiku)")


@value
class Generation:
    """Which Claude: its family and version; all rules below go by these."""

    family: str
    version: tuple[int, int]

    @property
    def key(self) -> str:
        major, minor = self.version
        return "-".join([self.family, *(str(n) for n in (major, minor) if n)])

    def since(self, table: Mapping[str, tuple[int, int]]) -> bool:
        return self.family in table and self.version >= table[self.family]


@value
class ThinkingRule:
    """What a model does without a `thinking` field, and which types it takes."""

    default: Mode
    takes: tuple[Mode, ...]
    high_at_most: tuple[Mode, ...] = ()
    """Types refused above effort high."""


_ALWAYS = ThinkingRule("adaptive", ("adaptive",))
_ON = ThinkingRule("adaptive", ("adaptive", "disabled"), ("disabled",))
_BOTH = ThinkingRule("disabled", ("adaptive", "enabled", "disabled"))
_OFF = ThinkingRule("disabled", ("adaptive", "disabled"))
THINKING = {
    **dict.fromkeys(("fable-5", "fable-5-1", "fable-5-2", "mythos-5", "mythos-5-1"), _ALWAYS),
    **dict.fromkeys(("mythos-5-2", "opus-5-5"), _ALWAYS),
    "sonnet-5-5": ThinkingRule("adaptive", ("adaptive", "between_tools"), ("between_tools",)),
    **dict.fromkeys(("haiku-5-5", "opus-5"), _ON),
    "sonnet-5": ThinkingRule("adaptive", ("adaptive", "disabled")),
    **dict.fromkeys(("opus-4-8", "opus-4-7"), _OFF),
    **dict.fromkeys(("opus-4-6", "sonnet-4-6"), _BOTH),
}
"""wire.md 1.6, the table of thinking modes."""
_MANUAL = ThinkingRule("disabled", ("enabled", "disabled"))


def generation(model: str) -> Generation | None:
    """Read a model's id in any host's spelling; None for what is no Claude."""
    old = _OLD_NAME.search(model)
    if old:
        return Generation(old[3], (int(old[1]), int(old[2])))
    name = _NAME.search(model)
    if name:
        return Generation(name[1], (int(name[2]), int(name[3] or 0)))
    return Generation("mythos", (0, 0)) if "mythos-preview" in model else None


def minimum(model: str) -> int:
    found = generation(model)
    return MINIMUMS.get(found.key, OTHER_MINIMUM) if found else OTHER_MINIMUM


def thinking_rule(model: str) -> ThinkingRule:
    found = generation(model)
    if found is None:
        return _BOTH
    return THINKING.get(found.key, _ALWAYS if found.version >= (5, 6) else _MANUAL)


def thinking_mode(body: JsonObject) -> str:
    """The mode in force: what was asked for, else the model's own (wire.md 1.6)."""
    asked = as_object(body.get("thinking"))
    if asked:
        return str(asked.get("type", ""))
    return thinking_rule(str(body.get("model", ""))).default


def effort(body: JsonObject) -> str:
    """The effort in force; naming the default is the same as naming none."""
    asked = as_object(body.get("output_config")).get("effort")
    if asked:
        return str(asked)
    found = generation(str(body.get("model", "")))
    return "medium" if found and found.key in MEDIUM else "high"


def takes_system_role(model: str) -> bool:
    found = generation(model)
    return found is None or found.since(SYSTEM_ROLE)


def strips_thoughts(model: str) -> bool:
    found = generation(model)
    return found is not None and found.version <= STRIPS_THOUGHTS.get(found.family, (0, 0))


def binds_prefix(model: str) -> bool:
    found = generation(model)
    return found is not None and found.since(BINDS_PREFIX)


def can_read(reader: str, writer: str) -> bool:
    """Whether a model reads another's thinking; what it cannot read is dropped (wire.md 1.6)."""
    mine, theirs = generation(reader), generation(writer)
    if mine is None or theirs is None or mine == theirs:
        return mine == theirs
    if theirs.key in ALSO_READ.get(mine.key, ()):
        return True
    if mine.family in ("fable", "mythos") and mine.version >= (5, 1):
        return theirs.version <= mine.version
    limits = READS_UP_TO.get(mine.key)
    return limits is not None and theirs.version <= limits.get(theirs.family, (0, 0))


_SMALLER = {"sonnet": (5, 0), "opus": (4, 8), "haiku": (4, 5)}
READS_UP_TO = {
    "opus-5-5": {"opus": (5, 0), "sonnet": (5, 0), "haiku": (4, 5)},
    "sonnet-5-5": _SMALLER,
    "haiku-5-5": _SMALLER,
}
ALSO_READ = {
    **dict.fromkeys(("fable-5-1", "fable-5-2", "mythos-5-1", "mythos-5-2"), ("opus-5-5",)),
    "opus-5-5": ("sonnet-5-5", "haiku-5-5"),
    "sonnet-5-5": ("haiku-5-5",),
}


@value
class Resets:
    """What besides its blocks a part's prefix depends on (wire.md 1.12.10, the table)."""

    tools: str
    system: str
    messages: str


def resets(body: JsonObject, beta: str = "") -> Resets:
    """The settings that lose a part's cache when they change, as one text a part."""
    model = str(body.get("model", ""))
    config = as_object(body.get("output_config"))
    system = [_has_citations(body), body.get("speed") or "standard"]
    thinking = as_object(body.get("thinking"))
    messages = [
        _choice(body),
        has_images(body),
        thinking_mode(body),
        thinking.get("budget_tokens"),
        effort(body),
        config.get("format"),
        body.get("context_management"),
        sorted({part.strip() for part in beta.split(",")} - {""}),
    ]
    return Resets(model, compact(system), compact(messages))


def _choice(body: JsonObject) -> JsonObject:
    """The tool choice in force, without what only says the default."""
    asked = as_object(body.get("tool_choice")) or {"type": "auto"}
    return {name: asked[name] for name in sorted(asked) if asked[name] is not False}


def has_images(body: JsonObject) -> bool:
    return any(block.get("type") in IMAGES for block in _everything(body))


def _has_citations(body: JsonObject) -> bool:
    return any(as_object(block.get("citations")).get("enabled") for block in _everything(body))


def _everything(body: JsonObject) -> Iterator[JsonObject]:
    """The blocks of the messages, each followed by those inside it."""
    for message in objects(body.get("messages")):
        for block in content_blocks(message.get("content")):
            yield block
            yield from objects(block.get("content"))
