"""Where MCP servers are configured, and what a mistake there says."""

import json

import pytest

from agentcli.config import load
from agentcli.config.servers import from_flag
from agentcli.lib.errors import UserError
from agentcli.policy.trust import is_trusted, trust
from agentcli.tools.server import TIMEOUT


@pytest.fixture
def env(tmp_path):
    (tmp_path / "user").mkdir()
    return {"HOME": str(tmp_path), "AGENT_CONFIG_DIR": str(tmp_path / "user")}


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "repo"
    (folder / ".agent").mkdir(parents=True)
    return folder


def mcp_json(root, **servers):
    (root / ".mcp.json").write_text(json.dumps({"mcpServers": servers}))


def test_a_table_of_ours(root, tmp_path, env):
    (tmp_path / "user/config.toml").write_text(
        "mcp_wait = 8\n"
        '[mcp.files]\ncommand = "npx"\nargs = ["-y", "files"]\nenv = {A = "b"}\ncwd = "~/x"\n'
        'timeout = 5\ninclude_tools = ["get_*"]\nexclude_tools = ["get_all"]\n'
        '[mcp.hub]\nurl = "https://mcp.example/v1"\nheaders = {x-team = "a"}\ndisabled = true\n'
        '[mcp.old]\nurl = "https://mcp.example/sse"\ntype = "sse"\n'
    )
    config = load(root, env)
    files, hub, old = (config.servers[name] for name in ("files", "hub", "old"))
    assert (files.command, files.args, files.env) == ("npx", ("-y", "files"), {"A": "b"})
    assert (files.transport, files.timeout, files.place) == ("stdio", 5, "")
    assert files.takes("get_one")
    assert not files.takes("get_all")
    assert not files.takes("put_one")
    assert (hub.transport, hub.headers, hub.disabled) == ("http", {"x-team": "a"}, True)
    assert (old.transport, old.timeout, config.mcp_wait) == ("sse", TIMEOUT, 8)


def test_the_file_of_others(root, env):
    mcp_json(
        root,
        a={"command": "run", "timeout": 2500, "autoApprove": ["x"], "type": "stdio"},
        b={"type": "http", "url": "${BASE:-https://x.example}/mcp"},
        c={"type": "sse", "url": "https://x.example/sse", "headers": {"A": "b"}},
    )
    found = load(root, env, trusted=True).servers
    assert [found[n].transport for n in "abc"] == ["stdio", "http", "sse"]
    assert (found["a"].timeout, found["a"].place) == (2.5, str(root))


def test_a_later_layer_wins_by_name(root, tmp_path, env):
    (tmp_path / "user/config.toml").write_text('[mcp.a]\ncommand = "user"\n')
    mcp_json(root, a={"command": "file"}, b={"command": "file"})
    (root / ".agent/config.toml").write_text('[mcp.b]\ncommand = "project"\n')
    found = load(root, env, trusted=True).servers
    assert (found["a"].command, found["b"].command) == ("file", "project")


def test_an_untrusted_project_starts_no_server_and_a_change_ends_trust(root, tmp_path, env):
    mcp_json(root, a={"command": "evil"})
    config = load(root, env)
    assert config.servers == {}
    assert ".mcp.json" in config.notices[0]
    store = tmp_path / "trust.json"
    trust(store, root)
    assert is_trusted(store, root)
    mcp_json(root, a={"command": "another"})
    assert not is_trusted(store, root)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('[mcp.a]\nargs = ["x"]', "a command or a url is wanted"),
        ('[mcp.a]\ncommand = "x"\nurl = "https://x"', "a command or a url is wanted"),
        ('[mcp.a]\ncommand = "x"\nport = 1', "mcp.a.port: unknown key"),
        ('[mcp.a]\nurl = "example"', "is none"),
        ('[mcp.a]\ncommand = "x"\ntimeout = 0', "more than 0"),
        ('[mcp.a]\ncommand = "x"\nargs = "y"', "mcp.a.args"),
    ],
)
def test_a_mistake_in_a_table_is_told_with_its_place(root, tmp_path, env, table, words):
    (tmp_path / "user/config.toml").write_text(f"\n{table}\n")
    with pytest.raises(UserError, match=words) as told:
        load(root, env)
    assert "config.toml:" in str(told.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not valid JSON"),
        ("[]", "mcpServers"),
        ('{"mcpServers": []}', "mcpServers"),
        ('{"mcpServers": {"a": 1}}', "mcpServers.a: an object"),
        ('{"mcpServers": {"a": {"command": 1}}}', "mcpServers.a.command: a text"),
        ('{"mcpServers": {"a": {"command": "x", "args": "y"}}}', "mcpServers.a.args: a list"),
        ('{"mcpServers": {"a": {"command": "x", "env": {"A": 1}}}}', "mcpServers.a.env"),
        ('{"mcpServers": {"a": {"command": "x", "timeout": "1"}}}', "mcpServers.a.timeout"),
        ('{"mcpServers": {"a": {}}}', "a command or a url"),
    ],
)
def test_a_mistake_in_the_file_of_others_names_file_and_key(root, env, text, words):
    (root / ".mcp.json").write_text(text)
    with pytest.raises(UserError, match=words) as told:
        load(root, env, trusted=True)
    assert str(root / ".mcp.json") in str(told.value)


def test_servers_of_a_flag(root, tmp_path):
    (tmp_path / "more.json").write_text('{"mcpServers": {"a": {"command": "x"}}}')
    assert from_flag(str(tmp_path / "more.json"), root)["a"].command == "x"
    assert from_flag(' {"mcpServers": {"b": {"command": "y"}}}', root)["b"].command == "y"
    with pytest.raises(UserError, match=r"nothing\.json"):
        from_flag("nothing.json", root)
    with pytest.raises(UserError, match="--mcp-config is not valid JSON"):
        from_flag("{", root)
