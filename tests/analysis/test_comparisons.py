"""How many rules a packet is compared with."""

from __future__ import annotations

from iptlint.analysis.comparisons import compared, compared_in, on_one_way
from iptlint.model import Field, Hook
from tests.firewalls import hooks_of, packets, saved

CALLED_TWICE = saved(
    "-A INPUT -j web",
    "-A INPUT -p udp -j DROP",
    "-A INPUT -j web",
    "-A INPUT -j DROP",
    "-A INPUT -j ACCEPT",
    "-A web -s 192.0.2.1 -j DROP",
    "-A web -s 192.0.2.2 -j DROP",
    chains="web",
)


def test_a_chain_that_is_called_twice_counts_twice() -> None:
    hooks = hooks_of(CALLED_TWICE)
    packet = packets(hooks.space, proto="tcp", saddr="198.51.100.7")
    packet = packet & hooks.hook_packets(Hook.INPUT)
    way = {s.chain.name: (s.times, len(s.rules)) for s in compared(hooks, Hook.INPUT, packet)}
    assert way == {"INPUT": (1, 4), "web": (2, 2)}


def test_behind_the_chain_that_drops_it_a_packet_is_compared_with_nothing() -> None:
    dropped = saved("-A INPUT -s 198.51.100.0/24 -j DROP", table="mangle")
    hooks = hooks_of(dropped + saved("-A INPUT -p tcp -j ACCEPT"))
    packet = packets(hooks.space, proto="tcp", saddr="198.51.100.7")
    packet = packet & hooks.hook_packets(Hook.INPUT)
    assert [s.analysis.table.name for s in compared(hooks, Hook.INPUT, packet)] == ["mangle"]
    main = hooks.deciding_chain(Hook.INPUT)
    assert main is not None
    (filtering,) = compared_in(main.analysis, main.chain, packet)
    assert len(filtering.rules) == 1


def test_of_all_ways_the_one_by_an_interface_that_no_rule_names() -> None:
    hooks = hooks_of(saved("-A INPUT -i eth0 -j ACCEPT"))
    named = hooks.space.interface(Field.IIF, "eth0")
    one = on_one_way(hooks, hooks.hook_packets(Hook.INPUT))
    assert one.satisfiable()
    assert not (one & named).satisfiable()
