"""Which HTTP client a route gets: the network's, or the simulator that lives in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from agentcli.app.options import DEMO
from agentcli.llm.http import Http, InProcess
from agentcli.llm.providers import Route


def connect(env: Mapping[str, str]) -> Callable[[Route], Http]:
    """One client for each kind of route, made when it is first needed."""
    folder = env.get("AGENT_TRACE")
    trace = Path(folder) if folder else None
    made: dict[bool, Http] = {}

    def http(route: Route) -> Http:
        demo = route.provider.name == DEMO
        if demo not in made:
            made[demo] = _demo() if demo else Http(trace=trace)
        return made[demo]

    return http


def _demo() -> Http:
    from agentcli.llm.simulator import SimulatedProvider
    from agentcli.llm.simulator.demo import script

    return Http(transport=InProcess(SimulatedProvider(script()).handle))
