"""Chains of devices and of bridges, on the way of packets."""

from __future__ import annotations

import iptlint
from iptlint.analysis.diff import difference
from iptlint.analysis.reach import Reason, RuleReach, Status, reach
from iptlint.analysis.trace import trace
from iptlint.model import VerdictKind
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
    assert not difference(old, new).equivalent


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
