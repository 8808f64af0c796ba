"""Which way packets take: by the interfaces of the question, and by where they are sent."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

import iptlint
from iptlint.analysis.ways import neighbours_of, ways_of
from iptlint.model import Hook
from iptlint.model.host_addresses import HostAddresses, with_own
from iptlint.netfilter.firewall import Firewall
from iptlint.packets.packet import Packet
from tests.firewalls import hooked

ROUTER = "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -i lan -j ACCEPT\nCOMMIT\n"
ENDPOINT = hooked("tcp dport 22 accept")
OWN = with_own([ip_network("192.0.2.1")])


@pytest.mark.parametrize(
    ("text", "asked", "ways"),
    [
        (ROUTER, Packet("ip", None, iif="lan"), (Hook.INPUT,)),
        (ROUTER, Packet("ip", None, iif="lan", oif="wan"), (Hook.FORWARD,)),
        (ROUTER, Packet("ip", None, oif="wan"), (Hook.OUTPUT,)),
        (ROUTER, Packet("ip", "forward", iif="lan"), (Hook.FORWARD,)),
        (ROUTER, Packet("ip", None, iif="lan", daddr="192.0.2.1"), (Hook.INPUT,)),
        (ROUTER, Packet("ip", None, iif="lan", daddr="224.0.0.1"), (Hook.INPUT,)),
        (ROUTER, Packet("ip", None, iif="lan", daddr="198.51.100.7"), (Hook.FORWARD,)),
    ],
)
def test_where_the_addresses_of_the_host_are_known(
    text: str, asked: Packet, ways: tuple[Hook, ...]
) -> None:
    assert ways_of(asked, OWN, Firewall(iptlint.read(text))) == ways


@pytest.mark.parametrize(
    ("text", "ways"), [(ROUTER, (Hook.INPUT, Hook.FORWARD)), (ENDPOINT, (Hook.INPUT,))]
)
def test_where_they_are_not_it_may_be_either_way(text: str, ways: tuple[Hook, ...]) -> None:
    asked = Packet("ip", None, iif="lan", daddr="198.51.100.7")
    assert ways_of(asked, HostAddresses(), Firewall(iptlint.read(text))) == ways


def test_who_sends_by_an_interface_has_its_neighbours_behind_it() -> None:
    (behind,) = neighbours_of(Packet("ip", None, iif="lan", saddr="192.168.1.50"))
    assert (behind.low, behind.high) == (0xC0A80100, 0xC0A801FF)
    assert behind.interface == "lan"
    assert not [*neighbours_of(Packet("ip", None, iif="lan"))]
