"""The packets that are like one that someone describes."""

from __future__ import annotations

import pytest

from iptlint.packets.packet import Packet
from iptlint.packets.query import family_of, packets_like
from iptlint.packets.space import Space


@pytest.mark.parametrize("proto", ["icmp", "ipv6-icmp"])
@pytest.mark.parametrize("family", ["ip", "ip6"])
def test_either_icmp_may_be_over_either_family(family: str, proto: str) -> None:
    """IPv4 carries protocol 58, too, and a packet of it that is shown has a type."""
    space = Space((family,), (), defragmented=True)
    asked = Packet(family, None, proto=proto, icmp_type=8, ct_state="invalid")
    assert packets_like(space, asked).satisfiable()


def test_without_a_protocol_a_type_is_of_the_icmp_of_the_family() -> None:
    space = Space(("ip6",), (), defragmented=True)
    said, meant = (
        packets_like(space, Packet("ip6", None, proto=proto, icmp_type=128))
        for proto in (None, "ipv6-icmp")
    )
    assert said == meant


@pytest.mark.parametrize(
    ("saddr", "daddr", "proto", "family"),
    [
        ("10.0.0.1", None, None, "ip"),
        (None, "fd00::/8", None, "ip6"),
        (None, None, "icmp", "ip"),
        (None, None, "icmpv6", "ip6"),
        (None, None, "tcp", None),
        (None, None, None, None),
    ],
)
def test_an_address_or_a_protocol_tells_the_family(
    saddr: str | None, daddr: str | None, proto: str | None, family: str | None
) -> None:
    assert family_of(saddr, daddr, proto) == family
