"""A tool made of a function: its schema, what calls it accepts, and how it refuses others."""

import asyncio
import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest

from agentcli.lib.value import value
from agentcli.tools.base import Action, Plain, ToolContext, ToolError, ToolResult, text_result
from agentcli.tools.schema import tool
from agentcli.tools.workspace import Workspace


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    text: str
    state: Literal["pending", "done"] = "pending"


class Edge(TypedDict):
    start: int
    label: NotRequired[str]


@value
class Point:
    x: int
    y: int


def intent(ctx, **arguments: Any) -> Action:
    return Action("other", "everything", Plain(repr(sorted(arguments))))


@tool(intent, read_only=True)
async def take_all(
    ctx: ToolContext,
    path: Annotated[str, "where"],
    *,
    count: int = 3,
    ratio: float = 0.5,
    loud: bool = False,
    mode: Literal["fast", "slow"] = "fast",
    names: list[str] | None = None,
    steps: Annotated[list[Step] | None, "what to do"] = None,
    edges: list[Edge] | None = None,
    points: list[Point] | None = None,
    extra: dict[str, Any] | None = None,
) -> ToolResult:
    """Take every kind of argument.

    A second line.
    """
    seen[:] = [path, count, ratio, loud, mode, names, steps, edges, points, extra]
    return text_result("taken")


seen: list[Any] = []
ctx = ToolContext(root=Path("/"), workspace=Workspace(Path("/")), outputs=Path("/"), env={})


def call(**arguments):
    seen.clear()
    asyncio.run(take_all.run(ctx, {"path": "p"} | arguments))
    return seen[1:]


def refusal(**arguments):
    with pytest.raises(ToolError) as caught:
        take_all.action(ctx, arguments)
    return str(caught.value).split("\n")


def test_name_description_and_schema_come_from_the_function():
    spec = take_all.spec
    assert spec.name == "TakeAll"
    assert spec.description == "Take every kind of argument.\n\nA second line."
    assert spec.input_schema == {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "where"},
            "count": {"type": "integer", "default": 3},
            "ratio": {"type": "number", "default": 0.5},
            "loud": {"type": "boolean"},
            "mode": {"type": "string", "enum": ["fast", "slow"], "default": "fast"},
            "names": {"type": "array", "items": {"type": "string"}},
            "steps": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "text": {"type": "string"},
                        "state": {"type": "string", "enum": ["pending", "done"]},
                    },
                    "required": ["text"],
                    "additionalProperties": False,
                },
                "description": "what to do",
            },
            "edges": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"start": {"type": "integer"}, "label": {"type": "string"}},
                    "required": ["start"],
                    "additionalProperties": False,
                },
            },
            "points": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}},
                    "required": ["x", "y"],
                    "additionalProperties": False,
                },
            },
            "extra": {"type": "object"},
        },
        "required": ["path"],
        "additionalProperties": False,
    }
    assert take_all.spec is spec
    assert take_all.read_only


def test_a_name_can_be_given():
    @tool(intent, name="Else")
    async def something(ctx: ToolContext) -> ToolResult:
        """Nothing."""
        return text_result("")

    assert something.spec.name == "Else"
    assert something.spec.input_schema == {
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }
    assert not something.read_only


def test_an_annotation_without_a_schema_is_a_mistake_of_ours():
    @tool(intent)
    async def odd(ctx: ToolContext, what: bytes) -> ToolResult:
        """Odd."""
        return text_result("")

    with pytest.raises(TypeError, match="bytes"):
        _ = odd.spec


def test_defaults_fill_what_is_left_out():
    assert call() == [3, 0.5, False, "fast", None, None, None, None, None]


def test_the_intent_gets_every_argument():
    action = take_all.action(ctx, {"path": "p"})
    assert action.preview == Plain(repr(sorted(take_all.spec.input_schema["properties"])))


def test_objects_become_what_the_annotation_says():
    got = call(
        steps=[{"text": "a"}, {"text": "b", "state": "done"}],
        edges=[{"start": 1}],
        points=[{"x": 1, "y": 2}],
        extra={"any": [1]},
    )
    assert got[5:] == [
        [Step("a"), Step("b", "done")],
        [{"start": 1}],
        [Point(1, 2)],
        {"any": [1]},
    ]


@pytest.mark.parametrize(
    ("given", "place", "taken"),
    [
        ({"count": "7"}, 0, 7),
        ({"count": " -7 "}, 0, -7),
        ({"count": 7.0}, 0, 7),
        ({"count": None}, 0, 3),
        ({"ratio": 2}, 1, 2),
        ({"ratio": "0.25"}, 1, 0.25),
        ({"loud": "True"}, 2, True),
        ({"loud": "false"}, 2, False),
        ({"names": '["a", "b"]'}, 4, ["a", "b"]),
        ({"steps": '[{"text": "a"}]'}, 5, [Step("a")]),
        ({"points": [{"x": "1", "y": 2.0}]}, 7, [Point(1, 2)]),
        ({"points": '[{"x": "1", "y": 2}]'}, 7, [Point(1, 2)]),
        ({"extra": '{"a": 1}'}, 8, {"a": 1}),
        ({"path": '["not a list"]'}, 4, None),
    ],
)
def test_common_slips_are_understood(given, place, taken):
    assert call(**given)[place] == taken


def test_a_string_stays_the_string_it_is():
    for text in ("7", "true", "null", '{"a": 1}', " x "):
        call(path=text)
        assert seen[0] == text


def test_every_mistake_has_one_line():
    lines = refusal(
        count="many", loud=1, mode="quick", names=["a", 2], steps=[{"state": "later"}], zzz=1
    )
    assert lines == [
        "TakeAll: wrong arguments.",
        "- path: missing; expected a string",
        '- count: expected a whole number, got "many"',
        "- loud: expected true or false, got 1",
        '- mode: expected one of fast, slow, got "quick"',
        "- names[1]: expected a string, got 2",
        "- steps[0].text: missing; expected a string",
        '- steps[0].state: expected one of pending, done, got "later"',
        "- zzz: no such argument; there are path, count, ratio, loud, mode, names, steps, "
        "edges, points, extra",
    ]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"file_path": "x"}, "- file_path: no such argument; did you mean path?"),
        ({"Count": 1}, "- Count: no such argument; did you mean count?"),
        ({"points": [{"x": 1, "y": 1, "z": 1}]}, "- points[0].z: no such argument; there are x, y"),
        ({"count": 1.5}, "- count: expected a whole number, got 1.5"),
        ({"count": True}, "- count: expected a whole number, got true"),
        ({"count": "9" * 5000}, f'- count: expected a whole number, got "{"9" * 59}…'),
        ({"names": "a"}, '- names: expected a list of strings, got "a"'),
        ({"names": '"a"'}, '- names: expected a list of strings, got "\\"a\\""'),
        ({"names": "[" * 100_000}, f'- names: expected a list of strings, got "{"[" * 59}…'),
        ({"steps": {"text": "a"}}, '- steps: expected a list of objects, got {"text": "a"}'),
        ({"extra": [1]}, "- extra: expected an object, got [1]"),
        ({"ratio": float("nan")}, "- ratio: expected a number, got NaN"),
        ({"path": None}, "- path: expected a string, got null"),
        ({"path": "a\ud800"}, "- path: holds half of a surrogate pair, which is no character"),
        ({"count": ["\ud800"]}, '- count: expected a whole number, got ["?"]'),
    ],
)
def test_a_mistake_names_argument_problem_and_expectation(given, line):
    assert refusal(**({"path": "p"} | given))[1:] == [line]


def test_run_checks_too():
    with pytest.raises(ToolError, match="path: missing"):
        asyncio.run(take_all.run(ctx, {}))


def test_schemas_are_made_without_pydantic_and_calls_open_only_its_core():
    script = """
import sys
from pathlib import Path
from agentcli.tools.base import ToolContext
from agentcli.tools.todo import todo
from agentcli.tools.workspace import Workspace
todo.spec
print([name for name in sys.modules if name.startswith("pydantic")])
ctx = ToolContext(Path("/"), Workspace(Path("/")), Path("/"), {})
todo.action(ctx, {"items": []})
print("pydantic_core" in sys.modules, "pydantic" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.split("\n")[:2] == ["[]", "True False"], done.stderr
