"""For many packets at once: which rows of a long chain's columns take them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, compress
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from iptlint.packets.block_tree import BlockTree
from iptlint.packets.columns import BOX_FIELDS, Columns, Flags, Numbers, Values
from iptlint.packets.region import Region, packets_at
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

Cube = Sequence[bool | None]
"""Of each variable, what it is; None: it may be either."""


class Background:
    """What packets are beside their addresses and ports, as far as rests can tell. Few are
    different, so each is compared with the rests once. ``rests``: the packets of each."""

    def __init__(self, space: Space, rests: Sequence[PacketSet]) -> None:
        self.space = space
        self._rests = rests
        boxed = (space.fields[field] for field in BOX_FIELDS if field in space.fields)
        self._boxed = frozenset(chain.from_iterable(bits.variables for bits in boxed))
        self._told_apart = _outside(self._boxed, 0)
        self._numbers: dict[tuple[bool, ...], int] = {}
        self._taking: list[list[bool]] = []
        self._sets: list[PacketSet] = []

    def number(self, cube: Cube) -> int:
        """Of the background of a packet."""
        if len(self._told_apart) != len(cube):  # the space has more variables now
            self._told_apart = _outside(self._boxed, len(cube))
        known = tuple(map(bool, compress(cube, self._told_apart)))
        number = self._numbers.setdefault(known, len(self._numbers))
        if number == len(self._taking):
            packets = self._packets(cube)
            self._sets.append(packets)
            self._taking.append([(packets & rest).satisfiable() for rest in self._rests])
        return number

    def packets(self, number: int) -> PacketSet:
        """Those with the background."""
        return self._sets[number]

    def taking(self) -> Flags:
        """By the number of a background and of a rest: whether the rest takes it."""
        return np.array(self._taking, np.bool_).reshape(len(self._taking), len(self._rests))

    def _packets(self, cube: Cube) -> PacketSet:
        packets = self.space.true
        for variable in reversed(range(len(cube))):
            if variable not in self._boxed:
                one = self.space.manager.var(variable)
                packets = (one if cube[variable] else ~one) & packets
        return packets


def _outside(variables: frozenset[int], count: int) -> Sequence[bool]:
    """For each of so many variables, whether it is another one."""
    return [variable not in variables for variable in range(count)]


_MANY, _AT_ONCE, _PART = 2048, 16, 8
"""Of so many points it is tried whether so many rows hold one in so many of them."""

Pairwise = Callable[[Numbers, Numbers], Flags]
"""Asked with points and rows, pair by pair."""


class PointSearch:
    """Among some of the rows of the columns, in their order."""

    def __init__(self, columns: Columns, rows: Numbers) -> None:
        self._columns = columns
        self._rows = rows
        self._by_size = rows[np.argsort(columns.size[rows], kind="stable")]

    @cached_property
    def _tree(self) -> BlockTree:
        low, high = self._columns.low[:, self._rows], self._columns.high[:, self._rows]
        return BlockTree(self._columns.dimensions, low, high)

    def widest(
        self,
        points: Values,
        backgrounds: Numbers,
        taking: Flags,
        ends: Numbers,
        allowed: Pairwise | None = None,
    ) -> Numbers:
        """For each point the row with the largest box, of those before its end that take it and
        are ``allowed``; -1 where there is none."""

        def fits(held: Numbers, rows: Numbers) -> Flags:
            fitting: Flags = taking[backgrounds[held], self._columns.rest[rows]]
            if allowed is not None:
                fitting &= allowed(held, rows)
            return fitting

        return self._first_in(self._by_size[::-1], points, ends, fits)

    def first(self, points: Values, ends: Numbers, allowed: Pairwise) -> Numbers:
        """For each point the first row before its end that holds it and is ``allowed``; -1 where
        there is none."""
        return self._first_in(self._rows, points, ends, allowed)

    def _first_in(
        self, ordered: Numbers, points: Values, ends: Numbers, allowed: Pairwise
    ) -> Numbers:
        """For each point, of the rows that hold it, are before its end and are ``allowed``, the one
        that stands first among the ``ordered``, which are all rows; -1 where there is none."""
        none = len(ordered)
        first = np.full(points.shape[1], none, np.int64)
        asked = np.arange(points.shape[1], dtype=np.int64)
        begin = 0
        # Where few rows hold most points, these are soon found among them.
        while len(asked) >= _MANY and begin < none:
            some = ordered[begin : begin + _AT_ONCE]
            held, places = self._inside(points[:, asked], some, ends[asked])
            held = asked[held]
            fitting = allowed(held, some[places])
            np.minimum.at(first, held[fitting], begin + places[fitting])
            left = asked[first[asked] == none]
            begin += _AT_ONCE
            is_worth_it = len(left) * _PART < len(asked) * (_PART - 1)
            asked = left
            if not is_worth_it:
                break
        if len(asked):
            place = np.empty(len(self._columns.number), np.int64)
            place[ordered] = np.arange(none)
            for held, rows in self._holding(points[:, asked], ends[asked]):
                held = asked[held]
                fitting = allowed(held, rows)
                np.minimum.at(first, held[fitting], place[rows[fitting]])
        found: Numbers = np.append(ordered, -1)[first]
        return found

    def _inside(self, points: Values, rows: Numbers, ends: Numbers) -> tuple[Numbers, Numbers]:
        """Pairs of the number of a point and the place of a row that holds it."""
        inside: Flags = rows < ends[:, None]
        for values, low, high in zip(
            points, self._columns.low[:, rows], self._columns.high[:, rows], strict=True
        ):
            inside &= (low <= values[:, None]) & (values[:, None] <= high)
        held, places = np.nonzero(inside)
        return held, places

    def _holding(self, points: Values, ends: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
        for held, places in self._tree.holding(points, np.searchsorted(self._rows, ends)):
            yield held, self._rows[places]


class Points:
    """Makes points: what a packet is in each of the dimensions."""

    def __init__(self, space: Space, columns: Columns) -> None:
        self._space = space
        self._columns = columns
        self._random = np.random.default_rng(1)
        self._draw = Random(1)
        self._variables = [
            space.fields[field].variables[-64 - shift : -shift or None]
            if space.fields[field].width > 64
            else space.fields[field].variables
            for field, shift in columns.dimensions
        ]

    def in_rows(self, rows: Numbers) -> Values:
        """One in the box of each of the rows."""
        low, high = self._columns.low[:, rows], self._columns.high[:, rows]
        return self._random.integers(low, high, dtype=np.uint64, endpoint=True)

    def packets(self, point: Values) -> PacketSet:
        """Those at the point."""
        return packets_at(self._space, self._columns, point)

    def region(self, packets: PacketSet) -> Region:
        """Where the packets are."""
        return Region(self._space, self._columns, packets)

    def of(self, cubes: Iterable[Cube]) -> Values:
        """One of each cube."""
        points = [[self._value(cube, bits) for bits in self._variables] for cube in cubes]
        shape = len(points), len(self._variables)
        return np.ascontiguousarray(np.array(points, np.uint64).reshape(shape).T)

    def _value(self, cube: Cube, variables: Sequence[int]) -> int:
        value = 0
        for variable in variables:
            bit = cube[variable]
            value = value << 1 | (self._draw.getrandbits(1) if bit is None else bit)
        return value
