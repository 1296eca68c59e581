"""A provider that lives in the process: speaks real wires, keeps cache rules, plays a script."""

from __future__ import annotations

from agentcli.llm.simulator.provider import Answer, Received, SimulatedProvider
from agentcli.llm.simulator.script import (
    Asked,
    Drop,
    Failure,
    Fault,
    Hang,
    Outcome,
    Say,
    Script,
    Step,
    Think,
    Trouble,
    Turn,
    Use,
    When,
    breaks,
    calls,
    says,
    thinks,
)
from agentcli.llm.simulator.vendors import VENDORS, Vendor

__all__ = [
    "VENDORS",
    "Answer",
    "Asked",
    "Drop",
    "Failure",
    "Fault",
    "Hang",
    "Outcome",
    "Received",
    "Say",
    "Script",
    "SimulatedProvider",
    "Step",
    "Think",
    "Trouble",
    "Turn",
    "Use",
    "Vendor",
    "When",
    "breaks",
    "calls",
    "says",
    "thinks",
]
