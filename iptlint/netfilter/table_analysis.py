"""A table walked for all packets at once: which enter each chain, and what becomes of them.

What a packet meets in a chain does not depend on who called the chain, so each chain is walked
once, over every packet that could enter it; who really enters is joined in afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from iptlint.memo import memo
from iptlint.model import (
    Chain,
    Family,
    Field,
    Hook,
    Interface,
    Masked,
    Match,
    Rule,
    Ruleset,
    Table,
    VerdictKind,
    Within,
)
from iptlint.model.call_graph import Place, calls_in
from iptlint.model.kinds import testing_by_chain
from iptlint.model.syntax import Syntax
from iptlint.netfilter.branching_chain import BranchingChain
from iptlint.netfilter.chain_flow import ChainFlow
from iptlint.netfilter.entries import Callers, Entries, Hooked
from iptlint.netfilter.routes import base_packets
from iptlint.packets.match import Matcher, Tests
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.netfilter.seen_rules import SeenRules
    from iptlint.packets.bdd import PacketSet
    from iptlint.source import Span


_OF_FIELDS = (Within, Masked, Interface)

LONG = 1500
"""As many rules are a long chain: with fewer, sets alone are faster."""
MANY = 1500
"""So many rules of short chains are looked at together."""
_RULES_A_LEVEL = 100
"""To look at all calls of a level costs as much as to ask for so many rules by themselves."""
_LARGE = 1000
"""As many nodes has the diagram of a set with which it is dear to compare others."""


def is_of_a_field(match: Match) -> bool:
    """Whether the test asks for one field, and nothing is left open or not interpreted."""
    return type(match) in _OF_FIELDS


def is_long(chain: Chain) -> bool:
    return len(chain.rules) >= LONG


def flow_of(matcher: Matcher, chain: Chain, callees: Mapping[str, ChainFlow]) -> ChainFlow:
    """The flow of a chain, by the means that its length and shape ask for."""
    if is_long(chain):
        from iptlint.netfilter.long_chain import flow_by_columns  # numpy: dear, and seldom used

        by_columns = flow_by_columns(matcher, chain, callees)
        if by_columns is not None:
            return by_columns
    flow = ChainFlow(matcher, chain, callees)
    return BranchingChain(matcher, chain, callees) if is_branching(flow) else flow


def is_branching(flow: ChainFlow) -> bool:
    return bool(flow.callees) and flow.size >= MANY


class EarlierChain(Protocol):
    """A base chain where packets stop before they come to the one in question."""

    @property
    def chain(self) -> Chain: ...

    @property
    def analysis(self) -> TableAnalysis: ...

    @property
    def may_survive(self) -> PacketSet:
        """The packets that go by, or may leave the chain alive."""

    def surviving(self, packets: PacketSet) -> PacketSet:
        """Those of the packets that go by, or may leave the chain alive."""

    @property
    def may_drop(self) -> PacketSet:
        """The packets that may not leave the chain alive."""

    def afterwards(self, packets: PacketSet) -> PacketSet:
        """What the packets may be once they have left the chain."""


class TableAnalysis:
    """One table. ``matcher_of`` gives the matcher for the rules of a chain; ``before``, where
    the packets of a base chain stop first; ``past_each``: what comes past such a one and all before
    it at its hook, which the tables of one family share.

    A rule's own tests come first in every intersection here: they are a small set, and
    what arrives at it may be a very large one.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        table: Table,
        space: Space,
        matcher_of: Callable[[str], Matcher],
        before: Callable[[Chain], Sequence[EarlierChain]],
        past_each: dict[EarlierChain, PacketSet],
    ) -> None:
        self.ruleset = ruleset
        self.table = table
        self.before = before
        self.space = space
        self.matcher_of = matcher_of
        self.calls = calls_in(table)
        self.flows: dict[str, ChainFlow] = {}
        self._past_each = past_each
        odd = testing_by_chain(table, lambda rule: not all(map(is_of_a_field, rule.matches)))
        for name in self.calls.order:
            self.flows[name] = self.flow(table.chains[name], self.flows)
            self._make_known(name, odd.get(name, ()))

    def flow(self, chain: Chain, callees: Mapping[str, ChainFlow]) -> ChainFlow:
        """The flow of a chain of the table, with these of the chains it calls."""
        return flow_of(self.matcher_of(chain.name), chain, callees)

    def _make_known(self, name: str, rules: Iterable[Rule]) -> None:
        """The tests that are not of a field get their variables here: who asks the space for them
        must not depend on what was asked before."""
        matcher = self.matcher_of(name)
        for rule in rules:
            for match in rule.matches:
                if not is_of_a_field(match):
                    matcher.test(match)

    @cached_property
    def syntax(self) -> Syntax:
        """How the rules of the table are written."""
        return self.ruleset.syntax.of(self.table)

    @cached_property
    def places(self) -> Mapping[Rule, Place]:
        return {
            rule: Place(name, index)
            for name, chain in self.table.chains.items()
            for index, rule in enumerate(chain.rules)
        }

    @cached_property
    def entries(self) -> Entries:
        seen = frozenset[str]() if self._seen is None else self._seen.entered
        return Entries(self._callers, self.space, self.flows, self._hooked, seen)

    @cached_property
    def _callers(self) -> Callers:
        return Callers(self.table, self.calls)

    @cached_property
    def _seen(self) -> SeenRules | None:
        """None where the chains are few enough, or so deep, that each is better asked by itself."""
        short = [name for name, flow in self.flows.items() if not flow.is_long]
        if sum(len(self.table.chains[name].rules) for name in short) < MANY:
            return None
        from iptlint.netfilter.called_chains import CalledChains  # numpy: as in flow_of
        from iptlint.netfilter.seen_rules import SeenRules

        chains = [self.table.chains[name] for name in reversed(self.calls.order)]
        called = CalledChains(chains, self._callers.of)
        if called.depth * _RULES_A_LEVEL > len(called.chain_of):
            return None
        hooked = {c.name: self._hooked(c).entering for c in self.table.base_chains()}
        return SeenRules(called, self.matcher_of, hooked, frozenset(short))

    @memo
    def _hooked(self, chain: Chain) -> Hooked:
        """What enters a base chain, and what would if no earlier one took any."""
        sent = self.base_packets(chain)
        before = self.before(chain)
        return Hooked(sent & self._past(before) if before else sent, sent)

    def _past(self, before: Sequence[EarlierChain]) -> PacketSet:
        """What comes past all of the base chains, which are the first ones of a hook: the last one
        tells which."""
        number = len(before)
        while number and before[number - 1] not in self._past_each:
            number -= 1
        past = self._past_each[before[number - 1]] if number else self.space.true
        for base_chain in before[number:]:
            past = past & base_chain.afterwards(base_chain.may_survive)
            self._past_each[base_chain] = past
        return past

    def base_packets(self, chain: Chain) -> PacketSet:
        """The packets that the base chain sees if no other takes them first, as they are there."""
        packets = base_packets(self.space, self.table, chain)
        if chain.hook is Hook.POSTROUTING and self.table.family is Family.BRIDGE:
            # br_forward_finish hands them on without the device that they came in by.
            packets = packets & self.space.no_interface(Field.IIF)
        return packets

    def declaration_of(self, chain: Chain) -> Span:
        return self.ruleset.declaration_of(self.table, chain)

    def place(self, rule: Rule) -> Place:
        return self.places[rule]

    def tests(self, rule: Rule) -> Tests:
        chain, index = self.place(rule)
        return self.flows[chain].tests[index]

    def may_be_for(self, rule: Rule, packets: PacketSet) -> bool:
        """False where it is seen at a glance that the rule's tests take none of the packets. To be
        asked of few different packets."""
        chain, index = self.place(rule)
        return self.flows[chain].may_be_for(index, packets)

    def restricts(self, rule: Rule, field: Field) -> bool:
        """Whether the rule is for some values of the field only, whatever else it tests. Not of an
        interface: the hook is for some of these, too."""
        return self.space.project(self.tests(rule).may, field) != self.space.true

    def matched(self, rule: Rule, packets: PacketSet | None = None) -> PacketSet:
        """The packets that may get to the rule and match it; of these, where some are given, which
        costs less in a long chain."""
        chain, index = self.place(rule)
        flow = self.flows[chain]
        if flow.is_held(index):
            return self.space.false
        meant = flow.tests[index].may if packets is None else flow.tests[index].may & packets
        return flow.arriving_at(index, meant) & self.entries[chain].reachable

    def gets_some(self, rule: Rule, packets: PacketSet) -> bool:
        """Whether some of the packets may get to the rule and match it."""
        chain, index = self.place(rule)
        flow = self.flows[chain]
        if flow.is_held(index):
            return False
        meant = flow.tests[index].may & packets & self.entries[chain].reachable
        return flow.some_arrive(index, meant)

    def is_matched(self, rule: Rule) -> bool:
        """Whether some packet may get to the rule and match it.

        What enters a chain may be a very large set. Then one path of its diagram leads the way to
        a packet that is likely in it, which answers for most rules at little cost.
        """
        chain, index = place = self.place(rule)
        flow, entry = self.flows[chain], self.entries[chain]
        if self.entries.are_sent_by(place) or (self._seen is not None and self._seen.is_met(place)):
            return True
        unmatched = flow.unmatched(entry.reachable) if flow.is_long else None
        if unmatched is not None:
            return index not in unmatched
        if (guide := self._guide(chain)) is not None:
            likely = flow.tests[index].may.pick_cube_dd_set(guide)
            if (flow.arriving_at(index, likely) & entry.some).satisfiable():
                return True
        if flow.met(index, entry.some).satisfiable():
            return True
        return flow.met(index, entry.reachable).satisfiable()

    def seen_to_take(self, kind: VerdictKind, packets: PacketSet) -> PacketSet | None:
        """Some of the packets that get to a rule with the verdict and match it, where the table has
        many chains and that is seen at a glance."""
        return None if self._seen is None else self._seen.taken(kind, packets)

    def unmatched(self, chain: Chain) -> Iterable[Rule]:
        """The rules that are read and that no packet gets to and matches, in order."""
        flow, perhaps = self.flows[chain.name], [*chain.rules]
        if flow.is_long:
            numbers = flow.unmatched(self.entries[chain.name].reachable)
            if numbers is not None:
                return [rule for n in sorted(numbers) if (rule := chain.rules[n]).read]
        elif self._seen is not None:
            perhaps = self._seen.unknown(chain)
        return (rule for rule in perhaps if rule.read and not self.is_matched(rule))

    @memo
    def _guide(self, chain: str) -> PacketSet | None:
        some = self.entries[chain].some
        return some.pick_cube_dd() if some.node_count() > _LARGE else None

    def intended(self, rule: Rule) -> PacketSet:
        """The packets that would match the rule if no earlier rule took any."""
        chain, index = self.place(rule)
        return self.flows[chain].tests[index].may & self.entries[chain].intended
