"""What devices and bridges do with packets, before and after the chains of ip."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import iptlint
from iptlint.analysis.bridges import trace_with_bridges
from iptlint.analysis.trace_outcome import TraceOutcome
from iptlint.model import VerdictKind
from iptlint.packets.packet import Packet
from tests.kernel.conftest import no_topology
from tests.kernel.datagrams import TCP, UDP
from tests.kernel.exchanges import Call, End, Host
from tests.kernel.restoring import Kind
from tests.kernel.test_topology import BASE, CLIENT, OWN, SERVER, WEB, call
from tests.kernel.topology import Station, Topology

GUARD = """table netdev guard {
    chain in {
        type filter hook ingress device "eth0" priority -500
        udp dport 5000 counter drop
        tcp dport 23 counter meta mark set 0x7
        counter
    }
    chain out {
        type filter hook egress device "eth0" priority 0
        udp dport 5353 counter drop
        counter
    }
    chain out1 {
        type filter hook egress device "eth1" priority 0
        tcp dport 443 counter drop
        iifname "eth0" counter
    }
}
table inet filter {
    chain first {
        type filter hook ingress device "eth0" priority -400
        ct state invalid counter
        ct state new counter
        udp dport 53 counter drop
    }
    chain input {
        type filter hook input priority filter
        meta mark 0x7 counter
        udp dport { 53, 5000 } counter
        counter
    }
    chain forward {
        type filter hook forward priority filter
        meta mark 0x7 counter
        counter
    }
    chain output {
        type filter hook output priority filter
        udp dport 5353 counter
    }
}
"""
CALLS = [
    (CLIENT, None, UDP, 5000),
    (CLIENT, None, UDP, 53),
    (CLIENT, None, TCP, 23),
    (CLIENT, None, TCP, 80),
    (CLIENT, SERVER, UDP, 5000),
    (CLIENT, SERVER, TCP, 443),
    (CLIENT, SERVER, TCP, 23),
    (SERVER, CLIENT, UDP, 5353),
    (None, CLIENT, UDP, 5353),
    (None, CLIENT, UDP, 53),
    (None, SERVER, TCP, 443),
]


def asked(called: Call, oif: str | None) -> Packet:
    """The first packet of the call, as it comes to the host or sets out from it."""
    iif = called.caller.wire if called.caller else None
    return Packet(
        family="ip",
        hook="output" if iif is None else "forward" if oif else "input",
        iif=iif,
        oif=oif,
        saddr=called.saddr,
        daddr=called.daddr,
        proto="udp" if called.proto == UDP else "tcp",
        sport=called.sport,
        dport=called.dport,
        tcp_flags=("syn",) if called.proto == TCP else None,
        ct_state="new",
        mark=0,
    )


def told(text: str, packet: Packet) -> TraceOutcome:
    """Whatever the bridge's own interface is called, which no rule says."""
    outcomes = trace_with_bridges(iptlint.read(text), packet).outcomes
    named = [o for o in outcomes if "the bridge's own interface is docker0" in o.conditions]
    (outcome,) = named or outcomes
    return outcome


def lines(outcome: TraceOutcome) -> set[int]:
    rules = (step.decision.rule for step in outcome.steps)
    return {rule.statement.span.line for rule in rules if rule is not None}


@pytest.fixture
def guarded(topology: Topology) -> Host:
    return Host.with_rules(topology, GUARD, Kind.NFT)


@pytest.mark.parametrize(("caller", "called", "proto", "dport"), CALLS)
def test_chains_of_devices_are_on_the_way(
    guarded: Host, caller: Station | None, called: Station | None, proto: int, dport: int
) -> None:
    sent = call(caller, called, "ip", proto, dport)
    if called is None:
        sent = Call(caller, sent.saddr, OWN["ip"], proto, dport=dport)
    passage = guarded.exchange(sent).passages[0]
    outcome = told(GUARD, asked(sent, None if called is None else called.wire))
    assert (outcome.kind is VerdictKind.DROP) == (passage.end is End.DROPPED)
    assert lines(outcome) == set(passage.moved), passage


BRIDGE = """table netdev ports {
    chain in {
        type filter hook ingress device "v-web" priority 0
        tcp dport 25 counter drop
        counter
    }
    chain out {
        type filter hook egress device "v-base" priority 0
        tcp dport 110 counter drop
        counter
    }
}
table bridge filter {
    chain first {
        type filter hook prerouting priority dstnat
        iifname "v-web" counter
        tcp dport 23 counter drop
        meta mark set 0x3 counter
    }
    chain in {
        type filter hook input priority filter
        iifname "v-web" counter
        tcp dport 21 counter drop
    }
    chain through {
        type filter hook forward priority filter; policy drop
        iifname "v-web" oifname "v-base" tcp dport { 25, 80, 110 } counter accept
        iifname "v-base" udp dport 53 counter accept
        meta mark 0x3 counter
    }
    chain from {
        type filter hook output priority filter
        oifname "v-base" counter
        iifname "v-web" counter
        tcp dport 22 counter drop
    }
    chain last {
        type filter hook postrouting priority srcnat
        oifname "v-base" counter
        iifname "v-web" counter
    }
}
table inet host {
    chain first {
        type filter hook prerouting priority raw
        iifname "docker0" counter
        iifname "v-web" counter
        tcp dport 81 counter drop
    }
    chain in {
        type filter hook input priority filter
        iifname "docker0" meta mark 0x3 counter
        tcp dport 82 counter drop
    }
    chain from {
        type filter hook output priority filter
        oifname "v-base" counter
        oifname "docker0" tcp dport 83 counter drop
        oifname "docker0" counter
    }
    chain through {
        type filter hook forward priority filter
        counter
    }
}
"""
OVER_BRIDGE = [
    *((WEB, BASE, TCP, port) for port in (23, 25, 80, 110, 22)),
    (BASE, WEB, UDP, 53),
    (BASE, WEB, UDP, 123),
]
ITSELF = "172.17.0.1"
"""The address of the bridge's interface."""


def agree(
    topology: Topology, sent: Call, oif: str | None, text: str = BRIDGE, kind: Kind = Kind.NFT
) -> None:
    passage = Host.with_rules(topology, text, kind).exchange(sent).passages[0]
    outcome = told(text, asked(sent, oif))
    assert (outcome.kind is VerdictKind.DROP) == (passage.end is End.DROPPED)
    assert lines(outcome) == set(passage.moved), passage


@pytest.mark.parametrize(("caller", "called", "proto", "dport"), OVER_BRIDGE)
def test_from_port_to_port(
    topology: Topology, caller: Station, called: Station, proto: int, dport: int
) -> None:
    """A packet that a bridge forwards is shown to chains of bridge, and of its ports' devices."""
    agree(topology, call(caller, called, "ip", proto, dport), called.wire)


@pytest.mark.parametrize("dport", [21, 23, 25, 80, 81, 82])
def test_from_a_port_to_the_bridge_itself(topology: Topology, dport: int) -> None:
    agree(topology, Call(WEB, WEB.addresses["ip"], ITSELF, dport=dport), None)


@pytest.mark.parametrize("dport", [22, 80, 83, 110])
def test_from_the_bridge_itself_to_a_port(topology: Topology, dport: int) -> None:
    agree(topology, Call(None, ITSELF, BASE.addresses["ip"], dport=dport), BASE.wire)


SHOWN_TO_IP = """*mangle
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -i docker0 -m physdev --physdev-in v-web
-A PREROUTING -i v-web
-A PREROUTING -m physdev --physdev-is-bridged
-A PREROUTING -p tcp --dport 81 -j DROP
-A PREROUTING -j MARK --set-mark 5
-A POSTROUTING -o docker0 -m physdev --physdev-out v-base
-A POSTROUTING -p tcp --dport 84 -j DROP
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -m physdev --physdev-in v-web
-A INPUT -i docker0 -m physdev --physdev-is-in -p tcp --dport 82 -j DROP
-A INPUT -m physdev ! --physdev-is-in
-A FORWARD -i docker0 -o docker0 -m mark --mark 5
-A FORWARD -m physdev --physdev-in v-web --physdev-out v-base -p tcp --dport 80:84 -j ACCEPT
-A FORWARD -m physdev --physdev-is-bridged -p udp --dport 53 -j ACCEPT
-A FORWARD -i v-web
-A FORWARD -m physdev ! --physdev-in v-web+
-A OUTPUT -o docker0
COMMIT
"""


@pytest.fixture
def calling() -> Iterator[Topology]:
    """A host whose bridges show what they forward to the chains of ip."""
    if (reason := no_topology()) is not None:
        pytest.skip(reason)
    made = Topology(bridge_calls=True)
    yield made
    made.close()


SHOWN = [
    *((WEB, BASE, TCP, port) for port in (80, 81, 84, 22)),
    (WEB, BASE, UDP, 53),
    (BASE, WEB, TCP, 80),
    (BASE, WEB, UDP, 53),
]


@pytest.mark.parametrize(("caller", "called", "proto", "dport"), SHOWN)
def test_br_netfilter_shows_a_bridged_packet_to_ip(
    calling: Topology, caller: Station, called: Station, proto: int, dport: int
) -> None:
    """With the bridge as its interface, once for each hook."""
    sent = call(caller, called, "ip", proto, dport)
    agree(calling, sent, called.wire, SHOWN_TO_IP, Kind.IPTABLES_NFT)


@pytest.mark.parametrize("dport", [80, 81, 82])
def test_br_netfilter_and_what_comes_to_the_host(calling: Topology, dport: int) -> None:
    sent = Call(WEB, WEB.addresses["ip"], ITSELF, dport=dport)
    agree(calling, sent, None, SHOWN_TO_IP, Kind.IPTABLES_NFT)


def test_br_netfilter_and_what_the_host_sends(calling: Topology) -> None:
    sent = Call(None, ITSELF, BASE.addresses["ip"], dport=80)
    agree(calling, sent, BASE.wire, SHOWN_TO_IP, Kind.IPTABLES_NFT)
