"""A server that speaks another API than it was asked in is named, not called broken."""

import json

import pytest

from agentcli.llm.errors import WrongEndpoint
from agentcli.llm.providers import resolve
from agentcli.llm.wire import load

ROUTE = resolve("sonnet", {"ANTHROPIC_API_KEY": "k"})
EVENTS = {
    "anthropic": {"type": "message_start", "message": {"id": "m"}},
    "openai-responses": {"type": "response.created", "response": {"id": "r"}},
    "openai-chat": {"object": "chat.completion.chunk", "choices": [{"delta": {"content": "x"}}]},
    "gemini": {"candidates": [{"content": {"parts": [{"text": "x"}]}}]},
}


@pytest.mark.parametrize("asked", EVENTS)
@pytest.mark.parametrize("spoken", EVENTS)
def test_the_api_that_is_spoken_is_named(asked, spoken):
    decoder = load(asked).decoder(ROUTE)
    body = f"data: {json.dumps(EVENTS[spoken])}\n\n".encode()
    if asked == spoken:
        list(decoder.feed(body))
        return
    with pytest.raises(WrongEndpoint, match="answers in") as found:
        list(decoder.feed(body))
    assert f'wire = "{spoken}"' in str(found.value)
