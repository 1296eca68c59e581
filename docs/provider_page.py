"""The page about providers, made from their rows."""

from __future__ import annotations

from agentcli.llm.providers import PROVIDERS
from agentcli.llm.route import Odd, Provider

HEAD = """# Providers

Made from the table in `agentcli/llm/rows` by `make docs`.

`--model NAME/MODEL` asks for a model of one provider, as in `--model groq/openai/gpt-oss-120b`. A
provider is ready when its key is in the environment, or when its address is: every row has
`<NAME>_BASE_URL` (`DEEPSEEK_BASE_URL`, `ZAI_CODING_BASE_URL`), which moves it, and behind such an
address no key is needed. `OPENAI_WIRE=openai-chat` keeps a moved OpenAI to Chat Completions; a
base that ends in `/anthropic` is asked over the Messages API, and a Gemini base that ends in
`/openai` over Chat Completions.

An endpoint that is not here is a table in `config.toml`:

```toml
[providers.mycorp]
url = "https://llm.corp.example/v1"
wire = "openai-chat"            # anthropic, openai-responses, gemini, bedrock, …
key_env = "CORP_KEY"            # or key_command = "gcloud auth print-access-token"
headers = { x-team = "search" }
models = ["corp-large", "corp-small"]
```

A table named like a row changes that row: `[providers.deepseek]` with a `url` alone keeps the key
and the quirks of DeepSeek.

"""
AWS = "AWS credentials"


def providers() -> str:
    """Every row, and every quirk with its date and reason."""
    rows = [row for row in PROVIDERS.values() if row.name != "demo"]
    lines = ["| name | address | wire | key | moved by |", "|---|---|---|---|---|"]
    lines += [_line(row) for row in rows]
    quirks = [
        "",
        "## Quirks",
        "",
        "What a server wants otherwise than its wire says, and since when",
    ]
    quirks += ["we know.", "", "| name | quirk | seen | reason |", "|---|---|---|---|"]
    quirks += [_quirk(row, odd) for row in rows for odd in row.odd]
    return HEAD + "\n".join([f"{len(rows)} providers:", "", *lines, *quirks]) + "\n"


def _line(row: Provider) -> str:
    keys = [f"`{name}`" for name in (*row.key_env, *row.lent_env, *row.token_env)]
    if row.auth == "sigv4":
        keys.append(AWS)
    key = ", ".join(keys) or "none"
    address = f"`{row.url}`" if row.url else "your own"
    bases = ", ".join(f"`{name}`" for name in row.base_env)
    return f"| {row.name} | {_cell(address)} | {row.wire} | {key} | {bases} |"


def _quirk(row: Provider, odd: Odd) -> str:
    return f"| {row.name} | `{odd.quirk} = {odd.setting!r}` | {odd.seen} | {odd.why} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
