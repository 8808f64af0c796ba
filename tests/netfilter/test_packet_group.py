"""Packets that were changed alike go on together."""

from __future__ import annotations

from dataclasses import replace

import pytest

import iptlint
from iptlint.model import Field
from iptlint.netfilter.packet_group import Decision, PacketGroup, PacketGroups
from iptlint.packets.rewrite import Rewrite
from iptlint.packets.space import Space
from tests.firewalls import saved


@pytest.fixture(scope="module")
def space() -> Space:
    return Space(("ip",), (), defragmented=True)


def decisions() -> list[Decision]:
    """Those of two rules, and of the policy."""
    ruleset = iptlint.read(saved("-A INPUT -p tcp -j DROP", "-A INPUT -j ACCEPT"))
    (table,) = ruleset.tables
    chain = table.chains["INPUT"]
    return [Decision(ruleset, table, chain, rule) for rule in (*chain.rules, None)]


def test_what_differs_in_nothing_but_its_packets_is_one_group(space: Space) -> None:
    ports = [space.value(Field.DPORT, port) for port in (22, 80)]
    unchanged = Rewrite(space, {})
    (group,) = PacketGroups(PacketGroup(unchanged, port) for port in ports)
    assert group.packets == ports[0] | ports[1]


def test_another_change_side_or_decision_makes_another_group(space: Space) -> None:
    packets, unchanged = space.value(Field.DPORT, 22), Rewrite(space, {})
    one, other, _ = decisions()
    groups = PacketGroups(
        [
            PacketGroup(unchanged, packets),
            PacketGroup(unchanged.constant(Field.MARK, 1), packets),
            PacketGroup(unchanged, packets, frozenset({True})),
            PacketGroup(unchanged, packets, decision=one),
            PacketGroup(unchanged, packets, decision=other),
            PacketGroup(unchanged, packets, queued=one),
        ]
    )
    assert len([*groups]) == 6


def test_a_change_that_was_undone_makes_none(space: Space) -> None:
    packets, unchanged = space.value(Field.DPORT, 22), Rewrite(space, {})
    undone = unchanged.written(Field.MARK, 0, 1).written(Field.MARK, 0, 1)
    assert (
        len([*PacketGroups([PacketGroup(unchanged, packets), PacketGroup(undone, packets)])]) == 1
    )


def test_the_same_with_other_packets(space: Space) -> None:
    """Whatever a group may be, nothing else of it is another."""
    packets, unchanged = space.value(Field.DPORT, 22), Rewrite(space, {})
    one, other, _ = decisions()
    out = ((1, packets),)
    group = PacketGroup(
        unchanged, packets, frozenset({True}), True, out, True, 7, True, one, queued=other
    )
    changed = group.having(space.true)
    assert changed == replace(group, packets=space.true)
    assert changed.having(packets) == group


def test_without_packets_there_is_no_group(space: Space) -> None:
    assert [*PacketGroups([PacketGroup(Rewrite(space, {}), space.false)])] == []


def test_where_a_decision_stands() -> None:
    texts = [decision.span.text for decision in decisions()]
    assert texts == ["-A INPUT -p tcp -j DROP", "-A INPUT -j ACCEPT", ":INPUT ACCEPT [0:0]"]
