"""A table walked for all packets at once: which enter each chain, and what becomes of them.

What a packet meets in a chain does not depend on who called the chain, so each chain is walked
once, over every packet that could enter it; who really enters is joined in afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Protocol

from iptlint.memo import memo
from iptlint.model import Chain, Field, Interface, Masked, Rule, Ruleset, Table, Within
from iptlint.model.call_graph import Place, calls_in
from iptlint.model.kinds import examples
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
_LARGE = 1000
"""As many nodes has the diagram of a set with which it is dear to compare others."""


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


class Entry:
    """The packets that enter a chain, asked for as far as somebody needs them: of most chains that
    is whether there are any. ``some``: those of the first call that sends any."""

    def __init__(
        self, some: PacketSet, entering: Callable[[], PacketSet], sent: Callable[[], PacketSet]
    ) -> None:
        self.some = some
        self._entering = entering
        self._sent = sent

    @property
    def reachable(self) -> PacketSet:
        """The packets that may enter."""
        return self._entering()

    @property
    def is_reachable(self) -> bool:
        """Whether any may."""
        return self.some.satisfiable() or self.reachable.satisfiable()

    @property
    def intended(self) -> PacketSet:
        """Those that would if no earlier rule took any."""
        return self._sent()


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
        self._known: dict[str, PacketSet] = {}
        """Of chains, all packets that may enter."""
        self._past_each: dict[EarlierChain, PacketSet] = {}
        """What comes past a base chain and all before it at its hook."""
        self._calling: set[Place] = set()
        """Calls that some packet may get to and match, as the entries show."""
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
        for rule in examples(self.table.chains[name]):
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
            some = self._hooked(chain) if chain.hook else self._first_call(name, entries)
            entries[name] = Entry(some, partial(self._entering, name), partial(self._sent_to, name))
        return entries

    def _hooked(self, chain: Chain) -> PacketSet:
        may = self.base_packets(chain)
        if before := self.before(chain):
            may = may & self._past(before)
        self._known[chain.name] = may
        return may

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

    def _first_call(self, name: str, entries: Mapping[str, Entry]) -> PacketSet:
        """Packets by which the chain is entered; of one call, these are all."""
        calls = self._calls_of(name)
        for place in calls:
            some = self._by(place, entries[place.chain].some)
            if some.satisfiable():
                self._calling.add(place)
                if len(calls) == 1 and place.chain in self._known:
                    self._known[name] = some
                return some
        return self.space.false

    def _calls_of(self, name: str) -> Sequence[Place]:
        """Those of the chain, but for what closes a loop."""
        own = self._positions[name]
        return [place for place in self.calls.callers(name) if self._positions[place.chain] > own]

    @cached_property
    def _positions(self) -> Mapping[str, int]:
        return {name: number for number, name in enumerate(self.calls.order)}

    def _by(self, place: Place, entering: PacketSet) -> PacketSet:
        """What a call sends on of the packets that enter the chain it stands in."""
        return self.flows[place.chain].met(place.number, entering)

    def _entering(self, name: str) -> PacketSet:
        """All packets that may enter the chain. Calls may be nested deeper than Python's own."""
        _, waiting, known = self.entries, [name], self._known
        while waiting:
            calls = self._calls_of(waiting[-1])
            callers = [place.chain for place in calls if place.chain not in known]
            if callers and waiting[-1] not in known:
                waiting += callers
                continue
            asked = waiting.pop()
            if asked not in known:
                may = self.space.false
                for place in calls:
                    may |= self._by(place, known[place.chain])
                known[asked] = may
        return known[name]

    def _sent_to(self, name: str) -> PacketSet:
        return self._intended[name]

    @cached_property
    def _intended(self) -> Mapping[str, PacketSet]:
        """For each chain the packets that would enter it if no earlier rule took any."""
        intended: dict[str, PacketSet] = {}
        for name in reversed(self.calls.order):
            chain = self.table.chains[name]
            if chain.hook:
                intended[name] = self.base_packets(chain)
                continue
            sent = self.space.false
            for caller, index in self._calls_of(name):
                sent |= self.flows[caller].tests[index].may & intended[caller]
            intended[name] = sent
        return intended

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
        meant = flow.tests[index].may if packets is None else flow.tests[index].may & packets
        return flow.arriving_at(index, meant) & self.entries[chain].reachable

    def gets_some(self, rule: Rule, packets: PacketSet) -> bool:
        """Whether some of the packets may get to the rule and match it."""
        chain, index = self.place(rule)
        flow = self.flows[chain]
        meant = flow.tests[index].may & packets & self.entries[chain].reachable
        return flow.some_arrive(index, meant)

    def is_matched(self, rule: Rule) -> bool:
        """Whether some packet may get to the rule and match it.

        What enters a chain may be a very large set. Then one path of its diagram leads the way to
        a packet that is likely in it, which answers for most rules at little cost.
        """
        chain, index = place = self.place(rule)
        flow, entry = self.flows[chain], self.entries[chain]
        if place in self._calling:
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

    def perhaps_unmatched(self, chain: Chain) -> Sequence[Rule]:
        """The rules, in order, of which ``is_matched`` has to be asked; it is so of the others."""
        flow = self.flows[chain.name]
        entering = self.entries[chain.name].reachable if flow.is_long else None
        numbers = None if entering is None else flow.unmatched(entering)
        return chain.rules if numbers is None else [chain.rules[n] for n in sorted(numbers)]

    @memo
    def _guide(self, chain: str) -> PacketSet | None:
        some = self.entries[chain].some
        return some.pick_cube_dd() if some.node_count() > _LARGE else None

    def intended(self, rule: Rule) -> PacketSet:
        """The packets that would match the rule if no earlier rule took any."""
        chain, index = self.place(rule)
        return self.flows[chain].tests[index].may & self.entries[chain].intended
