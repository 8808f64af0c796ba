"""The rules of a long chain, as columns and as sets: which may concern some packets, which share
a packet, and packets to ask about them all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from iptlint.memo import memo
from iptlint.model import Rule, Within
from iptlint.packets.bdd import union
from iptlint.packets.boxes import packets_in
from iptlint.packets.columns import BOX_FIELDS, Columns, Flags, Numbers, Values
from iptlint.packets.concerning import Concerning
from iptlint.packets.match import Matcher, Tests
from iptlint.packets.near_rows import nearest
from iptlint.packets.on_demand import TestsOnDemand
from iptlint.packets.overlaps import overlaps
from iptlint.packets.point_search import Background, Points

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


class LongRules:
    """``columns`` are those of the rules, ``tests`` made when somebody asks for one."""

    def __init__(self, matcher: Matcher, rules: Sequence[Rule], columns: Columns) -> None:
        self.matcher = matcher
        self.space = matcher.space
        self.columns = columns
        self.tests: Sequence[Tests] = TestsOnDemand(self._tests, len(rules))
        self._rules = rules

    @cached_property
    def rests(self) -> Sequence[Tests]:
        universe = self.space.universe
        return [self.matcher.all_of(rest, universe) for rest in self.columns.rests]

    def _tests(self, number: int) -> Tests:
        rest = self._rest_of[number]
        if rest is None:
            return self.matcher.rule(self._rules[number])
        may, sure = self.rests[rest]
        is_certain = may is sure
        for box in self._sides(number):
            may = may & box
            sure = may if is_certain else sure & box
        return Tests(may, sure)

    @cached_property
    def _rest_of(self) -> Sequence[int | None]:
        """Of each rule; None where it is odd."""
        rests: list[int | None] = [None] * len(self._rules)
        for number, rest in zip(
            self.columns.number.tolist(), self.columns.rest.tolist(), strict=True
        ):
            rests[number] = rest
        return rests

    def _sides(self, number: int) -> Iterator[PacketSet]:
        """What the rule tests beside its rest, each test a set."""
        fields = self.columns.fields
        for match in self._rules[number].matches:
            if type(match) is Within and match.field in fields:
                yield self.matcher.test(match).may

    def matching(
        self, numbers: Iterable[int], packets: PacketSet
    ) -> Iterator[tuple[int, PacketSet]]:
        """For each of the rules those of the packets that it may be for, unless they are none."""
        by_rest: dict[int | None, PacketSet] = {}
        for number in numbers:
            rest = self._rest_of[number]
            if rest is None:
                matching = packets & self.tests[number].may
            else:
                if rest not in by_rest:
                    by_rest[rest] = packets & self.rests[rest].may
                matching = by_rest[rest]
                for side in self._sides(number):
                    matching = matching & side
            if matching.satisfiable():
                yield number, matching

    @cached_property
    def points(self) -> Points:
        return Points(self.space, self.columns)

    @cached_property
    def background(self) -> Background:
        return Background(self.space, [tests.sure for tests in self.rests])

    def together(self, numbers: Sequence[int]) -> PacketSet:
        """What one of the rules takes for certain."""
        odd = frozenset(self.columns.odd).intersection(numbers)
        rows = self.columns.rows_of(numbers)
        rests = self.columns.rest[rows]
        parts = [self.tests[number].sure for number in odd]
        for rest in np.unique(rests).tolist():
            boxes = packets_in(self.space, self.columns, rows[rests == rest])
            parts.append(self.rests[rest].sure & boxes)
        return union(parts, self.space.false)

    def is_for(self, number: int, packets: PacketSet) -> bool:
        return (self.tests[number].may & packets).satisfiable()

    def concerning(self, packets: PacketSet) -> Sequence[int]:
        return self._concerning(packets)

    @memo
    def concerning_few(self, packets: PacketSet) -> Numbers:
        """The same; to be asked of few different packets, which concern few rules."""
        return np.array(self._concerning(packets), np.int64)

    @cached_property
    def _concerning(self) -> Concerning:
        return self.concerning_among(self.columns)

    def concerning_among(self, columns: Columns) -> Concerning:
        """``concerning``, where rules have these rows of the columns only."""
        rests = [tests.may for tests in self.rests]
        return Concerning(self.space, columns, rests, lambda n: self.tests[n].may)

    def may_match(self, number: int, packets: PacketSet) -> bool:
        """``is_for``, without a set for the rule where the packets have any address and port. To
        be asked of few different packets."""
        rest = self._rest_of[number]
        if rest is None or not self.are_anywhere(packets):
            return self.is_for(number, packets)
        return self._rest_is_for(rest, packets)

    @memo
    def are_anywhere(self, packets: PacketSet) -> bool:
        """Whether the packets have any address and port. To be asked of few different ones."""
        return self.space.forget(packets, BOX_FIELDS) == packets

    @memo
    def _rest_is_for(self, rest: int, packets: PacketSet) -> bool:
        return (self.rests[rest].may & packets).satisfiable()

    def sharing(self, numbers: Sequence[int], others: Sequence[int]) -> Iterator[Numbers]:
        """Pairs of rows, of the rules and of the others, that share a packet."""
        yield from self._sharing(self.columns.rows_of(numbers), self.columns.rows_of(others))

    def _sharing(self, rows: Numbers, others: Numbers) -> Iterator[Numbers]:
        rests = self.columns.rest
        for pairs in overlaps(self.columns, rows, others):
            yield pairs[:, self._pairwise(rests[pairs[0]], rests[pairs[1]], self._share)]

    def sharing_one(self, number: int, others: Sequence[int], packets: PacketSet) -> Sequence[int]:
        """Those of the others that share one of the packets, which have any address and port, with
        the rule; none of them is odd."""
        columns, rows = self.columns, self.columns.rows_of(others)
        mine = columns.rows_of([number])
        sharing = np.zeros(len(rows), np.bool_)
        for row in mine.tolist():
            each = self._fitting(int(columns.rest[row]), packets)[columns.rest[rows]]
            for low, high in zip(columns.low, columns.high, strict=True):
                each &= (low[rows] <= high[row]) & (low[row] <= high[rows])
            sharing |= each
        numbers = columns.number[rows[sharing]]
        several: list[int] = numbers[np.diff(numbers, prepend=-1) > 0].tolist()
        return several

    def first_sharing(self, numbers: Sequence[int], packets: PacketSet) -> Mapping[int, int]:
        """For rules the first behind them that may match some of the same of the packets, which
        have any address and port. Rules of several rows are left out, and those where it is not
        near; all, where some rule has no row."""
        columns = self.columns
        if columns.odd:
            return {}
        fitting = np.stack([self._fitting(rest, packets) for rest in range(len(columns.rests))])
        pairs = nearest(columns, columns.sole_rows(numbers), fitting)
        rules, first = columns.number[pairs].tolist()
        return dict(zip(rules, first, strict=True))

    @memo
    def _fitting(self, rest: int, packets: PacketSet) -> Flags:
        """Of each rest, whether it may take some of the packets that this one may take, too."""
        own = self.rests[rest].may & packets
        return np.array([(other.may & own).satisfiable() for other in self.rests], np.bool_)

    def sharing_before(
        self, numbers: Sequence[int], others: Sequence[int], most: int
    ) -> Mapping[int, Sequence[int]]:
        """For each of the rules those of the others before it, in order, that share a packet with
        it; left out where they are more than ``most``, or where the rule has no row. Others that
        have none are named for no rule, nor those that hold nothing that none before them holds by
        the same row."""
        counts = np.zeros(len(self.tests), np.int64)
        collected: list[Numbers] = []
        columns = self.columns
        other_rows = columns.first_of_equal(columns.rows_of(others))
        for pairs in self._sharing(columns.rows_of(numbers), other_rows):
            rules = self.columns.number[pairs]
            rules = rules[:, (rules[1] < rules[0]) & (counts[rules[0]] <= most)]
            np.add.at(counts, rules[0], 1)
            collected.append(rules)
        odd = frozenset(self.columns.odd)
        before: dict[int, list[int]] = {
            number: [] for number in numbers if counts[number] <= most and number not in odd
        }
        for rule, other in (pair for pairs in collected for pair in pairs.T.tolist()):
            if rule in before:
                before[rule].append(other)
        return {rule: sorted({*several}) for rule, several in before.items()}

    def covers(self, rests: Numbers, others: Numbers) -> Flags:
        """Pair by pair, whether the one rest takes for certain all that the other may take."""
        return self._pairwise(rests, others, self._covers)

    def _pairwise(
        self, rests: Numbers, others: Numbers, answer: Callable[[int, int], bool]
    ) -> Flags:
        count = len(self.columns.rests)
        kinds = rests * count + others
        answers = np.zeros(count * count, np.bool_)
        answers[kinds] = True
        for kind in np.flatnonzero(answers).tolist():
            answers[kind] = answer(*divmod(kind, count))
        of_pairs: Flags = answers[kinds]
        return of_pairs

    @memo
    def _covers(self, one: int, other: int) -> bool:
        return not (self.rests[other].may & ~self.rests[one].sure).satisfiable()

    @memo
    def _share(self, one: int, other: int) -> bool:
        return (self.rests[one].may & self.rests[other].may).satisfiable()

    @cached_property
    def are_single_boxes(self) -> bool:
        """Whether each rule is one box, so that a row has the number of its rule."""
        return np.array_equal(self.columns.number, np.arange(len(self.tests)))

    @cached_property
    def certain(self) -> Sequence[bool]:
        by_rest = np.array([tests.may == tests.sure for tests in self.rests], np.bool_)
        certain = np.ones(len(self.tests), np.bool_)  # who has no row takes nothing, for certain
        certain[self.columns.number] = by_rest[self.columns.rest]
        for number in self.columns.odd:
            tests = self.tests[number]
            certain[number] = tests.may == tests.sure
        answers: list[bool] = certain.tolist()
        return answers

    def sampled(self, rows: Numbers, entering: PacketSet) -> tuple[Numbers, Values, Numbers]:
        """Rows, of these, with a packet for each: where it is, and its background."""
        if self.are_anywhere(entering):
            cubes = [(tests.may & entering).pick_cube() for tests in self.rests]
            known = np.array([cube is not None for cube in cubes], np.bool_)
            numbers = [-1 if cube is None else self.background.number(cube) for cube in cubes]
            asked = rows[known[self.columns.rest[rows]]]
            backgrounds = np.array(numbers, np.int64)[self.columns.rest[asked]]
            return asked, self.points.in_rows(asked), backgrounds
        of_rows = ((row, self._row_packets(row) & entering) for row in rows.tolist())
        sampled = [(row, c) for row, packets in of_rows if (c := packets.pick_cube()) is not None]
        backgrounds = np.array([self.background.number(cube) for _, cube in sampled], np.int64)
        points = self.points.of(cube for _, cube in sampled)
        return np.array([row for row, _ in sampled], np.int64), points, backgrounds

    def _row_packets(self, row: int) -> PacketSet:
        return self.tests[int(self.columns.number[row])].may
