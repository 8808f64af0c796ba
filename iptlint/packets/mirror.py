"""Packets the other way round: with the addresses, ports and interfaces of their answers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from iptlint.memo import memo
from iptlint.model import Field
from iptlint.packets.bdd import union
from iptlint.packets.diagrams import BooleanOperator
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet
    from iptlint.packets.diagrams import BCDDSubstitution

_SWAPPED = (
    (Field.SADDR, Field.DADDR),
    (Field.SADDR6, Field.DADDR6),
    (Field.SPORT, Field.DPORT),
    (Field.IIF, Field.OIF),
)
_OTHER = {**dict(_SWAPPED), **{other: field for field, other in _SWAPPED}}
_KEPT = (Field.FAMILY, *chain(*_SWAPPED), Field.PROTO)
_SOURCES = (Field.SADDR, Field.SADDR6)
_BEFORE_SOURCES = tuple(field for field in _KEPT if field not in _SOURCES)

_FEW_NODES = 512
_MANY_SOURCES = 16


def mirrored(space: Space, packets: PacketSet) -> PacketSet:
    """Addresses, ports and interfaces of the packets the other way round, all else free.

    Renaming the variables of a diagram costs far more than the diagram before and after it where
    each of many destinations goes with the same sources: for each bit of a destination the
    sources are brought to the top once more. So these are taken apart first.
    """
    packets = space.project(packets, *_KEPT)
    renaming = _renaming(space)
    if packets.node_count() < _FEW_NODES:
        return packets.substitute(renaming)
    parts: list[PacketSet] = []
    for number in range(space.fields[Field.IIF].maximum + 1):
        left = packets & space.value(Field.IIF, number)
        for rest, sources in _by_sources(space, left):
            parts.append(rest.substitute(renaming) & sources.substitute(renaming))
            left = left & ~rest
        parts.append(left.substitute(renaming))
    return union(parts, space.false)


def mirrored_among(space: Space, packets: PacketSet, among: PacketSet, *fields: Field) -> PacketSet:
    """Over some of the fields that are turned round: what the mirrored packets that are ``among``
    others have there. The smaller of the two diagrams is turned round."""
    if packets.node_count() <= among.node_count():
        return space.project(mirrored(space, packets) & among, *fields)
    others = (_OTHER[field] for field in fields)
    return mirrored(space, space.project(packets & mirrored(space, among), *others))


def _by_sources(space: Space, packets: PacketSet) -> Iterator[tuple[PacketSet, PacketSet]]:
    """Packets that go with the same sources, free in these, and the sources; not all of them
    where there are many."""
    free = space.true
    for field in _SOURCES:
        if field in space.fields:
            free = space.fields[field].cube & free
    for _ in range(_MANY_SOURCES):
        if not packets.satisfiable():
            break
        one = space.project(packets.pick_cube_dd(), *_BEFORE_SOURCES)
        sources = space.project(packets & one, *_SOURCES)
        alike = packets.apply_forall(BooleanOperator.EQUIV, sources, free)
        yield alike, sources
        packets = packets & ~alike


@memo
def _renaming(space: Space) -> BCDDSubstitution:
    pairs = []
    for one, other in _SWAPPED:
        if one not in space.fields:
            continue
        own, mirror = space.fields[one].variables, space.fields[other].variables
        for a, b in zip(own, mirror, strict=True):
            pairs += [(a, space.manager.var(b)), (b, space.manager.var(a))]
    return type(space.true).make_substitution(pairs)
