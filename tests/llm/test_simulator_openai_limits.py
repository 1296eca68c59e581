"""What OpenAI's reasoning models take besides a prompt, and how long it may be (wire.md 6.2)."""

import pytest
from test_simulator_openai import CALL, OUTPUT, USER, chat, marked, responses, send

NEWEST = "gpt-6.2-sol"
NONE = {"reasoning": {"effort": "none"}}


@pytest.mark.parametrize("field", ["temperature", "top_p", "top_logprobs"])
def test_only_without_reasoning_an_answer_can_be_sampled(field):
    odd = {field: 0.5 if field != "top_logprobs" else 5}
    assert send("/responses", responses(model="gpt-5.5", **odd))[0] == 400
    assert send("/responses", responses(model="gpt-5.5", **odd, **NONE))[0] == 200
    assert (
        send("/chat/completions", chat(model="gpt-5.5", reasoning_effort="none", **odd))[0] == 200
    )
    assert send("/responses", responses(model="gpt-5.5", **{field: None}))[0] == 200


@pytest.mark.parametrize("field", ["temperature", "top_p"])
def test_the_usual_is_always_taken(field):
    assert send("/responses", responses(model=NEWEST, **{field: 1}))[0] == 200


def test_probabilities_of_letters_are_of_models_that_do_not_reason():
    assert send("/chat/completions", chat(model="gpt-5", logprobs=True))[0] == 400
    assert send("/chat/completions", chat(model="gpt-5", logprobs=False))[0] == 200
    assert send("/chat/completions", chat(model="gpt-4.1", logprobs=True))[0] == 200


@pytest.mark.parametrize(("mark", "status"), [({"mode": "explicit"}, 200), ({"mode": "x"}, 400)])
def test_a_breakpoint_is_explicit(mark, status):
    assert send("/responses", responses(marked(mark)))[0] == status


def test_a_breakpoint_in_an_output_is_one_too():
    held = {"type": "input_text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit"}}
    talk = (USER, CALL, OUTPUT | {"output": [held]})
    assert send("/responses", responses(*talk))[0] == 200
    assert send("/responses", responses(*talk, model="gpt-5"))[0] == 400


@pytest.mark.parametrize("kind", ["shell_call", "apply_patch_call"])
def test_every_output_says_something(kind):
    call = {"type": kind, "call_id": "call_1"}
    silent = {"type": f"{kind}_output", "call_id": "call_1"}
    status, answer = send("/responses", responses(USER, call, silent))
    assert (status, answer["error"]["message"]) == (
        400,
        "Missing required parameter: 'input[2].output'.",
    )
    assert send("/responses", responses(USER, call, silent | {"output": []}))[0] == 200


@pytest.mark.parametrize(("model", "most"), [("gpt-6.1-sol", 922_000), ("gpt-4.1", 1_047_576)])
def test_room_for_the_reply_is_no_room_for_a_prompt_since_gpt_5(model, most):
    for more, status in ((0, 200), (1, 400)):
        request = {"model": model, "store": False, "input": "a" * 4 * (most + more)}
        assert send("/responses", request)[0] == status
