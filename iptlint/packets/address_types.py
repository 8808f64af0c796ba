"""What kind of address a packet's destination is to the host, as ``addrtype`` and ``fib`` ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from iptlint.model import AnyOf, Field, Hook, Match, Opaque
from iptlint.model.matches import AddressType
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

LOCAL, UNICAST = "LOCAL", "UNICAST"
TYPE_AT = {Hook.INPUT: LOCAL, Hook.FORWARD: UNICAST}
"""What the destination of a packet on the way with the hook is, if it is no group's address."""


def ask_for_types(space: Space, matches: Iterable[Match]) -> None:
    """Tests that are not interpreted become variables when they are first asked for."""
    for match in matches:
        match match:
            case Opaque():
                if _type_asked_for(match) is not None:
                    space.opaque(match.affirmed)
            case AnyOf(alternatives):
                for tests in alternatives:
                    ask_for_types(space, tests)


def _type_asked_for(test: Opaque) -> str | None:
    match test.asks:
        case AddressType(Field.DADDR, (name,), by_route=True):
            return name
        case _:
            return None


def destination_types(space: Space) -> Mapping[str, PacketSet]:
    """For each type that a rule asks for alone, the packets whose destination is such an
    address."""
    return {
        name: packets
        for test, packets in space.opaques.items()
        if (name := _type_asked_for(test)) is not None
    }


def of_type(space: Space, name: str) -> PacketSet:
    """The packets whose destination is of the type and of no other."""
    packets = space.true
    for each, asked in destination_types(space).items():
        packets = packets & (asked if each == name else ~asked)
    return packets
