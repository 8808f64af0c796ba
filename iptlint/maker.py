"""Objects of frozen dataclasses, by the hundred thousand.

What a frozen dataclass is made by sets each field through a function, which takes four times as
long as setting it: more than most of what a reader does for a line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, ParamSpec, TypeVar, cast

_P = ParamSpec("_P")
_T = TypeVar("_T")


def maker(cls: Callable[_P, _T]) -> Callable[_P, _T]:
    """Makes objects of a frozen dataclass with slots, and is called as the class is. They are made
    as a draft, whose fields may be set, and become what they are when it is whole."""
    made = fields(cast("type[Any]", cls))
    if any(not each.init or each.default_factory is not MISSING for each in made):
        raise TypeError(f"{cls} has fields that are not simply set")
    defaults = {each.name: each.default for each in made if each.default is not MISSING}
    parameters = (f"{e.name}=defaults[{e.name!r}]" if e.name in defaults else e.name for e in made)
    steps = (*(f"self.{each.name} = {each.name}" for each in made), "self.__class__ = cls")
    code = f"def __init__(self, {', '.join(parameters)}):\n  " + "\n  ".join(steps)
    namespace: dict[str, Any] = {}
    exec(code, {"cls": cls, "defaults": defaults}, namespace)  # as dataclass itself does
    slots = tuple(each.name for each in made)
    return cast("Callable[_P, _T]", type("Draft", (), {"__slots__": slots, **namespace}))
