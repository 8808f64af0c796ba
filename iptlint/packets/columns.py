"""A long list of rules as columns of numbers.

A rule is boxes of addresses and ports (rows), and the rest of its tests. Most rules of a long
chain are one box each, and the chain has few different rests: so what one packet meets, of a
hundred thousand rules, is found by numbers alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
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
        rests, rows = _Rests(boxed), _Rows(self.dimensions)
        odd: list[int] = []
        for number, rule in enumerate(rules):
            tested: list[Within] = []
            others: list[Match] = []
            for match in rule.matches:
                if type(match) is Within and match.field in boxed:
                    tested.append(match)
                else:
                    others.append(match)
            rest = rests.number(others)
            if rests.reads[rest] or not rows.add(number, rest, tested):
                odd.append(number)
        self.rests = rests.all
        self.odd = tuple(odd)
        self.number: Numbers = np.array(rows.numbers, np.int64)
        self.rest: Numbers = np.array(rows.rests, np.int64)
        self.low: Values
        self.high: Values
        self.low, self.high = rows.edges()
        self.size = _log_sizes(self.low, self.high)

    def only(self, rows: Numbers) -> Columns:
        """Those with no other rows."""
        few = copy(self)
        few.number, few.rest, few.size = self.number[rows], self.rest[rows], self.size[rows]
        few.low, few.high = self.low[:, rows], self.high[:, rows]
        return few

    @property
    def fields(self) -> tuple[Field, ...]:
        """Those that boxes are made of."""
        return tuple(dict.fromkeys(dimension.field for dimension in self.dimensions))

    def ranges(self, field: Field, rows: Numbers) -> Sequence[tuple[int, int]]:
        """What the field may be in the box of each of the rows."""
        lows, highs = [0] * len(rows), [0] * len(rows)
        for dimension, low, high in zip(self.dimensions, self.low, self.high, strict=True):
            if dimension.field is field:
                shift = dimension.shift
                lows = [
                    n + (word << shift) for n, word in zip(lows, low[rows].tolist(), strict=True)
                ]
                highs = [
                    n + (word << shift) for n, word in zip(highs, high[rows].tolist(), strict=True)
                ]
        return [*zip(lows, highs, strict=True)]

    def rows_of(self, numbers: Sequence[int]) -> Numbers:
        """The rows of the rules, those that have any."""
        wanted = np.array(numbers, np.int64)
        if (wanted[1:] <= wanted[:-1]).any():
            wanted = np.unique(wanted)
        first = np.searchsorted(self.number, wanted)
        counts = np.searchsorted(self.number, wanted, "right") - first
        before = np.cumsum(counts) - counts
        rows = np.repeat(first - before, counts) + np.arange(counts.sum())
        return rows.astype(np.int64)

    def sole_rows(self, numbers: Sequence[int]) -> Numbers:
        """The rows of the rules, those that have one each."""
        rows = self.rows_of(numbers)
        _, first, counts = np.unique(self.number[rows], return_index=True, return_counts=True)
        sole: Numbers = rows[first[counts == 1]]
        return sole

    def first_of_equal(self, rows: Numbers) -> Numbers:
        """The rows, of these, whose box and rest none before them has."""
        keys = np.concatenate([self.low[:, rows], self.high[:, rows]])
        order = np.lexsort([*keys, self.rest[rows]])
        ordered, rests = keys[:, order], self.rest[rows][order]
        new = np.ones(len(rows), np.bool_)
        new[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0) | (rests[1:] != rests[:-1])
        return np.sort(rows[order[new]])

    def breadths(self, rules: int) -> list[float]:
        """Of each of so many rules, how many packets it is for, as a logarithm: that of its widest
        row, and of an odd one more than any."""
        breadths = np.full(rules, -np.inf)
        np.maximum.at(breadths, self.number, self.size)
        breadths[np.isneginf(breadths)] = np.inf
        wide: list[float] = breadths.tolist()
        return wide

    def overlapping(self, ranges: Sequence[Ranges], rests: Flags) -> Numbers:
        """The numbers of the rules, in order, with a row of one of the rests and, in each of the
        dimensions, a value in one of the ranges."""
        rows: Numbers | None = None
        sides = [*zip(self.dimensions, self.low, self.high, ranges, strict=True)]
        # Where packets have one value, few rows are left for the others to be looked at.
        sides.sort(key=lambda side: (len(side[3]), _share_of(side[0], side[3])))
        for dimension, low, high, few in sides:
            if few == ((0, dimension.maximum),):
                continue
            if rows is not None:
                low, high = low[rows], high[rows]
            overlap = np.zeros(len(low), np.bool_)
            for least, most in few:
                overlap |= (low <= np.uint64(most)) & (high >= np.uint64(least))
            rows = np.flatnonzero(overlap) if rows is None else rows[overlap]
        if rows is None:
            return np.unique(self.number[rests[self.rest]])
        return np.unique(self.number[rows[rests[self.rest[rows]]]])


def _share_of(dimension: Dimension, ranges: Ranges) -> float:
    return sum(most - least + 1 for least, most in ranges) / (dimension.maximum + 1)


class _Rows:
    """Boxes as they are found. What a box leaves free is not written down: most name few edges."""

    def __init__(self, dimensions: Sequence[Dimension]) -> None:
        self.numbers: list[int] = []
        self.rests: list[int] = []
        self._maximum = [dimension.maximum for dimension in dimensions]
        self._places: dict[Field, tuple[int, ...]] = {}
        for place, dimension in enumerate(dimensions):
            self._places[dimension.field] = (*self._places.get(dimension.field, ()), place)
        self._named: list[tuple[list[int], list[int], list[int]]] = [
            ([], [], []) for _ in dimensions
        ]

    def add(self, number: int, rest: int, tested: Sequence[Within]) -> bool:
        """The boxes of a rule; false where they are many, or none says what the tests do."""
        if len({test.field for test in tested}) < len(tested):
            return False
        sides = [self._sides(test) for test in tested]
        count = 1
        for side in sides:
            count *= len(side) if side is not None else _MOST_ROWS + 1
        if count > _MOST_ROWS:
            return False
        for box in product(*(side for side in sides if side is not None)):
            row = len(self.numbers)
            self.numbers.append(number)
            self.rests.append(rest)
            for test, edges in zip(tested, box, strict=True):
                for place, (low, high) in zip(self._places[test.field], edges, strict=True):
                    rows, lows, highs = self._named[place]
                    rows.append(row)
                    lows.append(low)
                    highs.append(high)
        return True

    def _sides(self, test: Within) -> Sequence[Box] | None:
        """What the test takes as edges in each dimension of the field, one for each range."""
        ranges = _positive(test)
        if _WIDTHS[test.field] <= _WORD:
            maximum = self._maximum[self._places[test.field][0]]
            return [((low, min(high, maximum)),) for low, high in ranges]
        parts = [_two_words(low, high) for low, high in ranges]
        whole = [part for part in parts if part is not None]
        return whole if len(whole) == len(parts) else None

    def edges(self) -> tuple[Values, Values]:
        """The lowest and the highest values of all boxes, a line for each dimension."""
        shape = len(self._maximum), len(self.numbers)
        low: Values = np.zeros(shape, np.uint64)
        high: Values = np.empty(shape, np.uint64)
        for place, (maximum, (rows, lows, highs)) in enumerate(
            zip(self._maximum, self._named, strict=True)
        ):
            high[place] = maximum
            low[place, rows] = lows
            high[place, rows] = highs
        return low, high


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


def _two_words(low: int, high: int) -> Box | None:
    """A range as the edges of two words; None where those cannot say it."""
    first = low >> _WORD, high >> _WORD
    second = low & _WORD_MAXIMUM, high & _WORD_MAXIMUM
    if first[0] == first[1] or second == (0, _WORD_MAXIMUM):
        return first, second
    return None


def _log_sizes(low: Values, high: Values) -> npt.NDArray[np.float64]:
    spans = (high - low).astype(np.float64) + 1
    return np.asarray(np.log2(spans).sum(axis=0), np.float64)
