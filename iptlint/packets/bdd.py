"""Numbers and ranges of numbers as Boolean functions over a field's bits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iptlint.packets.diagrams import BCDDFunction, BCDDManager

    PacketSet = BCDDFunction

OCTET = 8
_MOST_KEPT = 20_000
"""So many single addresses are kept: rules often name one more than once."""
_NAMES = 20
"""Bits of a field that has but the values which a text has names for: all are kept."""


def union(sets: Sequence[PacketSet], empty: PacketSet) -> PacketSet:
    """All sets joined, pairwise in rounds, so that intermediate diagrams stay small."""
    pending = list(sets) or [empty]
    while len(pending) > 1:
        joined = [a | b for a, b in zip(pending[::2], pending[1::2], strict=False)]
        pending = joined + pending[len(joined) * 2 :]
    return pending[0]


def cube(manager: BCDDManager, variables: Sequence[int]) -> PacketSet:
    """What ``exists`` and ``forall`` take for these variables, which are in their order."""
    joined = manager.true()
    for number in reversed(variables):
        joined = manager.var(number) & joined
    return joined


class BitField:
    """``width`` variables of one manager, the most significant bit first.

    Octets and ranges are kept once built: a call a bit is what costs.
    """

    def __init__(self, manager: BCDDManager, variables: Iterable[int]) -> None:
        self.manager = manager
        self.variables = tuple(variables)
        self.width = len(self.variables)
        self.maximum = (1 << self.width) - 1
        self._ones = [manager.var(v) for v in self.variables]
        self.cube = cube(manager, self.variables)
        self._octets: dict[tuple[int, int, int], PacketSet] = {}
        self._ranges: dict[tuple[int, int], PacketSet] = {}

    def masked(self, mask: int, value: int) -> PacketSet:
        """The packets whose field, under the mask, is ``value``."""
        result = self.manager.true()
        if value & ~mask:
            return ~result
        for first in range(self._last_octet(), -1, -OCTET):
            shift = max(self.width - first - OCTET, 0)
            octet_mask = (mask >> shift) & 0xFF
            if octet_mask:
                result &= self._octet(first, octet_mask, (value >> shift) & 0xFF)
        return result

    def constant(self, value: int) -> dict[int, PacketSet]:
        """The bits of a value, by their variables."""
        both = (self.manager.false(), self.manager.true())
        places = reversed(range(self.width))
        return {
            variable: both[value >> place & 1]
            for variable, place in zip(self.variables, places, strict=True)
        }

    def within(self, low: int, high: int) -> PacketSet:
        """The packets whose field lies in ``low <= x <= high``."""
        known = self._ranges.get((low, high))
        if known is None:
            known = self._build_range(low, min(high, self.maximum))
            if self.width <= 16 or (low == high and self._keeps_more):
                self._ranges[low, high] = known
        return known

    @property
    def _keeps_more(self) -> bool:
        return self.width <= _NAMES or len(self._ranges) < _MOST_KEPT

    def within_any(self, ranges: Sequence[tuple[int, int]]) -> PacketSet:
        """The packets whose field lies in one of the ranges: octet by octet, so that what many have
        in common is worked out once."""
        return self._within_block([(low, min(high, self.maximum)) for low, high in ranges], 0)

    def _within_block(self, ranges: Sequence[tuple[int, int]], first: int) -> PacketSet:
        """Of ranges that are alike in the bits before ``first``."""
        if len(ranges) == 1:
            return self._alike(*ranges[0], first)
        octet = min(OCTET, self.width - first)
        shift = self.width - first - octet
        parts: list[PacketSet] = []
        by_octet: dict[int, list[tuple[int, int]]] = {}
        for low, high in ranges:
            if low >> shift == high >> shift:
                by_octet.setdefault(low >> shift, []).append((low, high))
            else:
                parts.append(self._alike(low, high, first))
        mask = (1 << octet) - 1
        for number, below in by_octet.items():
            block = self._octet(first, mask, number & mask)
            parts.append(self._within_block(below, first + octet) & block if shift else block)
        return union(parts, self.manager.false())

    def _alike(self, low: int, high: int, first: int) -> PacketSet:
        """One range, of numbers that are alike in the bits before ``first``."""
        span = high - low
        if span & (span + 1) or low & span or span < 0:
            return self.within(low, high)
        return self.masked(self.maximum >> first & ~span, low & self.maximum >> first)

    def _last_octet(self) -> int:
        return (self.width - 1) // OCTET * OCTET

    def _octet(self, first: int, mask: int, value: int) -> PacketSet:
        key = (first, mask, value)
        octet = self._octets.get(key)
        if octet is None:
            count = min(OCTET, self.width - first)
            octet = self.manager.true()
            for index in reversed(range(count)):
                bit = 1 << (count - 1 - index)
                if mask & bit:
                    one = self._ones[first + index]
                    octet &= one if value & bit else ~one
            self._octets[key] = octet
        return octet

    def _build_range(self, low: int, high: int) -> PacketSet:
        if low > high:
            return self.manager.false()
        span = high - low
        if span & (span + 1) == 0 and low & span == 0:
            return self.masked(self.maximum & ~span, low)
        return self._at_least(low) & self._at_most(high)

    def _at_least(self, low: int) -> PacketSet:
        result = self.manager.true()
        for index in reversed(range(self.width)):
            one = self._ones[index]
            result = one & result if low >> (self.width - 1 - index) & 1 else one | result
        return result

    def _at_most(self, high: int) -> PacketSet:
        result = self.manager.true()
        for index in reversed(range(self.width)):
            one = self._ones[index]
            result = ~one | result if high >> (self.width - 1 - index) & 1 else ~one & result
        return result
