"""A table walked for all packets at once: which enter each chain, and what becomes of them.

What a packet meets in a chain does not depend on who called the chain, so each chain is walked
once, over every packet that could enter it; who really enters is joined in afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from iptlint.memo import memo
from iptlint.model import Chain, Field, Interface, Masked, Rule, Ruleset, Table, Within
from iptlint.model.call_graph import Place, calls_in
from iptlint.model.syntax import Syntax
from iptlint.netfilter.chain_flow import ChainFlow
from iptlint.netfilter.routes import base_packets
from iptlint.packets.match import Matcher, Tests
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet
    from iptlint.source import Span


_OF_FIELDS = (Within, Masked, Interface)

LONG = 1500
"""As many rules are a long chain: with fewer, sets alone are faster."""


def is_long(chain: Chain) -> bool:
    return len(chain.rules) >= LONG


def flow_of(matcher: Matcher, chain: Chain, callees: Mapping[str, ChainFlow]) -> ChainFlow:
    """The flow of a chain, by the means that its length and shape ask for."""
    if is_long(chain):
        from iptlint.netfilter.long_chain import flow_by_columns  # numpy: dear, and seldom used

        by_columns = flow_by_columns(matcher, chain, callees)
        if by_columns is not None:
            return by_columns
    return ChainFlow(matcher, chain, callees)


@dataclass(frozen=True, slots=True)
class Entry:
    """``reachable``: the packets that may enter a chain; ``intended``: those that would if no
    earlier rule took any."""

    reachable: PacketSet
    intended: PacketSet


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
    the packets of a base chain stop first.

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
    ) -> None:
        self.ruleset = ruleset
        self.table = table
        self.before = before
        self.space = space
        self.matcher_of = matcher_of
        self.calls = calls_in(table)
        self.flows: dict[str, ChainFlow] = {}
        for name in self.calls.order:
            self.flows[name] = self.flow(table.chains[name], self.flows)
            self._make_known(name)

    def flow(self, chain: Chain, callees: Mapping[str, ChainFlow]) -> ChainFlow:
        """The flow of a chain of the table, with these of the chains it calls."""
        return flow_of(self.matcher_of(chain.name), chain, callees)

    def _make_known(self, name: str) -> None:
        """The tests that are not of a field get their variables here: who asks the space for them
        must not depend on what was asked before."""
        matcher = self.matcher_of(name)
        for rule in self.table.chains[name].rules:
            for match in rule.matches:
                if type(match) not in _OF_FIELDS:
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
    def entries(self) -> Mapping[str, Entry]:
        entries: dict[str, Entry] = {}
        for name in reversed(self.calls.order):
            chain = self.table.chains[name]
            entries[name] = self._hooked(chain) if chain.hook else self._called(name, entries)
        return entries

    def _hooked(self, chain: Chain) -> Entry:
        sent = self.base_packets(chain)
        may = sent
        for base_chain in self.before(chain):
            may = may & base_chain.afterwards(base_chain.may_survive)
        return Entry(may, sent)

    def _called(self, name: str, entries: Mapping[str, Entry]) -> Entry:
        may = sent = self.space.false
        for caller, index in self.calls.callers(name):
            if caller not in entries:
                continue  # the call closes a loop
            entry, flow = entries[caller], self.flows[caller]
            tests = flow.tests[index]
            may |= flow.arriving_at(index, tests.may) & entry.reachable
            sent |= tests.may & entry.intended
        return Entry(may, sent)

    def base_packets(self, chain: Chain) -> PacketSet:
        """The packets that the base chain sees if no other takes them first."""
        return base_packets(self.space, self.table, chain)

    def declaration_of(self, chain: Chain) -> Span:
        return self.ruleset.declaration_of(self.table, chain)

    def place(self, rule: Rule) -> Place:
        return self.places[rule]

    def tests(self, rule: Rule) -> Tests:
        chain, index = self.place(rule)
        return self.flows[chain].tests[index]

    def restricts(self, rule: Rule, field: Field) -> bool:
        """Whether the rule is for some values of the field only, whatever else it tests. Not of an
        interface: the hook is for some of these, too."""
        return self.space.project(self.tests(rule).may, field) != self.space.true

    def matched(self, rule: Rule, packets: PacketSet | None = None) -> PacketSet:
        """The packets that may get to the rule and match it; of these, where some are given, which
        costs less in a long chain."""
        chain, index = self.place(rule)
        flow = self.flows[chain]
        meant = flow.tests[index].may if packets is None else flow.tests[index].may & packets
        return flow.arriving_at(index, meant) & self.entries[chain].reachable

    def is_matched(self, rule: Rule) -> bool:
        """Whether some packet may get to the rule and match it.

        What enters a chain may be a very large set. One path of its diagram leads the way to a
        packet that is likely in it, which answers for most rules at little cost.
        """
        chain, index = self.place(rule)
        flow, entry = self.flows[chain], self.entries[chain].reachable
        unmatched = flow.unmatched(entry)
        if unmatched is not None:
            return index not in unmatched
        tests = flow.tests[index].may
        likely = tests.pick_cube_dd_set(self._guide(chain))
        if (flow.arriving_at(index, likely) & entry).satisfiable():
            return True
        return (flow.arriving_at(index, tests) & entry).satisfiable()

    @memo
    def _guide(self, chain: str) -> PacketSet:
        return self.entries[chain].reachable.pick_cube_dd()

    def intended(self, rule: Rule) -> PacketSet:
        """The packets that would match the rule if no earlier rule took any."""
        chain, index = self.place(rule)
        return self.flows[chain].tests[index].may & self.entries[chain].intended
