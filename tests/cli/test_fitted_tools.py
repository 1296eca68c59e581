"""The tool a model edits with, in the request that `agent debug request` prints."""

import json

import pytest

from agentcli.cli.commands import run_typer

KEYS = (
    "ANTHROPIC_API_KEY OPENAI_API_KEY GEMINI_API_KEY OPENROUTER_API_KEY AZURE_OPENAI_API_KEY "
    "GITHUB_MODELS_TOKEN GROQ_API_KEY CEREBRAS_API_KEY DEEPSEEK_API_KEY XAI_API_KEY "
    "AWS_BEARER_TOKEN_BEDROCK"
)
PLACES = {"AWS_REGION": "us-east-1", "AZURE_OPENAI_RESOURCE": "house"}
OFFICE = """
[providers.office]
url = "https://office.test/v1"
wire = "openai-chat"

[models."office/helper"]
base_model = "gpt-6.1-sol"

[models."azure/writer"]
base_model = "sonnet"
"""


@pytest.fixture
def shown(capsys, tmp_path, home, monkeypatch):
    """(name, shape) of each tool that edits, as this model is sent it."""
    for name in KEYS.split():
        monkeypatch.setenv(name, "k")
    for name, place in PLACES.items():
        monkeypatch.setenv(name, place)
    monkeypatch.chdir(tmp_path)
    folder = home / ".config/agentcli"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(OFFICE)

    def run(model):
        assert run_typer(["debug", "request", "-p", "Hi", "--model", model]) == 0
        return list(editing(json.loads(capsys.readouterr().out)["body"]))

    return run


def editing(body):
    tools = body.get("tools") or body["toolConfig"]["tools"]
    for tool in tools[0].get("functionDeclarations", tools):
        inner = tool.get("function") or tool.get("toolSpec") or tool
        if inner.get("name") in ("Edit", "ApplyPatch"):
            form = tool.get("format", {}).get("syntax", "")
            yield inner["name"], form or "schema"


@pytest.mark.parametrize(
    ("model", "tool", "form"),
    [
        ("openai/gpt-6.1-sol", "ApplyPatch", "lark"),
        ("openai/gpt-5", "ApplyPatch", "lark"),
        ("openai/gpt-5.3-codex", "ApplyPatch", "lark"),
        ("openai/gpt-10", "ApplyPatch", "lark"),
        ("azure/gpt-6.1-sol", "ApplyPatch", "lark"),
        ("openai-bedrock/openai.gpt-6-sol", "ApplyPatch", "lark"),
        ("openai/gpt-4.1", "ApplyPatch", "schema"),
        ("openai/o3", "ApplyPatch", "schema"),
        ("openai-bedrock/openai.gpt-oss-120b", "ApplyPatch", "schema"),
        ("bedrock/openai.gpt-oss-120b-1:0", "ApplyPatch", "schema"),
        ("openrouter/openai/gpt-6.1-sol", "ApplyPatch", "schema"),
        ("github/openai/gpt-5", "ApplyPatch", "schema"),
        ("groq/openai/gpt-oss-120b", "ApplyPatch", "schema"),
        ("cerebras/gpt-oss-120b", "ApplyPatch", "schema"),
        ("office/helper", "ApplyPatch", "schema"),
        ("azure/writer", "Edit", "schema"),
        ("sonnet", "Edit", "schema"),
        ("openrouter/anthropic/claude-opus-5.5", "Edit", "schema"),
        ("bedrock/us.anthropic.claude-opus-5-5-v1:0", "Edit", "schema"),
        ("gemini", "Edit", "schema"),
        ("deepseek", "Edit", "schema"),
        ("grok", "Edit", "schema"),
    ],
)
def test_gpt_patches_and_the_rest_replaces(shown, model, tool, form):
    assert shown(model) == [(tool, form)]
