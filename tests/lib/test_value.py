"""Values behave as frozen, slotted dataclasses do."""

import copy
import pickle
from typing import ClassVar

import pytest

from agentcli.lib.value import made, replace, value


@value
class Point:
    """A point."""

    x: int
    y: int = 0
    tags: dict[str, str] = made(default_factory=dict)
    unit = "cm"
    limit: ClassVar[int] = 9

    @property
    def double(self) -> int:
        return self.x * 2


@value
class Other:
    x: int
    y: int = 0


def test_fields_by_place_and_by_name():
    assert (Point(1, 2).x, Point(1, 2).y, Point(y=3, x=1).y, Point(1).y) == (1, 2, 3, 0)
    assert Point(4).double == 8
    assert (Point.limit, Point.__match_args__) == (9, ("x", "y", "tags"))
    assert Point.__doc__ == "A point."


@pytest.mark.parametrize(("args", "named"), [((), {}), ((1,), {"z": 1}), ((1,), {"x": 1})])
def test_wrong_fields_are_refused(args, named):
    with pytest.raises(TypeError, match="Point"):
        Point(*args, **named)


def test_too_many_values_are_refused():
    with pytest.raises(TypeError, match="Other"):
        Other(1, 2, 3)


def test_nothing_can_be_changed_or_added():
    point = Point(1)
    for name in ("x", "new"):
        with pytest.raises(AttributeError):
            setattr(point, name, 5)
    with pytest.raises(AttributeError):
        del point.x


def test_equality_hash_and_repr():
    assert Other(1, 2) == Other(1, 2)
    assert Other(1, 2) != Other(1, 3)
    assert Other(1) != (1, 0)
    assert Other(1).__eq__(Point(1)) is NotImplemented
    assert len({Other(1), Other(1), Other(2)}) == 2
    assert repr(Other(1, 2)) == "Other(x=1, y=2)"


def test_defaults_are_made_anew():
    assert Point(1).tags is not Point(1).tags


def test_replace_copy_and_pickle():
    assert replace(Other(1, 2), y=5) == Other(1, 5)
    assert copy.deepcopy(Other(1, 2)) == Other(1, 2)
    assert pickle.loads(pickle.dumps(Other(1, 2))) == Other(1, 2)


def test_matching_by_place():
    match Other(1, 2):
        case Other(x, y):
            assert (x, y) == (1, 2)
