"""Ranges as aligned blocks, and which of these a value lies in.

A range of length n lies in at most two aligned blocks of size 2^ceil(log2 n), so that exact values,
prefixes and odd ranges are one scheme (Srinivasan, Suri, Varghese, SIGCOMM 1999). Blocks hold each
other or share nothing: so a value lies in few of those that there are, and these are known by the
place of the value between their edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from iptlint.packets.columns import Dimension, Numbers, Values

_ONE = np.uint64(1)
_POWERS = _ONE << np.arange(64, dtype=np.uint64)


class Blocks(NamedTuple):
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


def in_blocks(
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


def between(starts: Values, ends: Values) -> Blocks:
    last = np.iinfo(np.uint64).max
    behind = ends[ends != last] + _ONE
    edges = np.unique(np.concatenate([np.zeros(1, np.uint64), starts, behind]))
    first = np.searchsorted(edges, starts)
    counts = np.searchsorted(edges, ends, side="right") - first
    pieces = spread_from(first, counts)
    around = np.repeat(np.arange(len(starts), dtype=np.int64), counts)
    by_piece = np.argsort(pieces, kind="stable")
    bounds = np.searchsorted(pieces[by_piece], np.arange(len(edges) + 1))
    return Blocks(edges, bounds, around[by_piece])


def spread_from(first: Numbers, counts: Numbers) -> Numbers:
    """The numbers from each first one on, so many of each."""
    ends = np.cumsum(counts)
    spread: Numbers = np.repeat(first - ends + counts, counts)
    spread += np.arange(len(spread))
    return spread
