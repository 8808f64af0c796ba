"""A connection's packets from one hook to the other: what answers to what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptlint.model import Field, Hook
from iptlint.model.matches import TCP_FLAGS
from iptlint.netfilter.walk import Walk
from iptlint.packets.space import Space
from iptlint.packets.witness import TCP

if TYPE_CHECKING:
    from oxidd.bcdd import BCDDSubstitution

    from iptlint.packets.bits import PacketSet

_SWAPPED = ((Field.SADDR, Field.DADDR), (Field.SPORT, Field.DPORT), (Field.IIF, Field.OIF))
_KEPT = (*(field for pair in _SWAPPED for field in pair), Field.PROTO)


def flags(space: Space, *names: str) -> PacketSet:
    """The packets with exactly these tcp flags set."""
    return space.value(Field.TCP_FLAGS, sum(1 << TCP_FLAGS.index(name) for name in names))


def syn(space: Space, ports: tuple[int, ...] | None = None) -> PacketSet:
    """First packets of tcp connections, to one of the ports where they are given."""
    packets = space.universe & space.value(Field.PROTO, TCP) & space.state("new")
    packets = packets & flags(space, "syn")
    return packets & space.ranges(Field.DPORT, tuple((p, p) for p in ports)) if ports else packets


def answers(walk: Walk, packets: PacketSet, hook: Hook, *names: str, reply: bool) -> PacketSet:
    """What goes back, at ``hook``, for these packets: addresses, ports and interfaces swapped,
    of the now established connection, with the tcp flags ``names``. What a packet does not
    share with its answer (marks, lengths, tests the tool does not interpret) is left free."""
    space = walk.space
    mirrored = space.project(packets, *_KEPT).substitute(_mirror(space))
    return (
        mirrored
        & walk.hook_packets(hook)
        & space.state("established")
        & space.value(Field.CT_DIRECTION, int(reply))
        & flags(space, *names)
    )


def _mirror(space: Space) -> BCDDSubstitution:
    pairs = []
    for one, other in _SWAPPED:
        here, there = space.fields[one].variables, space.fields[other].variables
        for a, b in zip(here, there, strict=True):
            pairs += [(a, space.manager.var(b)), (b, space.manager.var(a))]
    return type(space.true).make_substitution(pairs)
