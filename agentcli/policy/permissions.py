"""May this happen? One pure decision for every road: mode, rules and the un-skippable list."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from agentcli.lib.value import replace, value
from agentcli.llm.types import ToolCall
from agentcli.policy.protected import is_protected
from agentcli.policy.rules import Rule, covers, matches_command, matches_host, matches_path
from agentcli.policy.secrets import is_secret_file
from agentcli.policy.verdict import Decision, Mode, Source, Verdict
from agentcli.tools.base import Action

__all__ = ["Decision", "Mode", "Policy", "Source", "Verdict", "decide"]


@value
class Policy:
    """Everything a decision depends on besides the call itself."""

    mode: Mode
    rules: tuple[Rule, ...]
    root: Path
    extra_dirs: tuple[Path, ...] = ()
    home: Path = Path("/root")
    outputs: Path | None = None
    """Where this session's long outputs are kept: may be read, not written."""

    def inside(self, path: Path) -> bool:
        """Whether a path is in the project or a folder the person added."""
        folders = (self.root, *self.extra_dirs)
        return any(path.is_relative_to(_real(folder)) for folder in folders)

    def readable(self, path: Path) -> bool:
        """Whether a path is inside, or a long output that the model was told of."""
        kept = self.outputs is not None and path.is_relative_to(_real(self.outputs))
        return kept or self.inside(path)


@value
class Finding:
    """What is known before the mode speaks."""

    verdict: Verdict
    reason: str
    source: Source = "mode"
    rules: tuple[str, ...] = ()
    hard: bool = False
    """An ask that no mode and no hook takes away."""
    changes: bool = True


def decide(
    call: ToolCall, action: Action, policy: Policy, *, hook: Verdict | None = None
) -> Decision:
    """deny > ask > allow; then the mode. A hook's allow skips a plain question only."""
    found = _judge(call.name, action, policy)
    if found.verdict == "deny":
        return Decision("deny", found.reason, found.source)
    if hook == "deny":
        return Decision("deny", "a hook denied it", "hook")
    if policy.mode == "plan" and found.changes:
        return Decision("deny", "plan mode: nothing is changed or run", "mode")
    if hook == "ask" and found.verdict == "allow":
        found = Finding("ask", "a hook wants you to decide", "hook")
    return _by_mode(found, policy.mode, hook)


def _by_mode(found: Finding, mode: Mode, hook: Verdict | None) -> Decision:
    if found.verdict == "allow":
        return Decision("allow", found.reason, found.source)
    firm = found.hard or found.source in ("rule", "hook")
    if mode == "dont-ask":
        return Decision("deny", f"{found.reason} (mode dont-ask)", "mode")
    if hook == "allow" and not firm:
        return Decision("allow", "a hook allowed it", "hook")
    if mode == "bypass" and not firm:
        return Decision("allow", "mode bypass", "mode")
    return Decision("ask", found.reason, found.source, found.rules)


def _judge(tool: str, action: Action, policy: Policy) -> Finding:
    blanket = _by_rules(policy, lambda rule: rule.pattern is None and covers(rule, tool), "deny")
    if blanket is not None:
        return blanket
    match action.kind:
        case "read":
            return _reading(tool, Path(action.target), policy)
        case "edit":
            return _editing(tool, action, policy)
        case "exec":
            from agentcli.policy.exec import judge_line

            return judge_line(tool, action.target, policy)
        case "fetch":
            host = action.target.partition("://")[2].partition("/")[0]
            return _named(tool, policy, lambda rule: matches_host(rule, host))
        case "mcp":
            return _named(tool, policy, lambda rule: True)
        case "other":
            return _harmless(tool, action.target, policy)


def _named(tool: str, policy: Policy, matches: Callable[[Rule], bool]) -> Finding:
    for verdict in ("deny", "ask", "allow"):
        found = _by_rules(policy, lambda rule: covers(rule, tool) and matches(rule), verdict)
        if found is not None:
            return found
    return Finding("ask", f"{tool} reaches outside", rules=(tool,))


def _harmless(tool: str, name: str, policy: Policy) -> Finding:
    """What changes nothing by itself, unless a rule speaks of it, as `Task(explore)` does."""
    for verdict in ("deny", "ask"):
        found = _by_rules(
            policy, lambda rule: covers(rule, tool) and matches_command(rule, name), verdict
        )
        if found is not None:
            return replace(found, changes=False)
    return Finding("allow", "it changes nothing outside this conversation", changes=False)


def _by_rules(policy: Policy, matches: Callable[[Rule], bool], verdict: Verdict) -> Finding | None:
    for rule in policy.rules:
        if rule.verdict == verdict and matches(rule):
            return Finding(verdict, f"rule {rule}", "rule")
    return None


def _reading(tool: str, target: Path, policy: Policy) -> Finding:
    found = judge_path(tool, target, policy)
    if found is not None:
        return found
    real = _real(target)
    if is_secret_file(target) or is_secret_file(real):
        return Finding("ask", f"{target.name} may hold secrets", hard=True, changes=False)
    if policy.readable(real) or _is_library(real):
        return Finding("allow", "reading in the project", changes=False)
    rule = f"Read(/{real}/**)" if real.is_dir() else f"Read(/{real})"
    return Finding("ask", f"{target} is outside the project", rules=(rule,), changes=False)


def judge_path(tool: str, target: Path, policy: Policy) -> Finding | None:
    """What the rules say about a file, whichever road leads to it."""
    real = _real(target)
    for verdict in ("deny", "ask", "allow"):

        def hit(rule: Rule) -> bool:
            return covers(rule, tool) and any(
                matches_path(rule, path, policy.root, policy.home) for path in {target, real}
            )

        found = _by_rules(policy, hit, verdict)
        if found is not None:
            return Finding(verdict, found.reason, "rule", changes=tool not in ("Read", "Grep"))
    return None


def _editing(tool: str, action: Action, policy: Policy) -> Finding:
    """The strictest finding over all files that would be written."""
    order = {"deny": 0, "ask": 1, "allow": 2}
    findings = [judge_write(tool, Path(path), policy) for path in action.paths or (action.target,)]
    return min(findings, key=lambda found: (order[found.verdict], not found.hard))


def judge_write(tool: str, target: Path, policy: Policy) -> Finding:
    """One file that would be written, by a tool or a redirect."""
    real = _real(target)
    ruled = judge_path(tool, target, policy)
    if ruled is not None and ruled.verdict == "deny":
        return ruled
    if any(is_protected(path, policy.root, policy.home) for path in {target, real}):
        return Finding("ask", f"{target} can run things or change what is allowed", hard=True)
    if ruled is not None:
        return ruled
    if not policy.inside(real):
        return Finding("ask", f"{target} is outside the project", hard=policy.mode != "bypass")
    if policy.mode == "accept-edits":
        return Finding("allow", "mode accept-edits")
    return Finding("ask", "it changes a file", rules=("Edit",))


def _real(path: Path) -> Path:
    """Links followed, also of a file that does not exist yet."""
    return Path(os.path.realpath(path))


def _is_library(path: Path) -> bool:
    """Installed sources that people look into: site-packages and system headers."""
    text = path.as_posix()
    return "/site-packages/" in text or text.startswith(("/usr/include/", "/usr/share/doc/"))
