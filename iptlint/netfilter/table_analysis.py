"""A table walked for all packets at once: which enter each chain, and what becomes of them.

What a packet meets in a chain does not depend on who called the chain, so each chain is walked
once, over every packet that could enter it; who really enters is joined in afterwards.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from iptlint.memo import memo
from iptlint.model import Chain, Rule, Ruleset, Table, VerdictKind
from iptlint.model.call_graph import Place, calls_in
from iptlint.netfilter.routes import base_packets
from iptlint.packets.match import Matcher, Tests
from iptlint.packets.space import Space
from iptlint.packets.union_tree import UnionTree

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet
    from iptlint.source import Span


Outcomes = Mapping[VerdictKind, "PacketSet"]
"""For each outcome, the packets that may have it. RETURN: the packets go back to the caller."""


@dataclass(slots=True)
class ChainFlow:
    """Index i is rule i; ``arriving[len(rules)]`` are the packets that fall off the end.

    ``arriving``: may get there. ``outcomes``: what may become of the packets that enter;
    RETURN includes falling off.
    """

    chain: Chain
    tests: list[Tests]
    arriving: list[PacketSet]
    outcomes: dict[VerdictKind, PacketSet]

    @property
    def returns(self) -> PacketSet:
        return self.outcomes[VerdictKind.RETURN]

    def blocked_at(self, packets: PacketSet, end: int | None = None) -> int:
        """The first of the rules before ``end`` that none of the packets gets past; ``end`` where
        some get past them all. By bisection, as what arrives only shrinks: a hundred thousand
        rules cost seventeen looks."""
        if end is None:
            end = len(self.tests)
        return bisect_left(
            range(end),
            True,
            key=lambda number: not (packets & self.arriving[number + 1]).satisfiable(),
        )


class _Walker:
    """The packets under way through one chain; each verdict kind has its step."""

    def __init__(self, space: Space, callees: Mapping[str, ChainFlow]) -> None:
        self.space = space
        self.callees = callees
        self.arriving = space.universe
        self.outcomes: dict[VerdictKind, PacketSet] = {}

    def add(self, kind: VerdictKind, packets: PacketSet) -> None:
        known = self.outcomes.get(kind)
        self.outcomes[kind] = packets if known is None else known | packets

    def step(self, kind: VerdictKind, chain: str | None, tests: Tests) -> None:
        match kind:
            case VerdictKind.CONTINUE:
                pass
            case VerdictKind.JUMP | VerdictKind.GOTO if chain is not None:
                self._call(chain, tests, comes_back=kind is VerdictKind.JUMP)
            case VerdictKind.UNKNOWN:
                # It may do anything, going on included.
                self.add(kind, self.arriving & tests.may)
            case _:
                self.add(kind, self.arriving & tests.may)
                self.arriving = self.arriving & ~tests.sure

    def _call(self, chain: str, tests: Tests, *, comes_back: bool) -> None:
        taken = self.arriving & tests.may
        flow = self.callees.get(chain)
        if flow is None:
            # Undefined, or a call that closes a loop: the kernel would refuse it.
            self.add(VerdictKind.UNKNOWN, taken)
            return
        for kind, packets in flow.outcomes.items():
            if kind is not VerdictKind.RETURN:
                self.add(kind, taken & packets)
        if comes_back:
            self.arriving = self.arriving & ~(tests.sure & ~flow.returns)
        else:
            self.add(VerdictKind.RETURN, taken & flow.returns)
            self.arriving = self.arriving & ~tests.sure


def chain_flow(matcher: Matcher, chain: Chain, callees: Mapping[str, ChainFlow]) -> ChainFlow:
    """``callees``: the flows of the chains it calls; one that is missing may do anything."""
    walker = _Walker(matcher.space, callees)
    tests: list[Tests] = []
    arriving: list[PacketSet] = []
    for rule in chain.rules:
        tests.append(matcher.rule(rule))
        arriving.append(walker.arriving)
        walker.step(rule.verdict.kind, rule.verdict.chain, tests[-1])
    walker.add(VerdictKind.RETURN, walker.arriving)
    return ChainFlow(chain, tests, [*arriving, walker.arriving], walker.outcomes)


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
        self.places = {
            rule: Place(name, index)
            for name, chain in table.chains.items()
            for index, rule in enumerate(chain.rules)
        }

    def flow(self, chain: Chain, callees: Mapping[str, ChainFlow]) -> ChainFlow:
        """The flow of a chain of the table, with these of the chains it calls."""
        return chain_flow(self.matcher_of(chain.name), chain, callees)

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
            may |= tests.may & flow.arriving[index] & entry.reachable
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

    def matched(self, rule: Rule) -> PacketSet:
        """The packets that may get to the rule and match it."""
        chain, index = self.place(rule)
        flow = self.flows[chain]
        return flow.tests[index].may & flow.arriving[index] & self.entries[chain].reachable

    def is_matched(self, rule: Rule) -> bool:
        """Whether some packet may get to the rule and match it.

        What enters a chain may be a very large set. One path of its diagram leads the way to a
        packet that is likely in it, which answers for most rules at little cost.
        """
        chain, index = self.place(rule)
        flow, entry = self.flows[chain], self.entries[chain].reachable
        tests, arriving = flow.tests[index].may, flow.arriving[index]
        likely = tests.pick_cube_dd_set(self._guide(chain))
        if (likely & arriving & entry).satisfiable():
            return True
        return (tests & arriving & entry).satisfiable()

    @memo
    def _guide(self, chain: str) -> PacketSet:
        return self.entries[chain].reachable.pick_cube_dd()

    @memo
    def lookup(self, chain: str) -> UnionTree:
        """For searches among the packets that the chain's rules may match."""
        return UnionTree([tests.may for tests in self.flows[chain].tests])

    def intended(self, rule: Rule) -> PacketSet:
        """The packets that would match the rule if no earlier rule took any."""
        chain, index = self.place(rule)
        return self.flows[chain].tests[index].may & self.entries[chain].intended
