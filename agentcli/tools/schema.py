"""A tool from a function: the signature is the schema, the docstring the description.

The schema is made by hand, so that no request waits for pydantic; the first call opens its core,
which checks arguments. The core alone takes a third of the time of building pydantic models.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from agentcli.llm.types import JsonObject, ToolSpec
from agentcli.tools.arguments import lenient, told, unsendable
from agentcli.tools.base import Action, ToolContext, ToolError, ToolResult

if TYPE_CHECKING:
    from pydantic_core import CoreSchema, SchemaValidator

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
    def _validator(self) -> SchemaValidator:
        from pydantic_core import SchemaValidator

        return SchemaValidator(_core(self.spec.input_schema))

    def _refused(self, lines: list[str]) -> ToolError:
        return ToolError(f"{self._name}: wrong arguments.\n" + "\n".join(lines))

    def _checked(self, input: JsonObject) -> JsonObject:
        """The arguments as the function wants them; ToolError with one line a mistake."""
        from pydantic_core import ValidationError

        schema = self.spec.input_schema
        try:
            given = self._validator.validate_python(lenient(input, schema), strict=True)
        except ValidationError as error:
            lines = [told(part, schema) for part in error.errors(include_url=False)]
            raise self._refused(lines) from None
        if broken := unsendable(input):
            raise self._refused(broken)
        hints = typing.get_type_hints(self._run, include_extras=True)
        return {
            name: _made(given[name], hints[name]) if name in given else _default(parameter)
            for name, parameter in _parameters(self._run)
        }


def tool(
    intent: Intent,
    *,
    read_only: bool = False,
    name: str | None = None,
    grammar: str | None = None,
) -> Callable[[Run], LocalTool]:
    """Make a tool of an async function whose first parameter is the ToolContext.

    `intent(ctx, **arguments)` says what a call would do; it may raise ToolError.
    """

    def make(run: Run) -> LocalTool:
        words = getattr(run, "__name__", "").split("_")
        called = name or "".join(word.capitalize() for word in words)
        return LocalTool(run, intent, read_only=read_only, name=called, grammar=grammar)

    return make


def schema_of(run: Run) -> JsonObject:
    """The JSON schema of a function's parameters after the context; TypeError if one has none."""
    hints = typing.get_type_hints(run, include_extras=True)
    properties: JsonObject = {}
    required: list[str] = []
    for name, parameter in _parameters(run):
        properties[name] = _schema(hints[name])
        if parameter.default not in (parameter.empty, None, "", False, ()):
            properties[name]["default"] = parameter.default
        if parameter.default is parameter.empty and not _may_be_none(hints[name]):
            required.append(name)
    return _object(properties, required)


def _object(properties: JsonObject, required: list[str]) -> JsonObject:
    schema: JsonObject = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    return schema | {"additionalProperties": False}


def _parameters(run: Run) -> list[tuple[str, inspect.Parameter]]:
    return list(inspect.signature(run).parameters.items())[1:]


def _default(parameter: inspect.Parameter) -> Any:
    """What an argument left out stands for; None for one that may be None."""
    return None if parameter.default is parameter.empty else parameter.default


def _schema(hint: Any) -> JsonObject:
    if hint is Any:
        return {}
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    origin, args = get_origin(hint) or hint, get_args(hint)
    if origin is Annotated:
        return _schema(args[0]) | {"description": args[1]}
    if origin in (typing.Required, typing.NotRequired):
        return _schema(args[0])
    if origin is Literal:
        return {"type": _PLAIN[type(args[0])], "enum": list(args)}
    if origin is list:
        return {"type": "array"} | ({"items": _schema(args[0])} if args else {})
    if origin is dict:
        return {"type": "object"}
    if _is_union(origin):
        (inner,) = [arg for arg in args if arg is not type(None)]
        return _schema(inner)
    if _is_record(hint):
        hints = typing.get_type_hints(hint, include_extras=True)
        properties = {name: _schema(inner) for name, inner in hints.items()}
        return _object(properties, [name for name in hints if _is_required(hint, name)])
    raise TypeError(f"no schema for {hint!r}")


def _is_union(origin: Any) -> bool:
    return origin is typing.Union or origin is types.UnionType


def _may_be_none(hint: Any) -> bool:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _may_be_none(args[0])
    return _is_union(origin) and type(None) in args


def _is_record(hint: Any) -> bool:
    """A dataclass, a TypedDict or another class that is the sum of its annotated names."""
    return isinstance(hint, type) and bool(getattr(hint, "__annotations__", None))


def _is_required(record: Any, name: str) -> bool:
    if typing.is_typeddict(record):
        return name in record.__required_keys__
    if dataclasses.is_dataclass(record):
        (field,) = [field for field in dataclasses.fields(record) if field.name == name]
        return field.default is field.default_factory is dataclasses.MISSING
    return True


def _made(value: Any, hint: Any) -> Any:
    """A checked value as its annotation wants it: objects become what the list says they are."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Annotated, typing.Required, typing.NotRequired):
        return _made(value, args[0])
    if origin is list:
        return [_made(item, args[0]) for item in value]
    if _is_union(origin):
        (inner,) = [arg for arg in args if arg is not type(None)]
        return value if value is None else _made(value, inner)
    if origin is not None or hint in _PLAIN or not _is_record(hint):
        return value
    hints = typing.get_type_hints(hint, include_extras=True)
    return hint(**{name: _made(part, hints[name]) for name, part in value.items()})


def _core(schema: JsonObject) -> CoreSchema:
    """The checker of one of our own schemas."""
    from pydantic_core import core_schema as core

    if "enum" in schema:
        return core.literal_schema(schema["enum"])
    match schema.get("type"):
        case "string":
            return core.str_schema()
        case "integer":
            return core.int_schema()
        case "number":
            return core.float_schema(allow_inf_nan=False)
        case "boolean":
            return core.bool_schema()
        case "array":
            return core.list_schema(_core(schema.get("items", {})))
        case "object" if "properties" in schema:
            needed = schema.get("required", ())
            fields = {
                name: core.typed_dict_field(_core(part), required=name in needed)
                for name, part in schema["properties"].items()
            }
            return core.typed_dict_schema(fields, extra_behavior="forbid")
        case "object":
            return core.dict_schema()
        case _:
            return core.any_schema()
