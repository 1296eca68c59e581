"""What a person types leads to one address, one wire and one key, or to one clear sentence."""

from datetime import UTC, datetime

import pytest

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


def test_a_model_on_this_machine_costs_nothing():
    model = resolve("ollama/qwen3-coder", {}).model
    assert price(Usage(5000, 500), model, at=datetime(2026, 11, 24, tzinfo=UTC)).total == 0


def test_a_configured_provider_wins_over_ours():
    mine = Provider("groq", "http://mine/v1", "openai-chat", "bearer", ("MY_KEY",))
    assert resolve("groq/x", {"MY_KEY": "m"}, [mine]).url == "http://mine/v1"


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
