"""`agent models`: what keys reach, one model in full, newer prices when asked for."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agentcli.cli.commands import run_typer
from agentcli.llm import models

LIST = [
    {
        "id": "anthropic",
        "models": [
            {
                "id": "claude-sonnet-5-5",
                "match": {"equals": "claude-sonnet-5-5"},
                "prices": {
                    "input_mtok": 2.25,
                    "output_mtok": 10,
                    "cache_read_mtok": 0.1,
                    "cache_write_mtok": 2.5,
                    "cache_write_1h_mtok": 4,
                },
            }
        ],
    },
    {"id": "openai", "models": [{"id": "x", "prices": {"input_mtok": 1, "output_mtok": 1}}]},
    {"id": "google", "models": [{"id": "x", "prices": {"input_mtok": 1, "output_mtok": 1}}]},
]


@contextmanager
def serving(pages):
    """A server on this machine; a page is JSON, or the bytes of a broken answer."""
    asked = []

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self):
            self.rfile.read(int(self.headers.get("content-length") or 0))
            asked.append(self.headers.get("if-none-match"))
            page = pages.get(self.path)
            data = page if isinstance(page, bytes) else json.dumps(page).encode()
            same = self.headers.get("if-none-match") == '"one"' and page is not None
            self.send_response(304 if same else 404 if page is None else 200)
            self.send_header("etag", '"one"')
            self.send_header("content-length", "0" if same else str(len(data)))
            self.end_headers()
            if not same:
                self.wfile.write(data)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def agent(capsys, tmp_path, monkeypatch):
    """Runs `agent models …` in an empty folder: what it wrote, or its exit code and complaint."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        code = run_typer(["models", *words])
        out, err = capsys.readouterr()
        return out if code == 0 else (code, err)

    yield run
    models.use_prices(tmp_path / "none.json")


@pytest.fixture
def key(monkeypatch):
    def put(*names):
        for name in names:
            monkeypatch.setenv(name, "k")

    return put


def test_without_a_key_it_says_what_to_do(agent):
    page = agent()
    assert "ANTHROPIC_API_KEY" in page
    assert "agent --model ollama/NAME" in page
    assert "agent models show" in page


def test_keys_decide_what_is_listed(agent, key):
    key("OPENAI_API_KEY", "DEEPSEEK_API_KEY")
    providers = {line.partition("/")[0] for line in agent().splitlines()[1:]}
    assert providers == {"openai", "deepseek"}


def test_a_line_has_window_and_all_prices(agent, key):
    key("ANTHROPIC_API_KEY", "XAI_API_KEY")
    (line,) = agent("sonnet-5-5").splitlines()[1:]
    assert line.split() == [
        "anthropic/claude-sonnet-5-5",
        "1,000,000",
        "2",
        "0.1",
        "2.5",
        "4",
        "10",
    ]
    (line,) = agent("grok-4.6").splitlines()[1:]
    assert line.endswith("from 200,000 tokens: 4 in, 12 out")


def test_a_filter_may_be_several_words_and_match_nothing(agent, key):
    key("OPENAI_API_KEY")
    assert len(agent("gpt", "5.6", "TERRA").splitlines()) == 2
    assert "matches 'llama'" in agent("llama")


def test_keys_of_providers_without_a_list_are_not_called_missing(agent, key):
    key("AZURE_API_KEY", "NEBIUS_API_KEY")
    assert agent() == "Name a model yourself at: azure/NAME, nebius/NAME\n"
    key("DEEPSEEK_API_KEY")
    assert agent().splitlines()[-1].endswith("azure/NAME, nebius/NAME")


def test_the_list_as_json(agent, key):
    key("ANTHROPIC_API_KEY")
    (row,) = json.loads(agent("opus-5-5", "--json"))
    assert (row["name"], row["context"]) == ("anthropic/claude-opus-5-5", 1_000_000)
    assert row["price"]["cache_read"] == "0.2"


def test_one_model_is_shown_without_its_key(agent):
    page = agent("show", "deepseek")
    for words in (
        "deepseek/deepseek-v4-pro",
        "openai-chat, at https://api.deepseek.com",
        "DEEPSEEK_API_KEY (not set)",
        "1,000,000 tokens",
        "$0.66 in, $1.98 out, $0.022 cached; from 2026-08-17",
        "Mon-Fri 1-4, 6-10 UTC",
        "automatic",
        "none, low, high, max",
        "reasoning_content",
    ):
        assert words in page, words


@pytest.mark.parametrize(
    ("name", "tool"),
    [("gpt", "ApplyPatch"), ("sonnet", "Edit"), ("groq/openai/gpt-oss-120b", "ApplyPatch")],
)
def test_the_page_names_the_tool_that_edits(agent, name, tool):
    assert f"edits with  {tool}\n" in agent("show", name)


def test_one_model_as_json(agent, key):
    key("ANTHROPIC_API_KEY")
    found = json.loads(agent("show", "claude-haiku-5-5", "--json"))
    assert found["prices"][1]["above"] == 100_000
    assert found["cache"] == {
        "mode": "explicit",
        "min_tokens": 512,
        "max_marks": 4,
        "ttls": ["5m", "1h"],
        "key": False,
    }
    assert found["key"] == {"names": ["ANTHROPIC_API_KEY"], "set": "ANTHROPIC_API_KEY"}
    assert (found["edit"], found["factors"]["us"]) == ("Edit", "1.1")


def test_the_page_says_whose_row_a_dated_release_is(agent):
    assert agent("show", "claude-opus-5-5-20261001").startswith(
        "anthropic/claude-opus-5-5-20261001  (as claude-opus-5-5)\n"
    )


def test_what_the_configuration_says_is_shown(agent, home):
    folder = home / ".config/agentcli"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[models."*haiku*"]\ninput = 7\ncontext = 5000\n')
    page = agent("show", "haiku")
    assert "$7 in" in page
    assert "5,000 tokens" in page


def test_a_local_server_is_asked(agent, monkeypatch):
    shown = {"model_info": {"a.context_length": 40960}, "capabilities": ["completion"]}
    running = {"models": [{"name": "m:latest", "context_length": 4096}]}
    with serving({"/api/show": shown, "/api/ps": running}) as (url, _):
        monkeypatch.setenv("OLLAMA_BASE_URL", f"{url}/v1")
        page = agent("show", "ollama/m")
    assert "4,096 tokens" in page
    assert "it has no tools" in page


def test_names_nobody_knows_and_missing_ones_are_refused(agent):
    assert agent("show", "clade-opus-5")[0] == 2
    assert "Did you mean claude-opus-5?" in agent("show", "clade-opus-5")[1]
    assert "agent models show NAME" in agent("show")[1]


def test_refresh_fetches_once_and_tells_what_changed(agent, key, monkeypatch, home):
    key("ANTHROPIC_API_KEY")
    with serving({"/prices": LIST}) as (url, asked):
        monkeypatch.setenv("AGENT_PRICES_URL", f"{url}/prices")
        assert " 2 " in agent("sonnet-5-5")
        assert asked == []
        assert "anthropic/claude-sonnet-5-5: input 2 → 2.25\n" in agent("refresh")
        assert "newest" in agent("refresh")
        assert asked == [None, '"one"']
    assert (home / ".local/share/agentcli/prices.json").is_file()
    assert " 2.25 " in agent("sonnet-5-5")
    assert "$2.25 in" in agent("show", "sonnet")


def test_a_usage_is_priced_as_fetched_and_by_its_day(agent, capsys, tmp_path, monkeypatch, home):
    (tmp_path / "usage.json").write_text('{"uncached_input": 1000000}')

    def bill(day):
        assert run_typer(["debug", "price", "sonnet", "usage.json", "--at", day]) == 0
        return json.loads(capsys.readouterr().out)["total"]

    page, now = json.loads(json.dumps(LIST)), LIST[0]["models"][0]["prices"]
    later = {"constraint": {"start_date": "2027-02-01"}, "prices": now | {"input_mtok": 3}}
    page[0]["models"][0]["prices"] = [{"prices": now}, later]
    assert bill("2027-02-01") == "2"
    with serving({"/prices": page}) as (url, _):
        monkeypatch.setenv("AGENT_PRICES_URL", f"{url}/prices")
        agent("refresh")
    assert (bill("2027-01-31T23:59"), bill("2027-02-01")) == ("2.25", "3")
    folder = home / ".config/agentcli"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[models."*sonnet*"]\ninput = 7\n')
    assert bill("2027-02-01") == "7"


def test_a_broken_list_is_refused(agent, monkeypatch, home):
    with serving({"/prices": b"<html>"}) as (url, _):
        monkeypatch.setenv("AGENT_PRICES_URL", f"{url}/prices")
        code, complaint = agent("refresh")
    assert code == 2
    assert "stay as they were" in complaint
    assert not (home / ".local/share/agentcli/prices.json").exists()


def test_no_network_is_told(agent, monkeypatch):
    monkeypatch.setenv("AGENT_PRICES_URL", "http://127.0.0.1:9/prices")
    code, complaint = agent("refresh")
    assert code == 2
    assert "No prices were fetched" in complaint
