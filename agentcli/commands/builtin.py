"""The commands every session has."""

from __future__ import annotations

import time
from typing import get_args

from agentcli.commands.registry import (
    Command,
    Exit,
    Outcome,
    Registry,
    Say,
    Session,
)
from agentcli.lib.errors import UserError
from agentcli.policy.permissions import Mode
from agentcli.session.store import SessionInfo

MODES: tuple[Mode, ...] = get_args(Mode)
MODE_WORDS: dict[Mode, str] = {
    "default": "asks before edits and commands that change things",
    "accept-edits": "edits without asking; still asks before commands that change things",
    "plan": "reads and plans; changes nothing",
    "dont-ask": "denies whatever is not already allowed",
    "bypass": "asks only before what cannot be undone",
}
COMPACT = "sum up the conversation to free context, or undo that"
MCP = "MCP servers, and what their tools cost a step"
PIN = "pin a note that outlives every compaction, or list them"
KEYS = """Keys
  Enter sends · Alt+Enter, Ctrl+J or \\ Enter starts a new line
  Esc or Ctrl+C interrupts · Ctrl+C clears the line, twice leaves · Ctrl+D leaves
  Shift+Tab changes the mode · Up and Down go through history · Ctrl+R searches it
  @ names a file · ! runs a command · words typed while it works are delivered between steps"""


def builtin(custom: tuple[Command, ...] = ()) -> Registry:
    """The built-in commands, and `custom` ones after them."""
    known: list[Command] = []

    async def show_help(session: Session, arguments: str) -> Outcome:
        return Say(help_text(registry, arguments))

    known += [
        Command("help", "what you can type", show_help, "[command]", while_busy=True),
        Command("model", "show or switch the model", model, "[name]"),
        Command("mode", "show or switch the permission mode", mode, "[mode]", while_busy=True),
        Command("cost", "what this session cost, by model", cost, while_busy=True),
        Command("context", "what fills the context, and what it costs a step", context),
        Command("permissions", "mode and rules in force", permissions, while_busy=True),
        Command("mcp", MCP, mcp, "[server | restart server]", while_busy=True),
        Command("compact", COMPACT, compact, "[what to keep | undo]"),
        Command("pin", PIN, pin, "[note | remove NUMBER]"),
        Command("clear", "begin anew with an empty context", clear, aliases=("new",)),
        Command("resume", "list earlier sessions, or go on with one", resume, "[number or id]"),
        Command("exit", "leave", leave, aliases=("quit", "q"), while_busy=True),
    ]
    registry = Registry((*known, *custom))
    return registry


def help_text(registry: Registry, name: str = "") -> str:
    """All commands, or one."""
    wanted = name.removeprefix("/")
    if not wanted:
        head = [f"/{c.name} {c.usage}".strip() for c in registry.commands]
        size = max(len(words) for words in head)
        rows = zip(head, registry.commands, strict=True)
        return "\n".join([*(f"  {words:<{size}}  {c.summary}" for words, c in rows), "", KEYS])
    command = registry.find(wanted)
    if command is None:
        return registry.unknown(wanted)
    aliases = ", ".join(f"/{alias}" for alias in command.aliases)
    also = f" (also {aliases})" if aliases else ""
    return f"/{command.name} {command.usage}".strip() + f" — {command.summary}{also}"


async def model(session: Session, arguments: str) -> Outcome:
    if arguments:
        return Say(session.set_model(arguments))
    names = session.models()
    lines = [f"Model: {session.model}. Switch with /model NAME."]
    return Say("\n".join([*lines, *(f"  {name}" for name in names)]))


async def mode(session: Session, arguments: str) -> Outcome:
    if not arguments:
        lines = (
            f"{'>' if name == session.mode else ' '} {name:<13} {MODE_WORDS[name]}"
            for name in MODES
        )
        return Say("\n".join(lines))
    if arguments not in MODES:
        raise UserError(f"There is no mode {arguments!r}; choose {', '.join(MODES)}.")
    session.set_mode(arguments)
    return Say(f"Mode is now {session.mode}: {MODE_WORDS[session.mode]}.")


async def cost(session: Session, arguments: str) -> Outcome:
    return Say(session.cost_report())


async def context(session: Session, arguments: str) -> Outcome:
    return Say(session.context_report())


async def permissions(session: Session, arguments: str) -> Outcome:
    return Say(session.permissions_report())


async def mcp(session: Session, arguments: str) -> Outcome:
    return Say(session.mcp_report(arguments))


async def compact(session: Session, arguments: str) -> Outcome:
    if arguments == "undo":
        return Say(session.undo_compaction())
    return Say(await session.compact(arguments))


async def pin(session: Session, arguments: str) -> Outcome:
    if not arguments:
        return Say(session.pins())
    word, _, number = arguments.partition(" ")
    if word == "remove" and (not number or number.strip().isdecimal()):
        return Say(session.unpin(number.strip()))
    return Say(session.pin(arguments))


async def clear(session: Session, arguments: str) -> Outcome:
    await session.clear()
    return Say("New session; the context is empty.")


async def resume(session: Session, arguments: str) -> Outcome:
    if not arguments:
        return Say(session_list(session.sessions(), time.time()))
    found = session.sessions()
    name = arguments
    if arguments.isdigit() and 1 <= int(arguments) <= len(found):
        name = found[int(arguments) - 1].id
    await session.resume(name)
    return Say(f"Resumed session {session.status().session_id}.")


async def leave(session: Session, arguments: str) -> Outcome:
    return Exit()


def session_list(sessions: tuple[SessionInfo, ...], now: float) -> str:
    """Numbered, newest first."""
    if not sessions:
        return "There is no earlier session in this folder."
    lines = ["Sessions of this folder; /resume NUMBER goes on with one:"]
    for number, info in enumerate(sessions, 1):
        title = info.title or "(nothing said)"
        size = f"{info.messages} messages"
        lines.append(f"{number:>3}  {ago(now - info.modified):>8}  {title}  ({size}, {info.id})")
    return "\n".join(lines)


def ago(seconds: float) -> str:
    """`5 min`, `3 h`, `2 days`."""
    minutes = max(0, int(seconds // 60))
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h"
    return f"{minutes // (24 * 60)} days"
