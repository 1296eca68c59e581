"""The script behind `agent demo` and `--model demo`: a model that repairs a shopping cart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from agentcli.llm.simulator.script import (
    Asked,
    Outcome,
    Script,
    Turn,
    When,
    calls,
    says,
    thinks,
)

Reply: TypeAlias = "Turn | Callable[[str], Turn]"
"""A reply, or one that depends on the last tool results."""

PROMPTS = (
    "The tests fail. Find out why and repair it.",
    "Add a test that a discount of 100 percent makes it free, and run the tests again.",
    "Commit all of it with a fitting message.",
)
TEST = {"command": "python -m pytest -q --tb=short -p no:cacheprovider"}
WRONG = "    return amount - amount * percent"
RIGHT = "    return amount - amount * percent / 100"
OLD_TEST = """def test_total_with_discount():
    assert total([(10.00, 2)], percent=10) == 18.00
"""
NEW_TEST = f"""{OLD_TEST}

def test_everything_off_is_free():
    assert total([(10.00, 2)], percent=100) == 0
"""
MESSAGE = "Discounts are whole percents"
ELSEWHERE = (
    "I am a script, not a model: offline I only know the demo repository. Run `agent demo`, or "
    "`agent --model demo` and ask there: “" + "” “".join(PROMPTS) + "”"
)


def script() -> Script:
    """Answers PROMPTS, each in several steps; anything else with what it is."""
    return Script(rules=(When(lambda _: True, _answer),))


def _answer(asked: Asked) -> Outcome:
    prompt, done = _where(asked.body.get("messages") or [])
    replies = next((TALKS[known] for known in PROMPTS if known in prompt), None)
    if replies is None or done >= len(replies):
        return says(ELSEWHERE if replies is None else "That was all of my script.")
    reply = replies[done]
    return reply if isinstance(reply, Turn) else reply("\n".join(asked.results))


def _where(messages: list[dict[str, Any]]) -> tuple[str, int]:
    """What a person said last, and how many replies came since."""
    replies = 0
    for message in reversed(messages):
        text = str(message.get("content"))
        if message.get("role") == "assistant":
            replies += 1
        elif any(prompt in text for prompt in PROMPTS):
            return text, replies
        elif "tool_result" not in text and "<reminder>" not in text:
            break
    return "", replies


def _repaired(results: str) -> Turn:
    if " failed" in results:
        return says("The tests still fail; I could not repair it.")
    return says(
        "Repaired: `discount` divides the percentage by 100 (cart.py:11). All tests pass now."
    )


def _extended(results: str) -> Turn:
    if " failed" in results:
        return says("The new test fails; the code needs another look.")
    return says("Added `test_everything_off_is_free`; all tests pass.")


def _committed(results: str) -> Turn:
    if "exit code" in results or "Not allowed" in results:
        return says("The commit did not go through; see above.")
    return says(f"Committed as “{MESSAGE}”.")


TALKS: dict[str, tuple[Reply, ...]] = {
    PROMPTS[0]: (
        calls(
            ("Bash", TEST),
            ("Glob", {"pattern": "*.py"}),
            text="I'll run the tests and look at the code.",
        ),
        thinks(
            "Two tests fail, both about discounts. Both files are short: read them.",
            calls(("Read", {"path": "cart.py"}), ("Read", {"path": "test_cart.py"})),
        ),
        calls(
            ("Edit", {"path": "cart.py", "old": WRONG, "new": RIGHT}),
            text="`discount` takes its percentage as a fraction (cart.py:11), while the tests and "
            "AGENTS.md use whole percents.",
        ),
        calls(("Bash", TEST)),
        _repaired,
    ),
    PROMPTS[1]: (
        calls(("Edit", {"path": "test_cart.py", "old": OLD_TEST, "new": NEW_TEST})),
        calls(("Bash", TEST)),
        _extended,
    ),
    PROMPTS[2]: (
        calls(("Git", {"command": "status --short"}), ("Git", {"command": "diff --stat"})),
        calls(("Git", {"command": "add -A"}), ("Git", {"command": f'commit -m "{MESSAGE}"'})),
        _committed,
    ),
}
