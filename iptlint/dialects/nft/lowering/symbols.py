"""The names that nft's data types have for values (``nft describe`` lists them)."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import lru_cache

from iptlint.model import protocols
from iptlint.model.services import SERVICES

Symbols = dict[str, int]


def _words(text: str) -> list[str]:
    return text.split()


CT_STATES: Symbols = {"invalid": 1, "established": 2, "related": 4, "new": 8, "untracked": 64}
"""The kernel's bit for each; a packet has exactly one (nft_ct.c)."""

CT_STATUSES: Symbols = {
    "expected": 1,
    "seen-reply": 1 << 1,
    "assured": 1 << 2,
    "confirmed": 1 << 3,
    "snat": 1 << 4,
    "dnat": 1 << 5,
    "dying": 1 << 9,
}
CT_DIRECTIONS: Symbols = {"original": 0, "reply": 1}
CT_EVENTS: Symbols = {
    name: 1 << bit
    for bit, name in enumerate(
        _words("new related destroy reply assured protoinfo helper mark seqadj secmark label")
    )
}

TCP_FLAGS: Symbols = {
    "ecn" if name == "ece" else name: 1 << bit for bit, name in enumerate(protocols.TCP_FLAGS)
}

ICMP_TYPES: Symbols = {**protocols.ICMP_TYPES, "info-request": 15, "info-reply": 16}
ICMP_CODES: Symbols = {
    "net-unreachable": 0,
    "host-unreachable": 1,
    "prot-unreachable": 2,
    "port-unreachable": 3,
    "frag-needed": 4,
    "net-prohibited": 9,
    "host-prohibited": 10,
    "admin-prohibited": 13,
}
_ND = {
    "router-solicitation": "nd-router-solicit",
    "router-advertisement": "nd-router-advert",
    "neighbour-solicitation": "nd-neighbor-solicit",
    "neighbour-advertisement": "nd-neighbor-advert",
    "redirect": "nd-redirect",
}
ICMPV6_TYPES: Symbols = {
    **{_ND.get(name, name): number for name, number in protocols.ICMP6_TYPES.items()},
    "mld-listener-reduction": 132,
    "router-renumbering": 138,
    "ind-neighbor-solicit": 141,
    "ind-neighbor-advert": 142,
}
ICMPV6_CODES: Symbols = {
    "no-route": 0,
    "admin-prohibited": 1,
    "addr-unreachable": 3,
    "port-unreachable": 4,
    "policy-fail": 5,
    "reject-route": 6,
}
ICMPX_CODES: Symbols = {
    "no-route": 0,
    "port-unreachable": 1,
    "host-unreachable": 2,
    "admin-prohibited": 3,
}
IGMP_TYPES: Symbols = {
    "membership-query": 0x11,
    "membership-report-v1": 0x12,
    "membership-report-v2": 0x16,
    "leave-group": 0x17,
    "membership-report-v3": 0x22,
}

DSCP: Symbols = {**protocols.DSCP_CLASSES, "df": 0, "lephb": 1, "va": 0x2C}
ECN: Symbols = {"not-ect": 0, "ect1": 1, "ect0": 2, "ce": 3}

ETHER_TYPES: Symbols = {
    "ip": 0x0800,
    "arp": 0x0806,
    "ip6": 0x86DD,
    "8021q": 0x8100,
    "8021ad": 0x88A8,
    "vlan": 0x8100,
}
ARP_OPERATIONS: Symbols = {
    "request": 1,
    "reply": 2,
    "rrequest": 3,
    "rreply": 4,
    "inrequest": 8,
    "inreply": 9,
    "nak": 10,
}
NF_PROTOCOLS: Symbols = {"ipv4": 2, "ipv6": 10}
PACKET_TYPES: Symbols = {"host": 0, "unicast": 0, "broadcast": 1, "multicast": 2, "other": 3}
IFACE_TYPES: Symbols = {
    "ether": 1,
    "ppp": 512,
    "ipip": 768,
    "ipip6": 769,
    "loopback": 772,
    "sit": 776,
    "ipgre": 778,
}
"""ARPHRD_… of linux/if_arp.h."""

FIB_TYPES: Symbols = {
    name: number
    for number, name in enumerate(
        _words("unspec unicast local broadcast anycast multicast blackhole unreachable prohibit")
    )
}
MH_TYPES: Symbols = {
    name: number
    for number, name in enumerate(
        (
            *protocols.MH_TYPES,
            *("fast-binding-update", "fast-binding-acknowledgement", "fast-binding-advertisement"),
            *("experimental-mobility-header", "home-agent-switch-message"),
        )
    )
}
DCCP_TYPES: Symbols = {
    name: number
    for number, name in enumerate(
        _words("request response data ack dataack closereq close reset sync syncack")
    )
}
MPTCP_SUBTYPES: Symbols = {
    name: number
    for number, name in enumerate(
        _words("mp-capable mp-join dss add-addr remove-addr mp-prio mp-fail mp-fastclose mp-tcprst")
    )
}
TC_HANDLES: Symbols = {"none": 0, "root": 0xFFFFFFFF}
PRESENCE: Symbols = {"exists": 1, "missing": 0}
"""Words of the language; in a set of several they stand for their numbers."""
BOOLEANS: Symbols = {**PRESENCE, "true": 1, "false": 0}

# -- names that are of the machine ------------------------------------------------------

Resolve = Callable[[str], int | None]
"""The number of a name that files of the machine define; None where it is not known here."""


def service(name: str) -> int | None:
    """As /etc/services has it; the well-known ones are known without that file."""
    return SERVICES.get(name) or _from_files(socket.getservbyname, name)


_KEYWORDS = {"comp": protocols.COMP}
"""Protocols that nft names by itself."""

PROTOCOL_WORDS: Symbols = {
    **_KEYWORDS,
    "icmpv6": protocols.ICMP6,
    **{
        word: protocols.PROTOCOL_NUMBERS[word]
        for word in _words("tcp udp udplite esp ah icmp igmp dccp sctp")
    },
}
"""Words that are numbers in a set of any type (primary_rhs_expr of nft's grammar)."""


def protocol(name: str) -> int | None:
    """As /etc/protocols has it."""
    return (
        _KEYWORDS.get(name)
        or protocols.PROTOCOL_NUMBERS.get(name.lower())
        or _from_files(socket.getprotobyname, name)
    )


def user(name: str) -> int | None:
    """Only root's number is the same everywhere."""
    return 0 if name == "root" else None


def unknown(_: str) -> None:
    return None


@lru_cache(maxsize=4096)
def _from_files(look_up: Callable[[str], int], name: str) -> int | None:
    try:
        return look_up(name)
    except (OSError, UnicodeError, ValueError):
        return None
