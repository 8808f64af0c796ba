"""Which earlier rules of a long chain stop the packets of rules that nothing gets to, for all of
these at once: what ``Passage.stopping`` tells of each, found with boxes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iptlint.netfilter.takers import Takers
from iptlint.packets.backgrounds import NONE, Backgrounds
from iptlint.packets.columns import Numbers
from iptlint.packets.match import Tests
from iptlint.packets.overlaps import overlaps
from iptlint.packets.pieces import Pieces, cut, joined

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_TOGETHER = 2048
_FIRST_BLOCK = 64
"""So many takers are looked at together at first, then ever more: most packets are stopped soon."""
_MOST_PIECES, _MOST_TAKERS = 256, 4096
"""Of a rule that falls into more, or that the first of so many do not stop, its set has to tell."""


def stoppers(
    takers: Takers, numbers: Sequence[int], entering: PacketSet
) -> Mapping[int, Sequence[int]]:
    """For each of the rules, none of whose packets gets to it, a few rules that together stop all,
    the last one first. Those that boxes do not tell of are left out. ``entering``: what comes to
    the chain, with any address and port."""
    search = _Search(takers, entering)
    rows = takers.columns.sole_rows(numbers)
    rows = rows[takers.columns.number[rows] < min(takers.odd, default=takers.count)]
    told: dict[int, Sequence[int]] = {}
    for begin in range(0, len(rows), _TOGETHER):
        told |= search.of(rows[begin : begin + _TOGETHER])
    return told


class _Portions(NamedTuple):
    """What rows take of the owners of pieces."""

    pieces: Pieces
    rows: Numbers


class _Search:
    def __init__(self, takers: Takers, entering: PacketSet) -> None:
        self._columns = takers.columns
        self._taking = takers.free_rows
        rests = takers.rules.rests
        sure = [Tests(rest.sure, rest.sure) for rest in rests]
        self._backgrounds = Backgrounds(takers.rules.space, sure)
        own = [self._backgrounds.all_beside(rest.may & entering) for rest in rests]
        self._own = np.array(own, np.int64)
        counts = np.bincount(self._columns.number, minlength=takers.count)
        self._is_sole = (counts == 1)[self._columns.number]

    def of(self, rows: Numbers) -> Mapping[int, Sequence[int]]:
        number = self._columns.number
        portions, failed = self._taken(rows)
        stopping = self._last_first(portions)
        return {
            int(number[rows[owner]]): [int(number[row]) for row in several]
            for owner, several in stopping.items()
            if owner not in failed and self._is_sole[several].all()
        }

    def _taken(self, rows: Numbers) -> tuple[_Portions, frozenset[int]]:
        """Of each of the rows what rows before it take first; the owner is its place among these.
        And those of which something may be left."""
        backgrounds = self._own[self._columns.rest[rows]]
        low, high = self._columns.low[:, rows], self._columns.high[:, rows]
        pieces = Pieces(np.arange(len(rows)), low, high, backgrounds)
        failed = {*np.flatnonzero(backgrounds == NONE).tolist()}
        pieces = pieces.where(backgrounds != NONE)
        portions = [_Portions(pieces.where(pieces.owner < 0), pieces.owner[:0])]
        for taking in self._blocks():
            aside: list[Pieces] = []
            for asked, takers in self._meeting(rows, np.unique(pieces.owner), taking):
                place = np.full(len(rows), -1, np.int64)
                place[asked] = takers
                met = place[pieces.owner] >= 0
                aside.append(pieces.where(~met))
                pieces = pieces.where(met)
                inside, pieces = cut(pieces, self._columns, place[pieces.owner], self._backgrounds)
                portions.append(_Portions(inside, place[inside.owner]))
                many = np.bincount(pieces.owner, minlength=1) > _MOST_PIECES
                failed |= {*np.flatnonzero(many).tolist()}
                pieces = pieces.where(~many[pieces.owner])
            pieces = joined([*aside, pieces])
            if not len(pieces.owner):
                break
        failed |= {*pieces.owner.tolist()}
        return (
            _Portions(
                joined([portion.pieces for portion in portions]),
                np.concatenate([portion.rows for portion in portions]),
            ),
            frozenset(failed),
        )

    def _blocks(self) -> Iterator[Numbers]:
        first = self._taking[:_MOST_TAKERS]
        begin, size = 0, _FIRST_BLOCK
        while begin < len(first):
            yield first[begin : begin + size]
            begin, size = begin + size, size * 2

    def _meeting(
        self, rows: Numbers, owners: Numbers, taking: Numbers
    ) -> Iterator[tuple[Numbers, Numbers]]:
        """Owners, each once, and a row of these that takes some of the same box and is of an
        earlier rule than its own; first those with the first such row of each owner."""
        number, of_row = self._columns.number, np.empty(len(self._columns.number), np.int64)
        of_row[rows[owners]] = owners
        several = [*overlaps(self._columns, rows[owners], taking)]
        pairs = np.concatenate(several, axis=1) if several else np.zeros((2, 0), np.int64)
        pairs = pairs[:, number[pairs[1]] < number[pairs[0]]]
        pairs = pairs[:, np.lexsort(pairs[::-1])]
        starts = np.flatnonzero(np.diff(pairs[0], prepend=-1))
        counts = np.diff(starts, append=pairs.shape[1])
        step = 0
        while len(starts):
            there = starts + step
            yield of_row[pairs[0][there]], pairs[1][there]
            step += 1
            starts, counts = starts[counts > step], counts[counts > step]

    def _last_first(self, portions: _Portions) -> Mapping[int, Sequence[int]]:
        """For each owner the row that takes the last portion, then of what is beside this row the
        last one again."""
        owner = portions.pieces.owner
        pieces = portions.pieces._replace(owner=np.arange(len(owner)))
        last = np.zeros(int(owner.max(initial=0)) + 1, np.int64)
        stopping: dict[int, list[int]] = {}
        while len(pieces.owner):
            owners = owner[pieces.owner]
            last[:] = -1
            np.maximum.at(last, owners, portions.rows[pieces.owner])
            for each in np.unique(owners).tolist():
                stopping.setdefault(each, []).append(int(last[each]))
            _, pieces = cut(pieces, self._columns, last[owners], self._backgrounds)
        return stopping
