"""A tool from a function: the signature is the schema, the docstring the description.

The schema is made by hand, so that the first request does not wait for pydantic; pydantic checks
the arguments of a call, and is opened by the first one.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import types
import typing
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Annotated, Any, Literal, get_args, get_origin

from agentcli.llm.types import JsonObject, ToolSpec
from agentcli.tools.base import Action, ToolContext, ToolError, ToolResult

Run = Callable[..., Awaitable[ToolResult]]
Intent = Callable[..., Action]
_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}


class LocalTool:
    """A decorated function; satisfies `tools.base.Tool`."""

    def __init__(
        self, run: Run, intent: Intent, *, read_only: bool, name: str, grammar: str | None
    ) -> None:
        self._run = run
        self._intent = intent
        self._read_only = read_only
        self._name = name
        self._grammar = grammar

    @property
    def read_only(self) -> bool:
        return self._read_only

    @cached_property
    def spec(self) -> ToolSpec:
        description = inspect.cleandoc(self._run.__doc__ or "")
        return ToolSpec(self._name, description, schema_of(self._run), self._grammar)

    def action(self, ctx: ToolContext, input: JsonObject) -> Action:
        return self._intent(ctx, **self._checked(input))

    async def run(self, ctx: ToolContext, input: JsonObject) -> ToolResult:
        return await self._run(ctx, **self._checked(input))

    @cached_property
    def _validator(self) -> Any:
        from pydantic import ConfigDict, create_model

        hints = typing.get_type_hints(self._run, include_extras=True)
        fields: dict[str, Any] = {
            name: (hints[name], ... if p.default is p.empty else p.default)
            for name, p in _parameters(self._run)
        }
        return create_model(self._name, __config__=ConfigDict(extra="forbid"), **fields)

    def _checked(self, input: JsonObject) -> JsonObject:
        """The arguments as the function wants them; ToolError with one line a mistake."""
        from pydantic import ValidationError

        try:
            model = self._validator.model_validate(_lenient(input, self.spec.input_schema))
        except ValidationError as error:
            lines = [_told(part) for part in error.errors()]
            raise ToolError(f"{self._name}: wrong arguments.\n" + "\n".join(lines)) from None
        return {name: getattr(model, name) for name, _ in _parameters(self._run)}


def tool(
    intent: Intent, *, read_only: bool = False, name: str = "", grammar: str | None = None
) -> Callable[[Run], LocalTool]:
    """Make a tool of an async function whose first parameter is the ToolContext."""

    def make(run: Run) -> LocalTool:
        words = getattr(run, "__name__", "").split("_")
        called = name or "".join(word.capitalize() for word in words)
        return LocalTool(run, intent, read_only=read_only, name=called, grammar=grammar)

    return make


def schema_of(run: Run) -> JsonObject:
    """The JSON schema of a function's parameters after the context."""
    hints = typing.get_type_hints(run, include_extras=True)
    properties: JsonObject = {}
    required: list[str] = []
    for name, parameter in _parameters(run):
        properties[name] = _schema(hints[name])
        if parameter.default is parameter.empty:
            required.append(name)
        elif parameter.default not in (None, "", False, ()):
            properties[name]["default"] = parameter.default
    schema: JsonObject = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    return schema | {"additionalProperties": False}


def _parameters(run: Run) -> list[tuple[str, inspect.Parameter]]:
    return list(inspect.signature(run).parameters.items())[1:]


def _schema(kind: Any) -> JsonObject:
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _schema(args[0]) | {"description": args[1]}
    if origin is Literal:
        return {"type": "string", "enum": list(args)}
    if origin in (list, tuple):
        return {"type": "array", "items": _schema(args[0])}
    if origin in (types.UnionType, typing.Union):
        (inner,) = [arg for arg in args if arg is not type(None)]
        return _schema(inner)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind, include_extras=True)
        fields = {name: _schema(hint) for name, hint in hints.items()}
        return {"type": "object", "properties": fields, "required": list(fields)}
    if kind is dict or origin is dict:
        return {"type": "object"}
    raise TypeError(f"no schema for {kind!r}")


def _lenient(input: JsonObject, schema: JsonObject) -> JsonObject:
    """What models often write for a list or object: its JSON as a string."""
    fixed = dict(input)
    for name, part in schema["properties"].items():
        value = fixed.get(name)
        if part.get("type") in ("array", "object") and isinstance(value, str):
            try:
                fixed[name] = json.loads(value)
            except ValueError:
                continue
        if value is None and name in fixed and name not in schema.get("required", ()):
            del fixed[name]
    return fixed


def _told(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    match error["type"]:
        case "missing":
            return f"- {where}: missing"
        case "extra_forbidden":
            return f"- {where}: no such argument"
        case _:
            got = repr(error["input"])[:60]
            message = error["msg"][:1].lower() + error["msg"][1:]
            return f"- {where}: {message}; got {got}"
