"""The tests of a rule.

A rule's tests all have to hold. ``Within``, ``Masked`` and ``Interface`` test a
field of the packet; ``AnyOf`` joins alternatives; ``Opaque`` is a pure test the
tool does not interpret (equal keys are the same test); ``Uncertain`` depends on
more than the packet (time, rates, lists that change) and never takes a packet
for certain.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Field(Enum):
    """A field of a packet. Values are integers; ``width`` says how many bits.

    Addresses have 32 or 128 bits, as the family says.
    """

    IIF = "iif"
    OIF = "oif"
    SADDR = "saddr"
    DADDR = "daddr"
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


CT_STATES = ("new", "established", "related", "invalid", "untracked")
"""Values of ``Field.CT_STATE``: the index in this tuple."""

TCP_FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr")
"""Bits of ``Field.TCP_FLAGS``, lowest first, as in the TCP header (RFC 9293)."""

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
    """``field`` (IIF or OIF) is named ``name``; with ``wildcard``, starts with it."""

    field: Field
    name: str
    wildcard: bool = False
    negated: bool = False


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
