"""What a person asked for on the command line, as one value."""

from __future__ import annotations

from typing import Literal

from agentcli.lib.value import value

DEMO = "demo"
"""The model that is a script; it needs no key and no network."""
OutputFormat = Literal["text", "json", "stream-json"]


@value
class Options:
    """Flags of `agent`, by their names; the table in `cli/flags.py` says how each is written."""

    prompt: tuple[str, ...] = ()
    print: bool = False
    model: str | None = None
    effort: str | None = None
    fallback_model: tuple[str, ...] = ()
    output_format: OutputFormat = "text"
    input_format: Literal["text", "stream-json"] = "text"
    include_partial_messages: bool = False
    json_schema: str | None = None
    max_turns: int | None = None
    max_cost: str | None = None
    deadline: float | None = None
    resume_last: bool = False
    resume: str | None = None
    session_id: str | None = None
    fork_session: bool = False
    allowed_tools: tuple[str, ...] = ()
    disallowed_tools: tuple[str, ...] = ()
    permission_mode: str | None = None
    append_system_prompt: str | None = None
    system_prompt: str | None = None
    add_dir: tuple[str, ...] = ()
    mcp_config: tuple[str, ...] = ()
    session_persistence: bool = True
    trust: bool = False
    verbose: bool = False
