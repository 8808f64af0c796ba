"""What several lint rules ask of a walk is worked out once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

from iptlint.netfilter.table_analysis import TableAnalysis

_T = TypeVar("_T")


def per_walk(function: Callable[[TableAnalysis], _T]) -> Callable[[TableAnalysis], _T]:
    """Works the answer out once a walk: several lint rules ask for it."""
    known: WeakKeyDictionary[TableAnalysis, _T] = WeakKeyDictionary()

    @wraps(function)
    def remembered(analysis: TableAnalysis) -> _T:
        if analysis not in known:
            known[analysis] = function(analysis)
        return known[analysis]

    return remembered
