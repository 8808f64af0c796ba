"""A chain walked for all packets that could enter it: which arrive at each rule, and what becomes
of them.

Whoever asks about some packets says which, so that a long chain need not tell of all.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from iptlint.memo import memo
from iptlint.model import Chain, VerdictKind
from iptlint.model.verdicts import Verdict
from iptlint.netfilter.passage import Passage
from iptlint.netfilter.walker import Outcomes, Walker
from iptlint.packets.match import Matcher, Tests
from iptlint.packets.on_demand import TestsOnDemand
from iptlint.packets.union_tree import UnionTree

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


class ChainFlow:
    """``callees``: the flows of the chains it calls; one that is missing may do anything."""

    def __init__(self, matcher: Matcher, chain: Chain, callees: Mapping[str, ChainFlow]) -> None:
        self.matcher = matcher
        self.space = matcher.space
        self.chain = chain
        called = {rule.verdict.chain or "" for rule in chain.rules}
        self.callees = {name: callees[name] for name in called if name in callees}
        each = self.callees.values()
        self.depth: int = 1 + max((flow.depth for flow in each), default=0)
        """How many chains call each other, one the next, from here on at most."""
        self.size: int = len(chain.rules) + sum(flow.size for flow in each)
        """How many rules there are from here on; those of a chain as often as it is called."""
        coming_back = {name for name, flow in self.callees.items() if flow.comes_back}
        taking = (n for n, r in enumerate(chain.rules) if _takes(r.verdict, coming_back))
        self.first_taker: int = next(taking, len(chain.rules))
        """All that enters gets to the rules up to this one."""
        self.comes_back: bool = all(_sends_back(rule.verdict, coming_back) for rule in chain.rules)
        """Whether it is seen at a glance that all comes back."""
        self.is_walked = False
        self._arriving: dict[int, PacketSet] = {}

    @property
    def is_branching(self) -> bool:
        """Whether the chains that it calls make it dear to tell of all packets at once."""
        return False

    @property
    def is_long(self) -> bool:
        """Whether it is dear to tell of all packets at once."""
        return self.long_depth > 0

    @cached_property
    def long_depth(self) -> int:
        """How many long chains call each other from here on, with none between that is walked."""
        return 0

    @cached_property
    def tests(self) -> Sequence[Tests]:
        """Of each rule."""
        rules = self.chain.rules
        return TestsOnDemand(lambda number: self.matcher.rule(rules[number]), len(rules))

    @cached_property
    def _anyones(self) -> Sequence[Tests]:
        """The same, of packets whether there can be such or not. What all have in common that
        there can be makes a set ten times as large: it is put on where one is told."""
        rules, every = self.chain.rules, self.space.true
        return TestsOnDemand(lambda n: self.matcher.each_of(rules[n].matches, every), len(rules))

    def tests_of_anyone(self, number: int) -> Tests:
        """Of a rule, of packets whether there can be such or not."""
        return self._anyones[number]

    @cached_property
    def _walked(self) -> _Walked:
        self._walk_below()
        walker = Walker(self.space, self.callees, self.space.true, anyones=True)
        arriving: list[PacketSet] = []
        for rule, tests in zip(self.chain.rules, self._anyones, strict=True):
            arriving.append(walker.arriving)
            walker.step(rule.verdict.kind, rule.verdict.chain, tests)
        walker.add(VerdictKind.RETURN, walker.arriving)
        return _Walked([*arriving, walker.arriving], walker.outcomes)

    def _walk_below(self) -> None:
        """Walks the chains that it calls, the innermost first: calls may be nested deeper than
        Python's own."""
        under_way = [(self, iter(self.callees.values()))]
        while under_way:
            flow, callees = under_way[-1]
            callee = next((callee for callee in callees if not callee.is_walked), None)
            if callee is not None:
                under_way.append((callee, iter(callee.callees.values())))
                continue
            under_way.pop()
            flow.is_walked = True
            if flow is not self and not flow.is_long:
                _ = flow._walked

    @property
    def arriving(self) -> Sequence[PacketSet]:
        """The packets that may get to each rule, and last those that fall off the end."""
        return [arriving & self.space.universe for arriving in self._walked.arriving]

    @property
    def outcomes(self) -> Outcomes:
        """What may become of the packets that enter; RETURN includes falling off."""
        return self._outcomes

    @cached_property
    def _outcomes(self) -> Outcomes:
        universe = self.space.universe
        return {kind: packets & universe for kind, packets in self._walked.outcomes.items()}

    @property
    def returns(self) -> PacketSet:
        return self.outcomes[VerdictKind.RETURN]

    @cached_property
    def gives_all_back(self) -> bool:
        """Whether nothing else becomes of any packet; False where it is dear to tell."""
        if self.is_long:
            return False
        outcomes = self._walked.outcomes
        others = (those for kind, those in outcomes.items() if kind is not VerdictKind.RETURN)
        returns = outcomes[VerdictKind.RETURN]
        return returns == self.space.true and not any(o.satisfiable() for o in others)

    def outcomes_of_anyones(self, packets: PacketSet) -> Outcomes:
        """``outcomes_of``, of packets whether there can be such or not."""
        if self.is_long:
            return self.outcomes_of(packets)
        return {kind: packets & those for kind, those in self._walked.outcomes.items()}

    def kept_of_anyones(self, called: PacketSet, arriving: PacketSet) -> PacketSet:
        """``kept`` of such packets."""
        if self.is_long:
            return self.kept(called, arriving)
        return called & ~self._walked.outcomes[VerdictKind.RETURN]

    def outcomes_of(self, packets: PacketSet) -> Outcomes:
        """``outcomes`` of these packets alone."""
        return {kind: packets & those for kind, those in self.outcomes.items()}

    def some_end(self, kinds: Collection[VerdictKind], packets: PacketSet) -> bool:
        """Whether one of these may become of some of the packets."""
        outcomes = self.outcomes_of(packets)
        return any(kind in outcomes and outcomes[kind].satisfiable() for kind in kinds)

    def kept(self, called: PacketSet, arriving: PacketSet) -> PacketSet:
        """Of the packets that call the chain, those that never come back; what is not among the
        ``arriving`` may be left out."""
        return called & ~self.returns

    def arriving_at(self, number: int, packets: PacketSet) -> PacketSet:
        """Those of the packets that may get to the rule; to none: that fall off the end."""
        if number <= self.first_taker and not self.is_long:
            return packets & self.space.universe
        known = self._arriving.get(number)
        if known is None:
            known = self._walked.arriving[number] & self.space.universe
            self._arriving[number] = known
        return packets & known

    def some_arrive(self, number: int, packets: PacketSet) -> bool:
        """Whether some of the packets may get to the rule."""
        return self.arriving_at(number, packets).satisfiable()

    def met(self, number: int, entering: PacketSet) -> PacketSet:
        """Those of the packets, which there can be, that may get to the rule and match."""
        if self.is_long:
            return self.arriving_at(number, self.tests[number].may) & entering
        packets = self._anyones[number].may
        if number <= self.first_taker:
            return packets & entering
        arriving = self._walked.arriving[number]
        return (packets if arriving == self.space.true else packets & arriving) & entering

    def matched_of(
        self, numbers: Sequence[int], packets: PacketSet
    ) -> Iterator[tuple[int, PacketSet]]:
        """For each of the rules, in order, those of the packets that may get to it and match; those
        that get none are left out."""
        for number in numbers:
            matched = packets & self._anyones[number].may
            if matched.satisfiable():
                matched = self.arriving_at(number, matched)
            if matched.satisfiable():
                yield number, matched

    def concerning(self, packets: PacketSet) -> Iterable[int]:
        """The numbers of rules in order, of all that may match some of the packets at least."""
        return range(len(self.chain.rules))

    def may_be_for(self, number: int, packets: PacketSet) -> bool:
        """False where it is seen at a glance that the tests of the rule take none of the packets.
        To be asked of few different packets."""
        return True

    def some_taken_before(self, number: int, packets: PacketSet) -> bool:
        """Whether rules before this one surely take some of the packets."""
        return (packets & ~self.arriving_at(number, packets)).satisfiable()

    @property
    def decides_at_sight(self) -> bool:
        """Whether the packet alone decides what becomes of it, without calls, as far as that is
        seen at a glance."""
        return False

    def is_held(self, number: int) -> bool:
        """Whether it is seen at a glance that one earlier rule takes all that the rule matches."""
        return False

    def unmatched(self, entering: PacketSet) -> frozenset[int] | None:
        """The rules that none of the packets may get to and match; None where each is to be asked
        by itself."""
        return None

    def first_sharing(self, numbers: Sequence[int], entering: PacketSet) -> Mapping[int, int]:
        """For some of the rules, where that is seen at a glance, the first behind them whose tests
        may take some of the entering packets that those of the rule may take, too."""
        return {}

    def sharing(self, number: int, others: Sequence[int], entering: PacketSet) -> Sequence[int]:
        """Those of the others, in order, whose tests may take some of the entering packets that
        those of the rule may take, too."""
        packets = self.tests[number].may & entering
        return [n for n in others if (self.tests[n].may & packets).satisfiable()]

    def sole_taker(self, number: int, entering: PacketSet) -> int | None:
        """Of a rule that none of the ``entering`` packets get to and match, the rule that takes all
        of its packets, where some of the entering come to that one; None where that is not seen at
        a glance."""
        return None

    def stoppers(self, number: int, entering: PacketSet) -> Sequence[int] | None:
        """Of a rule that none of the ``entering`` packets get to and match, a few rules that
        together take all of its packets, some of which come to each; None where that is not seen
        at a glance."""
        return None

    def seen_to_come(self, takers: Mapping[int, int], packets: PacketSet) -> frozenset[int]:
        """``takers``: by the numbers of rules an earlier one that takes for certain all that they
        match. Those of the rules, of whose packets it is seen at a glance that some, of these, come
        to the taker, and to no other rule before."""
        return frozenset()

    def one_that_comes(self, number: int, packets: PacketSet) -> PacketSet | None:
        """One of the packets that gets to the rule and matches, where one is seen at a glance."""
        return None

    def taken_by(self, number: int) -> PacketSet:
        """The packets that no later rule sees, for certain, once they have come to this one."""
        verdict, sure = self.chain.rules[number].verdict, self.tests[number].sure
        match verdict.kind:
            case VerdictKind.CONTINUE | VerdictKind.UNKNOWN:
                return self.space.false
            case VerdictKind.JUMP | VerdictKind.GOTO:
                called = self.callees.get(verdict.chain or "")
                if called is None:
                    return self.space.false
                return called.kept(sure, sure) if verdict.kind is VerdictKind.JUMP else sure
            case _:
                return sure

    def blocked_at(self, packets: PacketSet, end: int | None = None) -> int:
        """The first of the rules before ``end`` that none of the packets gets past; ``end`` where
        some get past them all. By bisection, as what arrives only shrinks: a hundred thousand
        rules cost seventeen looks."""
        if end is None:
            end = len(self.chain.rules)
        return bisect_left(
            range(end),
            True,
            key=lambda number: not self.arriving_at(number + 1, packets).satisfiable(),
        )

    def passage_to(self, number: int, packets: PacketSet) -> Passage:
        """Of packets that all match the rule."""
        return Passage(self, number, packets)

    @memo
    def _lookup(self) -> UnionTree:
        return UnionTree([tests.may for tests in self.tests])

    def first_for(self, packets: PacketSet, start: int) -> int | None:
        """The first rule from ``start`` on whose tests may take some of the packets."""
        return self._lookup().first(start, packets)

    def last_meetings(
        self, numbers: Sequence[int], others: Sequence[int], start: int
    ) -> Mapping[int, int]:
        """For each of the rules the last of the others, behind ``start`` and before it, whose tests
        may take some of the same packets. Rules that meet none are left out. Both are in order."""
        between = others[bisect_right(others, start) : bisect_left(others, numbers[-1])]
        lookup = self._lookup_among(tuple(between))
        meetings: dict[int, int] = {}
        for number in numbers:
            last = lookup.last(bisect_left(between, number), self.tests[number].may)
            if last is not None:
                meetings[number] = between[last]
        return meetings

    @memo
    def _lookup_among(self, numbers: tuple[int, ...]) -> UnionTree:
        return UnionTree([self.tests[number].may for number in numbers])

    def perhaps_covered(self, decisions: Sequence[object], entering: PacketSet) -> Iterable[int]:
        """The rules, all of whose packets of the entering later rules of the same decision may
        match; perhaps a few more. A rule without a decision (None) is none of them."""
        unions: dict[object, PacketSet] = {}
        covered: list[int] = []
        for number in reversed(range(len(decisions))):
            decision = decisions[number]
            if decision is None:
                continue
            packets = self.tests[number].may
            later = unions.get(decision, self.space.false)
            if not (packets & entering & ~later).satisfiable():
                covered.append(number)
            unions[decision] = later | packets
        return reversed(covered)

    def taking(self, numbers: Sequence[int]) -> Sequence[Hashable | None]:
        """Of each of the rules the same as of another, of these, whose tests may take the same
        packets; None where they take none."""
        each = (self.tests[number].may for number in numbers)
        return [packets if packets.satisfiable() else None for packets in each]

    def may_match(self, number: int, packets: PacketSet) -> bool:
        """Whether the tests of the rule may take some of the packets."""
        return (self.tests[number].may & packets).satisfiable()

    def is_certain(self, number: int) -> bool:
        """Whether the packet alone decides if the rule takes it."""
        if all(map(self.matcher.is_told, self.chain.rules[number].matches)):
            return True
        anyones = self._anyones[number]
        if anyones.may == anyones.sure:
            return True
        tests = self.tests[number]
        return tests.may == tests.sure


def _takes(verdict: Verdict, coming_back: Container[str | None]) -> bool:
    """Whether rules behind one with the verdict may not see what it gets; ``coming_back``: of the
    chains that are called, those from which all comes back."""
    jumps = verdict.kind is VerdictKind.JUMP
    return not (verdict.chain in coming_back if jumps else verdict.kind in _GOING_ON)


def _sends_back(verdict: Verdict, coming_back: Container[str | None]) -> bool:
    return verdict.kind in _LEAVING or verdict.chain in coming_back


_GOING_ON = (VerdictKind.CONTINUE, VerdictKind.UNKNOWN)
_LEAVING = (VerdictKind.RETURN, *_GOING_ON)


class _Walked(NamedTuple):
    """Of packets whether there can be such or not."""

    arriving: Sequence[PacketSet]
    outcomes: Outcomes
