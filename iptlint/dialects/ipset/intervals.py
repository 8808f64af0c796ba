"""Closed intervals of numbers, in order, with no overlap and no gap that could be closed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from iptlint.model.matches import Ranges


def merged(spans: Iterable[tuple[int, int]]) -> Ranges:
    """The same numbers, told by as few intervals as there can be."""
    intervals: list[tuple[int, int]] = []
    low, high = 0, -2
    for first, last in sorted(spans):
        if first <= high + 1:
            high = max(high, last)
            continue
        if low <= high:
            intervals.append((low, high))
        low, high = first, last
    if low <= high:
        intervals.append((low, high))
    return tuple(intervals)


def subtracted(spans: Ranges, gone: Ranges) -> Ranges:
    """The numbers of the one that are not in the other; both are merged ones."""
    return tuple(_left(spans, gone))


def _left(spans: Ranges, gone: Ranges) -> Iterator[tuple[int, int]]:
    start = 0
    for low, high in spans:
        while start < len(gone) and gone[start][1] < low:
            start += 1
        index = start
        while index < len(gone) and gone[index][0] <= high:
            first, last = gone[index]
            if low < first:
                yield low, first - 1
            low = max(low, last + 1)
            index += 1
        if low <= high:
            yield low, high
