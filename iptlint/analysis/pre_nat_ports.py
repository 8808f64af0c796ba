"""Rules that test the port which packets had before a translation gave them another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.default_verdict import outside
from iptlint.analysis.hook_verdicts import may_pass
from iptlint.analysis.nat import (
    DestinationNat,
    destination_nats,
    is_port_test,
    named_ports,
)
from iptlint.analysis.shadowing import later_copies, unmatched_rules
from iptlint.memo import memo
from iptlint.model import Chain, Field, Hook, Rule, VerdictKind, addresses
from iptlint.model.addresses import AddressKind
from iptlint.model.ownership import writer_of
from iptlint.netfilter.firewall import Hooks
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets.bdd import union

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet
    from iptlint.packets.space import Space

_HOOKS = (Hook.FORWARD, Hook.INPUT)


class Mistake(NamedTuple):
    """A rule at the hook that is for packets which other ports lead to. ``translations``: the rules
    that give the packets those. ``missed``: the packets, as they come to the hook."""

    hook: Hook
    analysis: TableAnalysis
    chain: Chain
    rule: Rule
    translations: tuple[DestinationNat, ...]
    missed: PacketSet


@memo
def mistaken(hooks: Hooks) -> tuple[Mistake, ...]:
    """Those of FORWARD, then those of INPUT."""
    return tuple(mistake for hook in _HOOKS for mistake in _at_hook(hooks, hook))


class _Moved:
    """What translations lead to a hook, ``by_port`` that the packets had."""

    def __init__(self, hooks: Hooks, hook: Hook) -> None:
        self.hooks = hooks
        self.hook = hook
        self.all = [t for t in destination_nats(hooks) if t.stays is (hook is Hook.INPUT)]
        self.by_port: dict[int, list[DestinationNat]] = defaultdict(list)
        for translation in self.all:
            if translation.port is not None:
                for port in translation.ports - {translation.port}:
                    self.by_port[port].append(translation)
        self._arriving: dict[DestinationNat, PacketSet] = {}

    def arriving(self, translation: DestinationNat) -> PacketSet:
        if translation not in self._arriving:
            packets = translation.arriving(self.hooks, self.hook)
            self._arriving[translation] = _marked(self.hooks.space, packets)
        return self._arriving[translation]

    def meet(self, rule: PacketSet) -> bool:
        return any((self.arriving(each) & rule).satisfiable() for each in self.all)


def _marked(space: Space, packets: PacketSet) -> PacketSet:
    """What is translated has the status of that: other packets to the same port have not."""
    if Field.CT_DNAT not in space.fields:
        return packets
    return space.forget(packets, (Field.CT_DNAT,)) & space.value(Field.CT_DNAT, 1)


def _at_hook(hooks: Hooks, hook: Hook) -> Iterator[Mistake]:
    moved = _Moved(hooks, hook)
    if not moved.by_port:
        return
    for base_chain in hooks.base_chains(hook):
        if base_chain.chain.type != "filter":
            continue
        analysis = base_chain.analysis
        for chain, rule in analysis.table.rules():
            ports = named_ports(rule)
            if ports and ports <= moved.by_port.keys() and _concerned(analysis, chain, rule, hook):
                yield from _mistake(hooks, hook, (analysis, chain, rule), moved)


def _concerned(analysis: TableAnalysis, chain: Chain, rule: Rule, hook: Hook) -> bool:
    kind = rule.verdict.kind
    answers = kind.decides or kind is VerdictKind.RETURN
    if not answers or analysis.calls.hooks_of(chain.name) != (hook,):
        return False
    if writer_of(analysis.table, chain.name, rule) is not None:
        return False
    return rule not in unmatched_rules(analysis) | later_copies(analysis)


def _mistake(
    hooks: Hooks, hook: Hook, place: tuple[TableAnalysis, Chain, Rule], moved: _Moved
) -> Iterator[Mistake]:
    analysis, chain, rule = place
    but_for_port = _but_for_port(analysis, chain, rule) & outside(hooks.space) & ~_forged(hooks)
    hits = [
        (translation, packets)
        for port in named_ports(rule)
        for translation in moved.by_port[port]
        if not translation.is_dead
        if (packets := moved.arriving(translation) & but_for_port).satisfiable()
    ]
    passing = [may_pass(hooks, hook, packets) for _, packets in hits]
    accepted = [packets.satisfiable() for packets in passing]
    denies = rule.verdict.kind.denies
    # An accept is missed where the packets die, a drop where they live.
    missed_by_it = hits and all(alive is denies for alive in accepted)
    if missed_by_it and not moved.meet(analysis.intended(rule)):
        missed = hooks.space.false
        for (_, packets), alive in zip(hits, passing, strict=True):
            missed = missed | (alive if denies else packets)
        yield Mistake(hook, analysis, chain, rule, tuple(t for t, _ in hits), missed)


@memo
def _forged(hooks: Hooks) -> PacketSet:
    """The packets that say that they come from a private network, and come from the world, by an
    interface that a script calls so: nobody sends them."""
    space, saddr = hooks.space, hooks.family.saddr
    names = [name for name, faces in hooks.facing.items() if faces]
    coming = union([space.interface(Field.IIF, name) for name in names], space.false)
    return coming & space.ranges(saddr, addresses.ranges(hooks.family, AddressKind.PRIVATE))


def _but_for_port(analysis: TableAnalysis, chain: Chain, rule: Rule) -> PacketSet:
    """The packets that come to the rule and would match it if it took any port."""
    others = (match for match in rule.matches if not is_port_test(match))
    tests = analysis.matcher_of(chain.name).all_of(others, analysis.space.universe)
    _, index = analysis.place(rule)
    arriving = analysis.flows[chain.name].arriving_at(index, tests.may)
    return arriving & analysis.entries[chain.name].reachable
