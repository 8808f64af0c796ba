"""What ``trace`` says of the named rulesets with translation is what the kernel does."""

from __future__ import annotations

import pytest

from iptlint.model import Family
from tests.kernel.datagrams import ICMP, UDP
from tests.kernel.exchange_judge import Judge
from tests.kernel.exchanges import Call, Host
from tests.kernel.record import Record
from tests.kernel.restoring import Kind
from tests.kernel.test_topology import BASE, CLIENT, GUEST, OWN, SERVER, WEB, call
from tests.kernel.topology import Topology
from tests.kernel.translation_rulesets import (
    ADDRESS_AND_PORT_MAP,
    DOCKER_PORT,
    HAIRPIN,
    HAIRPIN_BACK,
    MAP,
    PORT_FORWARD,
    iptables,
)

RULESETS = {
    "docker": (DOCKER_PORT, Kind.LEGACY),
    "port forward": (iptables("FORWARD", nat=[PORT_FORWARD], filter=[]), Kind.LEGACY),
    "hairpin": (iptables(nat=[HAIRPIN]), Kind.LEGACY),
    "hairpin and back": (iptables(nat=[HAIRPIN, HAIRPIN_BACK]), Kind.LEGACY),
    "identity": (
        iptables(
            nat=["PREROUTING -p tcp -j DNAT --to-destination 192.168.1.100"],
            filter=["FORWARD -m conntrack --ctstate DNAT -j DROP"],
        ),
        Kind.LEGACY,
    ),
    "redirected to itself": (
        iptables(
            nat=["PREROUTING -p udp --dport 53 -j REDIRECT --to-ports 53"],
            filter=["INPUT -m conntrack --ctstate DNAT -j DROP"],
        ),
        Kind.LEGACY,
    ),
    "map": (MAP, Kind.NFT),
    "map of pairs": (ADDRESS_AND_PORT_MAP, Kind.NFT),
    "an answer that is dropped": (
        iptables("FORWARD", nat=[PORT_FORWARD], filter=["FORWARD -i eth0 -j ACCEPT"]),
        Kind.LEGACY,
    ),
    "a way that is too long": (
        iptables(mangle=["PREROUTING -p tcp --dport 80 -j TTL --ttl-set 1"]),
        Kind.LEGACY,
    ),
    "two zones": (
        iptables(raw=["PREROUTING -i eth0 -j CT --zone 1"], nat=[PORT_FORWARD]),
        Kind.LEGACY,
    ),
}
CALLS = (
    *(call(CLIENT, None, "ip", dport=port) for port in (22, 80, 443, 8080, 8081)),
    *(call(CLIENT, SERVER, "ip", proto, 80) for proto in (6, UDP, ICMP)),
    call(CLIENT, None, "ip", UDP, 53),
    Call(GUEST, GUEST.addresses["ip"], OWN["ip"]),
    call(WEB, CLIENT, "ip"),
    call(GUEST, BASE, "ip", UDP, 53),
    Call(None, OWN["ip"], CLIENT.addresses["ip"]),
)


@pytest.mark.parametrize("name", RULESETS)
def test_named_rulesets(topology: Topology, name: str) -> None:
    text, kind = RULESETS[name]
    host = Host.with_rules(topology, text, kind)
    judge = Judge(host, "ip", None if kind is Kind.NFT else Family.IP, Record())
    for each in CALLS:
        host.forget()
        objections = [*judge.of_exchange(host.exchange(each), followed=True)]
        assert not objections, "\n".join(map(str, objections))
