"""The values of one field, as ranges or as masks: whichever a field is tested by."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from iptlint.memo import memo
from iptlint.packets.bdd import BitField, cube

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


def ranges(values: PacketSet, bits: BitField) -> Iterator[tuple[int, int]]:
    """The closed ranges, in order and as long as they can be. ``values`` depends on the
    field's variables only."""
    open_range: tuple[int, int] | None = None
    for low, high in _prefixes(values, bits):
        if open_range is None:
            open_range = low, high
        elif open_range[1] + 1 == low:
            open_range = open_range[0], high
        else:
            yield open_range
            open_range = low, high
    if open_range is not None:
        yield open_range


def few_ranges(values: PacketSet, bits: BitField, most: int) -> tuple[tuple[int, int], ...]:
    """The ranges; where they are more than ``most``, one of all that the field can hold."""
    few = tuple(islice(ranges(values, bits), most + 1))
    return few if len(few) <= most else ((0, bits.maximum),)


def ranges_around(values: PacketSet, bits: BitField, most: int) -> tuple[tuple[int, int], ...]:
    """The ranges; where they are more than ``most``, those that the first bits of the values tell:
    so many quarters of the bits as leave few."""
    for quarters in range(4):
        around = values.exists(_last(bits, bits.width * quarters // 4)) if quarters else values
        few = tuple(islice(ranges(around, bits), most + 1))
        if len(few) <= most:
            return few
    return ((0, bits.maximum),)


@memo
def _last(bits: BitField, count: int) -> PacketSet:
    """A cube of the last of the bits."""
    return cube(bits.manager, bits.variables[bits.width - count :])


def _prefixes(values: PacketSet, bits: BitField) -> Iterator[tuple[int, int]]:
    """Aligned blocks of values, in order."""
    width = bits.width
    stack = [(values, 0, 0)]
    while stack:
        node, depth, base = stack.pop()
        if not node.satisfiable():
            continue
        size = 1 << (width - depth)
        if node.valid():
            yield base, base + size - 1
            continue
        variable, cofactors = node.node_var(), node.cofactors()
        assert variable is not None
        assert cofactors is not None
        one, zero = cofactors if variable == bits.variables[depth] else (node, node)
        stack.append((one, depth + 1, base | size >> 1))
        stack.append((zero, depth + 1, base))


def cubes(values: PacketSet, bits: BitField) -> Iterator[tuple[int, int]]:
    """``(mask, value)`` pairs that together are the values; each mask is as short as it can be."""
    rest = values
    while rest.satisfiable():
        mask, value = one_cube(rest, bits)
        for bit in (1 << index for index in range(bits.width)):
            shorter = mask & ~bit
            if mask & bit and not (bits.masked(shorter, value & shorter) & ~values).satisfiable():
                mask, value = shorter, value & shorter
        yield mask, value
        rest = rest & ~bits.masked(mask, value)


def one_cube(values: PacketSet, bits: BitField) -> tuple[int, int]:
    """``(mask, value)`` of some of the values; there is one."""
    cube = values.pick_cube()
    assert cube is not None
    mask = value = 0
    for variable in bits.variables:
        mask = mask << 1 | (cube[variable] is not None)
        value = value << 1 | bool(cube[variable])
    return mask, value


def count(values: PacketSet, bits: BitField) -> float:
    return values.sat_count_float(bits.width)
