"""Which packets the kernel drops by itself, for their addresses, and how far they come."""

from __future__ import annotations

import pytest

from iptlint.analysis.martians import dropped_anyway
from iptlint.model import Hook
from iptlint.packets.packet import Packet
from tests.kernel.exchanges import Host
from tests.kernel.restoring import Kind
from tests.kernel.test_topology import CLIENT, OWN, SERVER
from tests.kernel.topology import Topology
from tests.kernel.wire import Nature, build

HOOKS = {3: Hook.PREROUTING, 6: Hook.INPUT, 9: Hook.FORWARD}
RULES = """table inet t {
    chain a { type filter hook prerouting priority 0
        counter
    }
    chain b { type filter hook input priority 0
        counter
    }
    chain c { type filter hook forward priority 0
        counter
    }
}
"""
ME, ME6, ON, ON6 = OWN["ip"], OWN["ip6"], SERVER.addresses["ip"], SERVER.addresses["ip6"]
NOBODY = {"ip": CLIENT.addresses["ip"], "ip6": CLIENT.addresses["ip6"]}


@pytest.mark.parametrize(
    ("source", "destination", "last"),
    [
        (NOBODY["ip"], ME, Hook.INPUT),
        (NOBODY["ip"], ON, Hook.FORWARD),
        ("127.0.0.1", ME, Hook.PREROUTING),
        ("127.0.0.1", ON, Hook.PREROUTING),
        (NOBODY["ip"], "127.0.0.1", Hook.PREROUTING),
        ("224.0.0.1", ME, Hook.PREROUTING),
        ("224.0.0.1", ON, Hook.PREROUTING),
        ("255.255.255.255", ME, Hook.PREROUTING),
        ("0.0.0.0", ME, Hook.PREROUTING),
        ("0.0.0.0", "255.255.255.255", Hook.INPUT),
        (NOBODY["ip"], "0.0.0.0", Hook.PREROUTING),
        ("240.0.0.1", ME, Hook.INPUT),
        ("169.254.1.1", ON, Hook.FORWARD),
        (NOBODY["ip6"], ME6, Hook.INPUT),
        (NOBODY["ip6"], ON6, Hook.FORWARD),
        ("::1", ME6, None),
        (NOBODY["ip6"], "::1", None),
        ("ff02::1", ME6, None),
        ("fe80::7", ME6, Hook.INPUT),
        ("fe80::7", ON6, Hook.PREROUTING),
        ("::", ME6, Hook.INPUT),
        ("::", ON6, Hook.PREROUTING),
    ],
)
def test_how_far_a_packet_comes(
    topology: Topology, source: str, destination: str, last: Hook | None
) -> None:
    family = "ip6" if ":" in source else "ip"
    way = Hook.FORWARD if destination in (ON, ON6) else Hook.INPUT
    packet = Packet(
        *(family, way.value, "eth0", None, source, destination, "udp", 40000, 53),
        ct_state="new",
    )
    host = Host.with_rules(topology, RULES, Kind.NFT)
    counted = {HOOKS[line] for line in host.counted(CLIENT, family, build(packet, Nature()))}
    assert counted == ({Hook.PREROUTING, last} if last else set())
    for hook in (Hook.PREROUTING, way):
        assert (dropped_anyway(packet, packet, hook) is None) is (hook in counted)
