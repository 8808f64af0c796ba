"""The rules of a long chain, as columns and as sets: which may concern some packets, which share
a packet, and packets to ask about them all at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, overload

import numpy as np

from iptlint.memo import memo
from iptlint.model import Field, Rule
from iptlint.model.matches import Ranges
from iptlint.packets.columns import BOX_FIELDS, Columns, Numbers, Values, words
from iptlint.packets.intervals import few_ranges
from iptlint.packets.match import Matcher, Tests
from iptlint.packets.overlaps import overlaps
from iptlint.packets.point_search import Background, Points

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_MOST_RANGES = 16


class LongRules:
    """``columns`` are those of the rules, ``tests`` made when somebody asks for one."""

    def __init__(self, matcher: Matcher, rules: Sequence[Rule], columns: Columns) -> None:
        self.matcher = matcher
        self.space = matcher.space
        self.columns = columns
        self.tests: Sequence[Tests] = _OnDemand(matcher, rules)

    @cached_property
    def rests(self) -> Sequence[Tests]:
        universe = self.space.universe
        return [self.matcher.all_of(rest, universe) for rest in self.columns.rests]

    @cached_property
    def points(self) -> Points:
        return Points(self.space, self.columns)

    @cached_property
    def background(self) -> Background:
        return Background(self.space, [tests.sure for tests in self.rests])

    def is_for(self, number: int, packets: PacketSet) -> bool:
        return (self.tests[number].may & packets).satisfiable()

    @memo
    def concerning(self, packets: PacketSet) -> Sequence[int]:
        columns = self.columns
        known: dict[Field, Ranges] = {}
        ranges: list[Ranges] = []
        for dimension in columns.dimensions:
            field = dimension.field
            if field not in known:
                values = self.space.project(packets, field)
                known[field] = few_ranges(values, self.space.fields[field], _MOST_RANGES)
            ranges.append(words(dimension, known[field]))
        rests = np.array([(tests.may & packets).satisfiable() for tests in self.rests], np.bool_)
        odd = [number for number in columns.odd if self.is_for(number, packets)]
        numbers: list[int] = np.union1d(
            columns.overlapping(ranges, rests), np.array(odd, np.int64)
        ).tolist()
        return numbers

    def sharing(self, numbers: Sequence[int], others: Sequence[int]) -> Iterator[Numbers]:
        """Pairs of rows, of the rules and of the others, that share a packet."""
        columns = self.columns
        rows, other_rows = columns.rows_of(numbers), columns.rows_of(others)
        for pairs in overlaps(columns, rows, other_rows):
            kinds, kind_of = np.unique(columns.rest[pairs], axis=1, return_inverse=True)
            alike = [self._share(one, other) for one, other in kinds.T.tolist()]
            yield pairs[:, np.array(alike, np.bool_)[kind_of.reshape(-1)]]

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
        if self.space.forget(entering, BOX_FIELDS) == entering:
            cubes = [(tests.may & entering).pick_cube() for tests in self.rests]
            known = np.array([cube is not None for cube in cubes], np.bool_)
            numbers = [-1 if cube is None else self.background.number(cube) for cube in cubes]
            asked = rows[known[self.columns.rest[rows]]]
            backgrounds = np.array(numbers, np.int64)[self.columns.rest[asked]]
            return asked, self.points.in_rows()[:, asked], backgrounds
        of_rows = ((row, self._row_packets(row) & entering) for row in rows.tolist())
        sampled = [(row, c) for row, packets in of_rows if (c := packets.pick_cube()) is not None]
        backgrounds = np.array([self.background.number(cube) for _, cube in sampled], np.int64)
        points = self.points.of(cube for _, cube in sampled)
        return np.array([row for row, _ in sampled], np.int64), points, backgrounds

    def _row_packets(self, row: int) -> PacketSet:
        return self.tests[int(self.columns.number[row])].may


class _OnDemand(Sequence[Tests]):
    def __init__(self, matcher: Matcher, rules: Sequence[Rule]) -> None:
        self._matcher = matcher
        self._rules = rules
        self._known: dict[int, Tests] = {}

    @overload
    def __getitem__(self, number: int) -> Tests: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Tests]: ...
    def __getitem__(self, number: int | slice) -> Tests | Sequence[Tests]:
        if isinstance(number, slice):
            return [self[n] for n in range(*number.indices(len(self)))]
        known = self._known.get(number)
        if known is None:
            known = self._known[number] = self._matcher.rule(self._rules[number])
        return known

    def __len__(self) -> int:
        return len(self._rules)
