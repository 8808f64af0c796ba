"""Which of many boxes hold each of many points.

The boxes stand in a tree: a level for each dimension, below a node a child for each block of its
boxes. All points go down together, each by the blocks it lies in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from iptlint.packets.blocks import Blocks, between, in_blocks, spread_from
from iptlint.packets.columns import Dimension, Numbers, Values

_PAIRS = 1 << 20
"""As many steps down are looked at together."""


class _Level(NamedTuple):
    """``keys``, sorted: a node of the level above, times the number of blocks, plus a block; of
    each the child with the number of its place. ``least``: below a child the first row."""

    dimension: int
    blocks: Blocks
    width: int
    keys: Numbers
    least: Numbers


class BlockTree:
    """Over the rows with these edges, a line for each of the dimensions."""

    def __init__(self, dimensions: Sequence[Dimension], low: Values, high: Values) -> None:
        self.low, self.high = low, high
        self._levels: list[_Level] = []
        rows, known = in_blocks(dimensions, low, high)
        # Where the blocks are many, few of the boxes are left for the others to be looked at.
        order = sorted(range(len(known)), key=lambda d: -len(known[d][0]))
        node: Numbers = np.zeros(len(rows), np.int64)
        for dimension in (d for d in order if len(known[d][0])):
            starts, ends, block = known[dimension]
            keys, node = np.unique(node * len(starts) + block, return_inverse=True)
            least = np.full(len(keys), len(rows), np.int64)
            np.minimum.at(least, node, rows)
            blocks = between(starts, ends)
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
            places = spread_from(first[part], counts[part])
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
            rows = self._rows[spread_from(first[part], counts[part])]
            inside = rows < ends[several]
            for values, low, high in zip(points, self.low, self.high, strict=True):
                of_points = values[several]
                inside &= (low[rows] <= of_points) & (of_points <= high[rows])
            yield several[inside], rows[inside]


def _parts(counts: Numbers) -> Iterator[tuple[int, int]]:
    """From where to where so many are taken together that they are not too many."""
    ends = np.cumsum(counts)
    begin = 0
    while begin < len(counts):
        before = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, before + _PAIRS, side="right")))
        yield begin, end
        begin = end
