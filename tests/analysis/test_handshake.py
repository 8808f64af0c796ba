"""Answers mirror what they answer, at the hook where they are seen."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

import iptlint
from iptlint.analysis.handshake import (
    answers,
    first_packets,
    handshake,
    is_answered,
    is_switched_off,
    leads_someone_through,
    opening,
    untracks,
)
from iptlint.analysis.hook_verdicts import may_pass
from iptlint.model import Family, Field, Hook
from iptlint.netfilter.firewall import Firewall, Hooks
from iptlint.packets.witness import witness
from tests.firewalls import hooks_of, saved

CLIENT = {Family.IP: "198.51.100.7", Family.IP6: "2001:db8::7"}
HOST = {Family.IP: "192.0.2.10", Family.IP6: "2001:db8:1::10"}


def walk(*rules: str, family: Family = Family.IP, before: str = "", policy: str = "DROP") -> Hooks:
    head = f"{before}*filter\n:INPUT {policy} [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT {policy} [0:0]\n"
    ruleset = iptlint.read(head + "\n".join((*rules, "COMMIT\n")), family)
    return Hooks(Firewall(ruleset), family)


def one_syn(walked: Hooks):  # type: ignore[no-untyped-def]
    space, family = walked.space, walked.family
    return (
        first_packets(walked, (22,))
        & walked.hook_packets(Hook.INPUT)
        & space.interface(Field.IIF, "eth0")
        & space.value(family.saddr, int(ip_address(CLIENT[family])))
        & space.value(family.daddr, int(ip_address(HOST[family])))
        & space.value(Field.SPORT, 40000)
    )


@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
def test_an_answer_is_the_other_way_round(family: Family) -> None:
    walked = walk("-A INPUT -i eth0 -j ACCEPT", family=family)
    back = answers(walked, one_syn(walked), Hook.OUTPUT, "syn", "ack", reply=True)
    packet = witness(walked.space, back, Hook.OUTPUT)
    assert packet is not None
    assert (packet.saddr, packet.daddr) == (HOST[family], CLIENT[family])
    assert (packet.sport, packet.dport, packet.oif) == (22, 40000, "eth0")
    assert (packet.ct_state, packet.tcp_flags) == ("established", ("syn", "ack"))
    again = answers(walked, back, Hook.INPUT, "ack", reply=False)
    third = witness(walked.space, again, Hook.INPUT)
    assert third is not None
    assert (third.saddr, third.dport, third.iif) == (CLIENT[family], 22, "eth0")


def test_answers_of_nothing() -> None:
    walked = walk()
    nothing = answers(walked, walked.space.false, Hook.OUTPUT, "syn", "ack", reply=True)
    assert not nothing.satisfiable()


def test_opening_comes_from_outside_and_from_a_client() -> None:
    walked = walk()
    space = walked.space
    packets = opening(walked, (22,))
    assert not (packets & space.interface(Field.IIF, "lo")).satisfiable()
    assert not (packets & space.value(Field.SPORT, 53)).satisfiable()
    assert not (packets & space.value(Field.DPORT, 23)).satisfiable()
    assert not (packets & ~space.state("new")).satisfiable()


NOTRACK = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j CT --notrack\nCOMMIT\n"


def test_untracked_where_rules_turn_tracking_off() -> None:
    assert not untracks(walk())
    walked = walk(before=NOTRACK)
    assert untracks(walked)
    untracked = walked.space.state("untracked")
    assert (opening(walked) & untracked).satisfiable()
    back = answers(walked, opening(walked), Hook.OUTPUT, "syn", "ack", reply=True)
    assert (back & untracked).satisfiable()


@pytest.mark.parametrize(
    ("rules", "steps", "fails"),
    [
        ((), ["SYN"], True),
        (("-A INPUT -j ACCEPT",), ["SYN", "SYN-ACK"], True),
        (
            (
                "-A INPUT -m state --state NEW -j ACCEPT",
                "-A OUTPUT -m state --state ESTABLISHED -j ACCEPT",
            ),
            ["SYN", "SYN-ACK", "ACK"],
            True,
        ),
        (
            ("-A INPUT -j ACCEPT", "-A OUTPUT -p tcp --sport 22 -j ACCEPT"),
            ["SYN", "SYN-ACK", "ACK"],
            False,
        ),
        # Who may send is not whom answers may go to.
        (
            ("-A INPUT -s 10.0.0.0/8 -j ACCEPT", "-A OUTPUT -d 192.168.0.0/16 -j ACCEPT"),
            ["SYN", "SYN-ACK"],
            True,
        ),
        (("-A INPUT -i eth0 -j ACCEPT", "-A OUTPUT -o eth1 -j ACCEPT"), ["SYN", "SYN-ACK"], True),
        (
            ("-A INPUT -j ACCEPT", "-A OUTPUT -m conntrack --ctdir REPLY -j ACCEPT"),
            ["SYN", "SYN-ACK", "ACK"],
            False,
        ),
        (
            ("-A INPUT -j ACCEPT", "-A OUTPUT -m conntrack --ctdir ORIGINAL -j ACCEPT"),
            ["SYN", "SYN-ACK"],
            True,
        ),
    ],
)
def test_the_steps(rules: tuple[str, ...], steps: list[str], fails: bool) -> None:
    walked = walk(*rules)
    found = list(handshake(walked, opening(walked, (22,))))
    assert [step.packet for step in found] == steps
    assert found[-1].fails is fails


def test_peers() -> None:
    walked = walk("-A INPUT -s 10.0.0.0/8 -j ACCEPT", "-A OUTPUT -d 10.1.0.0/16 -j ACCEPT")
    first, second, third = handshake(walked, opening(walked, (22,)))
    counts = [
        step.peers(walked, step.passed).sat_count_float(32) for step in (first, second, third)
    ]
    assert counts == [2**24, 2**16, 2**16]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (("-A FORWARD -i eth1 -o eth0 -j ACCEPT",), False),
        (("-A FORWARD -i eth1 -o eth0 -j ACCEPT", "-A FORWARD -i eth0 -o eth1 -j ACCEPT"), True),
        (("-A FORWARD -s 10.0.0.0/24 -j ACCEPT", "-A FORWARD -d 10.0.0.0/24 -j ACCEPT"), True),
        (
            (
                "-A FORWARD -i eth1 -p tcp --dport 80 -j ACCEPT",
                "-A FORWARD -o eth1 -p tcp --sport 443 -j ACCEPT",
            ),
            False,
        ),
        (
            (
                "-A FORWARD -i eth1 -p tcp --dport 80 -j ACCEPT",
                "-A FORWARD -o eth1 -m state --state ESTABLISHED -j ACCEPT",
            ),
            True,
        ),
    ],
)
def test_forwarded_and_answered(rules: tuple[str, ...], expected: bool) -> None:
    walked = walk(*rules)
    new = may_pass(walked, Hook.FORWARD, opening(walked))
    assert is_answered(walked, new, Hook.FORWARD) is expected


def test_who_leads_nothing_through_forwards_nothing() -> None:
    established = "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT"
    closed = saved(established).replace(":FORWARD ACCEPT", ":FORWARD DROP")
    assert not leads_someone_through(hooks_of(closed))
    assert leads_someone_through(hooks_of(saved(established)))
    one = closed.replace(established, f"{established}\n-A FORWARD -i eth1 -j ACCEPT")
    assert leads_someone_through(hooks_of(one))


@pytest.mark.parametrize(("interface", "off"), [("lo", True), ("eth0", False)])
def test_a_version_is_switched_off_where_only_lo_is_accepted(interface: str, off: bool) -> None:
    text = saved(f"-A INPUT -i {interface} -j ACCEPT", policy="DROP").replace(
        ":OUTPUT ACCEPT", ":OUTPUT DROP"
    )
    assert is_switched_off(hooks_of(text, Family.IP6)) is off
