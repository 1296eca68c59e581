"""A key that is refused is had anew once, where it can be (wire.md 0.3)."""

import asyncio
import sys

import pytest

from agentcli.lib.value import replace
from agentcli.llm.client import Client
from agentcli.llm.errors import AuthFailed
from agentcli.llm.http import Http, InProcess
from agentcli.llm.providers import Provider, resolve
from agentcli.llm.simulator import Failure, SimulatedProvider, says
from agentcli.llm.types import Request, Text, UserMessage

EXPIRED = {"x-amzn-errortype": "ExpiredTokenException:http://internal.amazon.com/"}
DENIED = {"x-amzn-errortype": "AccessDeniedException:http://internal.amazon.com/"}


def ask(server, route, **options):
    """One request; the reply's text, and what was told of failed tries."""
    client = Client(lambda _: route, Http(transport=InProcess(server.handle)), **options)
    told = []

    async def run():
        request = Request("m", ("be brief",), (), (UserMessage((Text("hi"),)),))
        async with client.stream(request, on_retry=told.append) as reply:
            async for _ in reply:
                pass
        return reply.message.text

    return asyncio.run(run()), told


@pytest.fixture
def printer(tmp_path):
    """`printer(keys…)` is a command that prints one key after the other, and then the last."""

    def made(*keys):
        kept = tmp_path / "keys"
        kept.write_text("\n".join(keys))
        code = (
            f"p = __import__('pathlib').Path({str(kept)!r}); keys = p.read_text().split(); "
            "print(keys[0]); p.write_text('\\n'.join(keys[1:] or keys))"
        )
        row = Provider(
            "corp", "http://c.example", "anthropic", "x-api-key", key_command="placeholder"
        )
        row = replace(row, key_command=f'{sys.executable} -c "{code}"')
        return resolve("corp/claude-sonnet-5-5", {}, [row]), kept

    return made


def test_a_printed_key_that_expired_is_printed_again(printer):
    route, _ = printer("old", "new")
    server = SimulatedProvider([says("Hello.")], key="new")
    text, told = ask(server, route)
    assert text == "Hello."
    assert (len(server.received), len(told), told[0].delay) == (2, 1, 0.0)
    assert "HTTP 401" in told[0].why


def test_and_only_once(printer):
    route, kept = printer("one", "two", "three")
    server = SimulatedProvider([says("never")], key="other")
    with pytest.raises(AuthFailed):
        ask(server, route)
    assert (len(server.received), kept.read_text()) == (2, "three")


def test_a_key_from_the_environment_can_not_change():
    route = resolve("claude-sonnet-5-5", {"ANTHROPIC_API_KEY": "k"})
    server = SimulatedProvider([says("never")], key="other")
    with pytest.raises(AuthFailed):
        ask(server, route)
    assert len(server.received) == 1


def amazon():
    route = resolve("bedrock/us.anthropic.claude-sonnet-5-5", {"AWS_REGION": "us-east-1"})
    assert route.auth == "sigv4"
    return route


def signer(signed):
    def sign(prepared, route):
        signed.append(route)
        return replace(prepared, headers=prepared.headers | {"authorization": f"{len(signed)}"})

    return sign


def test_awss_credentials_are_looked_up_again_when_they_expired():
    signed = []
    expired = Failure(403, b'{"message":"The security token is expired"}', EXPIRED)
    server = SimulatedProvider([expired, says("Hello.")])
    text, told = ask(server, amazon(), sign=signer(signed))
    assert (text, len(signed), len(told)) == ("Hello.", 2, 1)


@pytest.mark.parametrize(
    ("script", "requests"),
    [
        ([Failure(403, b'{"message":"expired"}', EXPIRED)] * 3, 2),
        ([Failure(403, b'{"message":"not allowed"}', DENIED)] * 3, 1),
    ],
)
def test_what_a_new_look_can_not_mend_is_told(script, requests):
    signed = []
    with pytest.raises(AuthFailed):
        ask(SimulatedProvider(script), amazon(), sign=signer(signed))
    assert len(signed) == requests
