"""How a packet comes by the connection state it is to have.

What the kernel makes of a packet depends on its flags and types, too: some pairs do not exist.
The tables are those of net/netfilter/nf_conntrack_proto_{tcp,icmp,icmpv6,sctp}.c.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from iptlint.packets.packet import Packet
from tests.kernel.connections import (
    ECHO_ID,
    ICMP6_ANSWERS,
    ICMP_ANSWERS,
    TCP,
    TCP_ESTABLISHED,
    TCP_SYN_RECV,
    TCP_SYN_SENT,
    UDP,
    Connections,
    Tuple,
)
from tests.kernel.wire import (
    UNANSWERED,
    WITH_PORTS,
    Nature,
    UnsendableError,
    is_fragment,
    is_icmp_error,
    number_of,
)

_GRE = 47
_SPOILABLE = (1, 6, 17, 58, 132, 136)
"""Protocols whose checksum the kernel verifies before it tracks (nf_conntrack_checksum)."""

_TCP_VALID = {
    frozenset(flags.split())
    for flags in ("syn", "syn urg", "syn ack", "rst", "rst ack", "fin ack", "fin ack urg")
} | {frozenset({"ack"}), frozenset({"ack", "urg"})}
"""``tcp_valid_flags``: all others, psh, ece and cwr aside, are invalid in any connection."""

_ICMP_FIRST = {1: (8, 13, 15, 17), 58: (128, 139)}
_ICMP_ANSWERS = {1: ICMP_ANSWERS, 58: ICMP6_ANSWERS}
_ICMP6_UNTRACKED = (130, 131, 132, 133, 134, 135, 136, 143)

_MASTERS = {
    "ip": Tuple("203.0.113.253", "203.0.113.254", 17, 1, 1),
    "ip6": Tuple("2001:db8:ffff::1", "2001:db8:ffff::2", 17, 1, 1),
}


@dataclass(frozen=True)
class Preparation:
    """``connect``: what to have in the table before. ``untracked``: by a rule of the harness."""

    nature: Nature = field(default_factory=Nature)
    connect: Callable[[Connections], None] = field(default=lambda _: None)
    untracked: bool = False


def prepare(packet: Packet) -> Preparation:
    """UnsendableError where the kernel never gives the packet its state."""
    _check(packet)
    match packet.ct_state:
        case "new" | None:
            return _new(packet)
        case "untracked":
            return Preparation(untracked=True)
        case "invalid" if _is_invalid_as_it_is(packet):
            return Preparation()
        case "invalid" if number_of(packet) == _GRE:
            return Preparation(Nature(untrackable=True))
        case "invalid" if _is_own(packet):
            return _astray(packet)
        case "invalid":
            return Preparation(Nature(spoiled=True))
        case "established":
            return _established(packet)
        case "related" if is_icmp_error(packet):
            return _quoting(packet)
        case "related":
            return _related(packet)
    raise ValueError(packet.ct_state)


def _new(packet: Packet) -> Preparation:
    if UNANSWERED not in packet.conditions:
        return Preparation()
    connection = _tuple(packet)
    nature = Nature(in_connection=True)
    return Preparation(nature, lambda connections: connections.attempt(connection))


def _check(packet: Packet) -> None:
    refusal = _IMPOSSIBLE.get(packet.ct_state or "new")
    reason = refusal(packet) if refusal else None
    if reason is not None:
        raise UnsendableError(f"{packet.ct_state}: {reason}")


def _never_new(packet: Packet) -> str | None:
    if packet.tcp_flags is not None:
        flags = _significant(packet)
        opening = flags in ({"syn"}, {"syn", "urg"}, {"ack"}, {"ack", "urg"})
        if UNANSWERED in packet.conditions:
            opening = flags in _TCP_VALID - {frozenset({"syn", "ack"})}
        return None if opening else f"no connection starts with {'+'.join(sorted(flags)) or 'none'}"
    return _icmp_refusal(packet, _ICMP_FIRST)


def _never_connected(packet: Packet) -> str | None:
    if packet.tcp_flags is not None:
        flags = _significant(packet)
        return None if flags in _TCP_VALID else f"{'+'.join(sorted(flags)) or 'none'} is invalid"
    return _icmp_refusal(packet, _ICMP_ANSWERS)


def _never_related(packet: Packet) -> str | None:
    """Only the first direction of a connection is related: an answer is established."""
    if is_icmp_error(packet):
        return None
    return _never_connected(packet) or _icmp_refusal(packet, _ICMP_FIRST)


def _never_invalid(packet: Packet) -> str | None:
    number = number_of(packet)
    if _is_untracked_anyway(packet):
        return "the type is not tracked"
    if _is_invalid_as_it_is(packet) or number in (TCP, UDP, _GRE):
        return None
    if _is_own(packet):
        return "checksums of the host's own packets are not verified"
    return None if number in _SPOILABLE else "nothing of the protocol is invalid"


_IMPOSSIBLE: dict[str, Callable[[Packet], str | None]] = {
    "new": _never_new,
    "established": _never_connected,
    "related": _never_related,
    "invalid": _never_invalid,
}


def _is_own(packet: Packet) -> bool:
    return packet.iif is None


def _icmp_refusal(
    packet: Packet, known: dict[int, tuple[int, ...]] | dict[int, dict[int, int]]
) -> str | None:
    number = number_of(packet)
    if packet.icmp_type is None or number not in known:
        return None
    types = known[number]
    return None if packet.icmp_type in types else f"not with type {packet.icmp_type}"


def _is_untracked_anyway(packet: Packet) -> bool:
    return number_of(packet) == 58 and packet.icmp_type in _ICMP6_UNTRACKED


def _is_invalid_as_it_is(packet: Packet) -> bool:
    return not is_fragment(packet) and (
        _never_new(packet) is not None and not _is_untracked_anyway(packet)
    )


def _significant(packet: Packet) -> frozenset[str]:
    return frozenset(packet.tcp_flags or ()) - {"psh", "ece", "cwr"}


def _tuple(packet: Packet) -> Tuple:
    ends = 0, 0
    if number_of(packet) in WITH_PORTS:
        ends = packet.sport or 0, packet.dport or 0
    elif packet.icmp_type is not None:
        ends = packet.icmp_type, packet.icmp_code or 0
    return Tuple(str(packet.saddr), str(packet.daddr), number_of(packet), *ends)


def _tcp_state(packet: Packet) -> int:
    """In an established connection the opener's SYN,ACK would be invalid."""
    return TCP_SYN_RECV if _significant(packet) == {"syn", "ack"} else TCP_ESTABLISHED


def _established(packet: Packet) -> Preparation:
    connection, state = _tuple(packet), _tcp_state(packet)
    if _icmp_refusal(packet, _ICMP_FIRST):
        connection = connection.reverse()  # only a request can be the first of a connection
    nature = Nature(in_connection=True)
    return Preparation(nature, lambda connections: connections.establish(connection, state))


def _astray(packet: Packet) -> Preparation:
    """Invalid with a right checksum: a length beyond the end, an acknowledgement before the
    answer, an opening from the wrong side."""
    if number_of(packet) == UDP:
        return Preparation(Nature(overlong=True))
    connection = _tuple(packet)
    if "syn" in _significant(packet):
        answered = connection.reverse()
        return Preparation(connect=lambda known: known.establish(answered))
    return Preparation(connect=lambda known: known.establish(connection, TCP_SYN_SENT))


def _related(packet: Packet) -> Preparation:
    connection, state = _tuple(packet), _tcp_state(packet)
    master = _MASTERS[packet.family]
    nature = Nature(in_connection=True)
    return Preparation(nature, lambda known: known.expect(connection, master, state))


def _quoting(packet: Packet) -> Preparation:
    """An icmp error goes to who sent what it quotes."""
    other = _MASTERS[packet.family].daddr
    quoted = Tuple(str(packet.daddr), other, 17, ECHO_ID, 9)
    return Preparation(Nature(quoted=quoted), lambda connections: connections.establish(quoted))
