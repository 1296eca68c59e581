"""agentcli: a terminal coding agent for any model that shows what every turn cost."""

__version__ = "0.1.0"
