"""Which packets cannot have which state: what the kernel's connection tracking refuses.

Must not import iptlint. From nf_conntrack_proto_tcp.c, …_icmp.c and …_icmpv6.c.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

from tests.oracle.generate import FLAGS, PROTOCOLS

ANY = frozenset({"NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"})
NO_CONNECTION = frozenset({"INVALID", "UNTRACKED"})

_VALID_TCP = ("SYN", "SYN URG", "SYN ACK", "RST", "RST ACK", "FIN ACK", "FIN ACK URG", "ACK")
VALID_TCP = {frozenset(text.split()) for text in (*_VALID_TCP, "ACK URG")}


def states_of_flags(value: int) -> frozenset[str]:
    names = {name for bit, name in enumerate(FLAGS) if value >> bit & 1}
    if names - {"PSH"} == {"SYN", "ACK"}:
        return ANY - {"NEW"}
    return ANY if names - {"PSH"} in VALID_TCP else NO_CONNECTION


def states_of_icmp(value: tuple[int, int]) -> frozenset[str]:
    match value[0]:
        case 0 | 14 | 16 | 18:
            return ANY - {"NEW", "RELATED"}
        case 3 | 4 | 5 | 11 | 12:
            return NO_CONNECTION | {"RELATED"}
        case 8 | 13 | 15 | 17:
            return ANY
    return NO_CONNECTION


def states_of_icmp6(value: tuple[int, int]) -> frozenset[str]:
    match value[0]:
        case 130 | 131 | 132 | 133 | 134 | 135 | 136 | 143:
            return NO_CONNECTION
        case 129 | 140:
            return ANY - {"NEW", "RELATED"}
        case type_ if type_ < 128:
            return NO_CONNECTION | {"RELATED"}
        case 128 | 139:
            return ANY
    return NO_CONNECTION


KIND: dict[str, Callable[[Any], object]] = {
    "flags": states_of_flags,
    "icmp": lambda value: (states_of_icmp(value), states_of_icmp6(value)),
    "state": lambda value: value,
}
"""What of a value tells which states go with it."""

_BY_PROTOCOL: dict[int, tuple[str, Callable[[Any], frozenset[str]]]] = {
    PROTOCOLS["tcp"]: ("flags", states_of_flags),
    PROTOCOLS["icmp"]: ("icmp", states_of_icmp),
    PROTOCOLS["ipv6-icmp"]: ("icmp", states_of_icmp6),
}


def possible(
    packet: Mapping[str, int], atoms: Mapping[str, Sequence[Any]]
) -> dict[str, int] | None:
    """Of a group of packets (bit n is atom n) one that can be; None where none can."""
    if "state" not in packet or "proto" not in packet:
        return dict(packet)
    for proto, state in product(_bits(packet["proto"]), _bits(packet["state"])):
        field, states = _BY_PROTOCOL.get(atoms["proto"][proto], ("", lambda _: ANY))
        chosen = {"proto": 1 << proto, "state": 1 << state}
        if field not in packet:
            return {**packet, **chosen}
        for number in _bits(packet[field]):
            if atoms["state"][state] in states(atoms[field][number]):
                return {**packet, **chosen, field: 1 << number}
    return None


def can_be(packet: Mapping[str, Any]) -> bool:
    """The same of one packet: a value for each field."""
    atoms = {name: [value] for name, value in packet.items()}
    return possible(dict.fromkeys(packet, 1), atoms) is not None


def _bits(value: int) -> list[int]:
    return [bit for bit in range(value.bit_length()) if value >> bit & 1]
