import pytest

from agentcli.lib.errors import UserError
from agentcli.llm.auth import (
    auth_headers,
    blank,
    parse_custom_headers,
    redact,
    redact_text,
    redact_url,
)
from agentcli.llm.errors import AuthFailed
from agentcli.llm.models import ModelSpec
from agentcli.llm.providers import Provider, Route


def route(auth="bearer", key="sk-1", command=""):
    provider = Provider("acme", "https://acme.example", "openai-chat", key_command=command)
    return Route(provider, ModelSpec("m", "acme"), provider.url, key, auth=auth)


@pytest.mark.parametrize(
    ("auth", "key", "expected"),
    [
        ("bearer", "sk-1", {"authorization": "Bearer sk-1"}),
        ("x-api-key", "sk-1", {"x-api-key": "sk-1"}),
        ("api-key", "sk-1", {"api-key": "sk-1"}),
        ("x-goog-api-key", "AIza-1", {"x-goog-api-key": "AIza-1"}),
        ("none", "sk-1", {}),
        ("sigv4", None, {}),
        ("bearer", None, {}),
        ("bearer", "", {}),
        ("bearer", " sk-1\n", {"authorization": "Bearer sk-1"}),
    ],
)
def test_a_key_becomes_a_header(auth, key, expected):
    assert auth_headers(route(auth, key)) == expected


@pytest.mark.parametrize("key", ["sk-1…", "sk 1", "sk-1\nsk-2", "sk-ü", "\x1b[0m"])
def test_a_key_that_no_header_can_carry_is_told_without_showing_it(key):
    with pytest.raises(AuthFailed) as caught:
        auth_headers(route(key=key))
    assert "copy it again" in str(caught.value)
    assert "acme/m" in str(caught.value)
    assert key not in str(caught.value)


def test_a_command_prints_the_key_once_for_many_requests(tmp_path):
    counted = tmp_path / "counted"
    command = f"sh -c 'echo x >> {counted}; echo sk-printed'"
    for _ in range(2):
        headers = auth_headers(route(key=None, command=command))
        assert headers == {"authorization": "Bearer sk-printed"}
    assert counted.read_text() == "x\n"
    assert auth_headers(route(key="sk-1", command="false")) == {"authorization": "Bearer sk-1"}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("sh -c 'echo not logged in >&2; exit 1'", "not logged in"),
        ("true", "printed nothing"),
        ("no-such-command-here", "No such file"),
        ("sh -c 'unfinished", "No closing quotation"),
    ],
)
def test_a_command_that_gives_no_key_is_told(command, said):
    with pytest.raises(AuthFailed) as caught:
        auth_headers(route(key=None, command=command))
    assert said in str(caught.value)
    assert command in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("X-A: 1", {"x-a": "1"}),
        ("X-A: 1\nX-B:2\n\n", {"x-a": "1", "x-b": "2"}),
        ("X-A: 1\\nX-B: b c", {"x-a": "1", "x-b": "b c"}),
        ("X-A: 1\r\nX-B: http://host:80/", {"x-a": "1", "x-b": "http://host:80/"}),
        ("X-A:", {"x-a": ""}),
        ("X-A: 1\nx-a: 2", {"x-a": "2"}),
    ],
)
def test_custom_headers(text, expected):
    assert parse_custom_headers(text) == expected


@pytest.mark.parametrize(
    "text", ["ok: 1\nsecretvalue", "a b: secretvalue", ": secretvalue", "x: secretvalueü"]
)
def test_custom_headers_that_are_none_are_told_by_line(text):
    with pytest.raises(UserError) as caught:
        parse_custom_headers(text)
    assert f"ANTHROPIC_CUSTOM_HEADERS, line {1 + text.count(chr(10))}" in str(caught.value)
    assert "secretvalue" not in str(caught.value)


def test_short_secrets_show_nothing():
    assert blank("123456789012") == "***"
    assert blank("1234567890123") == "***0123"


def test_headers_are_shown_without_secrets():
    shown = redact(
        {
            "Authorization": "Bearer sk-1234567890abcdef",
            "x-api-key": "short",
            "api-key": "0123456789abcdef",
            "x-litellm-api-key": "0123456789abcdef",
            "cookie": "session=0123456789abcdef",
            "x-goog-api-key": "AIza0123456789abcdef",
            "x-amz-security-token": "IQoJ0123456789abcdef",
            "anthropic-version": "2023-06-01",
            "anthropic-ratelimit-tokens-remaining": "4000",
            "x-note": "see sk-1234567890abcdef",
        }
    )
    assert shown == {
        "Authorization": "Bearer ***cdef",
        "x-api-key": "***",
        "api-key": "***cdef",
        "x-litellm-api-key": "***cdef",
        "cookie": "***cdef",
        "x-goog-api-key": "***cdef",
        "x-amz-security-token": "***cdef",
        "anthropic-version": "2023-06-01",
        "anthropic-ratelimit-tokens-remaining": "4000",
        "x-note": "see ***cdef",
    }


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/v1?alt=sse", "https://a.example/v1?alt=sse"),
        ("https://me:pw@a.example:8/v1", "https://me:***@a.example:8/v1"),
        ("https://token@a.example/", "https://***@a.example/"),
        (
            "https://a.example/?key=AIzaSy0123456789&alt=sse",
            "https://a.example/?key=***6789&alt=sse",
        ),
        ("http://[", "***"),
        ("", ""),
    ],
)
def test_urls_are_shown_without_secrets(url, shown):
    assert redact_url(url) == shown


def test_keys_that_servers_echo_are_blanked():
    said = "Incorrect API key provided: sk-proj-abcdefghijklmnop1234. Find yours at sk-info."
    assert redact_text(said) == "Incorrect API key provided: ***1234. Find yours at sk-info."
