"""What rules ask of connections."""

from __future__ import annotations

import random

import pytest

from iptlint.analysis.connections import (
    any_port,
    decides_by_connections,
    few_ports,
    from_world,
    may_favour,
    most,
)
from iptlint.analysis.hook_verdicts import may_pass
from iptlint.model import Family, Field, Hook
from tests.firewalls import hooked, hooks_of, packets, saved


@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
def test_packets_from_the_world(family: Family) -> None:
    hooks = hooks_of(hooked("tcp dport 22 accept", "drop"), family)
    asked = from_world(hooks, Hook.INPUT, "new", "syn")
    assert len(asked) == 5
    for one in asked:
        assert one.satisfiable()
        assert not (one & packets(hooks.space, family.value, iif="lo")).satisfiable()
        assert not (one & packets(hooks.space, family.value, ct_state="established")).satisfiable()


def test_what_most_of_them_get() -> None:
    hooks = hooks_of(saved("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"))
    asked = from_world(hooks, Hook.INPUT, "new", "syn")
    ssh = packets(hooks.space, proto="tcp", dport=22)
    everyone = asked[0] | asked[1] | asked[2]
    assert most(hooks.space, asked, ssh & everyone, Field.DPORT) == hooks.space.value(
        Field.DPORT, 22
    )
    assert not most(hooks.space, asked, ssh & asked[0], Field.DPORT).satisfiable()


def test_any_port_is_each_of_those_that_are_nobodys() -> None:
    space = hooks_of(saved()).space
    inwards, tcp = packets(space, iif="eth0"), packets(space, proto="tcp", iif="eth0")
    assert any_port(space, inwards, Field.PROTO).satisfiable()
    high = tcp & space.ranges(Field.DPORT, ((1024, 65535),))
    assert not any_port(space, high, Field.PROTO).satisfiable()


def test_a_few_ports_are_told_and_many_are_not() -> None:
    space = hooks_of(saved()).space
    three = space.ranges(Field.DPORT, ((443, 443), (22, 22), (80, 80)))
    assert few_ports(space, three, Field.DPORT) == [22, 80, 443]
    assert few_ports(space, three, Field.DPORT, limit=2) == []


@pytest.mark.parametrize(
    ("rule", "decides"),
    [("-m conntrack --ctstate NEW -j ACCEPT", True), ("-p tcp -j ACCEPT", False)],
)
def test_whether_rules_decide_by_connections(rule: str, *, decides: bool) -> None:
    assert decides_by_connections(hooks_of(saved(f"-A INPUT {rule}"))) is decides


def test_the_world_calls_public_addresses_of_a_host_and_any_behind_it() -> None:
    hooks = hooks_of(saved())
    private = packets(hooks.space, daddr="10.0.0.1")
    for hook, called in ((Hook.INPUT, False), (Hook.FORWARD, True)):
        asked = from_world(hooks, hook, "new", "syn")
        assert any((one & private).satisfiable() for one in asked) is called


@pytest.mark.parametrize(
    ("rule", "favours"),
    [
        ("--ctstate ESTABLISHED,RELATED -j ACCEPT", False),
        ("--ctstate NEW -j ACCEPT", False),
        ("--ctstate INVALID -j DROP", False),
        ("--ctstate NEW,INVALID -j ACCEPT", False),
        ("--ctstate NEW -j LOG", False),
        ("--ctstate INVALID -j ACCEPT", True),
        ("! --ctstate NEW -j ACCEPT", True),
        ("--ctstate NEW -j DROP", True),
        ("--ctstate NEW -j OTHER", True),
        ("--ctdir ORIGINAL -j ACCEPT", True),
        ("--ctstate NEW -j MARK --set-mark 1", True),
    ],
)
def test_whether_a_rule_may_let_a_stray_through_and_no_new_one(rule: str, *, favours: bool) -> None:
    text = saved("-A INPUT -m conntrack " + rule, "-A OTHER -j DROP", chains="OTHER")
    assert may_favour(hooks_of(text), Hook.INPUT, "invalid", "new") is favours


def test_the_mark_of_a_connection_may_favour_a_stray() -> None:
    """It has none to be restored, and keeps the mark that it has."""
    rules = ("-A INPUT -j MARK --set-mark 1", "-A INPUT -j CONNMARK --restore-mark")
    hooks = hooks_of(saved(*rules, "-A INPUT -m mark --mark 1 -j ACCEPT", table="mangle"))
    assert may_favour(hooks, Hook.INPUT, "invalid", "new")


def test_where_strays_are_not_favoured_what_passes_would_pass_when_new() -> None:
    draw = random.Random(5121)
    favoured, not_favoured = 0, 0
    for _ in range(160):
        hooks = hooks_of(saved(*_rules_of_states(draw), chains="A B"))
        space = hooks.space
        stray, new = space.state("invalid"), space.state("new")
        plain = space.value(Field.TCP_FLAGS, 2) & space.value(Field.CT_DIRECTION, 0)
        for field in (Field.CT_SNAT, Field.CT_DNAT, Field.CT_MARK):
            plain &= space.value(field, 0)
        plain &= hooks.hook_packets(Hook.INPUT)
        passing = space.forget(may_pass(hooks, Hook.INPUT, plain & stray), (Field.CT_STATE,))
        surplus = passing & plain & new & ~may_pass(hooks, Hook.INPUT, plain & new)
        if not may_favour(hooks, Hook.INPUT, "invalid", "new"):
            assert not surplus.satisfiable()
            not_favoured += 1
        favoured += surplus.satisfiable()
    assert favoured > 15
    assert not_favoured > 40


def _rules_of_states(draw: random.Random) -> list[str]:
    tests = ("", "-p tcp --dport 22 ", "-p tcp ", "-i eth0 ", "-m limit --limit 1/s ")
    states = ("NEW", "INVALID", "ESTABLISHED,RELATED", "NEW,ESTABLISHED", "INVALID,NEW")
    targets = ("ACCEPT", "ACCEPT", "DROP", "LOG", "RETURN", "A", "B")
    rules = []
    for chain in ("INPUT", "INPUT", "INPUT", "A", "A", "B"):
        state = f"-m conntrack --ctstate {draw.choice(states)} " * (draw.random() < 0.5)
        later = [target for target in targets if target not in ("A", "B") or chain < target]
        target = draw.choice(targets if chain == "INPUT" else later)
        rules.append(f"-A {chain} {draw.choice(tests)}{state}-j {target}")
    return rules
