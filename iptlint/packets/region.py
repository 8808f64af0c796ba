"""Where packets are, as addresses and ports say it: whether a point is one of theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from iptlint.model import Field
from iptlint.packets.columns import Columns, Flags, Values
from iptlint.packets.intervals import ranges
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


def packets_at(space: Space, columns: Columns, point: Values) -> PacketSet:
    """Those at the point, of which it says what they are in each of the dimensions."""
    values: dict[Field, int] = {}
    for (field, shift), word in zip(columns.dimensions, point.tolist(), strict=True):
        values[field] = values.get(field, 0) | word << shift
    packets = space.true
    for field, value in values.items():
        packets = packets & space.value(field, value)
    return packets


class Region:
    """The points at which one of the packets is."""

    def __init__(self, space: Space, columns: Columns, packets: PacketSet) -> None:
        self._space = space
        self._columns = columns
        self._packets = space.project(packets, *columns.fields)

    def holds(self, points: Values) -> Flags:
        """Of each point, whether it is one of them."""
        if self._edges is None:
            return np.array([*self._each(points)], np.bool_)
        inside = np.ones(points.shape[1], np.bool_)
        for dimension, edges in self._edges.items():
            # Where ranges end others begin: inside one there is an odd number of edges before.
            inside &= np.searchsorted(edges, points[dimension], side="right") % 2 == 1
        return inside

    def _each(self, points: Values) -> Iterator[bool]:
        for point in points.T:
            at = packets_at(self._space, self._columns, point)
            yield (at & self._packets).satisfiable()

    @cached_property
    def _edges(self) -> Mapping[int, Values] | None:
        """Of the dimensions in which they are not anything, where their ranges begin and end; None
        where not each dimension says by itself where they are."""
        space, edges = self._space, dict[int, Values]()
        left = space.true
        for number, (field, _) in enumerate(self._columns.dimensions):
            side = space.project(self._packets, field)
            if side == space.true:
                continue
            if space.fields[field].width > 64:
                return None
            left = left & side
            each = ((low, high + 1) for low, high in ranges(side, space.fields[field]))
            edges[number] = np.array([*chain.from_iterable(each)], np.uint64)
        return edges if left == self._packets else None
