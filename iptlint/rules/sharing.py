"""What several lint rules ask of a walk is worked out once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

from iptlint.netfilter.walk import Walk

_T = TypeVar("_T")


def per_walk(function: Callable[[Walk], _T]) -> Callable[[Walk], _T]:
    """Works the answer out once a walk: several lint rules ask for it."""
    known: WeakKeyDictionary[Walk, _T] = WeakKeyDictionary()

    @wraps(function)
    def remembered(walk: Walk) -> _T:
        if walk not in known:
            known[walk] = function(walk)
        return known[walk]

    return remembered
