"""Services: what may be asked for, by protocol and port or by the type of an icmp message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptlint.model import Family, Field, numbers
from iptlint.model.matches import Ranges
from iptlint.model.protocols import (
    ICMP,
    ICMP6,
    ICMP6_TYPES,
    ICMP_TYPES,
    PORT_PROTOCOLS,
    PROTOCOL_NAMES,
    PROTOCOL_NUMBERS,
    TCP,
    UDP,
    icmp_of,
)
from iptlint.model.services import SERVICES
from iptlint.packets.bdd import union
from iptlint.packets.describe.lists import listed
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_MOST = 65535


class ServiceError(ValueError):
    """What is no service; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class Part:
    """``protocol``: None for every one; icmp stands for that of either family. ``ports``: empty for
    all. ``icmp_type``: a name in the tables of ``model/protocols.py``, or a number."""

    protocol: int | None
    ports: Ranges = ()
    icmp_type: str = ""

    @property
    def text(self) -> str:
        """``22/tcp``, ``icmp/echo-request``, ``any``."""
        if self.protocol is None:
            return "any"
        name = PROTOCOL_NAMES.get(self.protocol, str(self.protocol))
        if self.icmp_type:
            return f"{name}/{self.icmp_type}"
        ports = ",".join(str(a) if a == b else f"{a}-{b}" for a, b in self.ports)
        return f"{ports}/{name}" if ports else name

    def is_of(self, family: Family) -> bool:
        """Whether packets of the family may ask for it."""
        by_name = bool(self.icmp_type) and not numbers.is_decimal(self.icmp_type)
        return not by_name or self.icmp_type in _types(family)


@dataclass(frozen=True, slots=True)
class Service:
    """``name`` as it is written. It is asked for by a packet that is one of ``parts``."""

    name: str
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The name, with what it is where that is not the same."""
        said = " ".join(part.text for part in self.parts)
        return self.name if self.name in (said, "any") else f"{self.name} ({said})"

    def packets(self, space: Space, family: Family) -> PacketSet:
        """Whole packets, or first fragments: later ones show no port."""
        parts = [_packets(space, family, part) for part in self.parts if part.is_of(family)]
        return union(parts, space.false)


ANY = Service("any", (Part(None),))


def services_as_one(services: tuple[Service, ...]) -> Service:
    """Several that are named together."""
    if len(services) == 1:
        return services[0]
    parts = tuple(dict.fromkeys(part for service in services for part in service.parts))
    return Service(listed([service.name for service in services]), parts)


def _packets(space: Space, family: Family, part: Part) -> PacketSet:
    if part.protocol is None:
        return space.true
    number = icmp_of(family) if part.protocol in (ICMP, ICMP6) else part.protocol
    packets = space.value(Field.PROTO, number)
    if part.ports:
        packets = packets & space.ranges(Field.DPORT, part.ports) & space.value(Field.FRAGMENT, 0)
    if part.icmp_type:
        given = numbers.decimal(part.icmp_type)
        wanted = _types(family)[part.icmp_type] if given is None else given
        packets = packets & space.value(Field.ICMP_TYPE, wanted) & space.value(Field.FRAGMENT, 0)
    return packets


def _types(family: Family) -> Mapping[str, int]:
    return ICMP6_TYPES if family is Family.IP6 else ICMP_TYPES


# -- as they are written ----------------------------------------------------------------------

_BOTH = frozenset((53, 88, 111, 2049, 5060, 5061, 3478))
_BY_UDP = frozenset(
    (
        *(67, 68, 69, 123, 137, 138, 161, 162, 500, 514, 520, 546, 547, 1194, 1645, 1646),
        *(1701, 1812, 1813, 1900, 3544, 4500, 4789, 5353, 5355, 6081, 8472, 41641, 51820),
    )
)
"""Ports at which one asks by udp, or by both; all others are asked by tcp."""

_NAMED = {
    "ping": (Part(ICMP, icmp_type="echo-request"),),
    "dns": (Part(TCP, ((53, 53),)), Part(UDP, ((53, 53),))),
    "wireguard": (Part(UDP, ((51820, 51820),)),),
    "syslog": (Part(UDP, ((514, 514),)),),
    "shell": (Part(TCP, ((514, 514),)),),
    "any": ANY.parts,
    "all": ANY.parts,
    "anything": ANY.parts,
}
_NUMBERS = re.compile(r"([0-9]{1,5})(?:[-:]([0-9]{1,5}))?")
_PROTOCOLS = {**PROTOCOL_NUMBERS, "icmp": ICMP, "icmpv6": ICMP}
"""Either icmp is that of the family that is looked at."""


def known_names() -> tuple[str, ...]:
    """What a sentence may call a service without defining it."""
    return (*_NAMED, *SERVICES, "icmp", "tcp", "udp", "sctp")


def is_service(word: str) -> bool:
    """Whether the word looks like one, be it wrong."""
    return word in _NAMED or word in SERVICES or word in _PROTOCOLS or _looks_numeric(word)


def _looks_numeric(word: str) -> bool:
    head, slash, tail = word.partition("/")
    is_named = head in _PROTOCOLS or tail in _PROTOCOLS
    return bool(_NUMBERS.fullmatch(word)) or (bool(slash) and is_named and ":" not in head)


def service(word: str) -> Service:
    """Of ``22``, ``ssh``, ``53/udp``, ``tcp/8000-8100``, ``icmp/echo-request``, ``udp``; a number
    alone is of the protocol that is usual for the port, tcp if none is known to be."""
    if word in _NAMED:
        return Service(word, _NAMED[word])
    if word in SERVICES:
        return Service(word, _usual(SERVICES[word], SERVICES[word]))
    head, _, tail = word.partition("/")
    if not tail:
        return Service(word, (Part(_PROTOCOLS[head]),) if head in _PROTOCOLS else _of_ports(head))
    if tail in _PROTOCOLS:
        head, tail = tail, head
    if head not in _PROTOCOLS:
        raise ServiceError(f"{head!r} is no protocol; write 53/udp, 8000-8100/tcp or icmp/8")
    return Service(word, (_of_protocol(_PROTOCOLS[head], tail),))


def _of_protocol(protocol: int, rest: str) -> Part:
    if protocol == ICMP:
        number = numbers.decimal(rest)
        if rest in ICMP_TYPES or rest in ICMP6_TYPES or (number is not None and number < 256):
            return Part(ICMP, icmp_type=rest)
        raise ServiceError(f"{rest!r} is no type of icmp; {', '.join(ICMP_TYPES)} are, or a number")
    if protocol not in PORT_PROTOCOLS:
        raise ServiceError(f"{PROTOCOL_NAMES.get(protocol, protocol)} has no ports")
    low, high = _range(str(SERVICES.get(rest, rest)))
    return Part(protocol, ((low, high),))


def _of_ports(text: str) -> tuple[Part, ...]:
    return _usual(*_range(text))


def _usual(low: int, high: int) -> tuple[Part, ...]:
    ports = ((low, high),)
    if low == high and low in _BOTH:
        return Part(TCP, ports), Part(UDP, ports)
    return (Part(UDP if low == high and low in _BY_UDP else TCP, ports),)


def _range(text: str) -> tuple[int, int]:
    match = _NUMBERS.fullmatch(text)
    if match is None:
        raise ServiceError(f"{text!r} is no port, no range of ports and no service that is known")
    low, high = int(match[1]), int(match[2] or match[1])
    if not low <= high <= _MOST:
        raise ServiceError(f"{text!r} is no port, nor a range of ports, from 0 to {_MOST}")
    return low, high
