"""One packet of a set, with all that rules leave open settled, and what it is in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptlint.model import Hook
from iptlint.netfilter.packet_group import Outcome
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets.space import Space
from iptlint.packets.witness import plainest

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


def one_of(
    space: Space, packets: PacketSet, hook: Hook, unknowns: Unknowns | None = None
) -> PacketSet:
    """One packet of the set, the plainest, with all its luck: the ``unknowns`` are settled. What
    other questions left open says nothing of it."""
    chosen = plainest(space, packets, hook).pick_cube() or []
    settled = unknowns.variables.values() if unknowns is not None else ()
    point = space.true
    for number in sorted((*space.numbers, *settled), reverse=True):
        one = space.manager.var(number)
        point = (one if chosen[number] else ~one) & point
    return point


def values(point: PacketSet) -> list[bool | None]:
    """The values of the variables of the one packet."""
    return point.pick_cube() or []


def image(point: PacketSet, outcome: Outcome) -> list[bool | None]:
    """The values of the variables of the one packet in the end."""
    in_the_end = values(point)
    for number, bit in outcome.rewrite.bits.items():
        in_the_end[number] = (point & bit).satisfiable()
    return in_the_end
