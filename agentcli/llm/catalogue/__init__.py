"""What models.json is made from; used by `agentcli.llm.refresh` only, never at run time."""
