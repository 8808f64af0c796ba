"""Which rules concern a group of packets is asked where many groups come to many rules."""

from __future__ import annotations

from iptlint.netfilter.meetings import Meetings
from iptlint.netfilter.packet_group import PacketGroup, PacketGroups
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets.rewrite import Rewrite
from tests.firewalls import firewall_of, packets, saved


def hosts(count: int) -> str:
    return saved(*(f"-A INPUT -s 192.0.2.{number} -j DROP" for number in range(count)))


def test_each_rule_is_asked_of_a_few_groups_and_those_concerned_of_many() -> None:
    firewall = firewall_of(hosts(100))
    space, (table,) = firewall.space, firewall.ruleset.tables
    group = PacketGroup(Rewrite(space, {}), packets(space, saddr="192.0.2.7"))
    meetings = Meetings(firewall, Unknowns(space))
    asked = [meetings.concerning(table.chains["INPUT"], PacketGroups([group])) for _ in range(100)]
    assert asked[:99] == [None] * 99
    last = asked[99]
    assert last is not None
    assert [*last(group.packets)] == [7]


def test_of_a_few_rules_each_is_asked() -> None:
    firewall = firewall_of(hosts(10))
    space, (table,) = firewall.space, firewall.ruleset.tables
    group = PacketGroup(Rewrite(space, {}), packets(space, saddr="192.0.2.7"))
    meetings = Meetings(firewall, Unknowns(space))
    groups = PacketGroups([group])
    assert all(meetings.concerning(table.chains["INPUT"], groups) is None for _ in range(2000))
