"""IP packets as bytes: the fields that translation, routing and connection tracking look at.

Unlike ``wire``, which builds one packet of every kind, this reads packets, too, and is quick.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from ipaddress import ip_address

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
_FLAGS = {FIN: "fin", SYN: "syn", RST: "rst", PSH: "psh", ACK: "ack"}
_NAMES = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMP6: "ipv6-icmp"}
_ECHO = {ICMP: (8, 0), ICMP6: (128, 129)}
_SERVERS_FIRST = 5000
"""The sequence number that whoever is called begins with."""


@dataclass(frozen=True, slots=True)
class Datagram:
    """``sport`` of an echo is its identifier. ``quote``: of an icmp error, what it is about."""

    saddr: str
    daddr: str
    proto: int
    sport: int = 0
    dport: int = 0
    flags: int = 0
    seq: int = 0
    ack: int = 0
    icmp: tuple[int, int] | None = None
    ttl: int = 64
    payload: bytes = b""
    quote: Datagram | None = None

    def __str__(self) -> str:
        if self.icmp is not None:
            about = f" about ({self.quote})" if self.quote else ""
            return f"{self.saddr} > {self.daddr} {self.protocol} {self.icmp}{about}"
        words = " ".join(word for flag, word in _FLAGS.items() if self.flags & flag)
        ends = f"{self.saddr} {self.sport} > {self.daddr} {self.dport}"
        return f"{ends} {self.protocol} {words}".rstrip()

    @property
    def family(self) -> str:
        return "ip" if ip_address(self.saddr).version == 4 else "ip6"

    @property
    def protocol(self) -> str:
        return _NAMES.get(self.proto, str(self.proto))

    @property
    def flag_names(self) -> tuple[str, ...]:
        return tuple(word for flag, word in _FLAGS.items() if self.flags & flag)

    @property
    def ends(self) -> tuple[str, int, str, int]:
        """Addresses and ports: what translation may change."""
        return self.saddr, self.sport, self.daddr, self.dport

    @property
    def reverse_ends(self) -> tuple[str, int, str, int]:
        if self.icmp is not None:
            return self.daddr, self.sport, self.saddr, self.dport
        return self.daddr, self.dport, self.saddr, self.sport

    def is_error(self) -> bool:
        return self.quote is not None

    def pack(self) -> bytes:
        """From the IP header on, all checksums right."""
        source, destination = ip_address(self.saddr).packed, ip_address(self.daddr).packed
        inner = self._inner()
        if self.proto in _CHECKSUM_AT:
            pseudo = source + destination + struct.pack(">II", len(inner), self.proto)
            right = checksum(inner if self.proto == ICMP else pseudo + inner)
            at = _CHECKSUM_AT[self.proto]
            inner = inner[:at] + struct.pack(">H", right or 0xFFFF) + inner[at + 2 :]
        if self.family == "ip6":
            return _IPV6.pack(6 << 28, len(inner), self.proto, self.ttl) + _joined(
                source, destination, inner
            )
        bare = _IPV4.pack(0x45, 0, 20 + len(inner), 0, 0x4000, self.ttl, self.proto, 0)
        right = checksum(bare + source + destination)
        return bare[:10] + struct.pack(">H", right) + source + destination + inner

    def _inner(self) -> bytes:
        match self.proto:
            case 6:
                return _TCP.pack(*self._tcp()) + self.payload
            case 17:
                return _UDP.pack(self.sport, self.dport, 8 + len(self.payload), 0) + self.payload
            case 1 | 58:
                kind, code = self.icmp or _ECHO[self.proto]
                return _ICMP.pack(kind, code, 0, self.sport, self.seq) + self.payload
        return self.payload

    def _tcp(self) -> tuple[int, ...]:
        return self.sport, self.dport, self.seq, self.ack, 5 << 4, self.flags, 65535, 0, 0


_IPV4, _IPV6 = struct.Struct(">BBHHHBBH"), struct.Struct(">IHBB")
_TCP, _UDP = struct.Struct(">HHIIBBHHH"), struct.Struct(">HHHH")
_ICMP = struct.Struct(">BBHHH")
_CHECKSUM_AT = {TCP: 16, UDP: 6, ICMP: 2, ICMP6: 2}
_ERRORS = {ICMP: (3, 4, 5, 11, 12), ICMP6: (1, 2, 3, 4)}


def _joined(*parts: bytes) -> bytes:
    return b"".join(parts)


def checksum(data: bytes) -> int:
    """RFC 1071."""
    total: int = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def parse(data: bytes) -> Datagram:
    """From the IP header on. Of a quoted packet eight bytes behind that are enough."""
    if data[0] >> 4 == 4:
        ttl, proto = data[8], data[9]
        source, destination, inner = data[12:16], data[16:20], data[(data[0] & 15) * 4 :]
    else:
        ttl, proto = data[7], data[6]
        source, destination, inner = data[8:24], data[24:40], data[40:]
    found = Datagram(str(ip_address(source)), str(ip_address(destination)), proto, ttl=ttl)
    return _with_inner(found, inner)


def _with_inner(found: Datagram, inner: bytes) -> Datagram:
    match found.proto:
        case 6 if len(inner) >= 20:
            sport, dport, seq, ack, offset, flags, *_ = _TCP.unpack_from(inner)
            payload = inner[(offset >> 4) * 4 :]
            ports = replace(found, sport=sport, dport=dport, flags=flags)
            return replace(ports, seq=seq, ack=ack, payload=payload)
        case 6 | 17 if len(inner) >= 4:
            sport, dport = struct.unpack_from(">HH", inner)
            return replace(found, sport=sport, dport=dport, payload=inner[8:])
        case 1 | 58:
            kind, code, _, ident, seq = _ICMP.unpack_from(inner)
            if kind in _ERRORS[found.proto]:
                return replace(found, icmp=(kind, code), quote=parse(inner[8:]))
            echo = replace(found, icmp=(kind, code), sport=ident, seq=seq)
            return replace(echo, payload=inner[8:])
    return replace(found, payload=inner)


# --- what follows what -------------------------------------------------------------------------


def opening(saddr: str, daddr: str, proto: int, sport: int, dport: int) -> Datagram:
    """The first packet of an exchange."""
    match proto:
        case 6:
            return Datagram(saddr, daddr, proto, sport, dport, flags=SYN, seq=1000)
        case 17:
            return Datagram(saddr, daddr, proto, sport, dport, payload=b"ping")
    return Datagram(saddr, daddr, proto, sport, icmp=(_ECHO[proto][0], 0), seq=1, payload=b"ping")


def answer(heard: Datagram) -> Datagram:
    """What a server says to a packet that it hears."""
    there, here = (heard.saddr, heard.sport), (heard.daddr, heard.dport)
    turned = Datagram(here[0], there[0], heard.proto, here[1], there[1], payload=b"pong")
    if heard.icmp is not None:
        kind = _ECHO[heard.proto][1]
        return replace(turned, sport=heard.sport, dport=0, icmp=(kind, 0), seq=heard.seq)
    if heard.proto != TCP:
        return turned
    if heard.flags & SYN:
        shaken = replace(turned, flags=SYN | ACK, seq=_SERVERS_FIRST, payload=b"")
        return replace(shaken, ack=heard.seq + 1)
    return replace(turned, flags=PSH | ACK, seq=heard.ack, ack=heard.seq + len(heard.payload))


def continuation(first: Datagram, answered: Datagram) -> Datagram:
    """What a client says next, once it has been answered."""
    if first.proto == TCP:
        again = replace(first, flags=PSH | ACK, payload=b"ping")
        return replace(again, seq=answered.ack, ack=answered.seq + 1)
    return replace(first, seq=first.seq + 1)
