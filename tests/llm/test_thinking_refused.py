"""Thinking that its model does not take back: asked again without it, and from then on."""

import json

import pytest
from simulated import Session

from agentcli.lib.value import replace
from agentcli.llm.errors import ThinkingRefused
from agentcli.llm.providers import resolve
from agentcli.llm.simulator import Failure, Say, Think, Turn, Use
from agentcli.llm.types import Text, UserMessage

ENV = {
    "ANTHROPIC_API_KEY": "k",
    "OPENAI_API_KEY": "k",
    "GEMINI_API_KEY": "k",
    "AWS_BEARER_TOKEN_BEDROCK": "k",
    "AWS_REGION": "us-east-1",
}
LOOK = Turn((Think("Hm. " * 20), Use("Read", {"path": "a"})))
DONE = Turn((Say("Done."),))


BOUND = {
    "type": "invalid_request_error",
    "message": "messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound "
    "to a different conversation.",
}
REFUSED = Failure(400, json.dumps({"type": "error", "error": BOUND}).encode())


def session(model, *script):
    return Session(script, resolve(model, ENV))


def forged(value):
    """Signatures in a reply as somebody changed them."""
    if isinstance(value, list):
        return [forged(each) for each in value]
    if not isinstance(value, dict):
        return value
    signed = ("signature", "thoughtSignature", "encrypted_content")
    return {name: "Zm9yZ2Vk" if name in signed else forged(each) for name, each in value.items()}


def sent(session):
    return [request.body for request in session.provider.received]


def test_after_a_change_to_what_came_before_the_talk_goes_on_without_the_thinking():
    talk = session("claude-opus-5-5", LOOK, LOOK, LOOK, DONE)
    talk.step()
    talk.messages = (UserMessage((Text("Go, and mind the style. " * 100),)), *talk.messages[1:])
    talk.step()
    talk.step()
    assert talk.step().text == "Done."
    refused, again, third, last = (json.loads(body) for body in sent(talk)[1:])
    assert len(sent(talk)) == 5
    assert "signature" in json.dumps(refused)
    assert "signature" not in json.dumps(again)
    assert json.dumps(third).count("signature") == 1, "new thinking is kept"
    assert last["messages"][:2] == third["messages"][:2], "and the old talk stays as it was"


@pytest.mark.parametrize(
    "model",
    [
        "claude-opus-5-5",
        "gpt-6.1-sol",
        "gemini-3.8-flash",
        "bedrock/global.anthropic.claude-opus-5-5",
        "anthropic-bedrock/global.anthropic.claude-opus-5-5",
    ],
)
def test_a_signature_that_was_changed_is_left_out(model):
    talk = session(model, LOOK, DONE)
    reply = talk.step()
    native = replace(reply.native, blocks=tuple(forged(list(reply.native.blocks))))
    talk.messages = (talk.messages[0], replace(reply, native=native), talk.messages[2])
    assert talk.step().text == "Done."
    _, refused, again = sent(talk)
    assert b"Zm9yZ2Vk" in refused
    assert b"Zm9yZ2Vk" not in again


def test_what_is_refused_without_signatures_too_is_not_asked_for_ever():
    talk = session("claude-opus-5-5", LOOK, REFUSED, REFUSED)
    talk.step()
    with pytest.raises(ThinkingRefused, match="bound to a different conversation"):
        talk.step()
    assert len(sent(talk)) == 3
