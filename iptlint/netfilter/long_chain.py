"""A long chain. It gives the answers of ``ChainFlow``, found otherwise: columns of numbers tell
which rules may concern some packets, and only those are looked at as sets.

That a rule is alive is shown by a packet which no earlier rule takes, looked up among all of them
at once; that it is dead, by earlier rules that leave nothing of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from iptlint.memo import memo
from iptlint.model import Chain, VerdictKind
from iptlint.model.kinds import examples, numbers_where
from iptlint.netfilter.chain_flow import ChainFlow
from iptlint.netfilter.dead_rules import DeadRules
from iptlint.netfilter.passage import Passage, PassageBySight
from iptlint.netfilter.takers import CALLS, GOING_ON, Takers
from iptlint.netfilter.walker import Outcomes, Walker
from iptlint.packets import chain_shape
from iptlint.packets.bdd import union
from iptlint.packets.columns import Columns
from iptlint.packets.long_rules import LongRules
from iptlint.packets.match import Matcher, Tests
from iptlint.packets.point_search import PointSearch
from iptlint.packets.samples import samples

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_BROADEST = 64
_SAMPLES, _FEW = 32, 64
_FEW_TOGETHER = 8
"""Of no more rules their own sets, which are asked for again, are made sooner than by columns."""
_MOST_NESTED = 16
"""As deep as nf_tables lets chains call each other (NFT_JUMP_STACK_SIZE)."""


def flow_by_columns(
    matcher: Matcher, chain: Chain, callees: Mapping[str, ChainFlow]
) -> LongChain | None:
    """None where the shape of the chain asks for sets."""
    calls = len(numbers_where(chain, lambda rule: rule.verdict.kind in CALLS))
    if calls > chain_shape.MOST_ODD:
        return None
    columns = chain_shape.columns_of(matcher.space, chain, matcher.changes.fields)
    if not chain_shape.are_boxes(columns, chain, calls):
        return None
    long_chain = LongChain(matcher, chain, callees, columns)
    return long_chain if long_chain.long_depth <= _MOST_NESTED else None


class LongChain(ChainFlow):
    """``columns`` are those of its rules."""

    def __init__(
        self, matcher: Matcher, chain: Chain, callees: Mapping[str, ChainFlow], columns: Columns
    ) -> None:
        super().__init__(matcher, chain, callees)
        self.columns = columns
        self.rules = LongRules(matcher, chain.rules, columns)
        self.takers = Takers(chain, self.rules, self.taken_by)
        self._dead = DeadRules(self.takers, self.arriving_at)

    @cached_property
    def long_depth(self) -> int:
        return 1 + max((flow.long_depth for flow in self.callees.values()), default=0)

    @cached_property
    def tests(self) -> Sequence[Tests]:
        return self.rules.tests

    # -- what becomes of some packets -------------------------------------------

    @property
    def outcomes(self) -> Outcomes:
        return self.outcomes_of(self.space.universe)

    @memo
    def outcomes_of(self, packets: PacketSet) -> Outcomes:
        walker = Walker(self.space, self.callees, packets)
        for _, run in groupby(self.takers.deciding(packets), self._run):
            if not walker.arriving.satisfiable():
                break
            first, *others = run
            verdict, tests = self.chain.rules[first].verdict, self.tests[first]
            if others:
                taken = self._together((first, *others))
                tests = Tests(taken, taken)
            walker.step(verdict.kind, verdict.chain, tests)
        walker.add(VerdictKind.RETURN, walker.arriving)
        return walker.outcomes

    def _together(self, numbers: tuple[int, ...]) -> PacketSet:
        """What some of the rules take, all of which are certain."""
        if len(numbers) > _FEW_TOGETHER:
            return self.takers.together(numbers)
        return union([self.tests[number].sure for number in numbers], self.space.false)

    def _run(self, number: int) -> object:
        """The same for rules in a row whose order is all the same."""
        kind = self.chain.rules[number].verdict.kind
        if kind in CALLS or kind in GOING_ON or not self.is_certain(number):
            return number
        return kind

    def some_end(self, kinds: Collection[VerdictKind], packets: PacketSet) -> bool:
        """Shown by a packet that one of the first such rules gets; that none does, often by how few
        they are."""
        deciding = self.takers.deciding(packets)
        if not self._of_kinds(CALLS).isdisjoint(deciding):
            return super().some_end(kinds, packets)
        wanted = self._of_kinds(frozenset(kinds))
        ending = [n for n in deciding if n in wanted] if wanted else []
        falling_off = VerdictKind.RETURN in kinds and packets.satisfiable()
        if falling_off and self.blocked_at(packets) == len(self.chain.rules):
            return True
        each = self.rules.matching(ending[:_FEW], packets)
        if any(self.blocked_at(matching, number) == number for number, matching in each):
            return True
        return len(ending) > _FEW and super().some_end(kinds, packets)

    @memo
    def _of_kinds(self, kinds: Collection[VerdictKind]) -> frozenset[int]:
        """The rules with one of the verdicts."""
        return frozenset(numbers_where(self.chain, lambda rule: rule.verdict.kind in kinds))

    def kept(self, called: PacketSet, arriving: PacketSet) -> PacketSet:
        called = called & arriving
        return called & ~self.outcomes_of(called)[VerdictKind.RETURN]

    def arriving_at(self, number: int, packets: PacketSet) -> PacketSet:
        takers = self.takers.taking(packets)
        before = [*takers[: bisect_left(takers, number)]]
        # Of packets that all are taken, mostly a few broad rules take all.
        before.sort(key=self.takers.breadths.__getitem__, reverse=True)
        for n in before[:_BROADEST]:
            packets = packets & ~self.taken_by(n)
            if not packets.satisfiable():
                return packets
        others = [self.taken_by(n) & packets for n in before[_BROADEST:]]
        return packets & ~union(others, self.space.false)

    def blocked_at(self, packets: PacketSet, end: int | None = None) -> int:
        if not packets.satisfiable():
            return 0
        end = len(self.chain.rules) if end is None else end
        takers = self.takers.taking(packets)
        takers = takers[: bisect_left(takers, end)]
        if len(takers) > _FEW:
            end, left = self._past(self.takers.broad, packets, end)
            if self._some_arrive(end, left):
                return end
        return self._past(takers, packets, end)[0]

    def passage_to(self, number: int, packets: PacketSet) -> Passage:
        takers = self.takers.taking_from(number, packets)
        return PassageBySight(self, takers[: bisect_left(takers, number)], packets)

    def some_arrive(self, number: int, packets: PacketSet) -> bool:
        return packets.satisfiable() and self.blocked_at(packets, number) == number

    def _past(self, numbers: Iterable[int], packets: PacketSet, end: int) -> tuple[int, PacketSet]:
        """The first of the rules before the end that, with those before it, takes all that is left
        of the packets, and what comes to it; else the end."""
        for number in (n for n in numbers if n < end):
            beyond = packets & ~self.taken_by(number)
            if not beyond.satisfiable():
                return number, packets
            packets = beyond
        return end, packets

    def _some_arrive(self, number: int, packets: PacketSet) -> bool:
        """Whether one of a few packets gets to the rule; of the packets, all get past the broad
        rules before it."""
        few = (sample.pick_cube() for sample in samples(self.space, packets, _SAMPLES))
        cubes = [cube for cube in few if cube is not None]
        ends = np.full(len(cubes), number, np.int64)
        return bool((self.takers.of(cubes, ends) < 0).any())

    def matched_of(
        self, numbers: Sequence[int], packets: PacketSet
    ) -> Iterator[tuple[int, PacketSet]]:
        odd, is_held = {*self.takers.odd}, self.takers.is_held
        takers = [n for n in self.takers.taking(packets) if n not in odd]
        numbers = [n for n in numbers if not is_held[n]]
        before = self.rules.sharing_before(numbers, takers, _FEW)
        odd_takers = self.takers.odd
        for number, matched in self.rules.matching(numbers, packets):
            several = before.get(number)
            if several is None:
                matched = self.arriving_at(number, matched)
            else:
                for taker in (*several, *(n for n in odd_takers if n < number)):
                    matched = matched & ~self.taken_by(taker)
            if matched.satisfiable():
                yield number, matched

    def first_for(self, packets: PacketSet, start: int) -> int | None:
        numbers = (n for n in self.concerning(packets) if n >= start)
        return next((n for n in numbers if self.rules.is_for(n, packets)), None)

    def first_sharing(self, numbers: Sequence[int], entering: PacketSet) -> Mapping[int, int]:
        anywhere = self.rules.are_anywhere(entering)
        return self.rules.first_sharing(numbers, entering) if anywhere else {}

    def concerning(self, packets: PacketSet) -> Sequence[int]:
        return self.rules.concerning(packets)

    def may_be_for(self, number: int, packets: PacketSet) -> bool:
        concerning = self.rules.concerning_few(packets)
        place = int(np.searchsorted(concerning, number))
        return place < len(concerning) and int(concerning[place]) == number

    # -- rules beside each other -------------------------------------------------

    def sharing(self, number: int, others: Sequence[int], entering: PacketSet) -> Sequence[int]:
        some_odd = not {*self.columns.odd}.isdisjoint((number, *others))
        if some_odd or not self.rules.are_anywhere(entering):
            return super().sharing(number, others, entering)
        return self.rules.sharing_one(number, others, entering)

    def last_meetings(
        self, numbers: Sequence[int], others: Sequence[int], start: int
    ) -> Mapping[int, int]:
        last = np.full(len(self.chain.rules), -1, np.int64)
        others = [other for other in others if start < other < numbers[-1]]
        for pairs in self.rules.sharing(numbers, others):
            rule, other = self.columns.number[pairs]
            before = other < rule
            np.maximum.at(last, rule[before], other[before])
        for number, other in self._odd_pairs(numbers, others):
            if other > last[number] and self.rules.is_for(other, self.tests[number].may):
                last[number] = other
        return {number: int(last[number]) for number in numbers if last[number] >= 0}

    def _odd_pairs(
        self, numbers: Sequence[int], others: Sequence[int]
    ) -> Iterator[tuple[int, int]]:
        """A rule, and one of the others before it, where one of them has no row."""
        odd = frozenset(self.columns.odd)
        odd_others = [other for other in others if other in odd]
        for number in numbers:
            for other in others if number in odd else odd_others:
                if other < number:
                    yield number, other

    def perhaps_covered(self, decisions: Sequence[object], entering: PacketSet) -> Iterable[int]:
        columns = self.columns
        kinds = {decision: kind for kind, decision in enumerate(dict.fromkeys(decisions))}
        of_rule = np.array([kinds[d] if d is not None else -1 for d in decisions], np.int64)
        deciding = np.flatnonzero(of_rule[columns.number] >= 0).astype(np.int64)
        number, kind = columns.number, of_rule[columns.number]
        asked, points, backgrounds = self.rules.sampled(deciding, entering)
        rows = PointSearch(columns, deciding).widest(
            points,
            backgrounds,
            self.rules.background.taking(),
            np.full(len(asked), len(number), np.int64),
            lambda points, rows: (
                (number[rows] > number[asked[points]]) & (kind[rows] == kind[asked[points]])
            ),
        )
        alone = {*number[asked[rows < 0]].tolist()}
        last_odd = {decisions[n]: n for n in columns.odd}
        return [
            n
            for n, decision in enumerate(decisions)
            if decision is not None and (n not in alone or last_odd.get(decision, -1) > n)
        ]

    def taking(self, numbers: Sequence[int]) -> Sequence[Hashable | None]:
        """Where each rule is one box, two take the same packets if box and rest are the same."""
        if not self.rules.are_single_boxes:
            return super().taking(numbers)
        sets = dict.fromkeys(tests.may for tests in self.rules.rests)
        kinds = {packets: kind for kind, packets in enumerate(sets)}
        of_rests = np.array([kinds[tests.may] for tests in self.rules.rests], np.int64)
        alike = self.columns.alike(np.array(numbers, np.int64), of_rests)
        some = np.array([tests.may.satisfiable() for tests in self.rules.rests], np.bool_)
        told = zip(alike.tolist(), some[self.columns.rest[numbers]].tolist(), strict=True)
        return [kind if taken else None for kind, taken in told]

    def is_certain(self, number: int) -> bool:
        return self.rules.certain[number]

    @cached_property
    def _is_certain(self) -> bool:
        """Whether the packet alone decides what each rule does."""
        kinds = {rule.verdict.kind for rule in examples(self.chain)}
        return VerdictKind.UNKNOWN not in kinds and all(self.rules.certain)

    def some_taken_before(self, number: int, packets: PacketSet) -> bool:
        if not self.decides_at_sight:
            return super().some_taken_before(number, packets)
        takers = self.takers.taking(packets)
        before = takers[: bisect_left(takers, number)]
        return next(self.rules.matching(before, packets), None) is not None

    @property
    def decides_at_sight(self) -> bool:
        return self._is_certain and not self.takers.odd

    def one_that_comes(self, number: int, packets: PacketSet) -> PacketSet | None:
        return self._dead.one_that_comes(number, packets)

    def may_match(self, number: int, packets: PacketSet) -> bool:
        return self.rules.may_match(number, packets)

    # -- rules that nothing gets to ---------------------------------------------

    def is_held(self, number: int) -> bool:
        return self.takers.is_held[number]

    def unmatched(self, entering: PacketSet) -> frozenset[int]:
        return self._dead.unmatched(entering)

    def sole_taker(self, number: int, entering: PacketSet) -> int | None:
        return self._dead.sole_takers(entering).get(number)

    def stoppers(self, number: int, entering: PacketSet) -> Sequence[int] | None:
        return self._dead.stoppers(entering).get(number)

    def seen_to_come(self, takers: Mapping[int, int], packets: PacketSet) -> frozenset[int]:
        return self._dead.seen_to_come(takers, packets) if self._is_certain else frozenset()
