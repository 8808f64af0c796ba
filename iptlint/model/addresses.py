"""Addresses that are special, and what for.

The IANA special-purpose address registries (RFC 6890), with multicast, which has registries of
its own. Left out is what packets treat like any other address: blocks that the registries call
globally reachable (AMT, AS112, ORCHIDv2, NAT64's 64:ff9b::/96), those of the ways to carry IPv6
over IPv4 (6to4, Teredo), and ::ffff:0:0/96, which is on no wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from iptlint.model.matches import Ranges
from iptlint.model.ruleset import Family

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class AddressKind(Enum):
    """What is known of a host by its address."""

    PUBLIC = "public"  # one machine's in all the world
    EXAMPLE = "example"  # in place of a public one, in what people write to explain
    PRIVATE = "private"  # the world cannot name it: many machines may have the same
    LINK_LOCAL = "link-local"  # no router passes it on
    LOOPBACK = "loopback"  # the machine itself
    RESERVED = "reserved"  # kernels take it like any other, clouds hand it out; few have one
    NOBODY = "nobody"  # no machine's own: unspecified, broadcast, multicast


UNROUTED = (
    AddressKind.NOBODY,
    AddressKind.LOOPBACK,
    AddressKind.LINK_LOCAL,
    AddressKind.RESERVED,
)
"""No ordinary packet is routed from or to it. RESERVED is among them because a rule that drops
240.0.0.0/4 is against forged packets, and says nothing of what becomes of real ones."""

NOT_PUBLIC = (AddressKind.PRIVATE, *UNROUTED)
"""The world cannot send a packet to it and get it there. EXAMPLE is not among them: in the text
of a ruleset it stands for a public address."""


@dataclass(frozen=True, slots=True)
class Block:
    """``name`` and ``source`` as the registry has them."""

    network: Network
    kind: AddressKind
    name: str
    source: str


_K = AddressKind
BLOCKS = tuple(
    Block(ip_network(network), kind, name, source)
    for network, kind, name, source in (
        # Linux takes all but 0.0.0.0 since 5.3 ("Allow 0.0.0.0/8 as a valid address range"), and
        # nobody hands them out.
        ("0.0.0.0/8", _K.NOBODY, "this network", "RFC 791, 3.2"),
        ("10.0.0.0/8", _K.PRIVATE, "private-use", "RFC 1918"),
        ("100.64.0.0/10", _K.PRIVATE, "shared address space", "RFC 6598"),
        ("127.0.0.0/8", _K.LOOPBACK, "loopback", "RFC 1122, 3.2.1.3"),
        ("169.254.0.0/16", _K.LINK_LOCAL, "link local", "RFC 3927"),
        ("172.16.0.0/12", _K.PRIVATE, "private-use", "RFC 1918"),
        ("192.0.0.0/24", _K.PRIVATE, "IETF protocol assignments", "RFC 6890, 2.1"),
        ("192.0.2.0/24", _K.EXAMPLE, "documentation (TEST-NET-1)", "RFC 5737"),
        ("192.168.0.0/16", _K.PRIVATE, "private-use", "RFC 1918"),
        ("198.18.0.0/15", _K.PRIVATE, "benchmarking", "RFC 2544"),
        ("198.51.100.0/24", _K.EXAMPLE, "documentation (TEST-NET-2)", "RFC 5737"),
        ("203.0.113.0/24", _K.EXAMPLE, "documentation (TEST-NET-3)", "RFC 5737"),
        ("224.0.0.0/4", _K.NOBODY, "multicast", "RFC 5771"),
        # Linux takes it since 2.6.25 ("Enable use of 240/4 address space").
        ("240.0.0.0/4", _K.RESERVED, "reserved", "RFC 1112, 4"),
        ("255.255.255.255/32", _K.NOBODY, "limited broadcast", "RFC 919, 7"),
        ("::/128", _K.NOBODY, "unspecified address", "RFC 4291, 2.5.2"),
        ("::1/128", _K.LOOPBACK, "loopback address", "RFC 4291, 2.5.3"),
        ("64:ff9b:1::/48", _K.PRIVATE, "IPv4-IPv6 translation", "RFC 8215"),
        ("100::/64", _K.PRIVATE, "discard-only address block", "RFC 6666"),
        ("2001:2::/48", _K.PRIVATE, "benchmarking", "RFC 5180"),
        ("2001:db8::/32", _K.EXAMPLE, "documentation", "RFC 3849"),
        ("3fff::/20", _K.EXAMPLE, "documentation", "RFC 9637"),
        ("5f00::/16", _K.PRIVATE, "segment routing (SRv6) SIDs", "RFC 9602"),
        ("fc00::/7", _K.PRIVATE, "unique-local", "RFC 4193"),
        ("fe80::/10", _K.LINK_LOCAL, "link-local unicast", "RFC 4291, 2.5.6"),
        ("ff00::/8", _K.NOBODY, "multicast", "RFC 4291, 2.7"),
    )
)
"""Of two that hold an address, the smaller says what it is."""

LOCALHOST: dict[Family, Address] = {
    Family.IP: ip_address("127.0.0.1"),
    Family.IP6: ip_address("::1"),
}


def kind_of(address: Address) -> AddressKind:
    blocks = (block for block in BLOCKS if address in block.network)
    smallest = max(blocks, key=lambda block: block.network.prefixlen, default=None)
    return smallest.kind if smallest else AddressKind.PUBLIC


def is_public(address: Address) -> bool:
    """Whether the world can send packets to it."""
    return kind_of(address) not in NOT_PUBLIC


@cache
def blocks(family: Family, *kinds: AddressKind) -> tuple[Network, ...]:
    """The special blocks of ip or ip6 that are of one of the kinds."""
    version = 4 if family is Family.IP else 6
    of_kind = (block.network for block in BLOCKS if block.kind in kinds)
    return tuple(network for network in of_kind if network.version == version)


@cache
def ranges(family: Family, *kinds: AddressKind) -> Ranges:
    """The addresses in those blocks, as a test of an address has them."""
    return tuple((int(block[0]), int(block[-1])) for block in blocks(family, *kinds))


def written(network: Network) -> str:
    """``10.0.0.0/8``, and ``::1`` for a block of one address."""
    return str(network[0] if network.num_addresses == 1 else network)


LOOPBACK: dict[Family, Network] = {
    family: blocks(family, AddressKind.LOOPBACK)[0] for family in LOCALHOST
}

STRANGERS = {
    Family.IP: ("23.77.180.41", "61.9.203.118", "88.134.17.206", "146.70.91.53", "199.58.83.12"),
    Family.IP6: (
        "2001:470:71::5e",
        "2400:cb00:2048::b1",
        "2606:2800:21f::1c",
        "2a02:8388:e0::7d",
        "2c0f:fb50:4::99",
    ),
}
"""Public addresses far from each other."""


def anybodys(family: Family) -> Ranges:
    """Addresses that stand for any public one: nobody names them."""
    each = ((int(ip_address(text)),) * 2 for text in STRANGERS[family])
    return (*each, *ranges(family, AddressKind.EXAMPLE))
