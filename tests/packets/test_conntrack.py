"""Which state a packet can have: as nf_conntrack_proto_{tcp,icmp,icmpv6}.c have it, and as packets
sent through a router that counts states show (Linux 6.18)."""

from __future__ import annotations

import pytest

from iptlint.packets.conntrack import possible
from iptlint.packets.space import Space
from tests.firewalls import packets

CONNECTED = ("new", "established", "related")


def states(family: str, **fields: object) -> set[str]:
    """Those that the packets with the fields can have, of a connection."""
    space = Space((family,), (), defragmented=True)
    asked = packets(space, family, **fields)
    assert (asked & possible(space)) == asked
    return {state for state in CONNECTED if (asked & space.state(state)).satisfiable()}


@pytest.mark.parametrize(
    ("flags", "is_new"),
    [
        (("syn",), True),
        (("ack",), True),  # picked up in the middle: nf_conntrack_tcp_loose
        (("syn", "ack"), False),
        (("syn", "ack", "psh"), False),
        (("rst",), True),  # behind a SYN that nobody has answered
        (("fin", "ack"), True),  # behind an ACK that nobody has answered
        (("fin",), False),
        (("syn", "fin"), False),
        ((), False),
    ],
)
def test_which_tcp_packets_are_new(flags: tuple[str, ...], is_new: bool) -> None:
    assert ("new" in states("ip", proto="tcp", tcp_flags=flags)) is is_new


@pytest.mark.parametrize(
    ("family", "proto", "new", "answers", "errors"),
    [
        ("ip", "icmp", {8, 13, 15, 17}, {0, 14, 16, 18}, {3, 4, 5, 11, 12}),
        ("ip6", "ipv6-icmp", {128, 139}, {129, 140}, set(range(128))),
    ],
)
def test_which_icmp_packets_have_a_connection(
    family: str, proto: str, new: set[int], answers: set[int], errors: set[int]
) -> None:
    of_type = {number: states(family, proto=proto, icmp_type=number) for number in range(256)}
    assert {number for number, each in of_type.items() if "new" in each} == new
    assert {number for number, each in of_type.items() if "established" in each} == new | answers
    assert {number for number, each in of_type.items() if "related" in each} == new | errors
