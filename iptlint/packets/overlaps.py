"""Which boxes of two lists share a point, one dimension after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from iptlint.packets.columns import Dimension, Numbers, Values

_PAIRS = 1 << 21
_NARROW, _PART = 1 << 16, 6
"""A box is narrow where it holds no more values than this, and no more than one in 2^6 of all."""


class Boxes(Protocol):
    """A line for each of the dimensions, a column for each box."""

    @property
    def dimensions(self) -> Sequence[Dimension]: ...
    @property
    def low(self) -> Values: ...
    @property
    def high(self) -> Values: ...


def overlaps(columns: Boxes, rows: Numbers, others: Numbers) -> Iterator[Numbers]:
    """Pairs (two lines) of a row and of one of the others whose boxes share a point, some at a
    time."""
    if not len(rows) or not len(others):
        return
    if not columns.dimensions:
        yield from _one_by_one(columns, rows, others)
        return
    along = _narrowest(columns, rows)
    spans = columns.high[along][others] - columns.low[along][others]
    narrow = np.uint64(min(_NARROW, columns.dimensions[along].maximum >> _PART))
    yield from _one_by_one(columns, rows, others[spans > narrow])
    yield from _narrow(columns, rows, others[spans <= narrow], along)


def _one_by_one(columns: Boxes, rows: Numbers, others: Numbers) -> Iterator[Numbers]:
    for part in np.array_split(others, max(1, len(rows) * len(others) // _PAIRS)):
        both = np.stack([np.repeat(rows, len(part)), np.tile(part, len(rows))])
        yield _sharing(columns, both)


def _narrowest(columns: Boxes, rows: Numbers) -> int:
    """The dimension in which they are smallest, as part of what it can hold."""
    spans = (columns.high[:, rows] - columns.low[:, rows]).astype(np.float64) + 1
    widths = np.array([[dimension.width] for dimension in columns.dimensions])
    return int(np.argmin((np.log2(spans) - widths).sum(axis=1)))


def _narrow(columns: Boxes, rows: Numbers, others: Numbers, along: int) -> Iterator[Numbers]:
    """By their order along the dimension: those that begin too late are behind, and those that
    end too early before what some of them reaches."""
    low, high = columns.low[along], columns.high[along]
    others = others[np.argsort(low[others], kind="stable")]
    ends = np.searchsorted(low[others], high[rows], side="right")
    reached = np.maximum.accumulate(high[others])
    starts = np.searchsorted(reached, low[rows], side="left")
    counts = np.maximum(ends - starts, 0)
    totals = np.cumsum(counts)
    begin = 0
    while begin < len(rows):
        before = totals[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(totals, before + _PAIRS, side="right")))
        part = counts[begin:end]
        offsets = np.arange(int(part.sum())) - np.repeat(np.cumsum(part) - part, part)
        places = np.repeat(starts[begin:end], part) + offsets
        yield _sharing(columns, np.stack([np.repeat(rows[begin:end], part), others[places]]))
        begin = end


def _sharing(columns: Boxes, pairs: Numbers) -> Numbers:
    sharing = np.ones(pairs.shape[1], np.bool_)
    for low, high in zip(columns.low, columns.high, strict=True):
        sharing &= (low[pairs[0]] <= high[pairs[1]]) & (low[pairs[1]] <= high[pairs[0]])
    return pairs[:, sharing]
