"""Every flag of `agent` in one table, from which the quick parser and typer are both made."""

from __future__ import annotations

from typing import Literal

from agentcli.lib.value import value

Kind = Literal["switch", "text", "integer", "number", "list", "choice"]

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
MODES = ("default", "accept-edits", "plan", "dont-ask", "bypass")


@value
class Flag:
    field: str
    """The field of `Options` it sets."""
    names: tuple[str, ...]
    kind: Kind
    help: str
    choices: tuple[str, ...] = ()
    least: int | None = None
    """The smallest number that makes sense."""

    @property
    def off(self) -> bool:
        """Whether giving the switch turns its field off."""
        return self.names[0].startswith("--no-")


FLAGS = (
    Flag("print", ("--print", "-p"), "switch", "Answer the prompt, print the answer and exit."),
    Flag("model", ("--model", "-m"), "text", "Model: a name, an alias or provider/name."),
    Flag(
        "fallback_model",
        ("--fallback-model",),
        "list",
        "Who answers while the model can't; also 'a,b'.",
    ),
    Flag("effort", ("--effort",), "choice", "How hard the model thinks.", EFFORTS),
    Flag(
        "permission_mode",
        ("--permission-mode",),
        "choice",
        "What may happen without a question.",
        MODES,
    ),
    Flag("allowed_tools", ("--allowed-tools",), "list", "Allow rules, e.g. 'Bash(git log:*)'."),
    Flag("disallowed_tools", ("--disallowed-tools",), "list", "Deny rules."),
    Flag("add_dir", ("--add-dir",), "list", "Another folder the agent may work in."),
    Flag("resume_last", ("--continue", "-c"), "switch", "Go on with the newest session here."),
    Flag("resume", ("--resume", "-r"), "text", "Go on with the session of this id."),
    Flag("fork_session", ("--fork-session",), "switch", "Resume as a copy under a new id."),
    Flag("session_id", ("--session-id",), "text", "The id for a new session."),
    Flag("session_persistence", ("--no-session-persistence",), "switch", "Keep no session file."),
    Flag(
        "output_format",
        ("--output-format",),
        "choice",
        "With -p: how to print.",
        ("text", "json", "stream-json"),
    ),
    Flag(
        "input_format",
        ("--input-format",),
        "choice",
        "With -p: how standard input is read.",
        ("text", "stream-json"),
    ),
    Flag(
        "include_partial_messages",
        ("--include-partial-messages",),
        "switch",
        "With stream-json: every delta too.",
    ),
    Flag("json_schema", ("--json-schema",), "text", "A schema (file or JSON) the answer follows."),
    Flag("max_turns", ("--max-turns",), "integer", "Stop after so many requests.", least=1),
    Flag("max_cost", ("--max-cost",), "number", "Stop before more USD are spent.", least=0),
    Flag("deadline", ("--deadline",), "number", "Stop after so many seconds.", least=0),
    Flag("append_system_prompt", ("--append-system-prompt",), "text", "Add to the system prompt."),
    Flag("system_prompt", ("--system-prompt",), "text", "Replace the system prompt."),
    Flag(
        "mcp_config",
        ("--mcp-config",),
        "list",
        "More MCP servers: a file like .mcp.json, or JSON.",
    ),
    Flag("trust", ("--trust",), "switch", "Trust this project's configuration for this run."),
    Flag("verbose", ("--verbose",), "switch", "Say more on standard error."),
)

SUBCOMMANDS = ("cache", "cost", "debug", "demo", "mcp", "models", "sessions")
