"""Which bits of one packet, each by itself, make it one of a set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


def flips(packets: PacketSet, point: Mapping[int, bool]) -> frozenset[int]:
    """The variables of the point, which is none of the packets, with the other value of which it
    is; a variable that the point does not have is false.

    The point takes one way through the diagram. A variable that is not on it changes nothing, and
    where one leaves it, the other way is known as soon as it meets one that has been gone."""
    leads_in: dict[PacketSet, bool] = {}
    found: list[int] = []
    node = packets
    while (variable := node.node_var()) is not None:
        one, zero = node.cofactors() or (node, node)
        node, other = (one, zero) if point.get(variable) else (zero, one)
        if _leads_in(other, point, leads_in):
            found.append(variable)
    return frozenset(found)


def _leads_in(node: PacketSet, point: Mapping[int, bool], known: dict[PacketSet, bool]) -> bool:
    gone: list[PacketSet] = []
    while node not in known and (variable := node.node_var()) is not None:
        gone.append(node)
        one, zero = node.cofactors() or (node, node)
        node = one if point.get(variable) else zero
    ends = known[node] if node in known else node.satisfiable()
    known.update(dict.fromkeys(gone, ends))
    return ends
