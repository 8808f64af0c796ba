"""Connections that are there before a packet comes, so that it is established or related.

The numbers are those of linux/netfilter/nfnetlink_conntrack.h.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from ipaddress import ip_address

from tests.kernel.netlink import ACK, CREATE, Netlink, attribute, nest

_NEW, _DELETE = 1 << 8 | 0, 1 << 8 | 2  # NFNL_SUBSYS_CTNETLINK
_SEEN_REPLY, _ASSURED, _CONFIRMED = 0x2, 0x4, 0x8
_TUPLE_ORIG, _TUPLE_REPLY, _STATUS, _PROTOINFO, _TIMEOUT, _TUPLE_MASTER = 1, 2, 3, 4, 7, 14

TCP, UDP, ICMP, ICMP6, SCTP = 6, 17, 1, 58, 132
TCP_SYN_SENT, TCP_SYN_RECV, TCP_ESTABLISHED = 1, 2, 3
_SCTP_ESTABLISHED = 4
SCTP_TAG = 1
ECHO_ID = 7

# What the kernel takes for the answer to an icmp message (nf_conntrack_proto_icmp.c, _icmpv6.c).
ICMP_ANSWERS = {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17}
ICMP6_ANSWERS = {128: 129, 129: 128, 139: 140, 140: 139}


@dataclass(frozen=True)
class Tuple:
    """One direction of a connection; ``first`` and ``second`` are ports, or icmp type and code."""

    saddr: str
    daddr: str
    proto: int
    first: int = 0
    second: int = 0

    def reverse(self) -> Tuple:
        answers = {ICMP: ICMP_ANSWERS, ICMP6: ICMP6_ANSWERS}.get(self.proto)
        ends = self.second, self.first
        if answers is not None:
            ends = answers[self.first], self.second
        return Tuple(self.daddr, self.saddr, self.proto, *ends)

    def pack(self, kind: int) -> bytes:
        source, destination = ip_address(self.saddr), ip_address(self.daddr)
        first = 1 if source.version == 4 else 3
        addresses = attribute(first, source.packed), attribute(first + 1, destination.packed)
        number = attribute(1, bytes([self.proto]))
        return nest(kind, nest(1, *addresses), nest(2, number, *self._ends()))

    def _ends(self) -> tuple[bytes, ...]:
        if self.proto in (ICMP, ICMP6):
            at = 4 if self.proto == ICMP else 7
            return (
                attribute(at, struct.pack(">H", ECHO_ID)),
                attribute(at + 1, bytes([self.first])),
                attribute(at + 2, bytes([self.second])),
            )
        ports = struct.pack(">H", self.first), struct.pack(">H", self.second)
        return attribute(2, ports[0]), attribute(3, ports[1])


class Connections:
    def __init__(self, netlink: Netlink) -> None:
        self._netlink = netlink

    def forget(self) -> None:
        """Of both families."""
        self._netlink.ask(_DELETE, ACK, 0)

    def establish(self, tuple_: Tuple, tcp_state: int = TCP_ESTABLISHED) -> None:
        """Its next packet is established."""
        self._add(tuple_, _CONFIRMED | _SEEN_REPLY | _ASSURED, tcp_state)

    def attempt(self, tuple_: Tuple) -> None:
        """What an ACK picks up and nobody answers."""
        self._add(tuple_, _CONFIRMED, TCP_ESTABLISHED)

    def expect(self, tuple_: Tuple, master: Tuple, tcp_state: int = TCP_ESTABLISHED) -> None:
        """Its next packet is related to the connection ``master``."""
        self.establish(master)
        self._add(tuple_, _CONFIRMED, tcp_state, master.pack(_TUPLE_MASTER))

    def _add(self, tuple_: Tuple, status: int, tcp_state: int, *more: bytes) -> None:
        body = b"".join(
            (
                tuple_.pack(_TUPLE_ORIG),
                tuple_.reverse().pack(_TUPLE_REPLY),
                attribute(_STATUS, struct.pack(">I", status)),
                attribute(_TIMEOUT, struct.pack(">I", 600)),
                _protocol_state(tuple_.proto, tcp_state),
                *more,
            )
        )
        version = ip_address(tuple_.saddr).version
        family = socket.AF_INET if version == 4 else socket.AF_INET6
        self._netlink.ask(_NEW, ACK | CREATE, family, body)


def _protocol_state(proto: int, tcp_state: int) -> bytes:
    match proto:
        case 6:
            return nest(_PROTOINFO, nest(1, attribute(1, bytes([tcp_state]))))
        case 132:
            tag = struct.pack(">I", SCTP_TAG)
            state = attribute(1, bytes([_SCTP_ESTABLISHED]))
            return nest(_PROTOINFO, nest(3, state, attribute(2, tag), attribute(3, tag)))
    return b""
