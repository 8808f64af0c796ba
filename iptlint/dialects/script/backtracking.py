"""In how many ways a regular expression may be tried on a text, at most.

Python tries one after the other, where grep and bash look at each sign of the text once: without a
bound, thirty signs of a hostile script would keep it busy for years.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import comb
from typing import NamedTuple

from iptlint.model.numbers import decimal

_MOST_LOOPS, _MOST_CHOICES = 16, 1_000_000
_BOUNDS = re.compile(r"\{([0-9]++)(,?)([0-9]*)\}")


class UnboundedError(Exception):
    """There are too many on any text; or what is repeated without an end has more than one itself,
    or is repeated twice."""


class Ways(NamedTuple):
    """``loops``: how many parts may stand any number of times; ``choices``: the ways that there are
    whatever the text."""

    loops: int = 0
    choices: int = 1

    @property
    def is_one(self) -> bool:
        return self == _ONE

    def beside(self, other: Ways) -> Ways:
        return _bounded(self.loops + other.loops, self.choices * other.choices)

    def or_else(self, other: Ways) -> Ways:
        return _bounded(self.loops + other.loops, self.choices + other.choices)

    def on(self, text: str) -> int:
        """How many there are on the text, wherever it begins to fit."""
        parts = self.loops + 1
        return comb(len(text) + parts, parts) * self.choices


def _bounded(loops: int, choices: int) -> Ways:
    if loops > _MOST_LOOPS or choices > _MOST_CHOICES:
        raise UnboundedError
    return Ways(loops, choices)


_ONE = Ways()
_NONE = Ways(0, 0)


def ways_of(pieces: Iterable[str]) -> Ways:
    """Of the pieces of an expression of Python: ``(``, ``|``, ``)``, ``*``, ``{2,3}``, and others
    that stand for one sign each."""
    groups = [_Group()]
    for piece in pieces:
        if piece == "(":
            groups.append(_Group())
        elif piece == ")" and len(groups) > 1:
            inner = groups.pop().ways
            groups[-1].follow(inner)
        elif piece == "|":
            groups[-1].turn()
        elif piece in ("*", "+", "?") or _BOUNDS.fullmatch(piece):
            groups[-1].repeat(*_times(piece))
        else:
            groups[-1].follow(_ONE)
    return groups[0].ways


def _times(piece: str) -> tuple[int, int | None]:
    """At least and at most; None: any number."""
    found = _BOUNDS.fullmatch(piece)
    if found is None:
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[piece]
    least, most = decimal(found[1]), decimal(found[3])
    if least is None or (found[2] and found[3] and most is None):
        raise UnboundedError
    return least, most if found[2] else least


@dataclass(slots=True)
class _Group:
    """``last``: what a repetition that follows would be of; None where one has been."""

    others: Ways = _NONE
    before: Ways = _ONE
    last: Ways | None = _ONE

    @property
    def ways(self) -> Ways:
        return self.others.or_else(self._sequence)

    @property
    def _sequence(self) -> Ways:
        return self.before.beside(self.last or _ONE)

    def follow(self, ways: Ways) -> None:
        self.before, self.last = self._sequence, ways

    def turn(self) -> None:
        self.others, self.before, self.last = self.ways, _ONE, _ONE

    def repeat(self, least: int, most: int | None) -> None:
        inner = self.last
        if inner is None or (most is None and not inner.is_one):
            raise UnboundedError
        if most is None:
            repeated = Ways(loops=1)
        else:
            numbers = most - least + 1
            repeated = _bounded(inner.loops * most, inner.choices**most * max(numbers, 1))
        self.before, self.last = self.before.beside(repeated), None
