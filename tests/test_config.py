"""Layers of configuration, what a mistake in a file says, and what needs trust."""

import pytest

from agentcli.config import load, load_allowed, places, save_allowed
from agentcli.context.delegation import Delegation
from agentcli.context.triggers import Triggers
from agentcli.lib.errors import UserError
from agentcli.policy.trust import is_trusted, trust


@pytest.fixture
def env(tmp_path):
    return {"HOME": str(tmp_path), "AGENT_CONFIG_DIR": str(tmp_path / "user")}


@pytest.fixture
def user(tmp_path):
    folder = tmp_path / "user"
    folder.mkdir()
    return folder


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "repo"
    (folder / ".agent").mkdir(parents=True)
    return folder


def test_nothing_configured(tmp_path, env):
    config = load(tmp_path, env)
    assert (config.model, config.mode, config.rules, config.notices) == (None, "default", (), ())


def test_project_beats_user_and_environment_beats_both(root, user, env):
    (user / "config.toml").write_text('model = "a"\nmax_cost = 1.5\n[permissions]\ndeny = ["Bash"]')
    (root / ".agent" / "config.toml").write_text('model = "b"\n[permissions]\nallow = ["Edit"]')
    config = load(root, env, trusted=True)
    assert (config.model, config.max_cost) == ("b", "1.5")
    assert [(r.text, r.verdict, r.base) for r in config.rules] == [
        ("Bash", "deny", user),
        ("Edit", "allow", root),
    ]
    assert load(root, env | {"AGENT_MODEL": "c"}, trusted=True).model == "c"


def test_an_untrusted_project_changes_nothing_and_says_so(root, user, env):
    (root / ".agent" / "config.toml").write_text('model = "evil"')
    (root / ".agent" / "hooks.toml").write_text('[[hooks.SessionStart]]\ncommand = "touch x"')
    config = load(root, env)
    assert config.model is None
    assert config.hooks == ()
    assert "ignored until you trust it" in config.notices[0]


def test_trust_ends_when_the_configuration_changes(root, env):
    store = places(env).trust
    file = root / ".agent" / "config.toml"
    assert is_trusted(store, root)
    file.write_text('model = "a"')
    assert not is_trusted(store, root)
    trust(store, root)
    assert is_trusted(store, root)
    file.write_text('model = "b"')
    assert not is_trusted(store, root)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('model = "a"\nmodle = "b"', r"config\.toml:2: modle: unknown key"),
        ("model = 3", r"config\.toml:1: model: .*string"),
        ('[permissions]\nmode = "yolo"', r"config\.toml:2: permissions\.mode: "),
        ("a = 1\nmodel = =", r"config\.toml is not valid TOML: .*line 2"),
        ("[providers.x]\nwire = 'openai-chat'", r"config\.toml:1: providers\.x\.url: "),
    ],
)
def test_a_mistake_names_file_line_and_key(tmp_path, user, env, text, told):
    (user / "config.toml").write_text(text)
    with pytest.raises(UserError, match=told) as caught:
        load(tmp_path, env)
    assert caught.value.exit_code == 2


def test_an_endpoint_in_five_lines(tmp_path, user, env):
    (user / "config.toml").write_text(
        '[providers.mycorp]\nurl = "https://llm.corp/v1"\nwire = "openai-chat"\n'
        'key_env = "CORP_KEY"\nheaders = {x-team = "a"}\n'
    )
    (row,) = load(tmp_path, env).providers
    assert (row.name, row.url, row.wire, row.key_env) == (
        "mycorp",
        "https://llm.corp/v1",
        "openai-chat",
        ("CORP_KEY",),
    )
    assert row.headers == {"x-team": "a"}


def test_lives_of_the_cache_are_set_by_segment_the_nearer_file_winning(root, user, env):
    (user / "config.toml").write_text('[cache]\ntools = "1h"\nlatest = "1h"')
    (root / ".agent" / "config.toml").write_text('[cache]\nlatest = "5m"')
    assert load(root, env, trusted=True).cache == {"tools": "1h", "latest": "5m"}


def test_a_life_that_no_vendor_has_is_a_mistake(tmp_path, user, env):
    (user / "config.toml").write_text('[cache]\ntools = "2h"')
    with pytest.raises(UserError, match=r"cache\.tools"):
        load(tmp_path, env)


def test_hooks_are_read_with_their_file(tmp_path, user, env):
    (user / "hooks.toml").write_text(
        '[[hooks.Stop]]\ncommand = ["./a"]\n[[hooks.Stop]]\ncommand = "b"'
    )
    config = load(tmp_path, env)
    assert [(h.event, h.table["command"], h.path.name) for h in config.hooks] == [
        ("Stop", ["./a"], "hooks.toml"),
        ("Stop", "b", "hooks.toml"),
    ]


def test_hooks_with_single_brackets_are_explained(tmp_path, user, env):
    (user / "hooks.toml").write_text('[hooks.Stop]\ncommand = "a"')
    with pytest.raises(UserError, match=r"\[\[hooks\.Stop\]\]"):
        load(tmp_path, env)


def test_always_is_remembered_by_project(tmp_path, env):
    store = places(env).allowed
    save_allowed(store, tmp_path, ("Bash(ls)",))
    save_allowed(store, tmp_path, ("Bash(ls)", "Edit"))
    assert load_allowed(store, tmp_path) == ("Bash(ls)", "Edit")
    assert load_allowed(store, tmp_path / "other") == ()
    store.write_text("broken")
    assert load_allowed(store, tmp_path) == ()


def test_when_to_compact_is_a_setting_of_each_layer(tmp_path, user, env):
    assert load(tmp_path, env).compaction == Triggers(0.85, by_cost=False)
    (user / "config.toml").write_text("[compaction]\nat = 0.6")
    project = tmp_path / ".agent"
    project.mkdir()
    (project / "config.toml").write_text("[compaction]\nby_cost = true")
    assert load(tmp_path, env, trusted=True).compaction == Triggers(0.6, by_cost=True)
    for wrong in ("at = 85", "at = 0.05", "by_price = true"):
        (user / "config.toml").write_text(f"[compaction]\n{wrong}")
        with pytest.raises(UserError, match=r"config\.toml:2: compaction\."):
            load(tmp_path, env)


def test_how_much_subagents_may_do(tmp_path):
    env = {"HOME": str(tmp_path)}
    user = tmp_path / ".config/agentcli"
    user.mkdir(parents=True)
    assert load(tmp_path, env).subagents == Delegation(4, 50)
    (user / "config.toml").write_text("[subagents]\nsteps = 9")
    assert load(tmp_path, env).subagents == Delegation(4, 9)
    for wrong in ("at_once = 0", "steps = -1", "depth = 2"):
        (user / "config.toml").write_text(f"[subagents]\n{wrong}")
        with pytest.raises(UserError, match=r"config\.toml:2: subagents\."):
            load(tmp_path, env)
