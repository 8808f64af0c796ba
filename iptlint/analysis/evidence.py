"""Packets that show a claim about a rule: such as come to it, past all that stands before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from iptlint.analysis.default_verdict import ODD_PORTS, likened
from iptlint.analysis.delivery import by_rule
from iptlint.analysis.shares import Share
from iptlint.memo import memo
from iptlint.model import Chain, Family, Field, Hook, Rule, VerdictKind
from iptlint.model.addresses import AddressKind
from iptlint.model.writes import Writes
from iptlint.netfilter.firewall import Firewall, Hooks
from iptlint.netfilter.packet_group import Visit
from iptlint.netfilter.routes import ROUTES
from iptlint.netfilter.traversal import Traversal
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets.bdd import union
from iptlint.packets.match import Matcher
from iptlint.packets.packet import Packet
from iptlint.packets.witness import leads_out, plainest, witness, witness_of_part

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis
    from iptlint.packets.bdd import PacketSet
    from iptlint.packets.space import Space


def shown_by(
    analysis: TableAnalysis, chain: str, rules: Sequence[Rule], packets: PacketSet
) -> Packet | None:
    """One of the packets, at the first hook that leads to the chain and can send one, which one of
    the rules takes; None where they take none of these."""
    bases = analysis.calls.bases_of(chain)
    each = (_plainest_taken(analysis, base, rules, packets) for base in bases)
    return next((packet for packet in each if packet is not None), None)


def shown_for(hooks: Hooks, hook: Hook, share: Share) -> Packet | None:
    """One of the packets of a share, or one like these with addresses that are nobody's; None where
    none of them gets so far."""
    return decided_by(hooks, hook, share.rule or share.chain, share.packets)


def shown_from_world(hooks: Hooks, hook: Hook, share: Share) -> Packet | None:
    """The same; to this host by an interface that rules name and that is called as those are behind
    which the world is, where that fares alike."""
    space = hooks.space
    named = (
        space.value(Field.IIF, number)
        for number, cls in enumerate(space.interfaces.classes, start=1)
        if hooks.facing.get(cls.name, leads_out(cls.name))
    )
    moved = space.forget(share.packets, (Field.IIF,)) & union([*named], space.false)
    decider = share.rule or share.chain
    incoming = hook is Hook.INPUT and moved.satisfiable()
    packet = decided_by(hooks, hook, decider, moved) if incoming else None
    return packet or shown_for(hooks, hook, share)


def decided_by(
    hooks: Hooks, hook: Hook, decider: Rule | Chain, packets: PacketSet
) -> Packet | None:
    """The same of packets that a rule, or the policy of a chain, decides."""
    space = hooks.space
    own = packets & hooks.hook_packets(hook)
    alike = likened(hooks, own)
    if alike != own:
        few = plainest(space, alike, hook).pick_cube_dd()
        served = _to_a_service(space, alike)
        for tried in (*served, few, alike, likened(hooks, own, AddressKind.PRIVATE)):
            packet = witness(space, _decided(hooks, hook, decider, tried), hook)
            if packet is not None:
                return packet
    if alike != own or not hooks.decides_alone(hook):
        own = _decided(hooks, hook, decider, own)
    return witness(space, own, hook)


_SERVICES = (3306, 80, 8080)
"""Ports that people know, the one first that an open host suffers from most."""


def _to_a_service(space: Space, packets: PacketSet) -> Iterator[PacketSet]:
    """The packets, where all are to ports of nobody, to ports that people know."""
    if not (packets & ~space.ranges(Field.DPORT, tuple((p, p) for p in ODD_PORTS))).satisfiable():
        anywhere = space.forget(packets, (Field.DPORT,))
        yield from (anywhere & space.value(Field.DPORT, port) for port in _SERVICES)


def _decided(hooks: Hooks, hook: Hook, decider: Rule | Chain, packets: PacketSet) -> PacketSet:
    """Those of the packets that come to the rule and match, or to the policy of the chain."""
    unknowns, met = Unknowns(hooks.space), [hooks.space.false]

    def on_visit(rule: Rule, visit: Visit) -> None:
        if rule is decider:
            met.append(visit.taken)

    idle = isinstance(decider, Rule) and decider.verdict.kind is VerdictKind.CONTINUE
    skims = not idle and (isinstance(decider, Chain) or decider.read)
    traversal = by_rule(hooks, unknowns, on_visit, skims=skims)
    for route, setting_out in _routes(hooks.space, hook, packets):
        for outcome in traversal.follow(ROUTES.get(hook, route), setting_out):
            decision = outcome.decision
            if decision is not None and decision.rule is None and decision.chain is decider:
                met.append(outcome.packets)
    return union(met, hooks.space.false).exists(unknowns.cube)


@memo
def _as_written(analysis: TableAnalysis, rule: Rule) -> PacketSet:
    """The packets that pass the tests of the rule as they come, whatever is changed on the way."""
    return Matcher(analysis.space, Writes()).rule(rule).may


def meant_for(
    analysis: TableAnalysis, base: Chain, rule: Rule, takers: Sequence[Rule], packets: PacketSet
) -> Packet | None:
    """One of the packets that the rule is for, such as one of the takers takes on the way through
    the base chain, and nothing has to change for that where there is one; None where there is
    none."""
    plain = _plainest_taken(analysis, base, takers, packets & _as_written(analysis, rule))
    return plain or _plainest_taken(analysis, base, takers, packets)


def _plainest_taken(
    analysis: TableAnalysis, base: Chain, rules: Sequence[Rule], packets: PacketSet
) -> Packet | None:
    """The plainest of those of the packets that are ``taken``. Mostly it is one of the plainest of
    all: of few packets who takes them is told sooner."""
    space, hook = analysis.space, base.hook
    if not _is_plain(analysis, base):
        return witness(space, taken(analysis, base, rules, packets), hook)
    meant = packets & analysis.base_packets(base)
    return witness_of_part(space, meant, lambda few: taken(analysis, base, rules, few), hook)


def taken(
    analysis: TableAnalysis, base: Chain, rules: Sequence[Rule], packets: PacketSet
) -> PacketSet:
    """Some of the packets, as they come, that one of the rules takes on the way through the base
    chain; empty where there is none. What is left open may be so."""
    packets = packets & analysis.base_packets(base)
    likely = union(
        [_matched(analysis, base, rule, packets) for rule in rules], analysis.space.false
    )
    if not likely.satisfiable() or _is_plain(analysis, base):
        return likely
    return _way(analysis, base).taken(rules, packets, likely)


def _matched(analysis: TableAnalysis, base: Chain, rule: Rule, packets: PacketSet) -> PacketSet:
    """Those of the packets that the rule may take; it may be one of an earlier base chain."""
    others = (earlier.analysis for earlier in analysis.before(base))
    owner = next((each for each in (analysis, *others) if rule in each.places), None)
    return owner.matched(rule, packets) if owner else analysis.space.false


@memo
def _is_plain(analysis: TableAnalysis, base: Chain) -> bool:
    """Whether nothing on the way to the hook drops or changes packets, nor at the hook changes any:
    then who may match a rule may come to it."""
    assert base.hook is not None
    routes = _routes(analysis.space, base.hook, analysis.space.true)
    return not any(
        base_chain.rewrites or (at is not base.hook and base_chain.may_drop.satisfiable())
        for family in analysis.table.family.packets
        if family in ("ip", "ip6")
        for route, _ in routes
        for at in route
        for base_chain in _firewall(analysis).base_chains(Family(family), at)
        if not base_chain.is_open
    )


def _routes(
    space: Space, hook: Hook, packets: PacketSet
) -> tuple[tuple[tuple[Hook, ...], PacketSet], ...]:
    """The hooks up to this one, and those of the packets that come by them: what passes through
    the host, and what it sends."""
    routes = [route[: route.index(hook) + 1] for route in ROUTES.values() if hook in route]
    if hook is not Hook.POSTROUTING:
        return ((routes[0] if routes else (hook,), packets),)
    inside = packets & space.no_interface(Field.IIF)
    return tuple(
        (route, inside if route[0] is Hook.OUTPUT else packets & ~inside) for route in routes
    )


@memo
def _firewall(analysis: TableAnalysis) -> Firewall:
    """All tables of the ruleset, over the same space."""
    return Firewall(analysis.ruleset, analysis.space)


_FEW = 8


class _Way:
    """The way through a base chain, with all that is changed on it. For a few questions the packets
    in question are followed; who asks more often has all packets followed, once."""

    def __init__(self, analysis: TableAnalysis, base: Chain) -> None:
        self.analysis = analysis
        self.base = base
        self.questions = 0

    def taken(self, rules: Sequence[Rule], packets: PacketSet, likely: PacketSet) -> PacketSet:
        """Some of the packets that one of the rules takes; ``likely``: those that it may be."""
        self.questions += 1
        if self.questions > _FEW:
            return packets & self._union(self._everything, rules)
        one = plainest(self.analysis.space, likely, self.base.hook).pick_cube_dd()
        for tried in (one, packets):
            met = self._union(self._followed(tried), rules)
            if met.satisfiable():
                return met
        return self.analysis.space.false

    @cached_property
    def _everything(self) -> dict[Rule, PacketSet]:
        return self._followed(self.analysis.base_packets(self.base))

    def _union(self, taken: dict[Rule, PacketSet], rules: Sequence[Rule]) -> PacketSet:
        nothing = self.analysis.space.false
        return union([taken.get(rule, nothing) for rule in rules], nothing)

    def _followed(self, packets: PacketSet) -> dict[Rule, PacketSet]:
        """What each rule takes of the packets."""
        assert self.base.hook is not None
        space = self.analysis.space
        unknowns = Unknowns(space)
        taken: dict[Rule, PacketSet] = {}

        def on_visit(rule: Rule, visit: Visit) -> None:
            taken[rule] = taken.get(rule, space.false) | visit.taken

        firewall = _firewall(self.analysis)
        for family in _families(self.analysis):
            routing = Hooks(firewall, family).on_likely_host(unknowns)
            traversal = Traversal(firewall, family, unknowns, routing=routing, on_visit=on_visit)
            own = packets & space.family(family.value)
            for route, setting_out in _routes(space, self.base.hook, own):
                traversal.follow(route, setting_out)
        cube = unknowns.cube
        return {rule: each.exists(cube) for rule, each in taken.items()}


@memo
def _way(analysis: TableAnalysis, base: Chain) -> _Way:
    return _Way(analysis, base)


def _families(analysis: TableAnalysis) -> Iterator[Family]:
    seen = set(analysis.table.family.packets) & set(analysis.space.families)
    return (family for family in (Family.IP, Family.IP6) if family.value in seen)
