"""Small makers that rows of the builder share.

A row says what makes a node of the children that one rule of the grammar has; a missing option
of the grammar is a child that is None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Make = Callable[..., Any]


def first(child: Any, **_: int) -> Any:
    return child


def joined(*children: str, **_: int) -> str:
    return " ".join(children)


def texts(*children: Any, **_: int) -> tuple[Any, ...]:
    return children


def many(node: Make) -> Make:
    return lambda *children, **place: node(children, **place)
