"""A long list of rules as columns of numbers.

A rule is boxes of addresses and ports (rows), and the rest of its tests. Most rules of a long
chain are one box each, and the chain has few different rests: so what one packet meets, of a
hundred thousand rules, is found by numbers alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from iptlint.model import Field, Match, Rule, Within
from iptlint.model.matches import Ranges
from iptlint.model.writes import reads

Numbers = npt.NDArray[np.int64]
Values = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

_WIDTHS = {
    Field.SADDR: 32,
    Field.DADDR: 32,
    Field.SADDR6: 128,
    Field.DADDR6: 128,
    Field.SPORT: 16,
    Field.DPORT: 16,
}
BOX_FIELDS = frozenset(_WIDTHS)
_WORD = 64
_WORD_MAXIMUM = (1 << _WORD) - 1
_MOST_ROWS = 32
"""Of one rule; one with more boxes is odd."""


class Dimension(NamedTuple):
    """A field of a box, or one of the two words of an IPv6 address."""

    field: Field
    shift: int

    @property
    def width(self) -> int:
        return min(_WIDTHS[self.field], _WORD)

    @property
    def maximum(self) -> int:
        return (1 << self.width) - 1


Box = tuple[tuple[int, int], ...]
"""For each dimension the lowest and the highest value."""


class Columns:
    """``low``, ``high``: a line for each of the dimensions, a column for each row. ``number``: of
    its rule; ``rest``: which of the ``rests`` stands beside the box. ``odd``: the numbers of the
    rules that are no few boxes; they have no rows. ``free``: fields that no box is made of."""

    def __init__(self, rules: Sequence[Rule], free: frozenset[Field]) -> None:
        boxed = BOX_FIELDS - free
        fields = {
            match.field for rule in rules for match in rule.matches if type(match) is Within
        } & boxed
        self.dimensions = tuple(
            Dimension(field, shift)
            for field, width in _WIDTHS.items()
            if field in fields
            for shift in range((width - 1) // _WORD * _WORD, -1, -_WORD)
        )
        rests = _Rests(boxed)
        rows: list[tuple[int, int, Box]] = []
        odd: list[int] = []
        for number, rule in enumerate(rules):
            tested = [m for m in rule.matches if type(m) is Within and m.field in boxed]
            boxes = self._boxes(tested)
            rest = rests.number(m for m in rule.matches if not any(m is t for t in tested))
            if boxes is None or rests.reads[rest]:
                odd.append(number)
            else:
                rows += [(number, rest, box) for box in boxes]
        self.rests = rests.all
        self.odd = tuple(odd)
        self.number: Numbers = np.array([number for number, _, _ in rows], np.int64)
        self.rest: Numbers = np.array([rest for _, rest, _ in rows], np.int64)
        shape = len(rows), len(self.dimensions), 2
        edges = np.array([box for _, _, box in rows], np.uint64).reshape(shape)
        self.low: Values = np.ascontiguousarray(edges[:, :, 0].T)
        self.high: Values = np.ascontiguousarray(edges[:, :, 1].T)
        self.size = _log_sizes(self.low, self.high)

    def _boxes(self, tests: Sequence[Within]) -> list[Box] | None:
        """None where there are many, or none that say what the tests do."""
        if not tests:
            return [tuple((0, dimension.maximum) for dimension in self.dimensions)]
        ranges = {test.field: _positive(test) for test in tests}
        if len(ranges) < len(tests):
            return None
        sides: list[Sequence[Box]] = []
        for dimension in self.dimensions:
            of_field = ranges.get(dimension.field)
            if dimension.width < _WIDTHS[dimension.field] and not dimension.shift:
                continue  # the first word has brought both
            if of_field is None:
                sides.append((_everything(dimension),))
                continue
            parts = [_parts(dimension, low, high) for low, high in of_field]
            whole = [part for part in parts if part is not None]
            if len(whole) < len(parts):
                return None
            sides.append(whole)
        count = 1
        for side in sides:
            count *= len(side)
        if count > _MOST_ROWS:
            return None
        return [tuple(edge for side in sides for edge in side) for sides in product(*sides)]

    def rows_of(self, numbers: Sequence[int]) -> Numbers:
        """The rows of the rules, those that have any."""
        return np.flatnonzero(np.isin(self.number, numbers)).astype(np.int64)

    def overlapping(self, ranges: Sequence[Ranges], rests: Flags) -> Numbers:
        """The numbers of the rules, in order, with a row of one of the rests and, in each of the
        dimensions, a value in one of the ranges."""
        chosen = rests[self.rest]
        for dimension, low, high, few in zip(
            self.dimensions, self.low, self.high, ranges, strict=True
        ):
            if few != ((0, dimension.maximum),):
                overlap = np.zeros(len(chosen), np.bool_)
                for least, most in few:
                    overlap |= (low <= np.uint64(most)) & (high >= np.uint64(least))
                chosen &= overlap
        return np.unique(self.number[chosen])


def words(dimension: Dimension, ranges: Ranges) -> Ranges:
    """The ranges of a field, or for a word of it what the word may be."""
    if dimension.width == _WIDTHS[dimension.field]:
        return ranges
    if dimension.shift:
        return tuple((low >> _WORD, high >> _WORD) for low, high in ranges)
    alike = all(low >> _WORD == high >> _WORD for low, high in ranges)
    if not alike:
        return ((0, _WORD_MAXIMUM),)
    return tuple((low & _WORD_MAXIMUM, high & _WORD_MAXIMUM) for low, high in ranges)


class _Rests:
    """The different rests, numbered. Rules of a kind share their tests, so that most are known by
    who they are. ``reads``: whether one reads a field of boxes nevertheless."""

    def __init__(self, boxed: frozenset[Field]) -> None:
        self.all: list[tuple[Match, ...]] = []
        self.reads: list[bool] = []
        self._boxed = boxed
        self._by_identity: dict[tuple[int, ...], int] = {}
        self._by_tests: dict[tuple[Match, ...], int] = {}

    def number(self, tests: Iterable[Match]) -> int:
        rest = tuple(tests)
        identity = tuple(map(id, rest))
        known = self._by_identity.get(identity)
        if known is None:
            known = self._by_tests.setdefault(rest, len(self.all))
            if known == len(self.all):
                self.all.append(rest)
                self.reads.append(any(reads(test, self._boxed) for test in rest))
            self._by_identity[identity] = known
        return known


def _positive(test: Within) -> Ranges:
    """What the test takes, as ranges."""
    if not test.negated:
        return test.ranges
    left: list[tuple[int, int]] = []
    start = 0
    for low, high in sorted(test.ranges):
        if low > start:
            left.append((start, low - 1))
        start = max(start, high + 1)
    if start < 1 << _WIDTHS[test.field]:
        left.append((start, (1 << _WIDTHS[test.field]) - 1))
    return tuple(left)


def _everything(dimension: Dimension) -> Box:
    words = _WIDTHS[dimension.field] // dimension.width
    return ((0, dimension.maximum),) * words


def _parts(dimension: Dimension, low: int, high: int) -> Box | None:
    """A range as an edge for each word; None where two words cannot say it."""
    if not dimension.shift:
        return ((low, min(high, dimension.maximum)),)
    first = low >> _WORD, high >> _WORD
    second = low & _WORD_MAXIMUM, high & _WORD_MAXIMUM
    if first[0] == first[1] or second == (0, _WORD_MAXIMUM):
        return first, second
    return None


def _log_sizes(low: Values, high: Values) -> npt.NDArray[np.float64]:
    spans = (high - low).astype(np.float64) + 1
    return np.asarray(np.log2(spans).sum(axis=0), np.float64)
