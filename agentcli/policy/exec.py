"""Judging a command line by its parts: every simple command must be allowed on its own."""

from __future__ import annotations

import os
from pathlib import Path

from agentcli.lib.value import value
from agentcli.policy.commands import only_reads
from agentcli.policy.permissions import Finding, Policy, judge_path, judge_write
from agentcli.policy.rules import Rule, covers, matches_command
from agentcli.policy.secrets import is_secret_file
from agentcli.policy.shell import SHELLS, Analysis, Redirect, Simple, analyse

SUBCOMMANDS = frozenset(
    {"git", "npm", "pnpm", "yarn", "cargo", "go", "docker", "kubectl", "pip", "uv", "poetry", "gh"}
    | {"dotnet", "mvn", "gradle", "bundle", "rails", "composer", "brew", "apt", "systemctl", "bun"}
)
"""Programs of which "always" keeps the subcommand too."""
NEVER_OFFERED = (
    SHELLS
    | {"awk", "sudo", "rm", "xargs", "dd"}
    | {"mkfs", "curl", "wget", "ssh", "nc", "find", "env", "source", "."}
)
INTERPRETERS = frozenset({"python", "python3", "node", "ruby", "perl", "php", "deno"})
DELETES = frozenset({"rm", "rmdir", "unlink", "shred"})
HARMLESS_TARGETS = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty"})


@value
class Part:
    """One simple command and what decided it: for `agent permissions explain`."""

    text: str
    finding: Finding


def judge_line(tool: str, line: str, policy: Policy) -> Finding:
    """The strictest finding over the parts of a line."""
    analysis = analyse(line)
    denied = _denied(line, analysis, policy)
    if denied is not None:
        return denied
    parts = explain(line, policy, analysis)
    strict = [part.finding for part in parts if part.finding.verdict == "deny"]
    strict += [part.finding for part in parts if part.finding.hard]
    if strict:
        return strict[0]
    if analysis.problems:
        return Finding("ask", "; ".join(analysis.problems))
    asked = [part for part in parts if part.finding.verdict == "ask"]
    changes = any(part.finding.changes for part in parts)
    if not asked:
        return Finding(
            "allow",
            parts[0].finding.reason if parts else "nothing to run",
            "rule" if any(p.finding.source == "rule" for p in parts) else "mode",
            changes=changes,
        )
    first = asked[0].finding
    rules = tuple(dict.fromkeys(rule for part in asked for rule in part.finding.rules))
    offered = rules if all(part.finding.rules for part in asked) else ()
    return Finding("ask", first.reason, first.source, offered, changes=changes)


def explain(line: str, policy: Policy, analysis: Analysis | None = None) -> tuple[Part, ...]:
    """Every part of a line with its own finding."""
    analysis = analysis or analyse(line)
    parts: list[Part] = []
    for command in analysis.commands:
        found = _command(command, policy)
        parts.append(Part(command.text or command.raw, found))
        parts += [
            Part(f"{r.sign} {r.target.text}", _redirect(r, policy))
            for r in command.redirects
            if r.writes
        ]
    return tuple(parts)


def _denied(line: str, analysis: Analysis, policy: Policy) -> Finding | None:
    """Deny rules look at every command, at the whole line, and at its raw words if it is odd."""
    texts = {line.strip()}
    for command in analysis.commands:
        texts |= {command.text, command.raw, " ".join(command.raw.split())}
    if analysis.problems:
        words = line.split()
        texts |= {" ".join(words[n:]) for n in range(len(words))}
    for rule in policy.rules:
        if rule.verdict != "deny" or not covers(rule, "Bash"):
            continue
        if any(matches_command(rule, text) for text in texts):
            return Finding("deny", f"rule {rule}", "rule")
    return None


def _command(command: Simple, policy: Policy) -> Finding:
    if not command.words:
        return (
            Finding("allow", "it only sets a variable", changes=False)
            if not command.assignments or _plain(command)
            else Finding("ask", "it sets a variable that programs may obey")
        )
    danger = _undoable(command, policy)
    if danger is not None:
        return danger
    for verdict in ("ask", "allow"):
        for rule in policy.rules:
            if rule.verdict != verdict or not covers(rule, "Bash"):
                continue
            if _rule_hits(rule, command, verdict):
                return Finding(verdict, f"rule {rule}", "rule")
    touched = _touched_secret(command, policy)
    if touched is not None:
        return touched
    if only_reads(command) and not (set(command.wrappers) & {"sudo", "watch", "env"}):
        return Finding("allow", f"{command.name} only reads", changes=False)
    return Finding("ask", f"{command.name} may change something", rules=_offer(command))


def _rule_hits(rule: Rule, command: Simple, verdict: str) -> bool:
    if verdict == "allow" and (command.assignments or {"sudo", "xargs"} & set(command.wrappers)):
        return False
    if rule.pattern is None:
        return True
    if verdict == "allow" and not all(word.literal for word in command.words):
        return False
    raw = " ".join(command.raw.split())
    return matches_command(rule, command.text) or (verdict == "ask" and matches_command(rule, raw))


def _plain(command: Simple) -> bool:
    """An assignment whose name no program or loader obeys."""
    name = command.assignments[0].partition("=")[0]
    return name.islower()


def _undoable(command: Simple, policy: Policy) -> Finding | None:
    """What cannot be undone asks in every mode, or in all but bypass."""
    words = [word.text for word in command.words]
    flags = {word for word in words[1:] if word.startswith("-")}
    if command.name in DELETES:
        recursive = any(
            ("r" in f.lower() and not f.startswith("--")) or f == "--recursive" for f in flags
        )
        targets = [_located(word, policy) for word in words[1:] if not word.startswith("-")]
        if recursive and any(_is_dear(target, policy) for target in targets):
            return Finding(
                "ask", "it would delete the project, your home or the whole disk", hard=True
            )
        if recursive:
            return Finding("ask", "it deletes folders")
    if command.name == "git" and _git_loses(words[1:], flags):
        return Finding("ask", "it throws work away or rewrites what others have")
    return None


def _located(name: str, policy: Policy) -> Path:
    """Where a word points that is taken for a path."""
    name = name.replace("$HOME", "~").replace("${HOME}", "~")
    if name == "~" or name.startswith("~/"):
        name = str(policy.home) + name[1:]
    return Path(os.path.normpath(policy.root / name))


def _is_dear(real: Path, policy: Policy) -> bool:
    if real.name in ("*", ".*"):
        real = real.parent
    return (
        real in (Path("/"), policy.home, policy.root)
        or real in policy.root.parents
        or real in policy.home.parents
    )


def _git_loses(words: list[str], flags: set[str]) -> bool:
    match words[:1]:
        case ["reset"]:
            return "--hard" in flags
        case ["clean"]:
            return bool(flags)
        case ["checkout"] | ["restore"]:
            return "--" in words or "." in words or "-f" in flags or "--force" in flags
        case ["push"]:
            return any(
                f.startswith(("--force", "-f", "--mirror", "--delete", "-d")) for f in flags
            ) or any(w.startswith("+") for w in words)
        case ["stash"]:
            return bool({"drop", "clear", "pop"} & set(words))
        case ["branch"]:
            return bool({"-D", "-d", "-M", "--delete", "-f"} & flags)
        case _:
            return False


def _touched_secret(command: Simple, policy: Policy) -> Finding | None:
    """Arguments that name files are judged as the file tools' would be."""
    for word in command.words[1:]:
        text = word.text
        if not text or (text.startswith("-") and "=" not in text):
            continue
        text = text.partition("=")[2] if text.startswith("-") else text
        for name in {text, text.lstrip("@<")}:
            path = Path(
                os.path.normpath(policy.root / os.path.expanduser(name.replace("$HOME", "~")))
            )
            ruled = judge_path("Read", path, policy)
            if ruled is not None and ruled.verdict != "allow":
                return ruled
            real = Path(os.path.realpath(path))
            if is_secret_file(path) or is_secret_file(real):
                return Finding("ask", f"{name} may hold secrets", hard=True, changes=False)
            looks = "/" in name or name.startswith("~") or name == ".."
            if (
                looks
                and path.exists()
                and not policy.inside(real)
                and command.name not in ("cd", "echo")
            ):
                return Finding("ask", f"{name} is outside the project", changes=False)
        if not word.literal and "$" in text and command.name not in ("echo", "printf", "test", "["):
            return Finding("ask", f"{command.name} gets a value that is only known when it runs")
    return None


def _redirect(redirect: Redirect, policy: Policy) -> Finding:
    """A redirect is an edit of its target."""
    target = redirect.target.text
    if target in HARMLESS_TARGETS or target.isdigit() or target == "-":
        return Finding("allow", "it writes nowhere", changes=False)
    if not redirect.target.literal:
        return Finding("ask", "it writes to a file whose name is only known when it runs")
    path = _located(target, policy)
    found = judge_write("Edit", path, policy)
    return Finding(found.verdict, found.reason, found.source, (), found.hard, found.changes)


def _offer(command: Simple) -> tuple[str, ...]:
    """The exact rule that "always" would store, or none where that would allow anything."""
    if command.wrappers or command.assignments or command.name in NEVER_OFFERED:
        return ()
    if any(r.sign.startswith("<<") for r in command.redirects) or (
        command.piped and command.name in SHELLS
    ):
        return ()
    words = [word.text for word in command.words]
    if not all(word.literal for word in command.words[:2]):
        return ()
    if command.name in INTERPRETERS:
        return _offer_program(words, literal=all(word.literal for word in command.words))
    if command.name in SUBCOMMANDS:
        if len(words) < 2 or words[1].startswith("-"):
            return ()
        count = 3 if words[1] == "run" and len(words) > 2 else 2
        return (f"Bash({' '.join(words[:count])}:*)",)
    return (f"Bash({words[0]}:*)",)


def _offer_program(words: list[str], *, literal: bool) -> tuple[str, ...]:
    """A module by its name, a script with exactly these arguments; never code in an argument."""
    if words[1:2] == ["-m"] and len(words) > 2 and words[2].isidentifier():
        return (f"Bash({' '.join(words[:3])}:*)",)
    if literal and len(words) > 1 and not words[1].startswith("-"):
        return (f"Bash({' '.join(words)})",)
    return ()
