"""Which of many boxes hold each of many points.

The idea is that of a tuple space search (Srinivasan, Suri, Varghese, SIGCOMM 1999): a range of
length n lies in at most two aligned blocks of size 2^ceil(log2 n), so that exact values, prefixes
and odd ranges are one scheme. Blocks hold each other or share nothing. So a point lies in few of
those that there are, and these are known by the place of the point between their edges. The boxes
stand in a tree: a level for each dimension, below a node a child for each block of its boxes. All
points go down together, each by the blocks it lies in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from iptlint.packets.columns import Dimension, Numbers, Values

_PAIRS = 1 << 20
"""As many steps down are looked at together."""
_ONE = np.uint64(1)
_POWERS = _ONE << np.arange(64, dtype=np.uint64)


class _Blocks(NamedTuple):
    """The blocks of a dimension. ``edges``: where a block begins, or ends before; of each piece
    between two of them, ``around`` has the blocks that it lies in, from ``starts`` on."""

    edges: Values
    starts: Numbers
    around: Numbers

    def of(self, values: Values) -> tuple[Numbers, Numbers]:
        """Of each value, where its blocks begin in ``around``, and how many they are."""
        pieces = np.searchsorted(self.edges, values, side="right") - 1
        first = self.starts[pieces]
        return first, self.starts[pieces + 1] - first


class _Level(NamedTuple):
    """``keys``, sorted: a node of the level above, times the number of blocks, plus a block; of
    each the child with the number of its place. ``least``: below a child the first row."""

    dimension: int
    blocks: _Blocks
    width: int
    keys: Numbers
    least: Numbers


class BlockTree:
    """Over the rows with these edges, a line for each of the dimensions."""

    def __init__(self, dimensions: Sequence[Dimension], low: Values, high: Values) -> None:
        self.low, self.high = low, high
        self._levels: list[_Level] = []
        rows, known = _in_blocks(dimensions, low, high)
        # Where the blocks are many, few of the boxes are left for the others to be looked at.
        order = sorted(range(len(known)), key=lambda d: -len(known[d][0]))
        node: Numbers = np.zeros(len(rows), np.int64)
        for dimension in (d for d in order if len(known[d][0])):
            starts, ends, block = known[dimension]
            keys, node = np.unique(node * len(starts) + block, return_inverse=True)
            least = np.full(len(keys), len(rows), np.int64)
            np.minimum.at(least, node, rows)
            blocks = _between(starts, ends)
            self._levels.append(_Level(dimension, blocks, len(starts), keys, least))
        by_node = np.argsort(node, kind="stable")
        self._rows = rows[by_node]
        nodes = len(self._levels[-1].keys) if self._levels else 1
        self._starts = np.searchsorted(node[by_node], np.arange(nodes + 1))

    def holding(self, points: Values, ends: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
        """Pairs of the number of a point (a column of ``points``) and of a row that holds it, some
        of them at a time. ``ends``: of each point the row behind the last that is asked for."""
        asked = np.arange(points.shape[1], dtype=np.int64)
        if self.low.shape[1]:
            yield from self._below(0, points, ends, asked, np.zeros(len(asked), np.int64))

    def _below(
        self, depth: int, points: Values, ends: Numbers, asked: Numbers, nodes: Numbers
    ) -> Iterator[tuple[Numbers, Numbers]]:
        """``asked``: points, each with a node of the level above."""
        if depth == len(self._levels):
            yield from self._at(points, ends, asked, nodes)
            return
        level = self._levels[depth]
        first, counts = level.blocks.of(points[level.dimension][asked])
        for begin, end in _parts(counts):
            part = slice(begin, end)
            places = _spread(first[part], counts[part])
            several = np.repeat(asked[part], counts[part])
            keys = np.repeat(nodes[part], counts[part]) * level.width
            keys += level.blocks.around[places]
            children = np.searchsorted(level.keys, keys)
            children[children == len(level.keys)] = 0
            there = (level.keys[children] == keys) & (level.least[children] < ends[several])
            yield from self._below(depth + 1, points, ends, several[there], children[there])

    def _at(
        self, points: Values, ends: Numbers, asked: Numbers, leaves: Numbers
    ) -> Iterator[tuple[Numbers, Numbers]]:
        first = self._starts[leaves]
        counts = self._starts[leaves + 1] - first
        for begin, end in _parts(counts):
            part = slice(begin, end)
            several = np.repeat(asked[part], counts[part])
            rows = self._rows[_spread(first[part], counts[part])]
            inside = rows < ends[several]
            for values, low, high in zip(points, self.low, self.high, strict=True):
                of_points = values[several]
                inside &= (low[rows] <= of_points) & (of_points <= high[rows])
            yield several[inside], rows[inside]


def _in_blocks(
    dimensions: Sequence[Dimension], low: Values, high: Values
) -> tuple[Numbers, list[tuple[Values, Values, Numbers]]]:
    """Rows, one that lies in two blocks of a dimension twice; and of each dimension, as
    ``_different`` says them, the blocks of these rows."""
    rows: Numbers = np.arange(low.shape[1], dtype=np.int64)
    sizes = [np.searchsorted(_POWERS, span, side="right") for span in high - low]
    shifts = [np.minimum(size, 63).astype(np.uint64) for size in sizes]
    blocks = [each >> shift for each, shift in zip(low, shifts, strict=True)]
    for number, dimension in enumerate(dimensions):
        shift = shifts[number][rows]
        second = (sizes[number][rows] < dimension.width) & (
            high[number][rows] >> shift != blocks[number]
        )
        blocks = [np.concatenate([each, each[second]]) for each in blocks]
        blocks[number][len(rows) :] += _ONE
        rows = np.concatenate([rows, rows[second]])
    known: list[tuple[Values, Values, Numbers]] = []
    for dimension, size, shift, block in zip(dimensions, sizes, shifts, blocks, strict=True):
        whole, step = size[rows] >= dimension.width, shift[rows]
        starts = np.where(whole, np.uint64(0), block << step)
        spans = np.where(whole, np.uint64(dimension.maximum), (_ONE << step) - _ONE)
        known.append(_different(starts, spans))
    return rows, known


def _different(starts: Values, spans: Values) -> tuple[Values, Values, Numbers]:
    """From where to where each block reaches that is among them, and the number that each has."""
    order = np.lexsort([spans, starts])
    starts, spans = starts[order], spans[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (starts[1:] != starts[:-1]) | (spans[1:] != spans[:-1])
    numbers = np.empty(len(order), np.int64)
    numbers[order] = np.cumsum(new) - 1
    return starts[new], starts[new] + spans[new], numbers


def _between(starts: Values, ends: Values) -> _Blocks:
    last = np.iinfo(np.uint64).max
    behind = ends[ends != last] + _ONE
    edges = np.unique(np.concatenate([np.zeros(1, np.uint64), starts, behind]))
    first = np.searchsorted(edges, starts)
    counts = np.searchsorted(edges, ends, side="right") - first
    pieces = _spread(first, counts)
    around = np.repeat(np.arange(len(starts), dtype=np.int64), counts)
    by_piece = np.argsort(pieces, kind="stable")
    bounds = np.searchsorted(pieces[by_piece], np.arange(len(edges) + 1))
    return _Blocks(edges, bounds, around[by_piece])


def _spread(first: Numbers, counts: Numbers) -> Numbers:
    """The numbers from each first one on, so many of each."""
    ends = np.cumsum(counts)
    spread: Numbers = np.repeat(first - ends + counts, counts)
    spread += np.arange(len(spread))
    return spread


def _parts(counts: Numbers) -> Iterator[tuple[int, int]]:
    """From where to where so many are taken together that they are not too many."""
    ends = np.cumsum(counts)
    begin = 0
    while begin < len(counts):
        before = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, before + _PAIRS, side="right")))
        yield begin, end
        begin = end
