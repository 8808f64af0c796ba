"""What rules ask of connections."""

from __future__ import annotations

import pytest

from iptlint.analysis.connections import (
    any_port,
    decides_by_connections,
    few_ports,
    from_world,
    most,
)
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
