"""The rules of a long chain that nothing gets to, and who takes their packets, for all of them at
once; seen by a few packets of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iptlint.memo import memo
from iptlint.netfilter.stoppers import stoppers
from iptlint.netfilter.takers import Takers
from iptlint.packets.columns import BOX_FIELDS, Numbers, Values
from iptlint.packets.point_search import Cube
from iptlint.packets.region import Region

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_ROUNDS, _WIDE = 12, 32


class _Held(NamedTuple):
    """Rows of dead rules, that have one each, and for each the first row of an earlier rule that
    takes all that it holds."""

    rows: Numbers
    takers: Numbers


class DeadRules:
    """``arriving_at``: those of some packets that may get to a rule of the chain."""

    def __init__(self, takers: Takers, arriving_at: Callable[[int, PacketSet], PacketSet]) -> None:
        self._takers = takers
        self._rules = takers.rules
        self._columns = takers.columns
        self._space = takers.rules.space
        self._arriving_at = arriving_at

    @memo
    def unmatched(self, entering: PacketSet) -> frozenset[int]:
        """The rules that none of the packets get to and match."""
        number, held = self._columns.number, self._held(entering).rows
        dead: list[int] = number[held].tolist()
        numbers = {*range(self._takers.count)} - self._met(entering)
        return frozenset((*dead, *self._emptied(numbers.difference(dead), entering)))

    @memo
    def _met(self, entering: PacketSet) -> frozenset[int]:
        """Rules to which a packet of their own gets."""
        anywhere = self._anywhere(entering)
        if not anywhere.satisfiable():
            return frozenset()
        rows = np.flatnonzero(self._typical_backgrounds(anywhere)[self._columns.rest] >= 0)
        number = self._columns.number
        return frozenset(number[self._samples_come(rows, number[rows], anywhere)].tolist())

    @memo
    def _held(self, entering: PacketSet) -> _Held:
        met = self._met(entering)
        asked = [number for number in range(self._takers.count) if number not in met]
        rows = self._columns.sole_rows(asked)
        takers = self._takers.held_by[rows]
        return _Held(rows[takers >= 0], takers[takers >= 0])

    def _samples_come(self, rows: Numbers, numbers: Numbers, anywhere: PacketSet) -> Numbers:
        """Those of the rows, of which a packet gets to the rule whose number stands beside it; one
        of each is tried. ``anywhere``: packets that enter with any address and port."""
        backgrounds = self._typical_backgrounds(anywhere)[self._columns.rest[rows]]
        points = self._rules.points.in_rows(rows)
        return rows[self._takers.pass_by(numbers, points, backgrounds)]

    @memo
    def sole_takers(self, entering: PacketSet) -> Mapping[int, int]:
        """By their numbers the dead rules of which all packets are taken by one that is the first
        to leave nothing of them: as a packet that gets as far as to it shows."""
        anywhere, number = self._anywhere(entering), self._columns.number
        rows, takers = self._held(entering)
        known = self._typical_backgrounds(anywhere)[self._columns.rest[rows]] >= 0
        rows, takers = rows[known], takers[known]
        sole: dict[int, int] = {}
        for _ in range(_ROUNDS):
            if not len(rows):
                break
            shown = np.isin(rows, self._samples_come(rows, number[takers], anywhere))
            sole |= zip(number[rows[shown]].tolist(), number[takers[shown]].tolist(), strict=True)
            rows, takers = rows[~shown], takers[~shown]
        return sole

    @memo
    def stoppers(self, entering: PacketSet) -> Mapping[int, Sequence[int]]:
        """By their numbers dead rules that no one rule stops by itself, and those that together
        stop all packets of each; where the packets have any address and port."""
        if not self._rules.are_anywhere(entering):
            return {}
        alone = self.sole_takers(entering)
        several = [n for n in sorted(self.unmatched(entering)) if n not in alone]
        return stoppers(self._takers, several, entering)

    def seen_to_come(self, takers: Mapping[int, int], packets: PacketSet) -> frozenset[int]:
        """Of rules, each with an earlier one that takes all that it holds, those of which one of
        these packets is seen to come to the earlier one."""
        if self._takers.odd:
            return frozenset()
        anywhere = self._space.forget(packets, BOX_FIELDS)
        known = np.unique(self._typical_backgrounds(anywhere))
        regions = {number: self._region(packets, number) for number in known[known >= 0].tolist()}
        rows = self._columns.sole_rows(sorted(takers))
        backgrounds = self._typical_backgrounds(anywhere)[self._columns.rest[rows]]
        rows, backgrounds = rows[backgrounds >= 0], backgrounds[backgrounds >= 0]
        numbers = self._columns.number[rows]
        ends = np.array([takers[number] for number in numbers.tolist()], np.int64)
        seen = np.zeros(len(rows), np.bool_)
        for _ in range(_ROUNDS):
            left = np.flatnonzero(~seen)
            if not len(left):
                break
            points = self._rules.points.in_rows(rows[left])
            come = self._takers.pass_by(ends[left], points, backgrounds[left])
            left, points = left[come], points[:, come]
            for background, region in regions.items():
                alike = backgrounds[left] == background
                seen[left[alike]] = region.holds(points[:, alike])
        return frozenset(numbers[seen].tolist())

    def _region(self, packets: PacketSet, background: int) -> Region:
        """Where those of the packets are that have the background."""
        return self._rules.points.region(packets & self._rules.background.packets(background))

    def one_that_comes(self, number: int, packets: PacketSet) -> PacketSet | None:
        """One of the packets that gets to the rule and matches, if one of a few does."""
        if self._takers.odd:
            return None
        rows = np.repeat(self._columns.rows_of([number]), _ROUNDS)
        anywhere = self._space.forget(packets, BOX_FIELDS)
        backgrounds = self._typical_backgrounds(anywhere)[self._columns.rest[rows]]
        rows, backgrounds = rows[backgrounds >= 0], backgrounds[backgrounds >= 0]
        points = self._rules.points.in_rows(rows)
        come = self._takers.pass_by(np.full(len(rows), number, np.int64), points, backgrounds)
        for place in np.flatnonzero(come).tolist():
            one = self._packets_at(points[:, place], backgrounds[place]) & packets
            if one.satisfiable():
                return one
        return None

    def _packets_at(self, point: Values, background: int) -> PacketSet:
        return self._rules.points.packets(point) & self._rules.background.packets(int(background))

    def _anywhere(self, entering: PacketSet) -> PacketSet:
        """Those of the packets beside which all with other addresses and ports enter, too."""
        return ~self._space.forget(~entering, BOX_FIELDS)

    @memo
    def _typical_backgrounds(self, anywhere: PacketSet) -> Numbers:
        """For each rest the background of one of its packets; -1 where none is found."""
        cubes = [self._typical(number, anywhere) for number in range(len(self._columns.rests))]
        numbers = [-1 if cube is None else self._rules.background.number(cube) for cube in cubes]
        return np.array(numbers, np.int64)

    def _typical(self, rest: int, anywhere: PacketSet) -> Cube | None:
        """A packet of the rest that no odd rule takes, nor the broad ones before the first that
        would leave none, nor where that can be a rule whose box is wide."""
        packets = self._rules.rests[rest].may & anywhere & ~self._taken_by_odd
        for taken in self._taken_by_broad:
            left = packets & ~taken
            if not left.satisfiable():
                break
            packets = left
        for wide in self._wide_rests:
            left = packets & ~wide
            packets = left if left.satisfiable() else packets
        return packets.pick_cube()

    @cached_property
    def _taken_by_odd(self) -> PacketSet:
        """What an odd rule takes, with any address and port."""
        return self._space.forget(self._takers.together(tuple(self._takers.odd)), BOX_FIELDS)

    @cached_property
    def _taken_by_broad(self) -> Sequence[PacketSet]:
        """What each of the broad rules takes."""
        odd = {*self._takers.odd}
        return [self._takers.taken_by(n) for n in self._takers.broad if n not in odd]

    @cached_property
    def _wide_rests(self) -> Sequence[PacketSet]:
        """What the rests take that stand beside the widest boxes."""
        widest = np.full(len(self._columns.rests), -np.inf)
        np.maximum.at(widest, self._columns.rest, self._columns.size)
        return [self._rules.rests[rest].sure for rest in np.argsort(-widest)[:_WIDE].tolist()]

    def _emptied(self, numbers: Iterable[int], entering: PacketSet) -> Iterator[int]:
        """The rules, of these, of whose packets none arrives. In rounds: of what is left of each
        rule one packet is looked up, and the widest rule that takes it is taken off."""
        left: dict[int, PacketSet] = {}
        for number in numbers:
            packets = self._rules.tests[number].may & entering
            for odd in (n for n in self._takers.odd if n < number):
                packets = packets & ~self._takers.taken_by(odd)
            left[number] = packets
        for _ in range(_ROUNDS):
            yield from self._take_out(left)
            if not left:
                return
            asked = [*left]
            cubes = [cube for n in asked if (cube := left[n].pick_cube()) is not None]
            takers = self._takers.of(cubes, np.array(asked, np.int64))
            for number, taker in zip(asked, takers.tolist(), strict=True):
                if taker < 0:
                    del left[number]
                else:
                    left[number] = left[number] & ~self._takers.taken_by(taker)
        for number, packets in left.items():
            if not self._arriving_at(number, packets).satisfiable():
                yield number

    def _take_out(self, left: dict[int, PacketSet]) -> Iterator[int]:
        for number in [n for n, packets in left.items() if not packets.satisfiable()]:
            del left[number]
            yield number
