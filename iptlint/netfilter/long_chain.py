"""A long chain. It gives the answers of ``ChainFlow``, found otherwise: columns of numbers tell
which rules may concern some packets, and only those are looked at as sets.

That a rule is alive is shown by a packet which no earlier rule takes, looked up among all of them
at once; that it is dead, by earlier rules that leave nothing of it.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from iptlint.memo import memo
from iptlint.model import Chain, VerdictKind
from iptlint.netfilter.chain_flow import ChainFlow, Outcomes, Walker
from iptlint.packets import chain_shape
from iptlint.packets.bdd import union
from iptlint.packets.columns import BOX_FIELDS, Columns, Flags, Numbers, Values
from iptlint.packets.long_rules import LongRules
from iptlint.packets.match import Matcher, Tests
from iptlint.packets.point_search import Cube, PointSearch
from iptlint.packets.samples import samples

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_BROADEST = 64
_ROUNDS = 12
_SAMPLES, _FEW = 32, 64
_GOING_ON = (VerdictKind.CONTINUE, VerdictKind.UNKNOWN)
_CALLS = (VerdictKind.JUMP, VerdictKind.GOTO)
_MOST_NESTED = 16
"""As deep as nf_tables lets chains call each other (NFT_JUMP_STACK_SIZE)."""


def flow_by_columns(
    matcher: Matcher, chain: Chain, callees: Mapping[str, ChainFlow]
) -> LongChain | None:
    """None where the shape of the chain asks for sets."""
    calls = sum(rule.verdict.kind in _CALLS for rule in chain.rules)
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
        numbers = (n for n in self.concerning(packets) if not self._goes_by(n))
        for _, run in groupby(numbers, self._run):
            if not walker.arriving.satisfiable():
                break
            first, *others = run
            verdict, tests = self.chain.rules[first].verdict, self.tests[first]
            if others:
                taken = self._taken_together((first, *others))
                tests = Tests(taken, taken)
            walker.step(verdict.kind, verdict.chain, tests)
        walker.add(VerdictKind.RETURN, walker.arriving)
        return walker.outcomes

    def _goes_by(self, number: int) -> bool:
        return self.chain.rules[number].verdict.kind is VerdictKind.CONTINUE

    def _run(self, number: int) -> object:
        """The same for rules in a row whose order is all the same."""
        kind = self.chain.rules[number].verdict.kind
        if kind in _CALLS or kind in _GOING_ON or not self.is_certain(number):
            return number
        return kind

    def some_end(self, kinds: Collection[VerdictKind], packets: PacketSet) -> bool:
        """Shown by a packet that one of the first such rules gets; that none does, often by how few
        they are."""
        concerning = [n for n in self.concerning(packets) if not self._goes_by(n)]
        ending = [n for n in concerning if self.chain.rules[n].verdict.kind in kinds]
        calls = any(self.chain.rules[n].verdict.kind in _CALLS for n in concerning)
        if calls:
            return super().some_end(kinds, packets)
        falling_off = VerdictKind.RETURN in kinds and packets.satisfiable()
        if falling_off and self.blocked_at(packets) == len(self.chain.rules):
            return True
        each = self.rules.matching(ending[:_FEW], packets)
        if any(self.blocked_at(matching, number) == number for number, matching in each):
            return True
        return len(ending) > _FEW and super().some_end(kinds, packets)

    def kept(self, called: PacketSet, arriving: PacketSet) -> PacketSet:
        called = called & arriving
        return called & ~self.outcomes_of(called)[VerdictKind.RETURN]

    def arriving_at(self, number: int, packets: PacketSet) -> PacketSet:
        before = [n for n in self.concerning(packets) if n < number and self._takes(n)]
        # Of packets that all are taken, mostly a few broad rules take all.
        before.sort(key=self._breadths.__getitem__, reverse=True)
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
        takers = [n for n in self.concerning(packets) if n < end and self._takes(n)]
        if len(takers) > _FEW:
            end, left = self._past(self._broad, packets, end)
            if self._some_arrive(end, left):
                return end
        return self._past(takers, packets, end)[0]

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
        return bool((self._takers(cubes, ends) < 0).any())

    def matched_of(
        self, numbers: Sequence[int], packets: PacketSet
    ) -> Iterator[tuple[int, PacketSet]]:
        odd = {*self._odd_takers}
        takers = [n for n in self.concerning(packets) if self._takes(n) and n not in odd]
        before = self.rules.sharing_before(numbers, takers, _FEW)
        odd_takers = self._odd_takers
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

    def last_for(self, packets: PacketSet, end: int) -> int | None:
        numbers = (n for n in reversed(self.concerning(packets)) if n < end)
        return next((n for n in numbers if self.rules.is_for(n, packets)), None)

    def concerning(self, packets: PacketSet) -> Sequence[int]:
        return self.rules.concerning(packets)

    # -- what the rules take ----------------------------------------------------

    def _takes(self, number: int) -> bool:
        return self.chain.rules[number].verdict.kind not in _GOING_ON

    @memo
    def _taken_together(self, numbers: tuple[int, ...]) -> PacketSet:
        takers = [number for number in numbers if self._takes(number)]
        calls = {n for n in takers if self.chain.rules[n].verdict.kind in _CALLS}
        others = [number for number in takers if number not in calls]
        called = [self.taken_by(number) for number in calls]
        return union([self.rules.together(others), *called], self.space.false)

    @cached_property
    def _odd_takers(self) -> Sequence[int]:
        """The rules that take packets otherwise than by a row."""
        calls = (n for n, rule in enumerate(self.chain.rules) if rule.verdict.kind in _CALLS)
        return sorted({*calls, *(n for n in self.columns.odd if self._takes(n))})

    @cached_property
    def _breadths(self) -> Sequence[float]:
        return self.columns.breadths(len(self.chain.rules))

    @cached_property
    def _broad(self) -> Sequence[int]:
        """The rules that take packets of all addresses and ports, and the odd ones."""
        columns = self.columns
        full = [
            (low == 0) & (high == dimension.maximum)
            for dimension, low, high in zip(
                columns.dimensions, columns.low, columns.high, strict=True
            )
        ]
        wide = np.logical_and.reduce(full) if full else np.ones(len(columns.number), np.bool_)
        numbers: list[int] = np.unique(columns.number[wide]).tolist()
        return sorted({*(n for n in numbers if self._takes(n)), *self._odd_takers})

    @cached_property
    def _taking_rows(self) -> Flags:
        """Of each row, whether its rule takes what it holds."""
        odd = {*self._odd_takers}
        takes = [
            self._takes(number) and number not in odd for number in range(len(self.chain.rules))
        ]
        return np.array(takes, np.bool_)[self.columns.number]

    # -- packets, many at a time ------------------------------------------------

    @cached_property
    def _search(self) -> PointSearch:
        """Only for who is before some rule: there the first of equal rows does for the others."""
        rows = np.flatnonzero(self._taking_rows).astype(np.int64)
        return PointSearch(self.columns, self.columns.first_of_equal(rows))

    def _takers(self, cubes: Sequence[Cube], ends: Numbers) -> Numbers:
        """For a packet of each cube a rule before the end that takes it, the widest; -1: none."""
        backgrounds = np.array([self.rules.background.number(cube) for cube in cubes], np.int64)
        rows = self._search.widest(
            self.rules.points.of(cubes),
            backgrounds,
            self.rules.background.taking(),
            lambda points, rows: self.columns.number[rows] < ends[points],
        )
        return np.where(rows < 0, -1, self.columns.number[rows])

    # -- rules beside each other -------------------------------------------------

    def sharing(self, number: int, others: tuple[int, ...], entering: PacketSet) -> Sequence[int]:
        odd = frozenset(self.columns.odd)
        if (
            not odd.isdisjoint((number, *others))
            or self.space.forget(entering, BOX_FIELDS) != entering
        ):
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

    def taking(self, number: int) -> Hashable | None:
        """Where each rule is one box, two take the same packets if box and rest are the same."""
        columns = self.columns
        if not self.rules.are_single_boxes:
            return super().taking(number)
        rest = self.rules.rests[columns.rest[number]].may
        if not rest.satisfiable():
            return None
        return columns.low[:, number].tobytes(), columns.high[:, number].tobytes(), rest

    def is_certain(self, number: int) -> bool:
        return self.rules.certain[number]

    @cached_property
    def _is_certain(self) -> bool:
        """Whether the packet alone decides what each rule does."""
        kinds = {rule.verdict.kind for rule in self.chain.rules}
        return VerdictKind.UNKNOWN not in kinds and all(self.rules.certain)

    # -- rules that nothing gets to ---------------------------------------------

    @memo
    def unmatched(self, entering: PacketSet) -> frozenset[int]:
        numbers = {*range(len(self.chain.rules))}
        anywhere = self._anywhere(entering)
        if anywhere.satisfiable():
            numbers -= self._met_by_samples(anywhere)
        return frozenset(self._emptied(numbers, entering))

    def _met_by_samples(self, anywhere: PacketSet) -> set[int]:
        """Rules to which a packet of their own gets."""
        rows = np.flatnonzero(self._typical_backgrounds(anywhere)[self.columns.rest] >= 0)
        number = self.columns.number
        met: list[int] = number[self._sample_gets_to(rows, number[rows], anywhere)].tolist()
        return {*met}

    def _sample_gets_to(self, rows: Numbers, numbers: Numbers, anywhere: PacketSet) -> Numbers:
        """Those of the rows, of which a packet gets to the rule whose number stands beside it; one
        of each is tried. ``anywhere``: packets that enter with any address and port."""
        backgrounds = self._typical_backgrounds(anywhere)[self.columns.rest[rows]]
        return rows[self._get_to(numbers, self.rules.points.in_rows(rows), backgrounds)]

    def _get_to(self, numbers: Numbers, points: Values, backgrounds: Numbers) -> Flags:
        """Of packets, whether no rule takes one before it gets to that whose number stands beside
        it; but for the odd rules."""
        takers = self._search.widest(
            points,
            backgrounds,
            self.rules.background.taking(),
            lambda points, takers: self.columns.number[takers] < numbers[points],
        )
        return takers < 0

    @memo
    def _typical_backgrounds(self, anywhere: PacketSet) -> Numbers:
        """For each rest the background of one of its packets; -1 where none is found."""
        cubes = [self._typical(number, anywhere) for number in range(len(self.columns.rests))]
        numbers = [-1 if cube is None else self.rules.background.number(cube) for cube in cubes]
        return np.array(numbers, np.int64)

    def sole_taker(self, number: int, entering: PacketSet) -> int | None:
        return self._sole_takers(entering).get(number)

    @memo
    def _sole_takers(self, entering: PacketSet) -> Mapping[int, int]:
        """That a rule is the first to leave nothing of another is shown by a packet that gets as
        far as to it."""
        anywhere = self._anywhere(entering)
        rows = self.columns.sole_rows(sorted(self.unmatched(entering)))
        rows = rows[self._typical_backgrounds(anywhere)[self.columns.rest[rows]] >= 0]
        takers = self._first_holding(rows)
        rows, takers = rows[takers >= 0], takers[takers >= 0]
        number = self.columns.number
        sole: dict[int, int] = {}
        for _ in range(_ROUNDS):
            if not len(rows):
                break
            shown = np.isin(rows, self._sample_gets_to(rows, number[takers], anywhere))
            sole |= zip(number[rows[shown]].tolist(), number[takers[shown]].tolist(), strict=True)
            rows, takers = rows[~shown], takers[~shown]
        return sole

    def seen_to_come(self, takers: Mapping[int, int], packets: PacketSet) -> frozenset[int]:
        if self._odd_takers or not self._is_certain:
            return frozenset()
        anywhere = self.space.forget(packets, BOX_FIELDS)
        rows = self.columns.sole_rows(sorted(takers))
        backgrounds = self._typical_backgrounds(anywhere)[self.columns.rest[rows]]
        rows, backgrounds = rows[backgrounds >= 0], backgrounds[backgrounds >= 0]
        numbers = self.columns.number[rows]
        ends = np.array([takers[number] for number in numbers.tolist()], np.int64)
        seen = np.zeros(len(rows), np.bool_)
        for _ in range(_ROUNDS):
            left = np.flatnonzero(~seen)
            if not len(left):
                break
            points = self.rules.points.in_rows(rows[left])
            come = self._get_to(ends[left], points, backgrounds[left])
            for place in np.flatnonzero(come).tolist():
                background = self.rules.background.packets(int(backgrounds[left[place]]))
                at_point = self.rules.points.packets(points[:, place])
                seen[left[place]] = (at_point & background & packets).satisfiable()
        return frozenset(numbers[seen].tolist())

    def _first_holding(self, rows: Numbers) -> Numbers:
        """For each of the rows the first, of those of earlier rules that take packets, that takes
        for certain all that it holds; -1 where there is none."""
        number, high = self.columns.number, self.columns.high

        def takes_all(points: Numbers, takers: Numbers) -> Flags:
            asked = rows[points]
            earlier = number[takers] < number[asked]
            points, takers, asked = points[earlier], takers[earlier], asked[earlier]
            earlier[earlier] = (high[:, asked] <= high[:, takers]).all(axis=0) & self.rules.covers(
                self.columns.rest[takers], self.columns.rest[asked]
            )
            return earlier

        return self._search.first(self.columns.low[:, rows], takes_all)

    def _anywhere(self, entering: PacketSet) -> PacketSet:
        """Those of the packets beside which all with other addresses and ports enter, too."""
        return ~self.space.forget(~entering, BOX_FIELDS)

    def _typical(self, rest: int, anywhere: PacketSet) -> Cube | None:
        """A packet of the rest that no odd rule takes, nor the broad ones before the first that
        would leave none."""
        packets = self.rules.rests[rest].may & anywhere & ~self._taken_by_odd
        for taken in self._taken_by_broad:
            left = packets & ~taken
            if not left.satisfiable():
                break
            packets = left
        return packets.pick_cube()

    @cached_property
    def _taken_by_odd(self) -> PacketSet:
        """What an odd rule takes, with any address and port."""
        return self.space.forget(self._taken_together(tuple(self._odd_takers)), BOX_FIELDS)

    @cached_property
    def _taken_by_broad(self) -> Sequence[PacketSet]:
        """What each of the broad rules takes."""
        odd = {*self._odd_takers}
        return [self.taken_by(number) for number in self._broad if number not in odd]

    def _emptied(self, numbers: Iterable[int], entering: PacketSet) -> Iterator[int]:
        """The rules, of these, of whose packets none arrives. In rounds: of what is left of each
        rule one packet is looked up, and the widest rule that takes it is taken off."""
        left: dict[int, PacketSet] = {}
        for number in numbers:
            packets = self.tests[number].may & entering
            for odd in (n for n in self._odd_takers if n < number):
                packets = packets & ~self.taken_by(odd)
            left[number] = packets
        for _ in range(_ROUNDS):
            yield from self._take_out(left)
            if not left:
                return
            asked = [*left]
            cubes = [cube for n in asked if (cube := left[n].pick_cube()) is not None]
            takers = self._takers(cubes, np.array(asked, np.int64))
            for number, taker in zip(asked, takers.tolist(), strict=True):
                if taker < 0:
                    del left[number]
                else:
                    left[number] = left[number] & ~self.taken_by(taker)
        for number, packets in left.items():
            if not self.arriving_at(number, packets).satisfiable():
                yield number

    def _take_out(self, left: dict[int, PacketSet]) -> Iterator[int]:
        for number in [n for n, packets in left.items() if not packets.satisfiable()]:
            del left[number]
            yield number
