"""What the first packet of a connection came with, as ``--ctorigdst`` and ``ct original`` ask.

A packet of the same direction comes with the same, before anything is translated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING

from iptlint.memo import memo
from iptlint.model import AnyOf, Family, Field, Match, Opaque
from iptlint.model.matches import Original
from iptlint.model.protocols import ICMP, ICMP6, PORT_PROTOCOLS
from iptlint.packets.bdd import BitField
from iptlint.packets.packet import Packet
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_PORTS = (Field.SPORT, Field.DPORT)
_ECHOES = (ICMP, ICMP6)
_NONE = -1
_FAMILIES = {side: f for f in (Family.IP, Family.IP6) for side in (f.saddr, f.daddr)}


@memo
def originals_of(space: Space) -> Mapping[Original, PacketSet]:
    """All that tests of the space ask of it, each with the variable that it is there."""
    return {
        test.asks: space.opaque(test.affirmed)
        for test in opaque_tests(space.tests)
        if isinstance(test.asks, Original)
    }


def opaque_tests(matches: Iterable[Match]) -> Iterator[Opaque]:
    """Those among the tests, also within others."""
    """Those among them, however deep."""
    for match in matches:
        match match:
            case Opaque():
                yield match
            case AnyOf(alternatives):
                for tests in alternatives:
                    yield from opaque_tests(tests)


@memo
def as_connections_begin(space: Space) -> PacketSet:
    """The packets as they come of which the tests say what is so, where they have it themselves:
    in the direction of their connection's first packet. What comes by lo may have been translated
    when it was sent."""
    began = space.state("new") | space.state("established")
    began = began & space.value(Field.CT_DIRECTION, 0) & ~space.interface(Field.IIF, "lo")
    packets = space.true
    for original, holds in originals_of(space).items():
        shown = began & _showing(space, original.field)
        packets = packets & (~shown | ~(holds ^ had(space, original)))
    return packets


def _showing(space: Space, field: Field) -> PacketSet:
    """The packets of which ``had`` tells."""
    if field not in _PORTS:
        return space.true
    protocols = (*PORT_PROTOCOLS, *(_ECHOES if field is Field.DPORT else ()))
    return space.ranges(Field.PROTO, tuple((number, number) for number in protocols))


def had(space: Space, original: Original) -> PacketSet:
    """The packets that have what is asked for. The port that an echo request is sent to is its
    type with its code, for conntrack (nf_conntrack_tuple.h)."""
    field, ranges = original.field, original.ranges
    packets = space.ranges(field, ranges)
    if field is Field.DPORT:
        echoes = space.ranges(Field.PROTO, tuple((number, number) for number in _ECHOES))
        return (echoes & _type_and_code(space).within_any(ranges)) | (~echoes & packets)
    family = _FAMILIES.get(field)
    return packets & space.family(family.value) if family else packets


def _type_and_code(space: Space) -> BitField:
    fields = (space.fields[Field.ICMP_TYPE], space.fields[Field.ICMP_CODE])
    return BitField(space.manager, [number for field in fields for number in field.variables])


def knowing_original(space: Space, packets: PacketSet) -> PacketSet:
    """The packets, whatever was taken for what the tests say of them."""
    for holds in originals_of(space).values():
        packets = packets.exists(holds)
    return packets & as_connections_begin(space)


def begun_by(space: Space, packet: Packet) -> Mapping[int, PacketSet]:
    """What the tests say of the connection that the packet began, by their variables."""
    numbers = {original: _number(packet, original.field) for original in originals_of(space)}
    return {
        number: space.true if _within(numbers[original], original) else space.false
        for original, holds in originals_of(space).items()
        if numbers[original] is not None and (number := holds.node_var()) is not None
    }


def _number(packet: Packet, field: Field) -> int | None:
    if field is Field.SPORT:
        return packet.sport
    if field is Field.DPORT:
        is_echo = packet.icmp_type is not None
        return (packet.icmp_type or 0) << 8 | (packet.icmp_code or 0) if is_echo else packet.dport
    if _FAMILIES[field].value != packet.family:
        return _NONE
    side = packet.saddr if field in (Field.SADDR, Field.SADDR6) else packet.daddr
    return None if side is None else int(ip_address(side))


def _within(value: int | None, original: Original) -> bool:
    return value is not None and any(low <= value <= high for low, high in original.ranges)
