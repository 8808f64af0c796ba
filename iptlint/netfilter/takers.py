"""The rules of a long chain that take packets, and which of them takes one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from iptlint.memo import memo, recent
from iptlint.model import Chain, VerdictKind
from iptlint.model.kinds import numbers_where
from iptlint.netfilter.held_rows import held_by
from iptlint.packets.bdd import union
from iptlint.packets.columns import Columns, Flags, Numbers, Values
from iptlint.packets.concerning import Concerning
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
        calls = numbers_where(self.chain, lambda rule: rule.verdict.kind in CALLS)
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
    def held_by(self) -> Numbers:
        """For each row of the columns the first row of an earlier rule, not an odd one, that takes
        for certain all that it holds; -1 where there is none."""
        return held_by(self.rules, self._rows)

    @cached_property
    def is_held(self) -> Sequence[bool]:
        """Of each rule, whether all its rows are."""
        held = np.ones(self.count, np.bool_)
        held[self.columns.number[self.held_by < 0]] = False
        held[[*self.columns.odd]] = False
        each: list[bool] = held.tolist()
        return each

    @cached_property
    def _rows(self) -> Numbers:
        """Those of the rules that take packets by their rows only."""
        taking: Flags = np.ones(self.count, np.bool_)
        taking[[*self._going_on, *self.odd]] = False
        return np.flatnonzero(taking[self.columns.number]).astype(np.int64)

    @cached_property
    def _going_on(self) -> frozenset[int]:
        """The rules that are none of them."""
        return frozenset(numbers_where(self.chain, lambda rule: rule.verdict.kind in GOING_ON))

    @cached_property
    def _search(self) -> PointSearch:
        """Among the rows that packets come to: who is before some rule is found by these."""
        return PointSearch(self.columns, self.free_rows)

    @cached_property
    def free_rows(self) -> Numbers:
        """Those that take packets, and that some packets may come to."""
        return self._rows[self.held_by[self._rows] < 0]

    @recent
    def deciding(self, packets: PacketSet) -> Sequence[int]:
        """The numbers of rules in order, of all that may decide some of the packets at least, and
        are not left without any by an earlier one."""
        return _without(self._concerning(packets), self._going_by)

    @cached_property
    def _going_by(self) -> frozenset[int]:
        going_by = VerdictKind.CONTINUE
        return frozenset(numbers_where(self.chain, lambda rule: rule.verdict.kind is going_by))

    @recent
    def taking(self, packets: PacketSet) -> Sequence[int]:
        """Those of the deciding rules that take packets."""
        return _without(self.deciding(packets), self._going_on)

    def taking_from(self, number: int, packets: PacketSet) -> Sequence[int]:
        """``taking`` of packets that all match the rule; perhaps a few more."""
        row = self.columns.sole_row(number)
        if row is None:
            return self.taking(packets)
        box = self.columns.low[:, row].tolist(), self.columns.high[:, row].tolist()
        concerning = self._concerning.in_box(*box, packets)
        return _without(_without(concerning, self._going_by), self._going_on)

    @cached_property
    def _concerning(self) -> Concerning:
        free = np.flatnonzero(self.held_by < 0).astype(np.int64)
        return self.rules.concerning_among(self.columns.only(free))

    @property
    def count(self) -> int:
        """Of the rules of the chain."""
        return len(self.chain.rules)

    def of(self, cubes: Sequence[Cube], ends: Numbers) -> Numbers:
        """For a packet of each cube a rule before the end that takes it, the widest; -1: none. Odd
        rules are not looked at."""
        numbers = [self.rules.background.number(cube) for cube in cubes]
        rows = self._before(ends, self.rules.points.of(cubes), np.array(numbers, np.int64))
        return np.append(self.columns.number, -1)[rows]

    def pass_by(self, ends: Numbers, points: Values, backgrounds: Numbers) -> Flags:
        """Of packets, whether none of the rules before the end takes one. Odd rules are not looked
        at."""
        return self._before(ends, points, backgrounds) < 0

    def _before(self, ends: Numbers, points: Values, backgrounds: Numbers) -> Numbers:
        behind = np.searchsorted(self.columns.number, ends)
        return self._search.widest(points, backgrounds, self.rules.background.taking(), behind)


def _without(numbers: Sequence[int], others: frozenset[int]) -> Sequence[int]:
    return [number for number in numbers if number not in others] if others else numbers
