"""What comes through to the ports that docker publishes, asked of all at once."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from iptlint.analysis.default_verdict import probes
from iptlint.analysis.hook_verdicts import may_be_dropped, surely_accepted
from iptlint.analysis.nat import DestinationNat, destination_nats
from iptlint.analysis.published_ports import interfaces_coming, interfaces_through, sent_on
from iptlint.model import Field, Hook, Interface
from iptlint.model.matches import AddressType
from iptlint.model.protocols import TCP
from iptlint.model.writes import writes_of
from iptlint.packets.ordinary import typically_holds
from iptlint.packets.original import knowing_original
from tests.firewalls import hooks_of, saved

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

DOCKER = (
    "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
    "-A DOCKER -i docker0 -j RETURN",
)


def host(seed: int) -> str:
    """A few containers, and rules of all sorts before and behind docker's."""
    draw = random.Random(seed)
    early = ("-A PREROUTING -s 61.0.0.0/8 -j ACCEPT", "-A DOCKER -i eth1 -j RETURN")
    nat = [*DOCKER, *draw.sample(early, draw.randrange(3))]
    forward = [f"-A FORWARD {_denied(draw)} -j DROP" for _ in range(draw.randrange(3))]
    forward.append("-A FORWARD -o docker0 -j DOCKER")
    for number in range(draw.randrange(1, 9)):
        port, address = draw.choice((8000, 8001, 8000 + number)), f"172.17.0.{number + 2}"
        ports = draw.choice((f"--dport {port}", f"-m multiport --dports {port},9{number:03}"))
        to = draw.choice(("", "", "-d 198.51.100.7", "-s 23.77.0.0/16", "-m limit --limit 1/s"))
        bridge = draw.choice(("! -i docker0", "! -i docker0", ""))
        sent = draw.choice((f"{address}:80", address))
        nat.append(f"-A DOCKER {bridge} {to} -p tcp -m tcp {ports} -j DNAT --to-destination {sent}")
        if draw.random() < 0.8:
            tests = draw.choice(("", "! -s 88.0.0.0/8", "-i eth0", "-p tcp --dport 80"))
            forward.append(f"-A DOCKER -d {address}/32 -o docker0 {tests} -j ACCEPT")
    marks = saved("-A PREROUTING -i eth1 -j MARK --set-mark 1", table="mangle") * draw.randrange(2)
    return marks + saved(*nat, table="nat", chains="DOCKER") + saved(*forward, chains="DOCKER")


def _denied(draw: random.Random) -> str:
    return draw.choice(
        ("-s 61.0.0.0/8", "-i eth1", "-p tcp --dport 80 -i eth0", "-m mark --mark 1")
    )


def as_defined(
    hooks: Hooks, translation: DestinationNat, port: int, caller: PacketSet
) -> tuple[PacketSet, PacketSet]:
    """The caller's packets to the port that come to the rule for certain, and the same as they
    come to FORWARD: one rule, one port, one caller."""
    space, rule = hooks.space, translation.rule
    packets = knowing_original(space, caller & hooks.hook_packets(Hook.PREROUTING))
    packets = packets & ~may_be_dropped(hooks, Hook.PREROUTING, packets)
    coming = translation.analysis.matched(rule, packets) & translation.analysis.tests(rule).sure
    coming = coming & space.value(Field.DPORT, port)
    changed = writes_of(each for table in hooks.tables() for _, each in table.rules()).fields
    gone = {effect.field for effect in rule.effects if effect.field in space.fields}
    gone |= {Field.OIF, *({Field.MARK, Field.CT_MARK} & changed)}
    arriving = space.forget(coming, (field for field in gone if field is not None))
    for effect in rule.effects:
        if effect.field in space.fields and effect.value is not None:
            arriving = arriving & space.value(effect.field, effect.value)
    if any(isinstance(match, Interface) and match.negated for match in rule.matches):
        arriving = arriving & space.interface(Field.OIF, "docker0")
    for test, variable in space.opaques.items():
        if isinstance(test.asks, AddressType):
            holds = typically_holds(test, Hook.FORWARD)
            arriving = arriving.exists(variable) & (variable if holds else ~variable)
    return coming, arriving


@pytest.mark.parametrize("seed", range(40))
def test_all_at_once_are_as_one_by_one(seed: int) -> None:
    hooks = hooks_of(host(seed))
    space = hooks.space
    free = (Field.IIF, Field.OIF, Field.DPORT, Field.DADDR)
    everyone = [*probes(hooks, Hook.INPUT, "new", "syn", free=free, values={Field.PROTO: TCP})]
    callers = everyone[:3]
    published = [each for each in destination_nats(hooks) if each.ports]
    sent = [*sent_on(hooks, published, callers)]
    asked = [(t, port) for t in published for port in sorted(t.ports)]
    assert [(each.translation, each.port) for each in sent] == asked
    for each in sent:
        expected = [as_defined(hooks, each.translation, each.port, caller) for caller in callers]
        assert each.packets == expected[0][0]
        through = [surely_accepted(hooks, Hook.FORWARD, arriving) for _, arriving in expected]
        assert [each.through(hooks, number) for number in range(3)] == through
        by = [space.project(coming, Field.IIF) for coming, _ in expected]
        assert interfaces_coming(hooks, each.alike) == by
        by = [space.project(packets, Field.IIF) for packets in through]
        assert interfaces_through(hooks, each.alike) == by


def test_ports_that_fare_alike_are_known_to() -> None:
    rules = (f"-A DOCKER -p tcp --dport {8000 + n} -j DNAT --to 172.17.0.2:80" for n in range(9))
    hooks = hooks_of(saved(*DOCKER, *rules, table="nat", chains="DOCKER"))
    free = (Field.IIF, Field.OIF, Field.DPORT, Field.DADDR)
    callers = [*probes(hooks, Hook.INPUT, "new", "syn", free=free)]
    assert len({each.alike for each in sent_on(hooks, destination_nats(hooks), callers)}) == 1
