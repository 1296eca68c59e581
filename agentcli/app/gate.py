"""Permission at run time: the policy in force, the person who answers, the rules they keep."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from agentcli.agent.events import Answer, Frontend, PermissionQuestion
from agentcli.app.options import Options
from agentcli.app.talk import Ground
from agentcli.config import Config, load_allowed, save_allowed
from agentcli.lib.value import replace
from agentcli.llm.types import ToolCall
from agentcli.policy.permissions import Decision, Mode, Policy, Verdict, decide
from agentcli.policy.rules import parse_rule
from agentcli.tools.base import Action


def gate_from(options: Options, config: Config, ground: Ground, frontend: Frontend) -> PolicyGate:
    """Rules from configuration, flags and earlier "always" answers; the mode in force."""
    here = ground.root
    rules = [parse_rule(rule.text, rule.verdict, rule.base) for rule in config.rules]
    rules += [parse_rule(text, "deny", here) for text in split_rules(options.disallowed_tools)]
    rules += [parse_rule(text, "allow", here) for text in split_rules(options.allowed_tools)]
    store = ground.places.allowed
    rules += [parse_rule(text, "allow", here) for text in load_allowed(store, here)]
    policy = Policy(
        mode=cast("Mode", options.permission_mode or config.mode),
        rules=tuple(rules),
        root=here,
        extra_dirs=config.extra_dirs + tuple(Path(d).absolute() for d in options.add_dir),
        home=Path(ground.env.get("HOME") or Path.home()),
    )
    return PolicyGate(policy, frontend, lambda kept: save_allowed(store, here, kept))


def split_rules(texts: tuple[str, ...]) -> list[str]:
    """Rules of one flag, separated by commas or spaces outside parentheses."""
    found = [""]
    depth = 0
    for letter in " ".join(texts):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and letter in ", ":
            found.append("")
        else:
            found[-1] += letter
    return [rule for rule in found if rule]


@dataclass(slots=True)
class PolicyGate:
    """Satisfies `agent/execute.Gate`. Questions are put one at a time."""

    policy: Policy
    frontend: Frontend
    keep: Callable[[tuple[str, ...]], None]
    """Stores the rules of an "always" for this project."""
    _turnstile: asyncio.Lock = field(default_factory=asyncio.Lock)

    def decide(self, call: ToolCall, action: Action, hook: Verdict | None) -> Decision:
        return decide(call, action, self.policy, hook=hook)

    def changes(self, call: ToolCall, action: Action) -> bool:
        """Whether a call does more than plan mode allows, rules aside."""
        reading = replace(self.policy, mode="plan", rules=())
        return decide(call, action, reading).verdict == "deny"

    async def ask(self, question: PermissionQuestion) -> Answer:
        """Wait for our turn, then ask, unless an answer given meanwhile settles it."""
        async with self._turnstile:
            settled = self.decide(question.call, question.action, None)
            if settled.verdict == "allow" and question.rules:
                return Answer("yes")
            return await self.frontend.ask(question)

    def remember(self, rules: tuple[str, ...]) -> None:
        kept = tuple(parse_rule(text, "allow", self.policy.root) for text in rules)
        self.policy = replace(self.policy, rules=self.policy.rules + kept)
        self.keep(rules)

    @property
    def mode(self) -> Mode:
        return self.policy.mode

    def set_mode(self, mode: Mode) -> None:
        self.policy = replace(self.policy, mode=mode)
