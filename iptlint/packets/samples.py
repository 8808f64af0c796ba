"""A few packets of a set, to try before all are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.model import Field
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_SPREAD = 0x9E3779B97F4A7C15F39CC0605CEDC834
"""Numbers far from each other are multiples of it, but for what is above 128 bits."""
_FIELDS = (Field.SADDR, Field.DADDR, Field.SADDR6, Field.DADDR6, Field.SPORT, Field.DPORT)


def samples(space: Space, packets: PacketSet, count: int = 4) -> Iterator[PacketSet]:
    """Each of one source, destination and pair of ports, as unlike each other as may be."""
    for number in range(1, count + 1):
        sample = packets
        for field in (field for field in _FIELDS if field in space.fields):
            bits = space.fields[field]
            spread = (_SPREAD * number & ((1 << 128) - 1)) >> (128 - bits.width)
            drawn = sample & space.value(field, spread)
            sample = drawn if drawn.satisfiable() else sample
        if sample.satisfiable():
            yield sample
