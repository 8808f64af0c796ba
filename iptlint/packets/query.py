"""The packets that someone asks about: those that have what is said of them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from ipaddress import ip_network
from typing import TYPE_CHECKING

from iptlint.model import Family, Field
from iptlint.model.matches import CT_STATES, PACKET_FAMILIES
from iptlint.model.protocols import (
    ICMP,
    ICMP6,
    PORT_PROTOCOLS,
    PROTOCOL_NUMBERS,
    TCP,
    TCP_FLAGS,
    icmp_of,
    tcp_flag_bits,
)
from iptlint.packets.bdd import union
from iptlint.packets.packet import Packet
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_OF_ONE_FAMILY = {"icmp": "ip", "icmpv6": "ip6", "icmp6": "ip6", "ipv6-icmp": "ip6"}


class QueryError(ValueError):
    """A value that is none; the message says what was expected."""


def packets_like(space: Space, asked: Packet) -> PacketSet:
    """The packets that agree with ``asked`` in all that is not None; an address may be a network.
    QueryError for what is no address, protocol, flag or state."""
    family = Family(asked.family)
    packets = space.universe & space.family(asked.family)
    for part in _parts(space, family, asked):
        packets = packets & part
    return packets


def _parts(space: Space, family: Family, asked: Packet) -> Iterator[PacketSet]:
    yield from _of_its_way(space, family, asked)
    yield from _of_its_protocol(space, family, asked)
    if asked.ct_state is not None:
        if asked.ct_state not in CT_STATES:
            raise QueryError(f"{asked.ct_state!r} is no state; {', '.join(CT_STATES)} are")
        yield space.state(asked.ct_state)
    if asked.mark is not None:
        yield space.value(Field.MARK, asked.mark)


def _of_its_way(space: Space, family: Family, asked: Packet) -> Iterator[PacketSet]:
    for field, name in ((Field.IIF, asked.iif), (Field.OIF, asked.oif)):
        if name is not None:
            yield space.value(field, space.interfaces.class_of(name))
    for field, text in ((family.saddr, asked.saddr), (family.daddr, asked.daddr)):
        if text is not None:
            yield space.ranges(field, (_network(text, family),))


def _of_its_protocol(space: Space, family: Family, asked: Packet) -> Iterator[PacketSet]:
    """Of the protocol and the fields of its header."""
    if asked.proto is not None:
        yield space.value(Field.PROTO, protocol(asked.proto))
    for field, port in ((Field.SPORT, asked.sport), (Field.DPORT, asked.dport)):
        if port is not None:
            _hold(port, 65535, "a port")
            yield space.value(field, port) & _one_of(space, *PORT_PROTOCOLS)
    for field, number in ((Field.ICMP_TYPE, asked.icmp_type), (Field.ICMP_CODE, asked.icmp_code)):
        if number is not None:
            _hold(number, 255, "a type or code of icmp")
            yield space.value(field, number) & _one_of(space, _icmp_asked_for(family, asked))
    if asked.tcp_flags is not None:
        yield space.value(Field.TCP_FLAGS, _flags(asked.tcp_flags)) & _one_of(space, TCP)


def _hold(number: object, most: int, what: str) -> None:
    if not isinstance(number, int) or not 0 <= number <= most:
        raise QueryError(f"{number!r} is not {what}: a number from 0 to {most}")


def _icmp_asked_for(family: Family, asked: Packet) -> int:
    """That of the family, unless the packet is said to be of the other one's: IPv4 carries that,
    too."""
    number = icmp_of(family) if asked.proto is None else protocol(asked.proto)
    return number if number in (ICMP, ICMP6) else icmp_of(family)


def _one_of(space: Space, *protocols: int) -> PacketSet:
    """Packets of the protocols with their header: later fragments have none."""
    whole = space.value(Field.FRAGMENT, 0)
    return whole & union([space.value(Field.PROTO, number) for number in protocols], space.false)


def _network(text: str, family: Family) -> tuple[int, int]:
    try:
        network = ip_network(text, strict=False)
    except ValueError as error:
        raise QueryError(f"{text!r} is no address and no network") from error
    if network.version != (4 if family is Family.IP else 6):
        raise QueryError(f"{text} is no address of {family.value}")
    return int(network[0]), int(network[-1])


def protocol(text: str) -> int:
    """The number of a protocol, by its number or its name."""
    if text.isdecimal() and int(text) < 256:
        return int(text)
    if text in PROTOCOL_NUMBERS:
        return PROTOCOL_NUMBERS[text]
    try:
        return socket.getprotobyname(text)
    except OSError as error:
        raise QueryError(f"{text!r} is no protocol; tcp, udp, icmp … or a number") from error


def _flags(names: tuple[str, ...]) -> int:
    unknown = [name for name in names if name not in TCP_FLAGS]
    if unknown:
        raise QueryError(f"{unknown[0]!r} is no tcp flag; {', '.join(TCP_FLAGS)} are")
    return tcp_flag_bits(*names)


def family_of(saddr: str | None, daddr: str | None, proto: str | None) -> str | None:
    """ip or ip6, as an address or the protocol tells; None where neither does."""
    for address in (saddr, daddr):
        if address is not None:
            return PACKET_FAMILIES[":" in address]
    return _OF_ONE_FAMILY.get(proto or "")
