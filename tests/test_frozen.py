import dataclasses
import inspect

import pytest

from lrs_soap import frozen, model


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    x: int
    y: int = 0


@frozen.quick
@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    x: int
    y: int = 0


def test_a_quick_constructor_is_as_that_of_dataclasses():
    assert inspect.signature(Point) == inspect.signature(Slow)
    assert dataclasses.astuple(Point(x=1)) == dataclasses.astuple(Slow(x=1))
    assert dataclasses.replace(Point(x=1), y=3) == Point(y=3, x=1)
    for values in ({}, {"y": 1}, {"x": 1, "z": 1}):
        with pytest.raises(TypeError) as slow:
            Slow(**values)
        with pytest.raises(TypeError) as quick:
            Point(**values)
        assert str(quick.value).replace("Point", "Slow") == str(slow.value)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Point(x=1).x = 2


def test_only_a_plain_class_is_made_quick():
    with pytest.raises(TypeError, match="Listed"):

        @frozen.quick
        @dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
        class Listed:
            some: list = dataclasses.field(default_factory=list)


def test_what_a_maker_makes_is_what_the_constructor_makes():
    make = frozen.maker(Point, ("y", "x"))
    assert make((2, 1)) == Point(x=1, y=2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        make([2, 1]).x = 3


@pytest.mark.parametrize("names", [("x",), ("x", "y", "z"), ("x", "x"), ("x", "y", "y")])
def test_every_field_is_named_once(names):
    with pytest.raises(TypeError, match="Point"):
        frozen.maker(Point, names)


def test_every_class_of_the_model_can_be_made():
    for cls in vars(model).values():
        if dataclasses.is_dataclass(cls):
            names = [field.name for field in dataclasses.fields(cls)]
            made = frozen.maker(cls, names)(names)
            assert made == cls(**dict(zip(names, names, strict=True)))
