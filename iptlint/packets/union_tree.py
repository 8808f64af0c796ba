"""Which of many sets, in their order, is the first or last to share a packet with another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


class UnionTree:
    """A tree of unions over the sets: a search looks at a logarithm of them."""

    def __init__(self, sets: Sequence[PacketSet]) -> None:
        self._levels = [list(sets)]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            pairs = zip(below[::2], below[1::2], strict=False)
            self._levels.append([a | b for a, b in pairs] + below[len(below) // 2 * 2 :])

    def first(self, start: int, packets: PacketSet) -> int | None:
        """The first number from ``start`` on whose set holds some of the packets."""
        level, index = 0, start
        while index < len(self._levels[level]):
            if (packets & self._levels[level][index]).satisfiable():
                return self._leaf(level, index, packets, side=0)
            index += 1
            while index % 2 == 0 and level + 1 < len(self._levels):
                level, index = level + 1, index // 2
        return None

    def sharing(self, packets: PacketSet) -> Iterator[int]:
        """The numbers of all sets that hold some of the packets."""
        number = self.first(0, packets)
        while number is not None:
            yield number
            number = self.first(number + 1, packets)

    def last(self, end: int, packets: PacketSet) -> int | None:
        """The last number before ``end`` whose set holds some of the packets."""
        level, index = 0, end - 1
        while index >= 0:
            if (packets & self._levels[level][index]).satisfiable():
                return self._leaf(level, index, packets, side=1)
            index -= 1
            while index % 2 == 1 and level + 1 < len(self._levels):
                level, index = level + 1, index // 2
        return None

    def _leaf(self, level: int, index: int, packets: PacketSet, *, side: int) -> int:
        """Below a union that shares a packet: the leftmost set that does, or the rightmost."""
        while level:
            level, index = level - 1, index * 2
            below = self._levels[level]
            preferred, other = index + side, index + 1 - side
            if preferred < len(below) and (packets & below[preferred]).satisfiable():
                index = preferred
            else:
                index = other
        return index
