"""Which of many boxes hold each of many points.

A tuple space search (Srinivasan, Suri, Varghese, SIGCOMM 1999): a range of length n lies in at
most two aligned blocks of size 2^ceil(log2 n), so that exact values, prefixes and odd ranges are
one scheme. Boxes with blocks of the same sizes stand in one table, found by the numbers of their
blocks. Those are hashed; every hit is compared with the box itself, so collisions do no harm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from iptlint.packets.columns import Dimension, Flags, Numbers, Values

_PAIRS = 1 << 21
"""As many hits are compared at once."""
_POWERS = np.uint64(1) << np.arange(64, dtype=np.uint64)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(29)


class _Table(NamedTuple):
    """``sizes``: the logarithm of the blocks' size in each dimension; None where they are all
    there is. ``keys``, sorted, are those of ``rows``."""

    sizes: tuple[int | None, ...]
    keys: Values
    rows: Numbers


class TupleSpace:
    """Over the rows with these edges, a line for each of the dimensions."""

    def __init__(self, dimensions: Sequence[Dimension], low: Values, high: Values) -> None:
        self.low, self.high = low, high
        self._widths = [dimension.width for dimension in dimensions]
        sizes = np.array(
            [np.searchsorted(_POWERS, span, side="right") for span in high - low], np.int64
        ).reshape(low.shape)
        rows = np.arange(low.shape[1], dtype=np.int64)
        blocks = [low[d] >> _shift(sizes[d]) for d in range(len(self._widths))]
        for dimension, width in enumerate(self._widths):
            size = sizes[dimension][rows]
            second = (size < width) & (self.high[dimension][rows] >> _shift(size)).__ne__(
                blocks[dimension]
            )
            again = rows[second]
            blocks = [np.concatenate([each, each[second]]) for each in blocks]
            blocks[dimension][len(rows) :] += np.uint64(1)
            rows = np.concatenate([rows, again])
        self._tables = [*self._grouped(sizes, rows, blocks)]
        self._known: dict[tuple[int, int], Values] = {}
        for table in self._tables:
            for dimension, size_ in enumerate(table.sizes):
                if size_ is not None and (dimension, size_) not in self._known:
                    of_size = sizes[dimension][rows] == size_
                    self._known[dimension, size_] = np.unique(blocks[dimension][of_size])

    def _grouped(self, sizes: Numbers, rows: Numbers, blocks: Sequence[Values]) -> Iterator[_Table]:
        if not len(rows):
            return
        packed = np.zeros(len(rows), np.int64)
        for of_dimension in sizes:
            packed = packed * 65 + of_dimension[rows]
        order = np.argsort(packed, kind="stable")
        starts = np.flatnonzero(np.diff(packed[order], prepend=-1))
        for members in np.split(order, starts[1:]):
            first = rows[members[0]]
            table_sizes = tuple(
                int(sizes[d][first]) if sizes[d][first] < width else None
                for d, width in enumerate(self._widths)
            )
            keys = _hashed([blocks[d][members] for d, s in enumerate(table_sizes) if s is not None])
            if keys is None:
                keys = np.zeros(len(members), np.uint64)
            by_key = np.argsort(keys, kind="stable")
            yield _Table(table_sizes, keys[by_key], rows[members[by_key]])

    def holding(self, points: Values) -> Iterator[tuple[Numbers, Numbers]]:
        """Pairs of the number of a point (a column of ``points``) and of a row that holds it, some
        of them at a time."""
        masks = self._among_known(points)
        everyone = np.arange(points.shape[1], dtype=np.int64)
        for table in self._tables:
            asked = everyone
            for dimension, size in enumerate(table.sizes):
                if size is not None:
                    asked = asked[masks[dimension, size][asked]]
            if len(asked):
                yield from self._in_table(table, points, asked)

    def _among_known(self, points: Values) -> dict[tuple[int, int], Flags]:
        """Whether some box has the block of a point, one dimension by itself."""
        masks: dict[tuple[int, int], Flags] = {}
        for (dimension, size), known in self._known.items():
            blocks = points[dimension] >> np.uint64(size)
            places = np.searchsorted(known, blocks)
            places[places == len(known)] = 0
            masks[dimension, size] = known[places] == blocks
        return masks

    def _in_table(
        self, table: _Table, points: Values, asked: Numbers
    ) -> Iterator[tuple[Numbers, Numbers]]:
        keys = _hashed(
            [points[d][asked] >> np.uint64(s) for d, s in enumerate(table.sizes) if s is not None]
        )
        if keys is None:
            keys = np.zeros(len(asked), np.uint64)
        left = np.searchsorted(table.keys, keys, side="left")
        counts = np.searchsorted(table.keys, keys, side="right") - left
        some = counts > 0
        asked, left, counts = asked[some], left[some], counts[some]
        ends = np.cumsum(counts)
        begin = 0
        while begin < len(asked):
            before = ends[begin - 1] if begin else 0
            end = max(begin + 1, int(np.searchsorted(ends, before + _PAIRS, side="right")))
            part = counts[begin:end]
            points_of = np.repeat(asked[begin:end], part)
            offsets = np.arange(len(points_of)) - np.repeat(np.cumsum(part) - part, part)
            rows = table.rows[np.repeat(left[begin:end], part) + offsets]
            inside = np.ones(len(rows), np.bool_)
            for values, low, high in zip(points, self.low, self.high, strict=True):
                of_points = values[points_of]
                inside &= (low[rows] <= of_points) & (of_points <= high[rows])
            yield points_of[inside], rows[inside]
            begin = end


def _shift(sizes: Numbers) -> Values:
    """A shift by 64 would do nothing at all."""
    return np.minimum(sizes, 63).astype(np.uint64)


def _hashed(blocks: Sequence[Values]) -> Values | None:
    if not blocks:
        return None
    keys = np.zeros(len(blocks[0]), np.uint64)
    for each in blocks:
        keys = (keys ^ each) * _MULTIPLIER
        keys ^= keys >> _MIX
    return keys
