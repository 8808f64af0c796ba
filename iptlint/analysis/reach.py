"""For every rule: can a packet get here and match, and if not, why not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

from iptlint.analysis.blockers import blockers
from iptlint.analysis.later_fragments import BUT_FOR_FRAGMENTS, may_be_misread
from iptlint.analysis.martians import dropped_anyway
from iptlint.analysis.reach_bounds import Bounds
from iptlint.memo import memo
from iptlint.model import Chain, Family, Field, Hook, Rule, Ruleset, Table, VerdictKind
from iptlint.model.host_addresses import HostAddresses, shown_by
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.packet_group import Outcome, Visit
from iptlint.netfilter.routes import INTERFACES_AT, WAYS
from iptlint.netfilter.routing import OpenRouting
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.netfilter.traversal import Traversal, setting_out
from iptlint.netfilter.unknowns import OF_HOST, Unknowns
from iptlint.packets.bdd import union
from iptlint.packets.packet import Packet
from iptlint.packets.query import packets_like
from iptlint.packets.space import Space
from iptlint.packets.witness import witness
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


class Status(Enum):
    REACHABLE = "reachable"
    CONDITIONAL = "conditional"
    DEAD = "dead"


class Reason(Enum):
    """Why a rule is dead."""

    CONTRADICTION = "its own tests exclude each other"
    NEVER_CALLED = "chain is never called"
    NOT_SENT = "no packet that is sent to this chain can match"
    TAKEN = "earlier rules take every packet it could match"
    CHANGED = "no packet is such any more when it comes here"


@dataclass(frozen=True, slots=True)
class RuleReach:
    """The answer for one rule as it is written; of one that has parts, ``rule`` is the first of
    those that fare best. ``taken_by`` only where the reason is TAKEN. ``unless``: by what accident
    of the kernel a dead one may match all the same, or why one that lives has nothing to do."""

    table: Table
    chain: Chain
    rule: Rule
    status: Status
    reason: Reason | None = None
    taken_by: tuple[Rule, ...] = ()
    witness: Packet | None = None
    unless: str | None = None

    @property
    def line(self) -> int:
        return self.span.line

    @property
    def span(self) -> Span:
        return self.rule.statement.span


@dataclass(frozen=True, slots=True)
class Matched:
    """The packets that come to a rule at a hook and match. ``surely``: those that come whatever is
    left open on the way, and match if the rule's own open tests let them; ``perhaps``: all that
    may."""

    hook: Hook
    surely: PacketSet
    perhaps: PacketSet


_RANKS: dict[tuple[Status, Reason | None], int] = {
    (Status.REACHABLE, None): 0,
    (Status.CONDITIONAL, None): 1,
    (Status.DEAD, Reason.TAKEN): 2,
    (Status.DEAD, Reason.CHANGED): 2,
    (Status.DEAD, Reason.NOT_SENT): 3,
    (Status.DEAD, Reason.NEVER_CALLED): 4,
    (Status.DEAD, Reason.CONTRADICTION): 5,
}


def why_dead(analysis: TableAnalysis, rule: Rule) -> Reason | None:
    """None where some packet gets to the rule and matches."""
    return None if analysis.is_matched(rule) else why_unmatched(analysis, rule)


def why_unmatched(analysis: TableAnalysis, rule: Rule) -> Reason:
    """Why no packet gets to the rule and matches."""
    chain, number = analysis.place(rule)
    flow = analysis.flows[chain]
    if not flow.may_match(number, analysis.space.true):
        return Reason.CONTRADICTION
    if not analysis.calls.is_called(chain):
        return Reason.NEVER_CALLED
    if not flow.may_match(number, analysis.entries[chain].intended):
        return Reason.NOT_SENT
    return Reason.TAKEN


def reach(ruleset: Ruleset, addresses: HostAddresses | None = None) -> Iterator[RuleReach]:
    """Every rule of the ruleset, in the order of its tables and chains. ``addresses``: the
    host's; without them, what the rules show, and any others."""
    yield from Reach(ruleset, addresses).all()


class Reach:
    """Answers for the rules of one ruleset; ``addresses`` as above. ``firewall``: that of the
    ruleset, where somebody has it. ``bounds``: of one chain, or of some of its rules alone; then
    the answer is good for nothing else, and why one of them is dead it does not tell, where rules
    before the chain end the way of its packets."""

    def __init__(
        self,
        ruleset: Ruleset,
        addresses: HostAddresses | None = None,
        firewall: Firewall | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        self._firewall = firewall or Firewall(ruleset)
        self._census = _Census(self._firewall, addresses or shown_by(ruleset), bounds)

    @property
    def space(self) -> Space:
        return self._firewall.space

    def all(self) -> Iterator[RuleReach]:
        for analysis in self._firewall.by_decision().analyses():
            for chain, parts in analysis.table.statements():
                answer = self._of_parts(analysis, chain, parts)
                if answer is not None:
                    yield answer

    def of(self, table: Table, chain: Chain, parts: Sequence[Rule]) -> RuleReach | None:
        """For one statement, of all its parts; None where it could not be read."""
        return self._of_parts(self._firewall.by_decision().analysis(table), chain, parts)

    def _of_parts(
        self, analysis: TableAnalysis, chain: Chain, parts: Sequence[Rule]
    ) -> RuleReach | None:
        answers = [_reach(analysis, self._census, chain, rule) for rule in parts if rule.read]
        return _of_statement(answers) if answers else None

    def matched(self, rule: Rule) -> Iterator[Matched]:
        """What comes to the rule and matches, hook by hook, as it set out."""
        for visit in self._census.visits(rule):
            surely, perhaps = self._census.surely(visit), self._census.perhaps(visit)
            yield Matched(
                visit.hook,
                _at_hook(self.space, surely, visit.hook),
                _at_hook(self.space, perhaps, visit.hook),
            )

    def is_certain(self, table: Table, rule: Rule) -> bool:
        """Whether the packet alone decides if the rule takes it."""
        tests = self._firewall.by_decision().analysis(table).tests(rule)
        return tests.may == tests.sure


class _Census:
    """Which packets come to the rules of a stack, on all ways; of chains that may come in either
    order, in one or the other."""

    def __init__(
        self, firewall: Firewall, addresses: HostAddresses, bounds: Bounds | None = None
    ) -> None:
        self._bounds = bounds
        self.unknowns = Unknowns(firewall.space)
        self.addresses = addresses
        self._meetings: dict[Rule, dict[Hook, list[Visit]]] = {}
        self._ends: list[Outcome] = []
        for each in (firewall, *firewall.other_orders()):
            self._count(each)

    def _count(self, firewall: Firewall) -> None:
        for family, ways in WAYS.items():
            traversal = Traversal(
                firewall,
                family,
                self.unknowns,
                routing=self._routing(family),
                on_visit=self._add,
            )
            for hook, route in ways.items():
                base_chains = [base for at in route for base in firewall.base_chains(family, at)]
                if self._bounds is not None:
                    traversal.last = self._bounds.last(route)
                    base_chains = base_chains if traversal.last is not None else []
                if base_chains:
                    # Then what nobody interprets is named in the order of the packets' way.
                    for base_chain in base_chains:
                        firewall.analysis(base_chain.table)
                    start = setting_out(firewall.space, family, hook)
                    if self._bounds is not None:
                        start = start & self._bounds.packets()
                    self._ends += traversal.follow(route, start)

    def _routing(self, family: Family) -> OpenRouting | None:
        """What goes another way than it set out on is met there as setting out on that."""
        if family not in (Family.IP, Family.IP6):
            return None
        return OpenRouting(family, self.addresses, self.unknowns, stays=True)

    def _add(self, rule: Rule, visit: Visit) -> None:
        self._meetings.setdefault(rule, {}).setdefault(visit.hook, []).append(visit)

    @memo
    def visits(self, rule: Rule) -> Sequence[Visit]:
        """At each hook, the packets as they set out that come to the rule and match. Thousands of
        groups may come to one rule: they are joined all at once."""
        nothing, visits = self.unknowns.space.false, list[Visit]()
        for hook, each in self._meetings.get(rule, {}).items():
            taken = union([visit.taken for visit in each], nothing)
            if taken.satisfiable():
                matching = union([visit.matching for visit in each], nothing)
                visits.append(Visit(hook, matching, taken))
        return visits

    def surely(self, visit: Visit) -> PacketSet:
        """Those that come in any case, and match if the rule's own open tests let them."""
        unknowns = self.unknowns.cube
        return visit.matching.forall(unknowns) & visit.taken.exists(unknowns)

    def at_first(self, visit: Visit) -> PacketSet:
        """The same, without packets of connections that are translated already."""
        return self.surely(visit) & ~self._translated_before

    def on_some_host(self, visit: Visit) -> PacketSet:
        """The same of a host with such addresses that they come there."""
        matching = visit.matching.exists(self._of_host)
        return self.at_first(visit._replace(matching=matching))

    def assumed(self, visit: Visit, packet: Packet) -> Iterator[str]:
        """What has to be the host's, so that the packet comes there."""
        space = self.unknowns.space
        point = packets_like(space, replace(packet, conditions=())) & self.on_some_host(visit)
        for key, number in self.unknowns.variables.items():
            variable = space.manager.var(number)
            if key.kind == OF_HOST and not (point & visit.matching & ~variable).satisfiable():
                yield key.text

    @cached_property
    def _translated_before(self) -> PacketSet:
        space = self.unknowns.space
        return ~space.value(Field.CT_DNAT, 0) | ~space.value(Field.CT_SNAT, 0)

    @cached_property
    def _of_host(self) -> PacketSet:
        """Asked when all packets have been followed: no variable is new then."""
        variables = self.unknowns.variables
        return self.unknowns.cube_of(key for key in variables if key.kind == OF_HOST)

    def perhaps(self, visit: Visit) -> PacketSet:
        return visit.taken.exists(self.unknowns.cube)

    def enders(self, analysis: TableAnalysis, rule: Rule) -> tuple[Rule, ...]:
        """The rules that end the way of packets which would match as they set out, and with them
        those before it in its chain that accept some. None where nothing ends there."""
        wanted = analysis.intended(rule)
        enders = dict.fromkeys(
            end.decision.rule
            for end in self._ends
            if end.decision is not None
            and end.decision.rule is not None
            and (end.packets & wanted).satisfiable()
        )
        chain, number = analysis.place(rule)
        for before in analysis.table.chains[chain].rules[:number] if enders else ():
            visits = self.visits(before) if before.verdict.kind is VerdictKind.ACCEPT else ()
            if any((visit.taken & wanted).satisfiable() for visit in visits):
                enders[before] = None
        return tuple(sorted(enders, key=lambda ender: ender.origin.span.start))


def _at_hook(space: Space, packets: PacketSet, hook: Hook) -> PacketSet:
    """Without the interface that they leave by where the hook does not know it yet."""
    if INTERFACES_AT[hook].get(Field.OIF) is not False:
        return packets
    return space.forget(packets, (Field.OIF,)) & space.no_interface(Field.OIF)


def _of_statement(answers: list[RuleReach]) -> RuleReach:
    """What its parts fare together: a rule is as reachable as the best of them."""
    best = min(answers, key=lambda answer: _RANKS[answer.status, answer.reason])
    if best.reason is not Reason.TAKEN:
        return best
    taken_by = dict.fromkeys(rule for answer in answers for rule in answer.taken_by)
    return replace(best, taken_by=tuple(taken_by))


def _reach(analysis: TableAnalysis, census: _Census, chain: Chain, rule: Rule) -> RuleReach:
    reason = why_dead(analysis, rule)
    if reason is not None:
        taken_by = blockers(analysis, rule) if reason is Reason.TAKEN else ()
        unless = BUT_FOR_FRAGMENTS if may_be_misread(analysis, rule, taken_by) else None
        dead = RuleReach(analysis.table, chain, rule, Status.DEAD, reason, taken_by)
        return replace(dead, unless=unless)
    visits = census.visits(rule)
    for status, packets_of in (
        (Status.REACHABLE, census.at_first),
        (Status.REACHABLE, census.on_some_host),
        (Status.REACHABLE, census.surely),
        (Status.CONDITIONAL, census.perhaps),
    ):
        for visit in visits:
            packets = _at_hook(analysis.space, packets_of(visit), visit.hook)
            packet = witness(analysis.space, packets, visit.hook)
            if packet is not None:
                if packets_of == census.on_some_host:
                    assumed = tuple(census.assumed(visit, packet))
                    packet = replace(packet, conditions=(*packet.conditions, *assumed))
                met = RuleReach(analysis.table, chain, rule, status, witness=packet)
                return replace(met, unless=dropped_anyway(packet, packet, visit.hook))
    enders = census.enders(analysis, rule)
    reason = Reason.TAKEN if enders else Reason.CHANGED
    return RuleReach(analysis.table, chain, rule, Status.DEAD, reason, enders)
