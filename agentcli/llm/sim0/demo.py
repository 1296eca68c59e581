"""The script behind `agent demo`: a model that repairs a shopping cart."""

from __future__ import annotations

from agentcli.llm.sim0.script import Say, Step, last_results
from agentcli.llm.types import JsonObject

PROMPTS = (
    "The tests fail. Find out why and repair it.",
    "Add a test that a discount of 100 percent makes it free, and run the tests again.",
    "Commit all of it with a fitting message.",
)
TEST = {"command": "python -m pytest -q --tb=short -p no:cacheprovider"}
WRONG = "    return amount - amount * percent"
RIGHT = "    return amount - amount * percent / 100"
NEW_TEST = """def test_total_with_discount():
    assert total([(10.00, 2)], percent=10) == 18.00


def test_everything_off_is_free():
    assert total([(10.00, 2)], percent=100) == 0
"""
OLD_TEST = """def test_total_with_discount():
    assert total([(10.00, 2)], percent=10) == 18.00
"""


def script() -> list[Step]:
    """The replies to PROMPTS, in order; what they say about test runs depends on the real ones."""
    return [
        Say("I'll run the tests and look at the code.", (("Bash", TEST), ("Glob", PY))),
        Say(
            "",
            (("Read", {"path": "cart.py"}), ("Read", {"path": "test_cart.py"})),
            thinking="Two tests fail, both about discounts. Both files are short: read them.",
        ),
        Say(
            "`discount` takes its percentage as a fraction (cart.py:11), while the tests and "
            "AGENTS.md use whole percents.",
            (("Edit", {"path": "cart.py", "old": WRONG, "new": RIGHT}),),
        ),
        Say("", (("Bash", TEST),)),
        _repaired,
        Say("", (("Edit", {"path": "test_cart.py", "old": OLD_TEST, "new": NEW_TEST}),)),
        Say("", (("Bash", TEST),)),
        _extended,
        Say("", (("Git", {"command": "status --short"}), ("Git", {"command": "diff --stat"}))),
        Say(
            "",
            (("Git", {"command": "add -A"}), ("Git", {"command": f'commit -m "{MESSAGE}"'})),
        ),
        _committed,
    ]


PY = {"pattern": "*.py"}
MESSAGE = "Discounts are whole percents"


def _repaired(body: JsonObject) -> Say:
    if " failed" in last_results(body):
        return Say("The tests still fail; I could not repair it.")
    return Say(
        "Repaired: `discount` divides the percentage by 100 (cart.py:11). All tests pass now."
    )


def _extended(body: JsonObject) -> Say:
    if " failed" in last_results(body):
        return Say("The new test fails; the code needs another look.")
    return Say("Added `test_everything_off_is_free`; all tests pass.")


def _committed(body: JsonObject) -> Say:
    if "exit code" in last_results(body) or "Not allowed" in last_results(body):
        return Say("The commit did not go through; see above.")
    return Say(f"Committed as “{MESSAGE}”.")
