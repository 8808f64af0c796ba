"""Which packets of a connection there are one way, and what the later ones have of the first."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.analysis.connection_way import direction, marks_since
from iptlint.analysis.trace import trace
from iptlint.model import Field, Hook, VerdictKind
from iptlint.netfilter.firewall import Firewall
from iptlint.packets.packet import Packet

MARKED = """*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m conntrack --ctstate NEW -j CONNMARK --set-mark 0x7
COMMIT
*filter
:INPUT DROP [0:0]
-A INPUT -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -m connmark --mark 0x7 -j ACCEPT
COMMIT
"""
ANSWERS = """*filter
:INPUT {} [0:0]
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
COMMIT
"""
TCP = Packet("ip", None, iif="eth0", proto="tcp", dport=22)


def test_who_names_no_state_means_a_connection() -> None:
    space = Firewall(iptlint.read(MARKED)).space
    tcp = space.universe & space.value(Field.PROTO, 6)
    packets = direction(space, tcp, TCP)
    assert packets.first.satisfiable()
    assert not (packets.first & ~space.state("new")).satisfiable()
    assert not (packets.later & ~space.state("established")).satisfiable()
    assert not (packets.later & space.value(Field.CT_DIRECTION, 1)).satisfiable()
    assert not packets.others.satisfiable()


def test_what_is_in_no_connection_is_asked_for_all_the_same() -> None:
    """An icmp error opens nothing (nf_conntrack_inet_error)."""
    space = Firewall(iptlint.read(MARKED)).space
    asked = Packet("ip", None, iif="eth0", proto="icmp", icmp_type=3)
    errors = space.universe & space.value(Field.PROTO, 1) & space.value(Field.ICMP_TYPE, 3)
    packets = direction(space, errors, asked)
    assert not packets.first.satisfiable()
    assert not packets.later.satisfiable()
    assert packets.others == errors & ~space.state("untracked")


STATEFUL = """*filter
:INPUT DROP [0:0]
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 --syn -j ACCEPT
COMMIT
"""
ACCEPT, DROP = VerdictKind.ACCEPT, VerdictKind.DROP


@pytest.mark.parametrize(
    ("asked", "ends"),
    [
        ({"tcp_flags": ("syn",)}, {("new", ACCEPT), ("established", ACCEPT)}),
        # Conntrack takes a connection up in its midst (nf_conntrack_tcp_loose).
        ({"tcp_flags": ("ack",)}, {("new", DROP), ("established", ACCEPT)}),
        # It opens nothing: it is an answer, or invalid.
        ({"tcp_flags": ("syn", "ack")}, {("established", ACCEPT), ("related", DROP)}),
        ({"tcp_flags": ("fin",)}, {("invalid", DROP)}),
        ({"proto": "icmp", "icmp_type": 0}, {("established", ACCEPT), ("invalid", DROP)}),
    ],
)
def test_what_is_asked_of_a_later_packet_is_not_asked_of_the_first(
    asked: dict[str, object], ends: set[tuple[str, VerdictKind]]
) -> None:
    """An ACK follows a SYN, which another rule lets in."""
    fields = {"iif": "eth0", "proto": "tcp", **asked}
    if fields["proto"] == "tcp":
        fields["dport"] = 22
    outcomes = trace(iptlint.read(STATEFUL), Packet("ip", None, **fields)).outcomes  # type: ignore[arg-type]
    assert {(outcome.witness.ct_state, outcome.kind) for outcome in outcomes} == ends


def test_later_packets_have_the_mark_that_the_first_one_left() -> None:
    outcomes = trace(iptlint.read(MARKED), TCP).outcomes
    assert {o.kind for o in outcomes} == {VerdictKind.ACCEPT}
    assert {o.witness.ct_state for o in outcomes} == {"new", "established"}


@pytest.mark.parametrize(
    ("policy", "states"), [("ACCEPT", {"new", "established"}), ("DROP", {"new"})]
)
def test_nothing_follows_a_packet_that_is_dropped(policy: str, states: set[str]) -> None:
    outcomes = trace(iptlint.read(ANSWERS.format(policy)), TCP).outcomes
    assert {outcome.witness.ct_state for outcome in outcomes} == states


FORWARDED = """*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -i eth0 -p tcp --dport 80 -j DNAT --to-destination 192.168.1.100
-A POSTROUTING -o eth0 -j MASQUERADE
COMMIT
*filter
:FORWARD ACCEPT [0:0]
-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
COMMIT
"""


def test_later_packets_leave_by_the_way_of_the_first() -> None:
    """What was given a new source had left by the interface that this is for."""
    asked = Packet("ip", None, iif="eth0", daddr="203.0.113.1", proto="tcp", dport=80)
    outcomes = trace(iptlint.read(FORWARDED), asked).outcomes
    later = [outcome for outcome in outcomes if outcome.witness.ct_state == "established"]
    assert {
        (o.arrived.oif == "eth0", o.arrived.saddr != o.witness.saddr, o.conditions) for o in later
    } == {
        (True, True, ("it leaves by eth0",)),
        (False, False, ("it leaves by eth1",)),
    }


def test_a_connection_that_is_older_than_the_rules_can_be_asked_for() -> None:
    asked = Packet("ip", None, iif="eth0", proto="tcp", dport=22, ct_state="established")
    (outcome,) = trace(iptlint.read(ANSWERS.format("DROP")), asked).outcomes
    assert (outcome.kind, outcome.way) == (VerdictKind.ACCEPT, Hook.INPUT)


@pytest.mark.parametrize(
    ("rule", "states"),
    [
        ("ct state established ct mark set 5", {0, 5}),
        ("ct state new ct mark set 5", {0}),
        ("ct state established meta mark set 5", {0}),
        ("ct state established ct mark set meta mark", set(range(8))),
    ],
)
def test_what_a_later_packet_may_find_its_connection_marked_with(
    rule: str, states: set[int]
) -> None:
    text = f"table ip t {{\n chain c {{\n type filter hook input priority 0;\n {rule}\n }}\n}}\n"
    firewall = Firewall(iptlint.read(text))
    marks, value = marks_since(firewall), firewall.space.value
    assert {n for n in range(8) if (marks & value(Field.CT_MARK, n)).satisfiable()} == states
