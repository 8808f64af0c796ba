"""Bits of a field that a test looks at: ``mark & 0xff``, ``mark >> 8``, ``flags | ack``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from iptlint.model.matches import Ranges

_MOST_TESTS = 512


@dataclass(frozen=True, slots=True)
class Bits:
    """``((value >> shift) & mask) ^ flip``; a negative ``shift`` goes to the left."""

    width: int
    mask: int
    flip: int = 0
    shift: int = 0

    @classmethod
    def whole(cls, width: int) -> Bits:
        return cls(width, (1 << width) - 1)

    def then(self, operator: str, operand: int) -> Bits:
        """The same with one more operation."""
        full = (1 << self.width) - 1
        match operator:
            case "&":
                return Bits(self.width, self.mask & operand, self.flip & operand, self.shift)
            case "|":
                kept = self.mask & ~operand
                return Bits(self.width, kept, (self.flip & ~operand) | operand, self.shift)
            case "^":
                return Bits(self.width, self.mask, self.flip ^ operand, self.shift)
            case "<<":
                by = min(operand, self.width)
                mask, flip = self.mask << by & full, self.flip << by & full
                return Bits(self.width, mask, flip, self.shift - by)
            case _:
                by = min(operand, self.width)
                return Bits(self.width, self.mask >> by, self.flip >> by, self.shift + by)

    def of(self, value: int) -> int:
        """What the test sees of a value."""
        moved = value >> self.shift if self.shift >= 0 else value << -self.shift
        return (moved & self.mask) ^ self.flip

    def tests(self, ranges: Ranges) -> tuple[tuple[int, int], ...] | None:
        """``(mask, value)`` of the field itself, any of which has to hold; none: never.

        None where it would take very many.
        """
        tests: list[tuple[int, int]] = []
        for low, high in ranges:
            for significant, value in _blocks(low, min(high, (1 << self.width) - 1), self.width):
                wanted = (value ^ self.flip) & significant
                if wanted & ~self.mask:
                    continue
                tests.append((self._back(self.mask & significant), self._back(wanted)))
                if len(tests) > _MOST_TESTS:
                    return None
        return tuple(dict.fromkeys(tests))

    def _back(self, bits: int) -> int:
        return bits << self.shift if self.shift >= 0 else bits >> -self.shift


def _blocks(low: int, high: int, width: int) -> Iterator[tuple[int, int]]:
    """A range as aligned blocks, each the bits that are the same and their value."""
    full = (1 << width) - 1
    while low <= high:
        size = (low & -low).bit_length() - 1 if low else width
        while low + (1 << size) - 1 > high:
            size -= 1
        yield full & ~((1 << size) - 1), low
        low += 1 << size
