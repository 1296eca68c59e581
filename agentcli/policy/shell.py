"""What a command line will do: its simple commands, unwrapped, with what each writes and reads."""

from __future__ import annotations

from agentcli.lib.value import replace, value

LONGEST = 10_000
"""Characters of a line that is analysed; a longer one asks."""
QUIET_WRAPPERS = {
    "time": 0,
    "nohup": 0,
    "command": 0,
    "builtin": 0,
    "setsid": 0,
    "timeout": 1,
    "nice": 0,
    "stdbuf": 0,
    "xargs": 0,
    "env": 0,
    "sudo": 0,
    "watch": 0,
    "exec": 0,
}
"""Programs that run another one, and how many of their own arguments come before it."""
VALUE_FLAGS = {
    "timeout": {"-s", "-k", "--signal", "--kill-after"},
    "nice": {"-n", "--adjustment"},
    "stdbuf": {"-i", "-o", "-e"},
    "xargs": {"-n", "-P", "-I", "-L", "-d", "-s", "-a", "-E"},
    "env": {"-u", "--unset", "-C", "--chdir"},
    "sudo": {"-u", "-g", "-h", "-p", "-C", "-r", "-t", "-U", "-D"},
    "watch": {"-n", "--interval"},
}
SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "fish", "eval"})


@value
class Word:
    text: str
    literal: bool
    """Whether nothing is expanded in it."""


@value
class Redirect:
    sign: str
    target: Word

    @property
    def writes(self) -> bool:
        return ">" in self.sign


@value
class Simple:
    """One simple command. `wrappers` are the programs that were peeled off in front of it."""

    words: tuple[Word, ...]
    assignments: tuple[str, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    raw: str = ""
    piped: bool = False
    """Whether its input is another command's output."""
    wrappers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.words[0].text.rpartition("/")[2] if self.words else ""

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


@value
class Analysis:
    commands: tuple[Simple, ...]
    problems: tuple[str, ...] = ()
    """Why the line cannot be judged by its parts; a line with any of them asks."""


def analyse(line: str) -> Analysis:
    """The simple commands of a line, wrappers peeled off, scripts of `sh -c` looked into."""
    if len(line) > LONGEST:
        return Analysis((), ("it is too long to analyse",))
    if any((ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160 for c in line):
        return Analysis((), ("it holds control characters",))
    from agentcli.policy.shell_tree import parse  # door: tree-sitter

    return _unwrapped(parse(line), depth=0)


def _unwrapped(found: Analysis, depth: int) -> Analysis:
    commands: list[Simple] = []
    problems = list(found.problems)
    for command in found.commands:
        inner = peel(command)
        commands.append(inner)
        if inner.name in SHELLS and len(inner.words) > 1:
            nested = _script(inner, depth)
            if nested is None:
                problems.append(f"{inner.name} runs a script that is not analysed")
            else:
                commands += [
                    replace(c, wrappers=(inner.name, *c.wrappers)) for c in nested.commands
                ]
                problems += nested.problems
    return Analysis(tuple(commands), tuple(problems))


def _script(command: Simple, depth: int) -> Analysis | None:
    """The commands of `sh -c '…'`; None when it is not exactly that."""
    words = command.words
    if depth > 3 or len(words) != 3 or words[1].text not in ("-c", "-lc", "-ec"):
        return None
    if not words[2].literal:
        return None
    from agentcli.policy.shell_tree import parse  # door: tree-sitter

    return _unwrapped(parse(words[2].text), depth + 1)


def peel(command: Simple) -> Simple:
    """The innermost command: `timeout 5 nice rm x` is `rm x`."""
    wrappers = list(command.wrappers)
    words = command.words
    assignments = command.assignments
    while words and words[0].text.rpartition("/")[2] in QUIET_WRAPPERS:
        name = words[0].text.rpartition("/")[2]
        rest = _after_flags(words[1:], name)
        while name in ("env", "sudo") and rest and "=" in rest[0].text:
            assignments += (rest[0].text,)
            rest = rest[1:]
        if not rest:
            break
        wrappers.append(name)
        words = rest
    return replace(command, words=words, assignments=assignments, wrappers=tuple(wrappers))


def _after_flags(words: tuple[Word, ...], name: str) -> tuple[Word, ...]:
    values = VALUE_FLAGS.get(name, frozenset[str]())
    index = 0
    while index < len(words) and words[index].text.startswith("-"):
        index += 2 if words[index].text in values else 1
    return words[index + QUIET_WRAPPERS[name] :]
