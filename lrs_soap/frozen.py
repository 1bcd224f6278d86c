"""Frozen dataclasses made quickly.

The constructor of a frozen dataclass sets every field through object.__setattr__, looked up by name: for a learner of
33 fields that is dearer than reading it from the database. The functions made here set the slots themselves.
"""

from collections.abc import Callable, Sequence
from typing import Any


def maker(cls: type, names: Sequence[str]) -> Callable[[Sequence], Any]:
    """The function that makes a `cls`, a frozen dataclass with slots, of its values in the order of `names`: the same
    object as `cls(**dict(zip(names, values)))`.

    names: all fields of the class; there is nothing to fill in defaults. Raises TypeError for others.
    """
    if set(names) != set(cls.__dataclass_fields__) or len(names) != len(set(names)):
        raise TypeError(f"not the fields of {cls.__name__}")
    setters = {f"set_{name}": getattr(cls, name).__set__ for name in names}
    lines = ["def make(values):", "    made = new(cls)", f"    {', '.join(names)}, = values"]
    lines += [f"    set_{name}(made, {name})" for name in names]
    lines.append("    return made")
    scope = {"new": cls.__new__, "cls": cls, **setters}
    exec(compile("\n".join(lines), f"<maker of {cls.__name__}>", "exec"), scope)
    return scope["make"]
