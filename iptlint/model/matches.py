"""The tests of a rule.

A rule's tests all have to hold. ``Within``, ``Masked`` and ``Interface`` test a
field of the packet; ``AnyOf`` joins alternatives; ``Opaque`` is a pure test the
tool does not interpret (equal keys are the same test); ``Uncertain`` depends on
more than the packet (time, rates, lists that change) and never takes a packet
for certain.
"""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Opaque:
    """A pure test kept as one Boolean; ``known`` is false for an extension nobody knows."""

    key: str
    negated: bool = False
    known: bool = True


@dataclass(frozen=True, slots=True)
class Uncertain:
    """A test whose outcome depends on more than the packet; ``kind`` is its extension."""

    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one alternative holds; an alternative is a tuple of tests that all hold.

    ``AnyOf(())`` never holds; ``AnyOf(((),))`` always does.
    """

    alternatives: tuple[tuple[Match, ...], ...]
    negated: bool = False


Match = Within | Masked | Interface | Opaque | Uncertain | AnyOf
