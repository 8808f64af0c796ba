"""Packets whose mark and connection mark are not alike: that is one thing to say.

Where one mark is copied to the other, packets differ by it. As values of the one and of the other,
that takes as many lines as there are bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptlint.model import Field
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_MARKS = (Field.MARK, Field.CT_MARK)


def unlike_bits(space: Space, packets: PacketSet) -> int:
    """Bits, as few as will do, in one of which the marks of each packet differ; 0 if there are
    packets with the same marks."""
    bits = space.fields[Field.MARK]
    mask = bits.maximum
    if (packets & ~unlike(space, mask)).satisfiable():
        return 0
    for number in range(bits.width):
        fewer = mask & ~(1 << number)
        if not (packets & ~unlike(space, fewer)).satisfiable():
            mask = fewer
    return mask


def unlike(space: Space, mask: int) -> PacketSet:
    """The packets whose marks are not the same in these bits."""
    packets = space.false
    for number in range(space.fields[Field.MARK].width):
        if bit := mask & (1 << number):
            one, other = (space.masked(field, bit, bit) for field in _MARKS)
            packets = packets | (one & ~other) | (other & ~one)
    return packets


def left_open(space: Space, packets: PacketSet, mask: int) -> PacketSet:
    """The packets, and others like them whose marks are the same in these bits."""
    return packets | (space.forget(packets, _MARKS) & ~unlike(space, mask))


def words(space: Space, mask: int) -> str:
    every = mask == space.fields[Field.MARK].maximum
    return f"mark and connection mark not alike{'' if every else f' in {mask:#x}'}"
