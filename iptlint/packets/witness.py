"""One packet of a set: the plainest one, that anyone can send.

Preferences are tried in turn; each is kept if some packet is left. So a witness has
an address of the documentation ranges (RFC 5737, RFC 3849), is the first packet of a
tcp connection, comes in on a usual interface … wherever the set leaves it free.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING

from iptlint.memo import memo
from iptlint.model import Family, Field, Hook
from iptlint.model.addresses import LOCALHOST, AddressKind, blocks, ranges
from iptlint.model.matches import CT_STATES, PACKET_FAMILIES, FirstHeader
from iptlint.model.protocols import (
    ICMP,
    ICMP6,
    PORT_PROTOCOLS,
    PROTOCOL_NAMES,
    TCP,
    UDP,
    echo_request,
    icmp_of,
    tcp_flag_bits,
    tcp_flag_names,
)
from iptlint.packets.bdd import union
from iptlint.packets.conntrack import untracked_anyway
from iptlint.packets.interfaces import NO_INTERFACE
from iptlint.packets.ordinary import ordinary
from iptlint.packets.packet import Packet
from iptlint.packets.preferences import Preferences
from iptlint.packets.space import Space
from iptlint.packets.unseen import unusual, without_unusual

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_REMOTE = {
    Family.IP: ("198.51.100.7/32", "198.51.100.0/24", "203.0.113.0/24", "192.0.2.0/24"),
    Family.IP6: ("2001:db8::7/128", "2001:db8::/32", "3fff::/20"),
}
_LOCAL = {
    Family.IP: ("192.0.2.10/32", "192.0.2.0/24", "203.0.113.0/24", "198.51.100.0/24"),
    Family.IP6: ("2001:db8:1::10/128", "2001:db8:1::/48", "2001:db8::/32", "3fff::/20"),
}
_PRIVATE = {
    Family.IP: ("10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12"),
    Family.IP6: ("fd00::/8", "fe80::/10", "2000::/3", "ff02::/16"),
}
"""Where it can be none for documentation, and none that the rules name."""

_ENDS = (Field.SADDR, Field.DADDR, Field.SADDR6, Field.DADDR6)
_IP_FAMILIES = {"ip": Family.IP, "ip6": Family.IP6}
_OUTSIDE = re.compile(r"eth|en|wl|wan|ppp|bond|venet")
_MOST_TOLD_APART = 64
"""Of interfaces, those of which it is asked whether a packet leaves by the one that it came by."""
_SELDOM = (AddressKind.RESERVED, AddressKind.NOBODY, AddressKind.LOOPBACK)
"""What a host's address is not, the least likely first."""


def _prefix(space: Space, field: Field, text: str) -> PacketSet:
    address, _, length = text.partition("/")
    bits = space.fields[field]
    host_bits = bits.width - int(length)
    mask = bits.maximum >> host_bits << host_bits
    return bits.masked(mask, int(ip_address(address)) & mask)


def _flags(space: Space, *names: str) -> PacketSet:
    return space.value(Field.TCP_FLAGS, tcp_flag_bits(*names))


def _host_addresses(space: Space, family: Family, field: Field) -> Iterator[PacketSet]:
    for block in (block for kind in _SELDOM for block in blocks(family, kind)):
        yield ~space.ranges(field, ((int(block[0]), int(block[-1])),))
    bits = space.fields[field]
    # The last bits of a network's address are all zero, those of a broadcast address all one.
    yield bits.masked(0b11, 0b01) | bits.masked(0b11, 0b10)


def leads_out(interface: str) -> bool:
    """Whether it is called as those are that lead out of a host, not to its containers."""
    return _OUTSIDE.match(interface) is not None


def _facing_outside(space: Space, field: Field) -> Iterator[PacketSet]:
    """The interfaces that lead out of a host: best one that the rules name."""
    numbers = range(1, space.interfaces.count)
    outside = [n for n in numbers if leads_out(space.interfaces.example(n) or "")]
    named = [n for n in outside if not space.interfaces.classes[n - 1].wildcard]
    for several in (named, outside):
        yield union([space.value(field, number) for number in several], space.false)


def _preferences(space: Space, family: Family, hook: Hook | None) -> Iterator[PacketSet]:
    """What a plain packet is like, the weightiest first."""
    yield from _of_any_frame(space)
    yield space.value(Field.FRAGMENT, 0)
    yield space.state("new")
    yield space.state("established")
    yield space.state("related")
    yield space.state("untracked") | ~untracked_anyway(space)
    for protocol in (TCP, UDP, icmp_of(family)):
        yield space.value(Field.PROTO, protocol)
    yield from _sendable_flags(space)
    ends = [_REMOTE[family], _LOCAL[family]]
    if hook is Hook.OUTPUT:
        ends.reverse()
    for field, (usual, *others) in zip((family.saddr, family.daddr), ends, strict=True):
        if (hook, field) in ((Hook.INPUT, family.daddr), (Hook.OUTPUT, family.saddr)):
            yield space.own(field) & ~space.ranges(field, ranges(family, AddressKind.LOOPBACK))
        yield _prefix(space, field, usual)
        yield from _host_addresses(space, family, field)
        yield from (_prefix(space, field, text) for text in others)
        yield space.named(field)
        yield from (_prefix(space, field, text) for text in _PRIVATE[family])
    yield space.fields[Field.SPORT].within(32768, 60999)
    yield space.value(Field.SPORT, 40000)
    yield ~space.value(Field.SPORT, 0)
    for port in (22, 80, 443):
        yield space.value(Field.DPORT, port)
    yield ~space.value(Field.DPORT, 0)
    yield space.value(Field.ICMP_TYPE, echo_request(family))
    yield space.value(Field.ICMP_CODE, 0)
    yield from without_unusual(space)


def _of_any_frame(space: Space) -> Iterator[PacketSet]:
    # What comes from a wire has no mark, and nobody has translated it yet.
    for field in (Field.MARK, Field.CT_MARK, Field.CT_SNAT, Field.CT_DNAT):
        yield space.value(field, 0)
    yield ~space.interface(Field.IIF, "lo") & ~space.interface(Field.OIF, "lo")
    for field in (Field.IIF, Field.OIF):
        yield from _facing_outside(space, field)


def _sendable_flags(space: Space) -> Iterator[PacketSet]:
    """A first packet is a plain SYN, or else one in the middle of a connection that the kernel
    picks up (nf_conntrack_tcp_loose); later ones carry ACK."""
    not_tcp = ~space.value(Field.PROTO, TCP)
    ack = _flags(space, "ack")
    yield not_tcp | (space.state("new") & _flags(space, "syn")) | (~space.state("new") & ack)
    yield not_tcp | ack


def _loopback(space: Space, family: Family) -> Iterator[PacketSet]:
    address = int(LOCALHOST[family])
    both = [space.value(field, address) for field in (family.saddr, family.daddr)]
    yield ~_inside(space) | (both[0] & both[1])


def _inside(space: Space) -> PacketSet:
    return space.interface(Field.IIF, "lo") | space.interface(Field.OIF, "lo")


@memo
def _all_preferences(space: Space, family: Family, hook: Hook | None) -> Preferences:
    return Preferences(space, (*_loopback(space, family), *_preferences(space, family, hook)))


@memo
def _preferences_of_any(space: Space) -> Preferences:
    return Preferences(space, (*_of_any_frame(space), *without_unusual(space)))


def _plainest(space: Space, family: Family, packets: PacketSet, hook: Hook | None) -> PacketSet:
    plain = _preferred(space, family, packets, hook)
    to_itself = _to_its_sender(space, family, plain)
    if (plain & to_itself & ~_inside(space)).satisfiable():
        turning = packets & _turning_back(space)
        if (packets & ~to_itself).satisfiable():
            plain = _preferred(space, family, packets & ~to_itself, hook)
        elif turning.satisfiable():
            plain = _all_preferences(space, family, hook).narrowed(turning)
    return plain.pick_cube_dd_set(ordinary(space, hook))


def _preferred(space: Space, family: Family, packets: PacketSet, hook: Hook | None) -> PacketSet:
    preferences = _all_preferences(space, family, hook)
    plain = preferences.narrowed(packets)
    turning = _turning_back(space)
    if (plain & turning).satisfiable():
        alike = space.forget(plain, (*_ENDS, Field.IIF, Field.OIF))
        others = packets & alike & ~turning & ~space.value(Field.IIF, NO_INTERFACE)
        if others.satisfiable():
            return preferences.narrowed(others)
    return plain


@memo
def _turning_back(space: Space) -> PacketSet:
    """What leaves by the interface that it came by, as little does that a host sends on."""
    few = enumerate(space.interfaces.classes[:_MOST_TOLD_APART], start=1)
    both = [
        space.value(Field.IIF, number) & space.value(Field.OIF, number)
        for number, interfaces in few
        if not interfaces.wildcard
    ]
    return union(both, space.false)


def _to_its_sender(space: Space, family: Family, packets: PacketSet) -> PacketSet:
    """Those that have the source of one of the packets at both ends, as hardly any has but by lo.
    Who asks for himself by an address of this host is sent back the way that he came."""
    cube = packets.pick_cube()
    if cube is None:
        return space.false
    source = number_in(cube, space.fields[family.saddr].variables)
    return space.value(family.saddr, source) & space.value(family.daddr, source)


def witness(space: Space, packets: PacketSet, hook: Hook | None) -> Packet | None:
    """The plainest packet of the set; None where the set is empty."""
    cube = plainest(space, packets, hook).pick_cube()
    return None if cube is None else packet_of(space, cube, hook)


def witness_of_part(
    space: Space,
    packets: PacketSet,
    part: Callable[[PacketSet], PacketSet],
    hook: Hook | None,
) -> Packet | None:
    """``witness`` of ``part(packets)``, where ``part`` gives those of some packets that are meant,
    and it is dear to tell of all.

    What a plain packet of all is like, one of the part is like, if there is such a one in it: no
    preference is then given up for the part that was not for all.
    """
    name = _first_family(space, packets)
    family = _IP_FAMILIES.get(name or "")
    if name is not None and family is not None:
        plain = part(_preferred(space, family, packets & space.family(name), hook))
        to_itself = _to_its_sender(space, family, plain)
        if plain.satisfiable() and not (plain & to_itself & ~_inside(space)).satisfiable():
            cube = plain.pick_cube_dd_set(ordinary(space, hook)).pick_cube()
            return None if cube is None else packet_of(space, cube, hook)
    return witness(space, part(packets), hook)


def plainest(space: Space, packets: PacketSet, hook: Hook | None) -> PacketSet:
    """The plainest packets of the set, alike in all that rules can tell apart and that matters
    here; empty where the set is."""
    name = _first_family(space, packets)
    if name is None:
        return packets
    packets = packets & space.family(name)
    family = _IP_FAMILIES.get(name)
    if family is not None:
        return _plainest(space, family, packets, hook)
    plain = _preferences_of_any(space).narrowed(packets)
    return plain.pick_cube_dd_set(ordinary(space, hook))


def packet_of(space: Space, cube: Sequence[bool | None], hook: Hook | None) -> Packet:
    """The packet of a path through a diagram; what the path leaves free is zero."""
    values = {field: number_in(cube, bits.variables) for field, bits in space.fields.items()}
    conditions = tuple(key for key, bit in _opaque_bits(space, cube) if bit)
    conditions += (*unusual(values), *_after(values), *_behind_an_extension(space, cube, values))
    name = PACKET_FAMILIES[values[Field.FAMILY]]
    return _packet(space, name, values, hook, conditions)


def _after(values: Mapping[Field, int]) -> Iterator[str]:
    """What has to come before the packet: a connection that it does not open is new as long as
    nobody has answered."""
    new = values[Field.CT_STATE] == CT_STATES.index("new")
    closing = values[Field.TCP_FLAGS] & tcp_flag_bits("fin", "rst")
    if values[Field.PROTO] == TCP and new and closing:
        yield "after a first packet that nobody answered"


def _first_family(space: Space, packets: PacketSet) -> str | None:
    return next((n for n in space.families if (packets & space.family(n)).satisfiable()), None)


def number_in(cube: Sequence[bool | None], variables: Sequence[int]) -> int:
    """The number that the variables are in the cube, the most significant bit first."""
    return sum(
        1 << (len(variables) - 1 - index)
        for index, variable in enumerate(variables)
        if cube[variable]
    )


_EXTENSIONS = (60, 43, 0)
"""Headers that may stand before any protocol: options for the destination, routing, hop-by-hop."""


def _behind_an_extension(
    space: Space, cube: Sequence[bool | None], values: Mapping[Field, int]
) -> Iterator[str]:
    """Where the first header of IPv6 is not said to be that of the protocol, another one is."""
    said = {
        test.asks: cube[variable.node_var() or 0]
        for test, variable in space.opaques.items()
        if isinstance(test.asks, FirstHeader)
    }
    protocol = values[Field.PROTO]
    if any(said.values()) or not any(one.low <= protocol <= one.high for one in said):
        return
    for number in _EXTENSIONS:
        if not any(one.low <= number <= one.high for one in said):
            yield f"ip6 nexthdr {number}"
            return


def _opaque_bits(space: Space, cube: Sequence[bool | None]) -> Iterator[tuple[str, bool | None]]:
    return ((test.key, cube[var.node_var() or 0]) for test, var in space.opaques.items())


def _packet(
    space: Space,
    name: str,
    values: dict[Field, int],
    hook: Hook | None,
    conditions: tuple[str, ...],
) -> Packet:
    family = _IP_FAMILIES.get(name)
    protocol = values[Field.PROTO] if family else -1
    ports = protocol in PORT_PROTOCOLS and not values[Field.FRAGMENT]
    icmp = protocol in (ICMP, ICMP6) and not values[Field.FRAGMENT]
    tcp = protocol == TCP and not values[Field.FRAGMENT]
    return Packet(
        family=name,
        hook=hook.value if hook else None,
        iif=space.interfaces.example(values[Field.IIF]),
        oif=space.interfaces.example(values[Field.OIF]),
        saddr=_address(family, values[family.saddr]) if family else None,
        daddr=_address(family, values[family.daddr]) if family else None,
        proto=PROTOCOL_NAMES.get(protocol, str(protocol)) if family else None,
        sport=values[Field.SPORT] if ports else None,
        dport=values[Field.DPORT] if ports else None,
        tcp_flags=tcp_flag_names(values[Field.TCP_FLAGS]) if tcp else None,
        icmp_type=values[Field.ICMP_TYPE] if icmp else None,
        icmp_code=values[Field.ICMP_CODE] if icmp else None,
        ct_state=CT_STATES[values[Field.CT_STATE]] if family else None,
        mark=values[Field.MARK],
        conditions=conditions,
    )


def _address(family: Family, value: int) -> str:
    version = socket.AF_INET if family is Family.IP else socket.AF_INET6
    return socket.inet_ntop(version, value.to_bytes(family.address_bits // 8, "big"))
