"""What a person types leads to one address, one wire and one key, or to one clear sentence."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from agentcli.config import load as load_config
from agentcli.lib.errors import UserError
from agentcli.llm.cost import price
from agentcli.llm.providers import PROVIDERS, Provider, default_model, reachable, resolve
from agentcli.llm.types import Usage

CLAUDE = {"ANTHROPIC_API_KEY": "a"}
GPT = {"OPENAI_API_KEY": "o"}
ROUTER = {"OPENROUTER_API_KEY": "r"}


def refusal(name, env):
    with pytest.raises(UserError) as caught:
        resolve(name, env)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "env", "provider", "model", "wire"),
    [
        ("gpt-5", GPT, "openai", "gpt-5", "openai-responses"),
        ("anthropic/claude-opus-4-6", CLAUDE, "anthropic", "claude-opus-4-6", "anthropic"),
        ("claude-opus-4.6", CLAUDE, "anthropic", "claude-opus-4-6", "anthropic"),
        ("sonnet", CLAUDE, "anthropic", "claude-sonnet-5-5", "anthropic"),
        ("sonnet", ROUTER, "openrouter", "anthropic/claude-sonnet-5.5", "openai-chat"),
        ("sonnet", CLAUDE | ROUTER, "anthropic", "claude-sonnet-5-5", "anthropic"),
        ("ollama/qwen3-coder", {}, "ollama", "qwen3-coder", "openai-chat"),
        ("gemini", {"GOOGLE_API_KEY": "g"}, "gemini", "gemini-3.8-flash", "gemini"),
        ("my-model", CLAUDE, "anthropic", "my-model", "anthropic"),
    ],
)
def test_names_resolve(name, env, provider, model, wire):
    route = resolve(name, env)
    assert (route.provider.name, route.model.id, route.wire) == (provider, model, wire)


def test_a_dated_release_keeps_its_name_and_has_the_price_of_its_model():
    route = resolve("claude-opus-4-6-20260205", CLAUDE)
    assert route.model.id == "claude-opus-4-6-20260205"
    assert route.model.prices == resolve("claude-opus-4-6", CLAUDE).model.prices


@pytest.mark.parametrize("name", ["claude-opus-9", "anthropic/claude-opus-9", "gpt-9"])
def test_a_newer_model_than_we_know_works_without_a_price(name):
    route = resolve(name, CLAUDE | GPT)
    assert (route.model.known, route.model.prices) == (False, ())


def test_somebody_elses_model_of_the_same_name_has_no_price_of_ours():
    assert resolve("someone/gpt-5", GPT).model.prices == ()


@pytest.mark.parametrize(
    ("name", "env", "said"),
    [
        ("claude-sonet-5", CLAUDE, "Did you mean claude-sonnet-5?"),
        ("anthropic/claude-sonet-5", CLAUDE, "Did you mean claude-sonnet-5"),
        ("gpt-55", GPT, "Did you mean gpt-5.5?"),
        ("antropic/claude-opus-5", CLAUDE, "Did you mean anthropic/claude-opus-5?"),
        ("gpt-5", {}, "OPENAI_API_KEY"),
        ("sonnet", {}, "ANTHROPIC_API_KEY"),
        ("my-model", CLAUDE | GPT, "Say where it is"),
        ("", CLAUDE, "needs a name"),
        ("anthropic/", CLAUDE, "needs a name"),
        ("azure/gpt-5", {"AZURE_API_KEY": "z"}, "AZURE_BASE_URL"),
        ("gpt-5", GPT | {"OPENAI_BASE_URL": "localhost:4000"}, "must begin with http"),
        ("vertex/gemini-3.8-flash", {"VERTEX_ACCESS_TOKEN": "t"}, "GOOGLE_CLOUD_PROJECT or"),
        ("databricks/x", {"DATABRICKS_TOKEN": "t"}, "; or set DATABRICKS_BASE_URL"),
        ("bedrock/x", {"HOME": "/nowhere"}, "needs AWS_REGION or"),
        ("zai-coding/glm-5.3", {}, "set ZAI_CODING_API_KEY or ZAI_API_KEY"),
    ],
)
def test_a_slip_gets_one_sentence(name, env, said):
    assert said in refusal(name, env)


def test_the_key_wins_over_the_token():
    token = {"ANTHROPIC_AUTH_TOKEN": "t"}
    assert (resolve("opus", token).key, resolve("opus", token).auth) == ("t", "bearer")
    both = resolve("opus", CLAUDE | token)
    assert (both.key, both.auth) == ("a", "x-api-key")


def test_a_gateway_needs_no_key_and_names_its_own_models():
    env = {"ANTHROPIC_BASE_URL": "http://gw:4000/", "ANTHROPIC_CUSTOM_HEADERS": "X-Team: red"}
    route = resolve("claude-sonet", env)
    assert (route.url, route.key, route.model.id) == ("http://gw:4000", None, "claude-sonet")
    assert route.headers == {"x-team": "red"}


@pytest.mark.parametrize("given", ["http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/"])
def test_an_openai_base_works_with_and_without_its_version(given):
    route = resolve("gpt-5", GPT | {"OPENAI_BASE_URL": given})
    assert (route.url, route.wire) == ("http://h:1/v1", "openai-responses")


def test_another_host_may_lack_responses():
    env = GPT | {"OPENAI_BASE_URL": "http://h/v1"}
    assert resolve("gpt-5", env).other_wire == "openai-chat"
    assert resolve("gpt-5", GPT).other_wire == ""
    assert resolve("openai/some-local-model", env).wire == "openai-chat"
    told = resolve("gpt-5", env | {"OPENAI_WIRE": "openai-chat"})
    assert (told.wire, told.other_wire) == ("openai-chat", "")


def test_azure_is_reached_by_resource_address():
    env = {"AZURE_API_KEY": "z", "AZURE_API_BASE": "https://r.openai.azure.com"}
    route = resolve("azure/gpt-5.4", env)
    assert (route.url, route.auth) == ("https://r.openai.azure.com/openai/v1", "api-key")
    assert route.model.known
    named = {"AZURE_API_KEY": "z", "AZURE_RESOURCE_NAME": "r"}
    assert resolve("azure/gpt-5.4", named).url == route.url
    entra = {"AZURE_AD_TOKEN": "t", "AZURE_RESOURCE_NAME": "r"}
    assert resolve("azure/gpt-5.4", entra).auth == "bearer"


def test_a_surface_is_known_by_its_address():
    openai_like = "https://generativelanguage.googleapis.com/v1beta/openai/"
    route = resolve("gemini", {"GEMINI_API_KEY": "g", "GEMINI_BASE_URL": openai_like})
    assert (route.wire, route.auth, route.url) == ("openai-chat", "bearer", openai_like[:-1])
    env = {"DEEPSEEK_API_KEY": "d", "DEEPSEEK_BASE_URL": "https://api.deepseek.com/anthropic"}
    assert resolve("deepseek/deepseek-v4-pro", env).wire == "anthropic"


@pytest.mark.parametrize("name", [name for name in PROVIDERS if name != "demo"])
def test_every_row_is_moved_by_its_own_variable(name):
    """Then it needs no key; what it names in its address may be missing too."""
    variable = f"{name.upper().replace('-', '_')}_BASE_URL"
    env = {variable: "http://h:1/v1", "AWS_REGION": "eu-west-1"}
    assert resolve(f"{name}/m", env).url == "http://h:1/v1"


@pytest.mark.parametrize(
    ("place", "host"),
    [
        (None, "aiplatform.googleapis.com/v1/projects/p/locations/global"),
        ("us", "aiplatform.us.rep.googleapis.com/v1/projects/p/locations/us"),
        ("europe-west4", "europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/"),
    ],
)
def test_vertex_has_a_host_for_each_place(place, host):
    env = {"GOOGLE_CLOUD_PROJECT": "p", "VERTEX_ACCESS_TOKEN": "t"}
    env |= {"GOOGLE_CLOUD_LOCATION": place} if place else {}
    route = resolve("vertex/gemini-3.8-flash", env)
    assert route.url.startswith(f"https://{host}")
    assert route.url.endswith("/publishers/google")
    assert (route.wire, route.auth, route.model.known) == ("gemini", "bearer", True)


def test_a_moved_vertex_keeps_the_rest_of_its_address():
    env = {"GOOGLE_CLOUD_PROJECT": "p", "VERTEX_BASE_URL": "http://h:1"}
    url = resolve("vertex/gemini-3.8-flash", env).url
    assert url == "http://h:1/v1/projects/p/locations/global/publishers/google"


def test_bedrock_signs_unless_there_is_a_key(tmp_path):
    env = {"AWS_REGION": "eu-west-1", "HOME": str(tmp_path)}
    route = resolve("bedrock/global.anthropic.claude-opus-4-6-v1:0", env)
    assert (route.auth, route.region, route.service) == ("sigv4", "eu-west-1", "bedrock")
    assert route.url == "https://bedrock-runtime.eu-west-1.amazonaws.com"
    keyed = resolve("bedrock/x", env | {"AWS_BEARER_TOKEN_BEDROCK": "b"})
    assert (keyed.auth, keyed.key) == ("bearer", "b")


def test_the_region_may_be_that_of_the_profile(tmp_path):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[default]\nregion = ap-south-1\n")
    assert resolve("bedrock/x", {"HOME": str(tmp_path)}).region == "ap-south-1"


def test_a_model_on_bedrock_is_what_its_maker_says_under_the_name_it_has_there():
    env = {"AWS_REGION": "us-east-1"}
    made = resolve("claude-opus-4-6", CLAUDE).model
    there = resolve("bedrock/global.anthropic.claude-opus-4-6-v1:0", env).model
    assert there.id == "global.anthropic.claude-opus-4-6-v1:0"
    assert (there.context, there.thinking, there.prices) == (
        made.context,
        made.thinking,
        made.prices,
    )
    dearer = resolve("bedrock/us.anthropic.claude-opus-4-6-v1", env).model.prices[0]
    assert float(dearer.output) == pytest.approx(float(made.prices[0].output) * 1.1)


def test_a_gateway_of_ones_own_has_the_abilities_of_the_model_but_no_price():
    mine = Provider("mycorp", "http://h", "anthropic", keyless=True)
    made = resolve("claude-opus-5-5", CLAUDE).model
    there = resolve("mycorp/anthropic/claude-opus-5.5", {}, [mine]).model
    assert there.id == "anthropic/claude-opus-5.5"
    assert (there.context, there.thinking, there.cache) == (
        made.context,
        made.thinking,
        made.cache,
    )
    assert there.prices == ()
    assert resolve("ollama/deepseek-v4-pro", {}).model.context is None


def test_a_sister_takes_the_key_but_is_not_meant_by_it():
    env = {"ZAI_API_KEY": "z"}
    sister = resolve("zai-coding/glm-5.3", env)
    assert (sister.key, sister.model.known, sister.model.prices) == ("z", True, ())
    assert resolve("glm-5.3", env).provider.name == "zai"
    assert all(name.startswith("zai/") for name in reachable(env))


def test_a_bedrock_of_ones_own_is_signed_for(tmp_path):
    (tmp_path / "config.toml").write_text(
        '[providers.vpc]\nurl = "https://vpce-1.example"\nwire = "bedrock"\nauth = "sigv4"\n'
    )
    env = {"AGENT_CONFIG_DIR": str(tmp_path), "HOME": str(tmp_path), "AWS_REGION": "us-east-1"}
    name = "vpc/global.anthropic.claude-opus-4-6-v1"
    route = resolve(name, env, load_config(tmp_path, env).providers)
    assert (route.auth, route.service, route.region) == ("sigv4", "bedrock", "us-east-1")
    assert route.model.context == resolve("claude-opus-4-6", CLAUDE).model.context


def test_only_the_tables_that_a_name_needs_are_read():
    code = (
        "import sys; from agentcli.llm.providers import resolve; "
        "resolve('sonnet', {'ANTHROPIC_API_KEY': 'k', 'OPENROUTER_API_KEY': 'k'}); "
        "print([name for name in sys.modules if name.startswith('agentcli.llm.rows.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "['agentcli.llm.rows.makers']\n"


def test_headers_of_an_account_come_from_the_environment():
    route = resolve("gpt-5", GPT | {"OPENAI_ORG_ID": "org-1"})
    assert route.headers == {"openai-organization": "org-1"}


def test_a_model_on_this_machine_costs_nothing():
    model = resolve("ollama/qwen3-coder", {}).model
    assert price(Usage(5000, 500), model, at=datetime(2026, 11, 24, tzinfo=UTC)).total == 0


def test_a_configured_provider_wins_over_ours():
    mine = Provider("groq", "http://mine/v1", "openai-chat", "bearer", ("MY_KEY",))
    assert resolve("groq/x", {"MY_KEY": "m"}, [mine]).url == "http://mine/v1"


def test_a_listed_model_is_found_by_its_bare_name():
    mine = Provider("mycorp", "http://h/v1", "openai-chat", keyless=True, models=("corp-large",))
    assert resolve("corp-large", CLAUDE, [mine]).provider.name == "mycorp"
    assert "mycorp/corp-large" in reachable({}, [mine])


def test_the_default_is_the_flagship_of_the_first_key():
    assert default_model({}) is None
    assert default_model(GPT | ROUTER).startswith("openai/")
    for row in PROVIDERS.values():
        name = default_model({key: "k" for key in row.key_env})
        if name:
            assert resolve(name, {key: "k" for key in row.key_env}).model.known, name


def test_what_the_keys_reach_resolves():
    offered = reachable(ROUTER)
    assert offered
    assert all(resolve(name, ROUTER).model.known for name in offered)


def test_the_demo_needs_nothing():
    assert resolve("demo", {}).provider.name == "demo"


def test_models_behind_litellm_are_spoken_to_in_their_own_words():
    env = {"LITELLM_API_KEY": "k"}
    claude = resolve("litellm/claude-sonnet-5-5", env)
    assert (claude.wire, claude.model.cache.mode, claude.model.prices) == (
        "anthropic",
        "explicit",
        (),
    )
    gpt = resolve("litellm/gpt-6.1-sol", env)
    assert (gpt.wire, gpt.other_wire) == ("openai-responses", "openai-chat")
    assert resolve("litellm/grok-4.7", env).wire == "openai-chat"
