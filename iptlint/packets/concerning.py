"""Which rules of a long chain may concern some packets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from iptlint.memo import memo, recent
from iptlint.model import Field
from iptlint.model.matches import Ranges
from iptlint.packets.blocks import between, in_blocks, spread_from
from iptlint.packets.columns import Columns, Dimension, Flags, Numbers, Values, words
from iptlint.packets.intervals import ranges_around
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_MOST_RANGES = 64
_MANY, _FEW, _HANDFUL = 16384, 8, 64
"""Of no fewer rows those in question are looked for by one dimension first; they are few where they
are no more than one in so many, and to find fewer than a handful is not worth a look."""


class Concerning:
    """Which rules may concern some packets. ``rests``: what may take packets beside the boxes of
    the columns; ``odd`` says it of a rule that has none."""

    def __init__(
        self,
        space: Space,
        columns: Columns,
        rests: Sequence[PacketSet],
        odd: Callable[[int], PacketSet],
    ) -> None:
        self._space = space
        self._columns = columns
        self._overlapping = Overlapping(columns)
        self._rests = rests
        self._odd = odd

    @recent
    def __call__(self, packets: PacketSet) -> Sequence[int]:
        """The numbers of rules in order, of all that may match some of the packets at least."""
        columns = self._columns
        known: dict[Field, Ranges] = {}
        ranges: list[Ranges] = []
        for dimension in columns.dimensions:
            field = dimension.field
            if field not in known:
                values = self._space.project(packets, field)
                known[field] = ranges_around(values, self._space.fields[field], _MOST_RANGES)
            ranges.append(words(dimension, known[field]))
        return self._with_values(ranges, packets)

    def in_box(self, low: Sequence[int], high: Sequence[int], packets: PacketSet) -> Sequence[int]:
        """The same of packets that are in a box, and perhaps of rules for others in it."""
        return self._with_values([((a, b),) for a, b in zip(low, high, strict=True)], packets)

    def _with_values(self, ranges: Sequence[Ranges], packets: PacketSet) -> Sequence[int]:
        """``ranges``: in each of the dimensions what the packets may be there."""
        rests = np.array([(rest & packets).satisfiable() for rest in self._rests], np.bool_)
        odd = [
            number for number in self._columns.odd if (self._odd(number) & packets).satisfiable()
        ]
        numbers: list[int] = self._overlapping(ranges, rests).tolist()
        return sorted((*numbers, *odd)) if odd else numbers


class Overlapping:
    """Which rules of the columns have a box that shares some values with ranges."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def __call__(self, ranges: Sequence[Ranges], rests: Flags) -> Numbers:
        """The numbers of the rules, in order, with a row of one of the rests and, in each of the
        dimensions, a value in one of the ranges."""
        columns = self._columns
        asked = [
            (place, few)
            for place, (dimension, few) in enumerate(zip(columns.dimensions, ranges, strict=True))
            if few != ((0, dimension.maximum),)
        ]
        # Where packets have one value, few rows are left for the others to be looked at.
        asked.sort(key=lambda each: (len(each[1]), _share_of(columns.dimensions[each[0]], each[1])))
        rows = self._fewest(asked)
        for place, few in asked:
            low, high = columns.low[place], columns.high[place]
            if rows is not None:
                low, high = low[rows], high[rows]
            overlap = np.zeros(len(low), np.bool_)
            for least, most in few:
                overlap |= (low <= np.uint64(most)) & (high >= np.uint64(least))
            rows = np.flatnonzero(overlap) if rows is None else rows[overlap]
        if rows is None:
            return _distinct(columns.number[rests[columns.rest]])
        return _distinct(columns.number[rows[rests[columns.rest[rows]]]])

    def _fewest(self, asked: Sequence[tuple[int, Ranges]]) -> Numbers | None:
        """Rows, all of those in question among them, by the dimension that leaves the fewest; None
        where these are not few."""
        rows = len(self._columns.number)
        counted: list[tuple[int, int, Ranges]] = []
        for place, few in asked if rows >= _MANY else ():
            counted.append((self._side(place).count(few), place, few))
            if counted[-1][0] <= _HANDFUL:
                break
        if not counted or min(counted)[0] * _FEW > rows:
            return None
        _, place, few = min(counted)
        return self._side(place).rows(few)

    @memo
    def _side(self, place: int) -> _Side:
        columns = self._columns
        return _Side(columns.dimensions[place], columns.low[place], columns.high[place])


class _Side:
    """The rows by their values in one dimension."""

    def __init__(self, dimension: Dimension, low: Values, high: Values) -> None:
        rows, ((starts, ends, block),) = in_blocks([dimension], low[None], high[None])
        self._starts = starts
        self._blocks = between(starts, ends)
        self._rows = rows[np.argsort(block, kind="stable")]
        counts = np.bincount(block, minlength=len(starts))
        self._first = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])

    def count(self, ranges: Ranges) -> int:
        """How many rows there are at most with a value in one of the ranges."""
        counts = (counts.sum() for each in ranges for _, counts in self._parts(*each))
        return int(sum(counts))

    def rows(self, ranges: Ranges) -> Numbers:
        """These rows, in any order, some of them twice."""
        parts = [spread_from(*part) for each in ranges for part in self._parts(*each)]
        return self._rows[np.concatenate(parts)] if parts else self._rows[:0]

    def _parts(self, least: int, most: int) -> Iterator[tuple[Numbers, Numbers]]:
        """Where rows begin whose blocks hold the least value, or begin behind it up to the most,
        and how many they are."""
        edges = np.array([least, most], np.uint64)
        begin, count = self._blocks.of(edges[:1])
        around = self._blocks.around[begin[0] : begin[0] + count[0]]
        yield self._first[around], self._first[around + 1] - self._first[around]
        behind = self._first[np.searchsorted(self._starts, edges, side="right")]
        yield behind[:1], behind[1:] - behind[:1]


def _distinct(numbers: Numbers) -> Numbers:
    """Each once, in order."""
    if (numbers[1:] < numbers[:-1]).any():
        numbers = np.sort(numbers)
    new = np.ones(len(numbers), np.bool_)
    new[1:] = numbers[1:] != numbers[:-1]
    return numbers[new]


def _share_of(dimension: Dimension, ranges: Ranges) -> float:
    return sum(most - least + 1 for least, most in ranges) / (dimension.maximum + 1)
