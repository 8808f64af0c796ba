"""Chains of devices and of bridges, on the way of packets."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.analysis.bridge_way import own_interfaces
from iptlint.analysis.bridges import bridge_ports, trace_with_bridges
from iptlint.analysis.diff import difference
from iptlint.analysis.exchange import connection
from iptlint.analysis.reach import Reason, RuleReach, Status, reach
from iptlint.analysis.trace import Trace, trace
from iptlint.analysis.trace_outcome import TraceOutcome
from iptlint.model import Family, Hook, VerdictKind
from iptlint.netfilter.firewall import Firewall
from iptlint.packets.packet import Packet

DEVICE = """table netdev n {
    chain c {
        type filter hook ingress device "eth0" priority 0
        ip saddr 198.51.100.0/24 drop
    }
}
"""
INPUT = """table inet f {
    chain c {
        type filter hook input priority 0; policy drop
        iifname "eth0" ip saddr 198.51.100.7 tcp dport 22 accept
        ip saddr 198.51.100.7 tcp dport 22 accept
    }
}
"""
BRIDGE = """table bridge b {
    chain first {
        type filter hook prerouting priority -300
        iifname "va" meta l4proto udp drop
    }
    chain forward {
        type filter hook forward priority 0
        iifname "va" udp dport 53 accept
        udp dport 53 accept
    }
    chain input {
        type filter hook input priority 0
        iifname "va" udp dport 53 accept
    }
}
"""


def at(text: str) -> dict[int, RuleReach]:
    """By line."""
    return {answer.line: answer for answer in reach(iptlint.read(text))}


def test_what_a_device_drops_does_not_come_in() -> None:
    packet = Packet("ip", "input", iif="eth0", saddr="198.51.100.7", proto="tcp", dport=22)
    (outcome,) = trace(iptlint.read(DEVICE + INPUT), packet).outcomes
    assert outcome.kind is VerdictKind.DROP
    assert outcome.decision is not None
    assert outcome.decision.span.line == 4


def test_what_comes_by_another_device_does() -> None:
    packet = Packet("ip", "input", iif="eth1", saddr="198.51.100.7", proto="tcp", dport=22)
    (outcome,) = trace(iptlint.read(DEVICE + INPUT), packet).outcomes
    assert outcome.kind is VerdictKind.ACCEPT


def test_a_rule_behind_what_a_device_drops_is_dead() -> None:
    first, second = (at(DEVICE + INPUT)[line] for line in (10, 11))
    assert (first.status, first.reason) == (Status.DEAD, Reason.TAKEN)
    assert [rule.origin.span.line for rule in first.taken_by] == [4]
    assert second.status is Status.REACHABLE
    assert second.witness is not None
    assert second.witness.iif != "eth0"


def test_a_bridge_drops_a_frame_before_it_forwards_it() -> None:
    answers = at(BRIDGE)
    assert [answers[line].status for line in (8, 9)] == [Status.DEAD, Status.REACHABLE]


def test_frames_of_its_own_protocols_come_to_a_bridges_input_only() -> None:
    """Which frames those are is not known to the rules, so none is said to be taken before."""
    assert at(BRIDGE)[13].status is Status.REACHABLE


def test_another_rule_of_a_device_is_a_difference() -> None:
    old = iptlint.read(DEVICE + INPUT)
    new = iptlint.read(DEVICE.replace("/24", "/25") + INPUT)
    (change,) = difference(old, new).changes
    assert (change.family, change.hook) == (Family.NETDEV, Hook.INGRESS)


def test_what_a_device_drops_is_a_difference_where_it_is_let_through_later() -> None:
    old, new = iptlint.read(INPUT), iptlint.read(DEVICE.replace("/24", "/25") + INPUT)
    kinds = {(change.old.kind, change.new.kind) for change in difference(old, new).changes}
    assert kinds == {(VerdictKind.ACCEPT, VerdictKind.DROP)}


def test_another_rule_of_a_bridge_is_a_difference() -> None:
    old = iptlint.read(BRIDGE)
    for changed in (BRIDGE.replace("l4proto udp", "l4proto tcp"), BRIDGE.replace("accept", "drop")):
        assert not difference(old, iptlint.read(changed)).equivalent
    assert difference(old, iptlint.read(BRIDGE)).equivalent


def test_a_packet_before_routing_leaves_by_no_interface() -> None:
    text = (
        "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport 23 -j DROP\nCOMMIT\n"
    )
    witness = at(text)[3].witness
    assert witness is not None
    assert (witness.iif, witness.oif) == ("eth0", None)


# -- trace over a bridge --------------------------------------------------------------------

PORTS = """table bridge filter {
    chain forward {
        type filter hook forward priority 0; policy accept;
        iifname "va" oifname { "vb", "vc*" } ip protocol udp counter drop
        ip6 daddr 2001:db8::1 drop
    }
}
"""
ROUTED = """table ip f {
    chain forward {
        type filter hook forward priority 0; policy drop
    }
}
"""


def udp(iif: str | None, oif: str | None) -> Packet:
    return Packet("ip", None, iif, oif, proto="udp", dport=53)


def test_the_ports_of_a_bridge_are_those_its_rules_name() -> None:
    assert bridge_ports(iptlint.read(PORTS + ROUTED)) == {"va", "vb"}


def test_between_ports_the_chains_of_bridge_decide() -> None:
    traced = trace_with_bridges(iptlint.read(PORTS + ROUTED), udp("va", "vb"))
    (outcome,) = traced.outcomes
    assert traced.bridged
    assert outcome.kind is VerdictKind.DROP
    assert outcome.decision is not None
    assert outcome.decision.span.line == 4
    (note,) = traced.notes
    assert "br_netfilter" in note
    assert trace_with_bridges(iptlint.read(PORTS), udp("va", "vb")).notes == ()


def test_the_other_way_the_policy_does_and_the_answer_comes_back() -> None:
    traced = trace_with_bridges(iptlint.read(PORTS), Packet("ip", None, "vb", "va", proto="tcp"))
    (outcome,) = traced.outcomes
    assert (outcome.kind, outcome.witness.iif, outcome.witness.oif) == (
        VerdictKind.ACCEPT,
        "vb",
        "va",
    )
    assert outcome.decision is not None
    assert outcome.decision.rule is None
    answered = connection(traced)
    assert answered.works
    (reply,) = answered.replies
    assert reply.trace is not None
    assert reply.trace.bridged


def test_elsewhere_the_answer_says_that_no_bridge_was_asked() -> None:
    for packet in (udp("eth0", "eth1"), udp("eth0", None)):
        traced = trace_with_bridges(iptlint.read(PORTS + ROUTED), packet)
        assert not traced.bridged
        (note,) = traced.notes
        assert note.startswith("not asked: bridge filter")
    assert trace_with_bridges(iptlint.read(ROUTED), udp("eth0", "eth1")).notes == ()


INPUT_OF_BRIDGE = """table inet f {
    chain input {
        type filter hook input priority 0; policy drop
        iifname "br1" accept
        iifname "br2" tcp dport 22 accept
    }
}
"""


def test_what_comes_by_a_port_goes_on_to_ip_by_the_bridges_own_interface() -> None:
    """Which one that is, is not said."""
    traced = trace_with_bridges(iptlint.read(PORTS + INPUT_OF_BRIDGE), udp("va", None))
    assert traced.over_bridge
    by_kind = {outcome.kind: outcome.conditions for outcome in traced.outcomes}
    assert by_kind[VerdictKind.ACCEPT] == ("the bridge's own interface is br1",)
    assert by_kind[VerdictKind.DROP] == ("the bridge's own interface is br2",)
    assert traced.notes == ()


BY_BRIDGE = """table bridge b {
    chain c {
        type filter hook input priority 0
        iifname "va" tcp dport 23 drop
        iifname "va" meta mark set 7
    }
    chain d {
        type filter hook postrouting priority 0
        oifname "va" udp dport 99 drop
    }
}
table ip f {
    chain pre {
        type nat hook prerouting priority dstnat
        iifname "br1" tcp dport 8080 dnat to 10.0.0.5:80
    }
    chain forward {
        type filter hook forward priority 0; policy drop
        iifname "br1" oifname "wan" meta mark 7 accept
        iifname "wan" oifname "br1" accept
        ct status dnat accept
    }
    chain post {
        type nat hook postrouting priority srcnat
        oifname "wan" masquerade
        oifname "br1" masquerade
    }
}
"""


def by_bridge(iif: str | None, oif: str | None, proto: str, dport: int) -> Trace:
    asked = Packet("ip", None, iif, oif, proto=proto, dport=dport, ct_state="new")
    return trace_with_bridges(iptlint.read(BY_BRIDGE), asked)


def by_br1(traced: Trace) -> TraceOutcome:
    """The outcome if that is the bridge's own interface."""
    named = "the bridge's own interface is br1"
    several = [o for o in traced.outcomes if named in o.conditions]
    (outcome,) = several or traced.outcomes
    return outcome


@pytest.mark.parametrize(
    ("iif", "oif", "proto", "dport", "lines"),
    [
        ("va", "wan", "tcp", 443, [5, 19, 25]),
        ("va", "wan", "tcp", 23, [4]),
        ("wan", "va", "tcp", 443, [20, 26]),
        ("wan", "va", "udp", 99, [20, 26, 9]),
        (None, "va", "udp", 99, [26, 9]),
        ("va", None, "tcp", 23, [4]),
    ],
)
def test_what_is_routed_passes_the_chains_of_bridge_and_of_ip(
    iif: str | None, oif: str | None, proto: str, dport: int, lines: list[int]
) -> None:
    traced = by_bridge(iif, oif, proto, dport)
    steps = by_br1(traced).steps
    assert [s.decision.span.line for s in steps if s.decision.rule is not None] == lines
    assert traced.over_bridge
    assert traced.notes == ()


def test_what_came_by_a_port_is_translated_by_ip() -> None:
    """And where it leaves by a port again, nobody knows by which."""
    traced = by_bridge("va", None, "tcp", 8080)
    assert {(o.arrived.daddr, o.arrived.dport) for o in traced.outcomes} == {
        ("10.0.0.5", 80),
        ("192.0.2.10", 8080),
    }
    (note,) = traced.notes
    assert note == "not asked: bridge b, for what leaves by the ports of a bridge"


def test_what_leaves_by_a_port_has_the_address_of_the_bridge() -> None:
    became = by_br1(by_bridge("wan", "va", "tcp", 443)).becomes
    assert became is not None
    assert became.saddr == "the address of the bridge"


def test_its_answer_comes_back_over_the_bridge() -> None:
    answered = connection(by_bridge("va", "wan", "tcp", 443))
    replies = [outcome for reply in answered.replies for outcome in reply.outcomes]
    assert replies
    assert {(o.witness.iif, o.witness.oif) for o in replies} == {("wan", "va")}


def test_the_bridges_own_interface_is_no_port() -> None:
    space = Firewall(iptlint.read(PORTS + INPUT_OF_BRIDGE)).space
    classes = [space.interfaces.classes[n - 1] for n in own_interfaces(space, {"va", "vb"})]
    assert [(cls.name, cls.wildcard) for cls in classes] == [
        ("br1", False),
        ("br2", False),
        ("vc", True),
        ("", True),
    ]


PHYSDEV = """*filter
:FORWARD DROP [0:0]
-A FORWARD -i va -j ACCEPT
-A FORWARD -m physdev --physdev-in va --physdev-out vb -j ACCEPT
COMMIT
"""


@pytest.mark.parametrize(
    ("iif", "oif", "line"), [("va", "vb", 4), ("vb", "va", 2), ("va", "eth0", 3)]
)
def test_br_netfilter_is_there_where_rules_ask_for_ports(iif: str, oif: str, line: int) -> None:
    """They see a packet from port to port with the bridge's own interface."""
    traced = trace_with_bridges(iptlint.read(PHYSDEV), Packet("ip", None, iif, oif, proto="tcp"))
    (outcome,) = traced.outcomes
    assert traced.bridged is (oif != "eth0")
    assert outcome.decision is not None
    assert outcome.decision.span.line == line


def test_what_is_translated_on_a_bridge_is_not_followed_to_ip() -> None:
    rule = "-A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1"
    nat = f"*nat\n:PREROUTING ACCEPT [0:0]\n{rule}\nCOMMIT\n"
    traced = trace_with_bridges(
        iptlint.read(PHYSDEV + nat), Packet("ip", None, "va", "vb", proto="tcp")
    )
    assert [outcome.kind for outcome in traced.outcomes] == [VerdictKind.ACCEPT]
    (note,) = traced.notes
    assert note.startswith("not asked: the chains of ip")


@pytest.mark.parametrize("port", ["eno2", "eth0"])
def test_no_packet_comes_by_a_port_where_the_bridge_was_not_asked(port: str) -> None:
    chain = f'type filter hook input priority 0\niifname "{port}" drop'
    ruleset = iptlint.read(f"table bridge b {{\nchain c {{\n{chain}\n}}\n}}\n")
    (outcome,) = trace_with_bridges(ruleset, Packet("ip", "input")).outcomes
    assert outcome.kind is VerdictKind.ACCEPT
    assert outcome.witness.iif not in (port, None)
    (outcome,) = trace_with_bridges(ruleset, Packet("ip", "input", iif=port)).outcomes
    assert outcome.kind is VerdictKind.DROP
