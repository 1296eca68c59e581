"""Frozen values with slots: what `@dataclass(frozen=True, slots=True)` gives, at a tenth the cost.

A dataclass compiles its methods when its class is made, half a millisecond each; a hundred of them
were 40 % of the way to the first request. Values share their methods instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast, dataclass_transform

T = TypeVar("T")
_MISSING: Any = object()


class _Made:
    """A default that is made anew for each value."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


def made(*, default_factory: Callable[[], T]) -> T:
    """A default made anew for each value, as in `tags: list[str] = made(default_factory=list)`."""
    return cast("T", _Made(default_factory))


@dataclass_transform(frozen_default=True, field_specifiers=(made,))
def value(cls: type[T]) -> type[T]:
    """A frozen class of the annotated names, with slots, equality, hash and repr."""
    space: dict[str, Any] = dict(cls.__dict__)
    hints: dict[str, Any] = space.get("__annotations__", {})
    names = tuple(name for name, hint in hints.items() if "ClassVar" not in str(hint))
    defaults = {name: space.pop(name) for name in names if name in space}
    space.pop("__dict__", None)
    space.pop("__weakref__", None)
    space |= {"__slots__": names, "__match_args__": names, "__qualname__": cls.__qualname__}
    space |= _METHODS | {"__init__": _initialiser(cls.__name__, names, defaults)}
    return cast("type[T]", type(cls)(cls.__name__, cls.__bases__, space))


def replace(item: T, **changes: Any) -> T:
    """The same value with other fields."""
    fields = {name: getattr(item, name) for name in _names(item)}
    return type(item)(**(fields | changes))


def _names(item: Any) -> tuple[str, ...]:
    return item.__match_args__


def _initialiser(
    title: str, names: tuple[str, ...], defaults: dict[str, Any]
) -> Callable[..., None]:
    known = frozenset(names)
    put = object.__setattr__

    def __init__(self: Any, *args: Any, **named: Any) -> None:
        for name, given in zip(names, args, strict=False):
            put(self, name, given)
        for name in names[len(args) :]:
            given = named.pop(name, _MISSING)
            if given is _MISSING:
                given = defaults.get(name, _MISSING)
                if given is _MISSING:
                    raise TypeError(f"{title}() lacks {name!r}")
                if type(given) is _Made:
                    given = given.make()
            put(self, name, given)
        if named or len(args) > len(names):
            extra = sorted(named.keys() - known) or "too many values"
            raise TypeError(f"{title}() got {extra}")

    return __init__


def _setattr(self: Any, name: str, _: Any) -> None:
    raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be set")


def _delattr(self: Any, name: str) -> None:
    raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be deleted")


def _equal(self: Any, other: Any) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return all(getattr(self, name) == getattr(other, name) for name in _names(self))


def _hash(self: Any) -> int:
    return hash(tuple(getattr(self, name) for name in _names(self)))


def _repr(self: Any) -> str:
    fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in _names(self))
    return f"{type(self).__name__}({fields})"


def _reduce(self: Any) -> tuple[Any, ...]:
    """Copying and pickling go through the initialiser: frozen slots cannot be set."""
    return self.__class__, tuple(getattr(self, name) for name in _names(self))


_METHODS: dict[str, Any] = {
    "__setattr__": _setattr,
    "__delattr__": _delattr,
    "__eq__": _equal,
    "__hash__": _hash,
    "__repr__": _repr,
    "__reduce__": _reduce,
}
