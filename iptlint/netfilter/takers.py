"""The rules of a long chain that take packets, and which of them takes one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from iptlint.memo import memo
from iptlint.model import Chain, VerdictKind
from iptlint.packets.bdd import union
from iptlint.packets.columns import Columns, Flags, Numbers, Values
from iptlint.packets.long_rules import LongRules
from iptlint.packets.point_search import Cube, PointSearch

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

GOING_ON = (VerdictKind.CONTINUE, VerdictKind.UNKNOWN)
CALLS = (VerdictKind.JUMP, VerdictKind.GOTO)


class Takers:
    """``taken_by``: what no rule behind one sees, for certain."""

    def __init__(
        self, chain: Chain, rules: LongRules, taken_by: Callable[[int], PacketSet]
    ) -> None:
        self.chain = chain
        self.rules = rules
        self.taken_by = taken_by

    @property
    def columns(self) -> Columns:
        """Those of all rules of the chain."""
        return self.rules.columns

    def takes(self, number: int) -> bool:
        """Whether the rule is one of them."""
        return self.chain.rules[number].verdict.kind not in GOING_ON

    @memo
    def together(self, numbers: tuple[int, ...]) -> PacketSet:
        """What some of the rules take."""
        takers = [number for number in numbers if self.takes(number)]
        calls = {n for n in takers if self.chain.rules[n].verdict.kind in CALLS}
        others = [number for number in takers if number not in calls]
        called = [self.taken_by(number) for number in calls]
        return union([self.rules.together(others), *called], self.rules.space.false)

    @cached_property
    def odd(self) -> Sequence[int]:
        """Those that take packets otherwise than by a row."""
        calls = (n for n, rule in enumerate(self.chain.rules) if rule.verdict.kind in CALLS)
        return sorted({*calls, *(n for n in self.columns.odd if self.takes(n))})

    @cached_property
    def breadths(self) -> Sequence[float]:
        """Of each rule of the chain, as ``Columns.breadths``."""
        return self.columns.breadths(len(self.chain.rules))

    @cached_property
    def broad(self) -> Sequence[int]:
        """Those that take packets of all addresses and ports, and the odd ones."""
        columns = self.columns
        full = [
            (low == 0) & (high == dimension.maximum)
            for dimension, low, high in zip(
                columns.dimensions, columns.low, columns.high, strict=True
            )
        ]
        wide = np.logical_and.reduce(full) if full else np.ones(len(columns.number), np.bool_)
        numbers: list[int] = np.unique(columns.number[wide]).tolist()
        return sorted({*(n for n in numbers if self.takes(n)), *self.odd})

    @cached_property
    def search(self) -> PointSearch:
        """Among the rows of those that are not odd. Only for who is before some rule: there the
        first of equal rows does for the others."""
        odd = {*self.odd}
        takes = [self.takes(number) and number not in odd for number in range(self.count)]
        taking: Flags = np.array(takes, np.bool_)[self.columns.number]
        rows = np.flatnonzero(taking).astype(np.int64)
        return PointSearch(self.columns, self.columns.first_of_equal(rows))

    @property
    def count(self) -> int:
        """Of the rules of the chain."""
        return len(self.chain.rules)

    def of(self, cubes: Sequence[Cube], ends: Numbers) -> Numbers:
        """For a packet of each cube a rule before the end that takes it, the widest; -1: none. Odd
        rules are not looked at."""
        numbers = [self.rules.background.number(cube) for cube in cubes]
        rows = self._before(ends, self.rules.points.of(cubes), np.array(numbers, np.int64))
        return np.where(rows < 0, -1, self.columns.number[rows])

    def pass_by(self, ends: Numbers, points: Values, backgrounds: Numbers) -> Flags:
        """Of packets, whether none of the rules before the end takes one. Odd rules are not looked
        at."""
        return self._before(ends, points, backgrounds) < 0

    def _before(self, ends: Numbers, points: Values, backgrounds: Numbers) -> Numbers:
        return self.search.widest(
            points,
            backgrounds,
            self.rules.background.taking(),
            lambda points, rows: self.columns.number[rows] < ends[points],
        )

    def first_holding(self, rows: Numbers) -> Numbers:
        """For each of the rows the first row of an earlier rule, not an odd one, that takes for
        certain all that it holds; -1 where there is none."""
        number, high = self.columns.number, self.columns.high

        def takes_all(points: Numbers, takers: Numbers) -> Flags:
            asked = rows[points]
            earlier = number[takers] < number[asked]
            takers, asked = takers[earlier], asked[earlier]
            earlier[earlier] = (high[:, asked] <= high[:, takers]).all(axis=0) & self.rules.covers(
                self.columns.rest[takers], self.columns.rest[asked]
            )
            return earlier

        return self.search.first(self.columns.low[:, rows], takes_all)
