"""What MCP servers offered when they were last asked, and what of it was approved: a file each."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from agentcli.lib.files import write
from agentcli.lib.value import made, value
from agentcli.policy.approval import Approval
from agentcli.tools.remote import Offer
from agentcli.tools.server import Server


@value
class Kept:
    """`at` is when the server was asked, in Unix seconds; 0 for never."""

    at: float = 0.0
    offers: tuple[Offer, ...] = ()
    approved: dict[str, Approval] = made(default_factory=dict[str, Approval])


def place(folder: Path, server: Server) -> Path:
    """The file of a server; another configuration of the same name has another one."""
    name = re.sub(r"[^\w-]", "_", server.name)[:40]
    return folder / f"{name}-{server.key}.json"


def read(path: Path, server: Server) -> Kept:
    """What is known; a file that is damaged is as one that is not there."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        offers = tuple(
            Offer(server.name, o["tool"], o["description"], o["schema"], bool(o["read_only"]))
            for o in data["tools"]
        )
        approved = {
            tool: Approval(tuple(a["marks"]), a["description"], a["schema"])
            for tool, a in data["approved"].items()
        }
        return Kept(float(data["at"]), offers, approved)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Kept()


def keep(path: Path, kept: Kept) -> None:
    """Write what is known. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    tools = [_fields(offer, "tool", "description", "schema", "read_only") for offer in kept.offers]
    approved = {
        tool: _fields(approval, "marks", "description", "schema")
        for tool, approval in kept.approved.items()
    }
    data = {"at": kept.at, "tools": tools, "approved": approved}
    write(path, json.dumps(data).encode())


def _fields(item: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(item, name) for name in names}
