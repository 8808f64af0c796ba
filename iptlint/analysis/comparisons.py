"""The rules that one packet is compared with on its way through a hook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptlint.model import Chain, Field, Hook, Rule
from iptlint.netfilter.firewall import Hooks
from iptlint.netfilter.table_analysis import TableAnalysis

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


@dataclass(frozen=True, slots=True)
class Stretch:
    """A chain on the way, entered so many ``times``. ``rules``: those that the packet is compared
    with each time."""

    analysis: TableAnalysis
    chain: Chain
    times: int
    rules: tuple[Rule, ...]


def compared(hooks: Hooks, hook: Hook, packet: PacketSet) -> Iterator[Stretch]:
    """Through all base chains of the hook, up to the one that drops the packet."""
    for base_chain in hooks.base_chains(hook):
        if (packet & base_chain.seen).satisfiable():
            yield from compared_in(base_chain.analysis, base_chain.chain, packet)
            if not base_chain.surviving(packet).satisfiable():
                return


def compared_in(analysis: TableAnalysis, base: Chain, packet: PacketSet) -> Iterator[Stretch]:
    """In one base chain and those that it calls. Callers come before what they call, so how often a
    chain is entered is known there."""
    times = Counter({base.name: 1})
    for name in analysis.calls.callers_first(base.name):
        if not times[name]:
            continue
        flow = analysis.flows[name]
        rules = flow.chain.rules[: flow.blocked_at(packet) + 1]
        yield Stretch(analysis, flow.chain, times[name], tuple(rules))
        for number, rule in enumerate(rules):
            called = rule.verdict.chain
            if called in analysis.flows and (packet & flow.tests[number].may).satisfiable():
                times[called] += times[name]


def on_one_way(hooks: Hooks, packets: PacketSet) -> PacketSet:
    """The packets on one interface, or from one to one: an unnamed one where they may be."""
    for field in (Field.IIF, Field.OIF):
        for number in range(hooks.space.interfaces.count - 1, -1, -1):
            narrowed = packets & hooks.space.value(field, number)
            if narrowed.satisfiable():
                packets = narrowed
                break
    return packets
