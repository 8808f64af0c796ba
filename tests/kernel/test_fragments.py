"""What nft makes of the first bytes of later fragments: it depends on where the kernel keeps them.

Of 1, 2 or 4 aligned bytes nft_payload_fast_eval reads whatever is there, as long as it is in the
linear part of the buffer; nft_payload_eval, which reads all else, refuses. A driver that keeps the
payload apart, as here packets longer than a page are kept, makes the difference. Once conntrack is
on there are no fragments.
"""

from __future__ import annotations

import pytest

from iptlint.packets.packet import Packet
from tests.kernel.exchanges import Host
from tests.kernel.restoring import Kind
from tests.kernel.test_topology import CLIENT, OWN
from tests.kernel.topology import Topology
from tests.kernel.wire import Nature, build

PORT, FOUR_BYTES, THREE_BYTES, ANOTHER_PORT = 4, 5, 6, 7
RULES = """table ip t {
    chain c {
        type filter hook prerouting priority 0
        tcp dport 0 counter
        meta l4proto tcp @th,0,32 0 counter
        meta l4proto tcp @th,16,24 0 counter
        tcp dport != 0 counter
        CONNTRACK
    }
}
"""
IN_ONE_PIECE = {PORT, FOUR_BYTES}
"""Rules that match a fragment of zeros which the kernel keeps in one piece."""


def fragment(length: int) -> bytes:
    """Not the first of its datagram, and all of it zeros."""
    payload = f"string --algo bm --string {'00' * (length - 1)}"  # and a blank
    packet = Packet(
        *("ip", "prerouting", "eth0", None, CLIENT.addresses["ip"], OWN["ip"], "tcp"),
        conditions=(payload,),
    )
    return build(packet, Nature())


@pytest.mark.parametrize(
    ("length", "matched"), [(2, set()), (30, IN_ONE_PIECE), (1400, IN_ONE_PIECE), (6000, set())]
)
def test_first_bytes_as_ports(topology: Topology, length: int, matched: set[int]) -> None:
    for namespace in (topology.host, topology.world):
        namespace.run(["ip", "link", "set", "eth0", "mtu", "9000"])
    host = Host.with_rules(topology, RULES.replace("CONNTRACK", ""), Kind.NFT)
    assert set(host.counted(CLIENT, "ip", fragment(length))) == matched


def test_no_fragments_where_connections_are_tracked(topology: Topology) -> None:
    """Whatever the rule asks of the connection."""
    rules = RULES.replace("CONNTRACK", "ct state != new,established counter")
    host = Host.with_rules(topology, rules, Kind.NFT)
    assert host.counted(CLIENT, "ip", fragment(30)) == frozenset()
