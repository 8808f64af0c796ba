"""One packet as bytes, built with scapy where scapy knows the protocol."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from scapy.layers.inet import ICMP, IP, TCP, UDP, in4_chksum
from scapy.layers.inet6 import (
    ICMPv6Unknown,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    in6_chksum,
)
from scapy.layers.sctp import SCTP, SCTPChunkData
from scapy.packet import Raw

from iptlint.model.protocols import TCP_FLAGS
from iptlint.packets.packet import Packet
from tests.kernel.connections import ECHO_ID, SCTP_TAG, Tuple

PROTOCOLS = {
    **{"icmp": 1, "igmp": 2, "ipencap": 4, "tcp": 6, "udp": 17, "dccp": 33, "ipv6": 41, "gre": 47},
    **{"esp": 50, "ah": 51, "ipv6-icmp": 58, "eigrp": 88, "ospf": 89, "pim": 103, "vrrp": 112},
    **{"sctp": 132, "udplite": 136},
}
WITH_PORTS = (6, 17, 33, 132, 136)
_FLAG_LETTERS = dict(zip(TCP_FLAGS, "FSRPAUEC", strict=True))
_TTL = 64
_STRING = "string --algo bm --string "
_NEXT_HEADER = "ip6 nexthdr "
UNANSWERED = "after a first packet that nobody answered"
"""So a packet that closes a connection is new."""
_EXTENSION_HEADERS = {0: IPv6ExtHdrHopByHop, 43: IPv6ExtHdrRouting, 60: IPv6ExtHdrDestOpt}
_GRE_OF_NO_KIND = bytes.fromhex("2001080000040001")
"""Version 1 with another protocol than PPP: gre_pkt_to_tuple has no connection for it."""


class UnsendableError(Exception):
    """The packet cannot exist here; the text says why."""


@dataclass(frozen=True)
class Nature:
    """What the bytes depend on besides the packet's own fields.

    ``spoiled``: a wrong checksum. ``overlong``: of udp, a length beyond the packet's end.
    ``in_connection``: not the first packet. ``quoted``: what an icmp error is about.
    ``untrackable``: of gre, one that has no connection.
    """

    spoiled: bool = False
    overlong: bool = False
    in_connection: bool = False
    quoted: Tuple | None = None
    untrackable: bool = False


def number_of(packet: Packet) -> int:
    name = packet.proto or ""
    return PROTOCOLS[name] if name in PROTOCOLS else int(name)


def is_icmp_error(packet: Packet) -> bool:
    """Those that quote the packet they are about (RFC 792, RFC 4443)."""
    if packet.icmp_type is None:
        return False
    match number_of(packet):
        case 1:
            return packet.icmp_type in (3, 4, 5, 11, 12)
        case 58:
            return packet.icmp_type < 128
    return False


def is_fragment(packet: Packet) -> bool:
    """Not the first of its datagram: it has no header of its protocol."""
    return number_of(packet) in WITH_PORTS and packet.dport is None


def build(packet: Packet, nature: Nature) -> bytes:
    """From the IP header on. UnsendableError where a condition cannot be made to hold."""
    number, payload = number_of(packet), _payload(packet)
    if is_fragment(packet):
        return bytes(_fragment(packet, number, payload or b"x"))
    inner = _of_protocol(packet, number, payload, nature)
    whole = _headers(packet, number) / inner
    if not nature.spoiled:
        return bytes(whole)
    return _spoil(bytes(whole), number, 20 if packet.family == "ip" else 40)


def _payload(packet: Packet) -> bytes:
    """Where strings are looked for in the packet, it holds them."""
    found = b""
    for condition in packet.conditions:
        if condition.startswith(_NEXT_HEADER) or condition == UNANSWERED:
            continue
        if not condition.startswith(_STRING):
            raise UnsendableError(f"no way to make this hold: {condition}")
        found += bytes.fromhex(condition.removeprefix(_STRING)) + b" "
    return found


def _headers(packet: Packet, number: int) -> Any:
    """With the extension header that the first one is to announce, if any."""
    said = (c for c in packet.conditions if c.startswith(_NEXT_HEADER))
    announced = {int(condition.removeprefix(_NEXT_HEADER)) for condition in said} - {number}
    if not announced:
        return _header(packet, number)
    if len(announced) > 1 or not announced <= _EXTENSION_HEADERS.keys():
        raise UnsendableError(f"no such extension headers: {sorted(announced)}")
    (first,) = announced
    return _header(packet, first) / _EXTENSION_HEADERS[first](nh=number)


def _header(packet: Packet, number: int) -> Any:
    if packet.family == "ip":
        return IP(src=packet.saddr, dst=packet.daddr, proto=number, ttl=_TTL)
    return IPv6(src=packet.saddr, dst=packet.daddr, nh=number, hlim=_TTL)


def _fragment(packet: Packet, number: int, payload: bytes) -> Any:
    """One too short for ports: of a longer one nft takes the first bytes for them."""
    if packet.family == "ip":
        header = _header(packet, number)
        header.frag = 185
        return header / Raw(payload)
    return _header(packet, 44) / IPv6ExtHdrFragment(nh=number, offset=185) / Raw(payload)


def _of_protocol(packet: Packet, number: int, payload: bytes, nature: Nature) -> Any:
    ports: dict[str, Any] = {"sport": packet.sport, "dport": packet.dport}
    match number:
        case 6:
            letters = "".join(_FLAG_LETTERS[name] for name in packet.tcp_flags or ())
            return TCP(**ports, flags=letters, seq=1000, ack=0) / Raw(payload)
        case 17:
            length = 1000 if nature.overlong else None
            return UDP(**ports, len=length) / Raw(payload)
        case 132:
            return _sctp(ports, payload, nature.in_connection)
        case 136:
            return Raw(_udplite(packet, payload))
        case 33:  # RFC 4340, 5.1: a Request with its service code
            head = struct.pack(">HHBBHBBHII", packet.sport, packet.dport, 5, 0, 0, 1, 0, 0, 1, 0)
            return Raw(head + payload)
        case 1 if packet.family == "ip":
            return ICMP(type=packet.icmp_type, code=packet.icmp_code, id=ECHO_ID) / Raw(
                _quotation(packet, nature) + payload
            )
        case 58 if packet.family == "ip6":
            body = struct.pack(">HH", 0 if is_icmp_error(packet) else ECHO_ID, 0)
            body += _quotation(packet, nature) + payload
            return ICMPv6Unknown(type=packet.icmp_type, code=packet.icmp_code, msgbody=body)
        case 47 if nature.untrackable:
            return Raw(_GRE_OF_NO_KIND + payload)
    return Raw(bytes(16) + payload)


def _sctp(ports: dict[str, Any], payload: bytes, in_connection: bool) -> Any:
    if in_connection:
        return SCTP(**ports, tag=SCTP_TAG) / SCTPChunkData(data=payload or b"x")
    # RFC 9260, 3.3.2: an opening is alone in its packet, so a parameter holds the payload.
    parameter = struct.pack(">HH", 0x8008, 4 + len(payload)) + payload if payload else b""
    fixed = struct.pack(">IIHHI", SCTP_TAG, 1500, 1, 1, 0)
    length = 4 + len(fixed) + len(parameter)
    chunk = struct.pack(">BBH", 1, 0, length) + fixed + parameter + bytes(-length % 4)
    return SCTP(**ports, tag=0) / Raw(chunk)


def _udplite(packet: Packet, payload: bytes) -> bytes:
    """RFC 3828, but for the protocol's number in the checksum: connection tracking verifies it
    with that of udp (udplite_error), and calls a right one invalid."""
    length = 8 + len(payload)
    head = struct.pack(">HHH", packet.sport, packet.dport, length)
    content = head + b"\0\0" + payload
    outer = _header(packet, 136) / Raw(content)
    if packet.family == "ip":
        outer = IP(bytes(outer))
        checksum = in4_chksum(17, outer, content)
    else:
        checksum = in6_chksum(17, outer, content)  # type: ignore[no-untyped-call]
    return head + struct.pack(">H", checksum) + payload


def _quotation(packet: Packet, nature: Nature) -> bytes:
    if not is_icmp_error(packet):
        return b""
    quoted = nature.quoted or Tuple(str(packet.daddr), str(packet.saddr), 17, 4000, 4001)
    version = ip_address(quoted.saddr).version
    header = (IP if version == 4 else IPv6)(src=quoted.saddr, dst=quoted.daddr)
    return bytes(header / UDP(sport=quoted.first, dport=quoted.second) / Raw(bytes(8)))


_CHECKSUM_AT = {6: 16, 17: 6, 1: 2, 58: 2, 132: 8, 136: 6}


def _spoil(data: bytes, number: int, header: int) -> bytes:
    at = header + _CHECKSUM_AT[number]
    (right,) = struct.unpack_from(">H", data, at)
    wrong = right ^ 0x5A5A or 0x1234  # a zero would mean that there is none
    return data[:at] + struct.pack(">H", wrong) + data[at + 2 :]
