"""Which states of a connection a packet can have, by what it is: conntrack looks before any rule.

Each row is the kernel's own refusal, so whatever else is in the connection table: a packet that
is in none of these rows may have any state.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

from iptlint.model import Field
from iptlint.model.matches import Ranges
from iptlint.model.protocols import ICMP, ICMP6, TCP, tcp_flag_bits
from iptlint.packets.bdd import union

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_VALID = ("syn", "syn urg", "syn ack", "rst", "rst ack", "fin ack", "fin ack urg", "ack", "ack urg")
"""The tcp flags that a connection may have, aside from psh, ece and cwr (tcp_valid_flags in
nf_conntrack_proto_tcp.c)."""

_FREE_FLAGS = ("psh", "ece", "cwr")


class _Row(NamedTuple):
    """Packets of the protocol with these icmp types are never in one of the states."""

    family: str
    protocol: int
    types: Ranges
    never: tuple[str, ...]


_NEIGHBOURS = ((130, 136), (143, 143))
_NO_CONNECTION = ("new", "established", "related")
_ROWS = (
    # Errors belong to the connection they are about, or to none (nf_conntrack_inet_error).
    _Row("ip", ICMP, ((3, 5), (11, 12)), ("new", "established")),
    _Row("ip6", ICMP6, ((0, 127),), ("new", "established")),
    # Answers open nothing (valid_new in nf_conntrack_proto_icmp.c and …_icmpv6.c).
    _Row("ip", ICMP, ((0, 0), (14, 14), (16, 16), (18, 18)), ("new", "related")),
    _Row("ip6", ICMP6, ((129, 129), (140, 140)), ("new", "related")),
    # Multicast listeners and neighbours are not tracked (noct_valid_new, nf_conntrack_icmpv6.c).
    _Row("ip6", ICMP6, _NEIGHBOURS, _NO_CONNECTION),
    # Nothing answers to the rest (invmap in the two files), so there is no connection of it.
    _Row("ip", ICMP, ((1, 2), (6, 7), (9, 10), (19, 255)), _NO_CONNECTION),
    _Row("ip6", ICMP6, ((137, 138), (141, 142), (144, 255)), _NO_CONNECTION),
)


class _Space(Protocol):
    @property
    def true(self) -> PacketSet: ...
    @property
    def false(self) -> PacketSet: ...
    def value(self, field: Field, value: int) -> PacketSet: ...
    def ranges(self, field: Field, ranges: Ranges) -> PacketSet: ...
    def masked(self, field: Field, mask: int, value: int) -> PacketSet: ...
    def state(self, *names: str) -> PacketSet: ...
    def family(self, *names: str) -> PacketSet: ...


def connected(space: _Space) -> PacketSet:
    """The packets that are part of a connection: only they have its mark."""
    return space.state("new", "established", "related")


def untracked_anyway(space: _Space) -> PacketSet:
    """The packets that conntrack does not look after, whatever rules say: of neighbour discovery
    and multicast listeners."""
    packets = space.ranges(Field.ICMP_TYPE, _NEIGHBOURS)
    return packets & space.value(Field.PROTO, ICMP6) & space.family("ip6")


def possible(space: _Space) -> PacketSet:
    """The packets whose state agrees with what they are."""
    return ~union([*_impossible(space)], space.false)


def _impossible(space: _Space) -> Iterator[PacketSet]:
    for row in _ROWS:
        packets = space.ranges(Field.ICMP_TYPE, row.types) & space.state(*row.never)
        yield packets & space.value(Field.PROTO, row.protocol) & space.family(row.family)
    tcp = space.value(Field.PROTO, TCP)
    yield tcp & connected(space) & ~_valid_flags(space)
    # A reset, or a FIN, is new behind a first packet that nobody has answered; an answer never is
    # (tcp_conntracks in nf_conntrack_proto_tcp.c).
    yield tcp & space.state("new") & _with_flags(space, "syn ack")


def _valid_flags(space: _Space) -> PacketSet:
    return union([_with_flags(space, text) for text in _VALID], space.false)


def _with_flags(space: _Space, text: str) -> PacketSet:
    """The packets with just these flags, aside from those that mean nothing to a connection."""
    mask = 0xFF & ~tcp_flag_bits(*_FREE_FLAGS)
    return space.masked(Field.TCP_FLAGS, mask, tcp_flag_bits(*text.split()))
