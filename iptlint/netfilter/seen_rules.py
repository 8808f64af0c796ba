"""Rules of a table to which packets are seen to get, in all chains at once.

What enters a chain is a box of addresses and ports beside whatever else the packets are. A call
narrows it to its own box; what earlier rules of a chain may take is left out. So a box for each
rule, all of whose packets get there and match, goes down along the calls; where the whole box does
not get by the rules before, a packet of it is tried.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iptlint.model import Chain, Field, Rule, VerdictKind
from iptlint.model.call_graph import Place
from iptlint.netfilter.called_chains import CalledChains
from iptlint.packets.backgrounds import NONE, Backgrounds
from iptlint.packets.blocks import spread_from
from iptlint.packets.columns import Dimension, Flags, Numbers, Values, words
from iptlint.packets.intervals import ranges_around
from iptlint.packets.match import Matcher
from iptlint.packets.overlaps import overlaps
from iptlint.packets.rule_boxes import rule_boxes

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_FEW = 64
"""So few rules that take packets are each compared with each rule behind."""
_PAIRS, _MOST_PARTS = 1 << 21, 2
"""Of a chain where more parts of so many pairs had to be looked at nothing is said."""
_MOST_MET, _MOST_RESTS = 256, 64
"""Nor of a rule behind so many others that may take some of the same box, or that take so many
different packets beside their boxes."""
_TRIED, _MOST_RANGES = 2, 64


class _Boxes(NamedTuple):
    dimensions: Sequence[Dimension]
    low: Values
    high: Values


class Regions(NamedTuple):
    """Packets for each of some rules, or chains: a box, and the number of a background."""

    low: Values
    high: Values
    background: Numbers

    @classmethod
    def none(cls, dimensions: Sequence[Dimension], count: int) -> Regions:
        shape = len(dimensions), count
        low, high = np.zeros(shape, np.uint64), np.zeros(shape, np.uint64)
        for place, dimension in enumerate(dimensions):
            high[place] = dimension.maximum
        return cls(low, high, np.full(count, NONE, np.int64))

    def of(self, numbers: Numbers | Flags) -> Regions:
        return Regions(self.low[:, numbers], self.high[:, numbers], self.background[numbers])

    def put(self, numbers: Numbers, regions: Regions) -> None:
        self.low[:, numbers], self.high[:, numbers] = regions.low, regions.high
        self.background[numbers] = regions.background

    @property
    def some(self) -> Flags:
        """Where there is a packet."""
        return self.background >= 0


class SeenRules:
    """``hooked``: what enters the base chains. ``asked``: the chains all of whose rules are asked
    about; of others those that call a chain."""

    def __init__(
        self,
        chains: CalledChains,
        matcher_of: Callable[[str], Matcher],
        hooked: Mapping[str, PacketSet],
        asked: Collection[str],
    ) -> None:
        self._chains = chains
        matchers = [matcher_of(chain.name) for chain in chains.chains]
        self._boxes = rule_boxes(chains.rules, [matchers[n] for n in chains.chain_of.tolist()])
        self._space = matchers[0].space
        self._backgrounds = Backgrounds(self._space, self._boxes.rests)
        self._random = np.random.default_rng(1)
        self._entering = Regions.none(self._boxes.dimensions, len(chains.chains))
        for number, chain in enumerate(chains.chains):
            if chain.hook:
                entering = self._backgrounds.all_beside(hooked[chain.name])
                self._entering.background[number] = entering
        self._met = Regions.none(self._boxes.dimensions, len(chains.chain_of))
        wanted = np.array([chain.name in asked for chain in chains.chains], np.bool_)
        for rows in chains.levels():
            rows = rows[wanted[chains.chain_of[rows]] | (chains.called[rows] >= 0)]
            self._look(rows[self._entering.some[chains.chain_of[rows]]])
            self._call(rows)

    @cached_property
    def entered(self) -> frozenset[str]:
        """The chains that a packet enters."""
        entered = np.flatnonzero(self._entering.some).tolist()
        return frozenset(self._chains.chains[number].name for number in entered)

    @cached_property
    def met(self) -> Sequence[bool]:
        """Of each rule, whether a packet gets to it and matches; of others it is not known."""
        met: list[bool] = self._met.some.tolist()
        return met

    def is_met(self, place: Place) -> bool:
        """Whether a packet is seen that gets to the rule and matches."""
        return self.met[self._chains.number_of(place)]

    def unknown(self, chain: Chain) -> list[Rule]:
        """The rules of the chain of which none is seen."""
        start = self._chains.number_of(Place(chain.name, 0))
        met = self.met[start : start + len(chain.rules)]
        return [rule for rule, is_met in zip(chain.rules, met, strict=True) if not is_met]

    def taken(self, kind: VerdictKind, packets: PacketSet) -> PacketSet | None:
        """Some of the packets that get to a rule with the verdict and match; None where none of a
        few rules is seen to take any."""
        numbers = np.flatnonzero(self._met.some & self._chains.with_verdict(kind))
        for place, dimension in enumerate(self._boxes.dimensions):
            values = self._space.project(packets, dimension.field)
            around = ranges_around(values, self._space.fields[dimension.field], _MOST_RANGES)
            fitting = np.zeros(len(numbers), np.bool_)
            for low, high in words(dimension, around):
                fitting |= (self._met.low[place][numbers] <= np.uint64(high)) & (
                    np.uint64(low) <= self._met.high[place][numbers]
                )
            numbers = numbers[fitting]
        for number in numbers[:_FEW].tolist():
            taken = self._region(number) & packets
            if taken.satisfiable():
                return taken
        return None

    def _region(self, number: int) -> PacketSet:
        """The packets that are seen to get to the rule."""
        region = self._backgrounds.packets(int(self._met.background[number]))
        lows, highs = dict[Field, int](), dict[Field, int]()
        for place, (field, shift) in enumerate(self._boxes.dimensions):
            lows[field] = lows.get(field, 0) | int(self._met.low[place][number]) << shift
            highs[field] = highs.get(field, 0) | int(self._met.high[place][number]) << shift
        for field, low in lows.items():
            region = region & self._space.ranges(field, ((low, highs[field]),))
        return region

    def _look(self, rows: Numbers) -> None:
        sent = self._sent(rows)
        rows, sent = rows[sent.some], sent.of(sent.some)
        for _ in range(1 + _TRIED):
            if not len(rows):
                break
            past = self._past(rows, sent)
            self._met.put(rows[past.some], past.of(past.some))
            rows, sent = rows[~past.some], self._points_in(sent.of(~past.some))
            if not self._boxes.dimensions:
                break  # a point is no less than a box then

    def _call(self, rows: Numbers) -> None:
        """What the rules, all of one level, send to the chains that they call."""
        calls = rows[(self._chains.called[rows] >= 0) & self._met.some[rows]]
        called, first = np.unique(self._chains.called[calls], return_index=True)
        unknown = ~self._entering.some[called]
        self._entering.put(called[unknown], self._met.of(calls[first[unknown]]))

    def _sent(self, rows: Numbers) -> Regions:
        """What the tests of the rules take, as far as it is told, of what enters their chains."""
        entering = self._entering.of(self._chains.chain_of[rows])
        low, high = self._boxes.inner
        low = np.maximum(low[:, rows], entering.low)
        high = np.minimum(high[:, rows], entering.high)
        background = self._backgrounds.taken(entering.background, self._boxes.rest[rows])
        background[(low > high).any(axis=0) | self._boxes.odd[rows]] = NONE
        return Regions(low, high, background)

    def _points_in(self, regions: Regions) -> Regions:
        points = self._random.integers(regions.low, regions.high, dtype=np.uint64, endpoint=True)
        return Regions(points, points, regions.background)

    def _past(self, rows: Numbers, regions: Regions) -> Regions:
        """What of the regions no rule takes before those they are sent to."""
        left, count = regions.background.copy(), len(self._boxes.rests)
        for places, takers in self._meeting(rows, regions):
            if not len(takers):
                left[places] = NONE
                continue
            left[np.bincount(places, minlength=len(left)) > _MOST_MET] = NONE
            going_on = left[places] >= 0
            pairs = np.sort(places[going_on] * count + self._boxes.rest[takers[going_on]])
            pairs = pairs[np.diff(pairs, prepend=-1) > 0]
            places, rests = pairs // count, pairs % count
            turns = np.arange(len(places)) - np.searchsorted(places, places)
            left[places[turns >= _MOST_RESTS]] = NONE
            for turn in range(min(int(turns.max(initial=-1)) + 1, _MOST_RESTS)):
                now, rest = places[turns == turn], rests[turns == turn]
                left[now] = self._backgrounds.left(left[now], rest)
        return regions._replace(background=left)

    def _meeting(self, rows: Numbers, regions: Regions) -> Iterator[tuple[Numbers, Numbers]]:
        """Pairs of a place in the rows and of a rule before that one which takes packets, perhaps
        some of the region. Places alone are of rules of which nothing is said."""
        takers = self._chains.takers
        first = np.searchsorted(takers, self._chains.start[self._chains.chain_of[rows]])
        counts = np.searchsorted(takers, rows) - first
        few = np.flatnonzero(counts <= _FEW)
        for part in np.array_split(few, 1 + int(counts[few].sum()) // _PAIRS):
            places = np.repeat(part, counts[part])
            yield self._sharing(regions, places, takers[spread_from(first[part], counts[part])])
        many = np.flatnonzero(counts > _FEW)
        chains = self._chains.chain_of[rows[many]]
        for chain in np.unique(chains).tolist():
            yield from self._meeting_in_long(rows, regions, many[chains == chain])

    def _sharing(
        self, regions: Regions, places: Numbers, takers: Numbers
    ) -> tuple[Numbers, Numbers]:
        sharing = np.ones(len(places), np.bool_)
        low, high = self._boxes.outer
        for dimension in range(len(self._boxes.dimensions)):
            sharing &= regions.low[dimension][places] <= high[dimension][takers]
            sharing &= low[dimension][takers] <= regions.high[dimension][places]
        return places[sharing], takers[sharing]

    def _meeting_in_long(
        self, rows: Numbers, regions: Regions, places: Numbers
    ) -> Iterator[tuple[Numbers, Numbers]]:
        """The same of the places, all in one chain."""
        start = self._chains.start[self._chains.chain_of[rows[places[0]]]]
        takers = self._chains.takers
        takers = takers[np.searchsorted(takers, start) : np.searchsorted(takers, rows[places[-1]])]
        boxes = _Boxes(
            self._boxes.dimensions,
            *(
                np.concatenate([edges[:, places], around[:, takers]], axis=1)
                for edges, around in zip(regions[:2], self._boxes.outer, strict=True)
            ),
        )
        count = len(places)
        numbers = np.arange(count + len(takers), dtype=np.int64)
        parts = [*islice(overlaps(boxes, numbers[:count], numbers[count:]), _MOST_PARTS + 1)]
        if len(parts) > _MOST_PARTS:
            yield places, places[:0]
            return
        for pairs in parts:
            held, taking = places[pairs[0]], takers[pairs[1] - count]
            before = taking < rows[held]
            if before.any():
                yield held[before], taking[before]
