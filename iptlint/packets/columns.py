"""A long list of rules as columns of numbers.

A rule is boxes of addresses and ports (rows), and the rest of its tests. Most rules of a long
chain are one box each, and the chain has few different rests: so what one packet meets, of a
hundred thousand rules, is found by numbers alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from iptlint.model import Chain, Field, Match, Within
from iptlint.model.kinds import NAMED_FIELDS, Kind, examples, kinds
from iptlint.model.matches import BITS, Ranges
from iptlint.model.writes import reads

Numbers = npt.NDArray[np.int64]
Values = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

BOX_FIELDS = NAMED_FIELDS
WORD = 64
WORD_MAXIMUM = (1 << WORD) - 1
_MOST_ROWS = 32
"""Of one rule; one with more boxes is odd."""


class Dimension(NamedTuple):
    """A field of a box, or one of the two words of an IPv6 address."""

    field: Field
    shift: int

    @property
    def width(self) -> int:
        return min(BITS[self.field], WORD)

    @property
    def maximum(self) -> int:
        return (1 << self.width) - 1


class Columns:
    """``low``, ``high``: a line for each of the dimensions, a column for each row. ``number``: of
    its rule; ``rest``: which of the ``rests`` stands beside the box. ``odd``: the numbers of the
    rules that are no few boxes; they have no rows. ``free``: fields that no box is made of."""

    def __init__(self, chain: Chain, free: frozenset[Field]) -> None:
        boxed = BOX_FIELDS - free
        self.dimensions = _dimensions(chain, boxed)
        rests, rows = _Rests(boxed), _Rows(self.dimensions)
        odd: list[int] = []
        for kind in kinds(chain):
            tests = kind.first.matches
            places = [n for n, test in enumerate(tests) if _is_side(test, boxed)]
            rest = rests.number(test for test in tests if not _is_side(test, boxed))
            odd += kind.numbers if rests.reads[rest] else rows.add(kind, rest, places)
        self.rests = rests.all
        self.odd = tuple(sorted(odd))
        self.number: Numbers
        self.rest: Numbers
        self.low: Values
        self.high: Values
        self.number, self.rest, self.low, self.high = rows.in_order()
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

    def sole_row(self, number: int) -> int | None:
        """The row of the rule; None where it has none, or several."""
        first = int(np.searchsorted(self.number, number))
        several = self.number[first : first + 2].tolist()
        return first if several.count(number) == 1 else None

    def sole_rows(self, numbers: Sequence[int]) -> Numbers:
        """The rows of the rules, those that have one each."""
        rows = self.rows_of(numbers)
        _, first, counts = np.unique(self.number[rows], return_index=True, return_counts=True)
        sole: Numbers = rows[first[counts == 1]]
        return sole

    def first_of_equal(self, rows: Numbers) -> Numbers:
        """The rows, of these, whose box and rest none before them has."""
        order, new = self._in_groups(rows, self.rest[rows])
        return np.sort(rows[order[new]])

    def alike(self, rows: Numbers, of_rests: Numbers) -> Numbers:
        """Of each of the rows a number, the same where box and rest are. ``of_rests``: of each rest
        the one that it is like."""
        order, new = self._in_groups(rows, of_rests[self.rest[rows]])
        groups = np.empty(len(rows), np.int64)
        groups[order] = np.cumsum(new)
        return groups

    def _in_groups(self, rows: Numbers, rests: Numbers) -> tuple[Numbers, Flags]:
        """An order in which rows with the same box and rest stand together, and which of these are
        the first of a group; there they stand as they stood."""
        keys = np.concatenate([self.low[:, rows], self.high[:, rows], [rests.astype(np.uint64)]])
        order = np.lexsort(keys)
        ordered = keys[:, order]
        new = np.ones(len(rows), np.bool_)
        new[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)
        return order, new

    def breadths(self, rules: int) -> list[float]:
        """Of each of so many rules, how many packets it is for, as a logarithm: that of its widest
        row, and of an odd one more than any."""
        breadths = np.full(rules, -np.inf)
        np.maximum.at(breadths, self.number, self.size)
        breadths[np.isneginf(breadths)] = np.inf
        wide: list[float] = breadths.tolist()
        return wide


def _is_side(test: Match, boxed: frozenset[Field]) -> bool:
    return type(test) is Within and test.field in boxed


def _dimensions(chain: Chain, boxed: frozenset[Field]) -> tuple[Dimension, ...]:
    tests = (test for rule in examples(chain) for test in rule.matches)
    return dimensions_of({test.field for test in tests if type(test) is Within} & boxed)


def dimensions_of(fields: Collection[Field]) -> tuple[Dimension, ...]:
    """Those of the fields of boxes."""
    return tuple(
        Dimension(field, shift)
        for field in Field
        if field in fields
        for shift in range((BITS[field] - 1) // WORD * WORD, -1, -WORD)
    )


class _Part(NamedTuple):
    """Rows with one rest. ``low``, ``high``: by the place of a dimension; what is left free is not
    written down, for most boxes name few edges."""

    numbers: Numbers
    rest: int
    low: Mapping[int, Values]
    high: Mapping[int, Values]


class _Rows:
    """Boxes as they are found."""

    def __init__(self, dimensions: Sequence[Dimension]) -> None:
        self._maximum = [dimension.maximum for dimension in dimensions]
        self._places: dict[Field, tuple[int, ...]] = {}
        for place, dimension in enumerate(dimensions):
            self._places[dimension.field] = (*self._places.get(dimension.field, ()), place)
        self._parts: list[_Part] = []

    def add(self, kind: Kind, rest: int, places: Sequence[int]) -> Sequence[int]:
        """The boxes that the tests at the places make. It gives the numbers of the rules that have
        too many, or whose tests none says."""
        sides = [[rule.matches[place] for rule in kind.rules] for place in places]
        first = [test for test in next(zip(*sides, strict=True), ()) if type(test) is Within]
        if len({test.field for test in first}) < len(first):
            return kind.numbers
        fields = [test.field for test in first]
        ranges = [[test.ranges for test in side if type(test) is Within] for side in sides]
        if any(test.negated for test in first):
            negated = [test.negated for test in first]
            ranges = [
                [without(each, field) for each in side] if is_negated else side
                for side, field, is_negated in zip(ranges, fields, negated, strict=True)
            ]
        if all(_are_single(side) for side in ranges):
            return self._add_single(kind.numbers, rest, fields, ranges)
        return self._add_several(kind.numbers, rest, fields, ranges)

    def _add_single(
        self,
        numbers: Sequence[int],
        rest: int,
        fields: Sequence[Field],
        ranges: Sequence[Sequence[Ranges]],
    ) -> Sequence[int]:
        """Of rules that are one range in each field."""
        low: dict[int, Values] = {}
        high: dict[int, Values] = {}
        told = np.ones(len(numbers), np.bool_)
        for field, side in zip(fields, ranges, strict=True):
            lows, highs = [each[0][0] for each in side], [each[0][1] for each in side]
            if len(self._places[field]) == 1:
                (place,) = self._places[field]
                most = self._maximum[place]
                low[place] = np.array(lows, np.uint64)
                high[place] = np.array([min(each, most) for each in highs], np.uint64)
            else:
                upper, lower = self._places[field]
                low[upper], low[lower] = _halves(lows)
                high[upper], high[lower] = _halves(highs)
                whole = (low[lower] == 0) & (high[lower] == np.uint64(WORD_MAXIMUM))
                told &= (low[upper] == high[upper]) | whole
        own = np.array(numbers, np.int64)
        if not told.all():
            low = {place: values[told] for place, values in low.items()}
            high = {place: values[told] for place, values in high.items()}
        self._parts.append(_Part(own[told], rest, low, high))
        odd: list[int] = own[~told].tolist()
        return odd

    def _add_several(
        self,
        numbers: Sequence[int],
        rest: int,
        fields: Sequence[Field],
        ranges: Sequence[Sequence[Ranges]],
    ) -> Sequence[int]:
        """Of rules some of which are several ranges: a box for each choice of them."""
        odd: list[int] = []
        owners: list[int] = []
        chosen: list[tuple[tuple[int, int], ...]] = []
        for number, sides in zip(numbers, zip(*ranges, strict=True), strict=True):
            if prod(map(len, sides)) > _MOST_ROWS or not self._are_told(fields, sides):
                odd.append(number)
                continue
            boxes = [*product(*sides)]
            owners += [number] * len(boxes)
            chosen += boxes
        if owners:
            sole = [[(each,) for each in side] for side in zip(*chosen, strict=True)]
            self._add_single(owners, rest, fields, sole)
        return odd

    def _are_told(self, fields: Sequence[Field], sides: Sequence[Ranges]) -> bool:
        """Whether each of the ranges is said by the edges of its words."""
        return all(
            _is_told_by_words(low, high)
            for field, side in zip(fields, sides, strict=True)
            if len(self._places[field]) > 1
            for low, high in side
        )

    def in_order(self) -> tuple[Numbers, Numbers, Values, Values]:
        """Of each row the number of its rule, the rest, and the lowest and highest values, a line
        for each dimension; those of a rule beside each other."""
        number = np.concatenate([part.numbers for part in self._parts] or [np.zeros(0, np.int64)])
        rest: Numbers = np.zeros(len(number), np.int64)
        low: Values = np.zeros((len(self._maximum), len(number)), np.uint64)
        high: Values = np.repeat(np.array([self._maximum], np.uint64).T, len(number), axis=1)
        start = 0
        for part in self._parts:
            rows = slice(start, start + len(part.numbers))
            rest[rows] = part.rest
            for place, values in part.low.items():
                low[place, rows] = values
                high[place, rows] = part.high[place]
            start = rows.stop
        order = np.argsort(number, kind="stable")
        return number[order], rest[order], low[:, order], high[:, order]


def _are_single(side: Sequence[Ranges]) -> bool:
    return {*map(len, side)} == {1}


def _halves(values: Sequence[int]) -> tuple[Values, Values]:
    """The upper and the lower words."""
    upper = np.array([value >> WORD for value in values], np.uint64)
    return upper, np.array([value & WORD_MAXIMUM for value in values], np.uint64)


def words(dimension: Dimension, ranges: Ranges) -> Ranges:
    """The ranges of a field, or for a word of it what the word may be."""
    if dimension.width == BITS[dimension.field]:
        return ranges
    if dimension.shift:
        return tuple((low >> WORD, high >> WORD) for low, high in ranges)
    alike = all(low >> WORD == high >> WORD for low, high in ranges)
    if not alike:
        return ((0, WORD_MAXIMUM),)
    return tuple((low & WORD_MAXIMUM, high & WORD_MAXIMUM) for low, high in ranges)


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


def without(ranges: Ranges, field: Field) -> Ranges:
    """All values of the field but these, as ranges."""
    left: list[tuple[int, int]] = []
    start = 0
    for low, high in sorted(ranges):
        if low > start:
            left.append((start, low - 1))
        start = max(start, high + 1)
    if start < 1 << BITS[field]:
        left.append((start, (1 << BITS[field]) - 1))
    return tuple(left)


def _is_told_by_words(low: int, high: int) -> bool:
    """Whether a range is all that is between the edges of its two words."""
    whole = not low & WORD_MAXIMUM and high & WORD_MAXIMUM == WORD_MAXIMUM
    return whole or low >> WORD == high >> WORD


def _log_sizes(low: Values, high: Values) -> npt.NDArray[np.float64]:
    spans = (high - low).astype(np.float64) + 1
    return np.asarray(np.log2(spans).sum(axis=0), np.float64)
