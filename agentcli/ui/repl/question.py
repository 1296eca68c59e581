"""A question as a state machine: choices, a cursor, keys in, an answer out; pure."""

from __future__ import annotations

from agentcli.agent.events import Answer, PermissionQuestion, Question, UserQuestion
from agentcli.lib.text import visible
from agentcli.lib.value import replace, value
from agentcli.ui.repl.displays import display_rows, lines
from agentcli.ui.repl.theme import Row

VERBS = {
    "read": "read",
    "edit": "change",
    "exec": "run",
    "fetch": "fetch",
    "mcp": "call",
    "other": "do",
}


@value
class Choice:
    key: str
    label: str
    answer: Answer | None
    """None: a text is wanted first."""


@value
class Asking:
    """A question while it is open. With `writing` its answer is typed as text."""

    question: Question
    choices: tuple[Choice, ...]
    at: int = 0
    writing: bool = False

    def moved(self, by: int) -> Asking:
        return replace(self, at=(self.at + by) % len(self.choices))

    def pressed(self, key: str) -> Asking | Answer:
        """What a letter or digit does; unknown ones do nothing."""
        for n, choice in enumerate(self.choices):
            if choice.key == key.lower():
                return replace(self, at=n).chosen()
        return self

    def chosen(self) -> Asking | Answer:
        """What Enter does."""
        answer = self.choices[self.at].answer
        return answer if answer is not None else replace(self, writing=True)

    def written(self, text: str) -> Answer:
        """The text that was asked for."""
        if isinstance(self.question, PermissionQuestion):
            return Answer("no", text.strip())
        return Answer("yes", text.strip())

    @property
    def hint(self) -> str:
        if not self.writing:
            return ""
        if isinstance(self.question, PermissionQuestion):
            return "No. Tell the model what to do instead (Enter alone stops the turn)"
        return "Your answer"


def ask(question: Question) -> Asking:
    """The question as it is first shown; nothing that changes things is preselected by typing."""
    match question:
        case PermissionQuestion(_, _, _, rules):
            always = (Choice("a", _always(rules), Answer("always")),) if rules else ()
            yes = Choice("y", "yes", Answer("yes"))
            no = Choice("n", "no, and tell the model what to do instead", None)
            return Asking(question, (yes, *always, no))
        case UserQuestion(_, options):
            listed = tuple(
                Choice(str(n) if n < 10 else "", visible(option), Answer("yes", option))
                for n, option in enumerate(options, 1)
            )
            own = Choice("0", "something else", None)
            return Asking(question, (*listed, own), writing=not options)


def _always(rules: tuple[str, ...]) -> str:
    shown = ", ".join(visible(rule).replace("\n", "\\n") for rule in rules)
    return f"always, for this project: {shown}"


def question_rows(question: Question, width: int) -> list[Row]:
    """All of what is asked about: the whole command or difference, and why it is asked."""
    if isinstance(question, UserQuestion):
        rows = lines(question.text, max(1, width - 2), "bold")
        return [_marked(row, "  " if n else "? ") for n, row in enumerate(rows)]
    action = question.action
    who = f"{question.agent}: " if question.agent else ""
    head = f"{who}{question.call.name} wants to {VERBS[action.kind]}:"
    rows: list[Row] = [(("warning", "? "), ("bold", visible(head)))]
    if action.kind == "exec":
        rows += command_rows(action.target, width)
    elif action.preview is not None:
        rows += display_rows(action.preview, width, whole=True)
    else:
        rows += lines(f"  {action.target}", width, "bold")
    if question.why:
        rows += lines(question.why, width, "dim")
    return rows


def command_rows(line: str, width: int) -> list[Row]:
    """A whole command; each of its lines is marked, so that none passes for ours."""
    parts = visible(line).expandtabs(4).split("\n")
    rows: list[Row] = []
    for n, part in enumerate(parts):
        end = " ⏎" if n < len(parts) - 1 else ""
        for m, row in enumerate(lines(part + end, max(1, width - 4), "bold")):
            rows.append((("dim", "  │ " if n or m else "  $ "), *row))
    return rows


def _marked(row: Row, mark: str) -> Row:
    return (("warning", mark), *row)
