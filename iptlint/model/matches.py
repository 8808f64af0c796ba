"""The tests of a rule.

A rule's tests all have to hold. ``Within``, ``Masked`` and ``Interface`` test a
field of the packet; ``AnyOf`` joins alternatives; ``Opaque`` is a pure test the
tool does not interpret (equal keys are the same test); ``Uncertain`` depends on
more than the packet (time, rates, lists that change) and never takes a packet
for certain; ``Decided`` is the same for all packets. The key of each tells it from others and is
shown to people; nobody reads it: what somebody has to know of such a test, it says in ``asks``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from enum import Enum


class Field(Enum):
    """A field of a packet; its values are integers.

    An address test says nothing of the packet's family: whoever writes one for a table that
    sees several families puts a test of ``FAMILY`` beside it.
    """

    FAMILY = "family"
    IIF = "iif"
    OIF = "oif"
    SADDR = "saddr"  # of ip, 32 bits
    DADDR = "daddr"
    SADDR6 = "saddr6"  # of ip6, 128 bits
    DADDR6 = "daddr6"
    PROTO = "proto"
    SPORT = "sport"
    DPORT = "dport"
    ICMP_TYPE = "icmp_type"
    ICMP_CODE = "icmp_code"
    TCP_FLAGS = "tcp_flags"
    FRAGMENT = "fragment"  # 1: a fragment that is not the first of its datagram
    CT_STATE = "ct_state"
    CT_DIRECTION = "ct_direction"  # 0 original, 1 reply
    CT_SNAT = "ct_snat"
    CT_DNAT = "ct_dnat"
    MARK = "mark"
    CT_MARK = "ct_mark"
    MAC_SOURCE = "mac_source"
    LENGTH = "length"
    TTL = "ttl"
    TOS = "tos"  # the whole byte: dscp is its upper six bits, ecn the lower two
    PKTTYPE = "pkttype"

    # Each is only one object. Enum's own goes by the name, and fields are asked for by the million.
    __hash__ = object.__hash__


BITS = {
    **dict.fromkeys((Field.FRAGMENT, Field.CT_DIRECTION, Field.CT_SNAT, Field.CT_DNAT), 1),
    Field.PKTTYPE: 2,
    Field.CT_STATE: 3,
    **dict.fromkeys((Field.PROTO, Field.TCP_FLAGS, Field.ICMP_TYPE, Field.ICMP_CODE), 8),
    **dict.fromkeys((Field.TTL, Field.TOS), 8),
    **dict.fromkeys((Field.SPORT, Field.DPORT, Field.LENGTH), 16),
    **dict.fromkeys((Field.SADDR, Field.DADDR, Field.MARK, Field.CT_MARK), 32),
    Field.MAC_SOURCE: 48,
    **dict.fromkeys((Field.SADDR6, Field.DADDR6), 128),
}
"""Of the fields whose values are the same numbers in every ruleset."""

PACKET_FAMILIES = ("ip", "ip6", "arp", "other")
"""Values of ``Field.FAMILY``: the index in this tuple. ``other`` is any further ethertype."""

CT_STATES = ("new", "established", "related", "invalid", "untracked")
"""Values of ``Field.CT_STATE``: the index in this tuple."""

PKTTYPES = ("unicast", "broadcast", "multicast", "other")

Ranges = tuple[tuple[int, int], ...]
"""Closed intervals, in any order, possibly overlapping."""


@dataclass(frozen=True, slots=True)
class Within:
    """The field's value lies in one of the closed ranges."""

    field: Field
    ranges: Ranges
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Masked:
    """``field & mask == value``."""

    field: Field
    mask: int
    value: int
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Interface:
    """``field`` (IIF or OIF) is named ``name``; with ``wildcard``, starts with it.

    ``by_index``: the name was looked up when the rule was loaded (``iif``); it takes the same
    packets.
    """

    field: Field
    name: str
    wildcard: bool = False
    negated: bool = False
    by_index: bool = dataclass_field(default=False, compare=False)


# -- what a test that is not interpreted asks -------------------------------------------------


@dataclass(frozen=True, slots=True)
class SetLookup:
    """Whether the packet is in a set, by the name that an ``Effect`` calls the set by.

    ``sources``: of an ipset, its directions, True for src. ``return_nomatch``: the entries are
    wanted that else make exceptions. nft's sets are looked into by a key, which has no side.
    """

    name: str
    sources: tuple[bool, ...] = ()
    return_nomatch: bool = False

    @property
    def is_ipset(self) -> bool:
        return bool(self.sources)


@dataclass(frozen=True, slots=True)
class AddressType:
    """Whether the address in ``field`` (SADDR or DADDR, of either family) is of one of the
    ``types``, as ``LOCAL``. ``by_route``: its route alone says so; else an interface has a say,
    or the address itself is looked at."""

    field: Field
    types: tuple[str, ...]
    by_route: bool = True


@dataclass(frozen=True, slots=True)
class ReversePath:
    """Whether answers would go out by the interface that the packet came by; ``loose``: by any."""

    loose: bool = False


@dataclass(frozen=True, slots=True)
class Original:
    """Whether ``field`` (an address or a port) had one of the values when the connection's first
    packet came."""

    field: Field
    ranges: Ranges


@dataclass(frozen=True, slots=True)
class InterfaceNumber:
    """Whether the packet's interface is the one that has the number, whatever its name."""

    number: int


@dataclass(frozen=True, slots=True)
class HostName:
    """Whether the packet has the address that the name had when the rule was loaded."""

    name: str


@dataclass(frozen=True, slots=True)
class Threshold:
    """Whether there were so many packets, bytes or connections; ``over``: whether there were
    more. ``of_bytes``: bytes are counted."""

    over: bool = False
    of_bytes: bool = False


@dataclass(frozen=True, slots=True)
class BridgePort:
    """Whether the packet came by this port of a bridge, or leaves by it, as ``field`` says; None:
    by any."""

    field: Field
    name: str | None = None
    wildcard: bool = False

    def is_for(self, port: str | None) -> bool:
        if port is None or self.name is None:
            return port is not None
        return port.startswith(self.name) if self.wildcard else port == self.name


@dataclass(frozen=True, slots=True)
class FirstHeader:
    """Whether the number of the header behind that of IPv6 lies in the range: of an extension
    header, or of the protocol where there is none."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class SegmentSize:
    """Whether the largest segment that a SYN asks for (MSS) lies in the range."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Sender:
    """Whether a socket of this host sends the packet, whose user or group has a number in the range
    of ``ids``; None: has a name, which is another number on each host. Root has number 0."""

    ids: tuple[int, int] | None = None

    @property
    def may_be_root(self) -> bool:
        return self.ids is not None and self.ids[0] == 0


Asked = (
    BridgePort
    | SegmentSize
    | Sender
    | FirstHeader
    | SetLookup
    | AddressType
    | ReversePath
    | Original
    | InterfaceNumber
    | HostName
    | Threshold
)


@dataclass(frozen=True, slots=True)
class Opaque:
    """A pure test kept as one Boolean; ``known`` is false for an extension nobody knows.

    ``kind``: netfilter's name of what asks, as ``addrtype``. ``asks``: None where nobody has to
    know more of it.
    """

    key: str
    negated: bool = False
    known: bool = True
    kind: str = dataclass_field(default="", compare=False, repr=False)
    asks: Asked | None = dataclass_field(default=None, compare=False, repr=False)

    @property
    def affirmed(self) -> Opaque:
        """The test without its negation: it has one answer for a packet, whoever makes it."""
        return self if not self.negated and self.known else replace(self, negated=False, known=True)

    @property
    def unsettled(self) -> Uncertain:
        """The test where its answer may be another one each time."""
        return Uncertain(self.kind, f"{'! ' if self.negated else ''}{self.key}", self.asks)


@dataclass(frozen=True, slots=True)
class Uncertain:
    """A test whose outcome depends on more than the packet; ``kind`` and ``asks`` as above."""

    kind: str
    key: str
    asks: Asked | None = dataclass_field(default=None, compare=False, repr=False)

    @property
    def names_senders(self) -> bool:
        """Whether it is for senders whose addresses are known when a script runs."""
        return self.kind == "script" and self.key.startswith(("-s ", "--source ", "--src "))


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided once, before any packet came: whether the rule is there at all. Equal keys
    are one decision."""

    key: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one alternative holds; an alternative is a tuple of tests that all hold.

    ``AnyOf(())`` never holds; ``AnyOf(((),))`` always does.
    """

    alternatives: tuple[tuple[Match, ...], ...]
    negated: bool = False


Match = Within | Masked | Interface | Opaque | Uncertain | Decided | AnyOf


def tests_in(match: Match) -> Iterator[Match]:
    """Itself, or those of its alternatives."""
    if not isinstance(match, AnyOf):
        yield match
        return
    for test in (test for tests in match.alternatives for test in tests):
        yield from tests_in(test)


def is_decided(match: Match) -> bool:
    """Whether it says, among others, what was decided before any packet came."""
    return any(isinstance(test, Decided) for test in tests_in(match))
