"""A set of packets as few boxes: products of one set of values for each field.

Boxes may overlap, as rules do: "in on lo" and "tcp to port 22" is what people say, not "tcp
to port 22, not in on lo". Each is as large as the set allows, and together they are the set.

What leaves most fields free is looked for first. For a choice of fields, ``forall`` over all
the others gives the packets that the set holds whatever the others are; that is a small
diagram, even of a set that ten thousand rules made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, NamedTuple

from iptlint.model import Field, Opaque
from iptlint.model.matches import PACKET_FAMILIES
from iptlint.model.protocols import ICMP, ICMP6, PORT_PROTOCOLS, TCP
from iptlint.packets.describe.shortest_path import Literals, largest_cube
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

Axis = Field | Opaque
"""A field, or the key of a test that is not interpreted."""

View = frozenset[Axis]
"""What is not to be free."""

Box = dict[Axis, "PacketSet"]
"""For each axis that is not free its values: a set that depends on nothing else."""

BUDGET = 2_000_000
"""How many nodes the operations on large sets may visit; fifteen million are about a second."""

_PATH = 50_000
"""What the search for a path counts for, in nodes."""

_STEP = 20
"""What one more factor of a product counts for, in nodes."""

_MOST_TESTS = 50
"""A box with more conditions is nothing to read; nor is it worth the time."""

_IP = {Field.FAMILY: tuple(PACKET_FAMILIES.index(name) for name in ("ip", "ip6"))}
_WHOLE = _IP | {Field.FRAGMENT: (0,)}
EXISTS_IN: Mapping[Axis, Mapping[Field, tuple[int, ...]]] = {
    Field.SADDR: {Field.FAMILY: (PACKET_FAMILIES.index("ip"),)},
    Field.DADDR: {Field.FAMILY: (PACKET_FAMILIES.index("ip"),)},
    Field.SADDR6: {Field.FAMILY: (PACKET_FAMILIES.index("ip6"),)},
    Field.DADDR6: {Field.FAMILY: (PACKET_FAMILIES.index("ip6"),)},
    Field.PROTO: _IP,
    Field.FRAGMENT: _IP,
    Field.TTL: _IP,
    Field.TOS: _IP,
    Field.SPORT: _WHOLE | {Field.PROTO: PORT_PROTOCOLS},
    Field.DPORT: _WHOLE | {Field.PROTO: PORT_PROTOCOLS},
    Field.ICMP_TYPE: _WHOLE | {Field.PROTO: (ICMP, ICMP6)},
    Field.ICMP_CODE: _WHOLE | {Field.PROTO: (ICMP, ICMP6)},
    Field.TCP_FLAGS: _WHOLE | {Field.PROTO: (TCP,)},
}
"""Which values other fields have where a packet has the field at all."""

_WEIGHTS: Mapping[Axis, float] = {
    Field.SADDR6: 0.25,
    Field.DADDR6: 0.25,
    Field.MARK: 0.25,
    Field.CT_MARK: 0.25,
    Field.MAC_SOURCE: 0.5,
    Field.TCP_FLAGS: 0.5,
    Field.SPORT: 1.2,
    Field.DPORT: 1.2,
}
"""What halving a field's values counts for; 1 for the others. A host is a host, of ip or ip6;
and a protocol is said before its ports."""


def weight(axis: Axis) -> float:
    return _WEIGHTS.get(axis, 1.0)


_LISTED = (Field.IIF, Field.DADDR, Field.SADDR, Field.DADDR6, Field.SADDR6, Field.DPORT)
"""Fields of which rules name thousands of values, those first that the diagrams ask first."""

_LARGE = 5_000
"""Nodes."""

_INTERFACES = {Field.IIF, Field.OIF}
_CONNECTION = {Field.CT_STATE, Field.CT_DIRECTION, Field.CT_SNAT, Field.CT_DNAT}
_SERVICE = {
    *(Field.PROTO, Field.FRAGMENT, Field.TCP_FLAGS),
    *(Field.ICMP_TYPE, Field.ICMP_CODE, Field.SPORT, Field.DPORT),
}
_SOURCE = {Field.SADDR, Field.SADDR6}
_DESTINATION = {Field.DADDR, Field.DADDR6}
_USUAL = {*_INTERFACES, *_CONNECTION, *_SERVICE}
_TOLD_OFTEN = {Field.FAMILY, *_USUAL, *_SOURCE, *_DESTINATION}
_VIEWS = (
    _INTERFACES,
    _CONNECTION,
    _SERVICE,
    _USUAL,
    _SOURCE,
    _DESTINATION,
    _SERVICE | _DESTINATION,
    _SERVICE | _SOURCE,
    _USUAL | _DESTINATION,
    _USUAL | _SOURCE,
    _TOLD_OFTEN,
)
"""The fields that are not to be free, in the order in which boxes are looked for; the family
is one of them always. At last come the seldom tested fields, alone, and everything."""

_WIDE_VIEWS = (_TOLD_OFTEN, _USUAL | _DESTINATION, _USUAL | _SOURCE, _USUAL)
"""The widest first. What a narrow view leaves of a set it leaves of what a wider one leaves. Where
ten thousand addresses are told apart most leave nothing, and only the first sees the large set."""


class Cover(NamedTuple):
    """``left``: the packets that no box holds; none if the boxes are the whole set."""

    boxes: list[Box]
    left: PacketSet


class Axes:
    """What a packet is told apart by, as variables of the space."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.cubes: dict[Axis, PacketSet] = {
            field: bits.cube for field, bits in space.fields.items()
        }
        self.cubes.update(space.opaques.items())
        self._ranks = {axis: rank for rank, axis in enumerate(self.cubes)}
        self._others: dict[View, PacketSet] = {}
        self._projected: dict[tuple[PacketSet, Axis], PacketSet] = {}
        # By the variables' own numbers: others than these may have joined the space between.
        self.of_variable: dict[int, tuple[Axis, int]] = {
            variable: (field, 1 << (bits.width - 1 - index))
            for field, bits in space.fields.items()
            for index, variable in enumerate(bits.variables)
        }
        for test, variable in space.opaques.items():
            self.of_variable[variable.node_var() or 0] = test, 1
        self.weights = {number: weight(axis) for number, (axis, _) in self.of_variable.items()}

    def cube(self, axes: Iterable[Axis]) -> PacketSet:
        """All variables of the axes; the last ones first, so that each adds nodes on top."""
        result = self.space.true
        for axis in self.least_first(axes):
            result = self.cubes[axis] & result
        return result

    def exists(self, packets: PacketSet, view: View) -> PacketSet:
        """What the packets are in the view, some or other values of the rest given."""
        for field in self._left_out_first(packets, view):
            packets = packets.exists(self.cubes[field])
        return packets.exists(self._but(view))

    def forall(self, packets: PacketSet, view: View) -> PacketSet:
        """What they are in the view whatever the values of the rest."""
        for field in self._left_out_first(packets, view):
            packets = packets.forall(self.cubes[field])
        return packets.forall(self._but(view))

    def _left_out_first(self, packets: PacketSet, view: View) -> Iterator[Axis]:
        """Without a field of a hundred thousand values what is left is small, and to leave out
        everything at once takes fifteen times as long."""
        if packets.node_count() > _LARGE:
            yield from (field for field in _LISTED if field in self.cubes and field not in view)

    def _but(self, view: View) -> PacketSet:
        """All variables of all axes that are not in the view."""
        if view not in self._others:
            self._others[view] = self.cube(self.cubes.keys() - view)
        return self._others[view]

    def project(self, packets: PacketSet, axis: Axis) -> PacketSet:
        """The values that the packets have."""
        asked = packets, axis
        if asked not in self._projected:
            self._projected[asked] = self.exists(packets, frozenset((axis,)))
        return self._projected[asked]

    def width(self, axis: Axis) -> int:
        return self.space.fields[axis].width if isinstance(axis, Field) else 1

    def exists_in(self, axis: Axis, other: Axis) -> PacketSet | None:
        """The values of ``other`` where packets have ``axis``; None if that does not matter."""
        values = EXISTS_IN.get(axis, {}).get(other) if isinstance(other, Field) else None
        if values is None or not isinstance(other, Field):
            return None
        return self.space.ranges(other, tuple((value, value) for value in values))

    def values(self, literals: Literals) -> Box:
        """The box of a path through a diagram."""
        bits: dict[Axis, tuple[int, int]] = {}
        for variable, positive in literals:
            axis, bit = self.of_variable[variable]
            mask, value = bits.get(axis, (0, 0))
            bits[axis] = (mask | bit, value | bit if positive else value)
        return {axis: self._masked(axis, *pair) for axis, pair in bits.items()}

    def _masked(self, axis: Axis, mask: int, value: int) -> PacketSet:
        if isinstance(axis, Field):
            return self.space.masked(axis, mask, value)
        return self.cubes[axis] if value else ~self.cubes[axis]

    def product(self, box: Box, but: Axis | None = None) -> PacketSet:
        result = self.space.true
        for axis in self.least_first(box):
            if axis != but:
                result = box[axis] & result
        return result

    def least_first(self, axes: Iterable[Axis]) -> list[Axis]:
        """What matters least to people first; that is also against the order of variables."""
        return sorted(axes, key=self._ranks.__getitem__, reverse=True)


class _Search:
    """``wanted``: the packets in no box yet. ``allowed``: those that boxes may hold; what is
    not within what is asked about may be in or out."""

    def __init__(self, axes: Axes, packets: PacketSet, within: PacketSet) -> None:
        self.axes = axes
        self.allowed = packets | ~within
        self.wanted = packets & within
        self.nodes = self.allowed.node_count()
        self.spent = 0
        self._every = frozenset(axes.cubes)
        self._wide = [self._of_these(view) for view in _WIDE_VIEWS]
        self._cores: dict[View, PacketSet] = {}

    def run(self, limit: int) -> Iterator[Box]:
        for view in self._views():
            if not self.wanted.satisfiable() or self.spent > BUDGET:
                return
            yield from self._view(view, self._core(view), limit)

    def _views(self) -> Iterator[View]:
        for view in _VIEWS:
            yield self._of_these(view)
        yield self._every - _TOLD_OFTEN | {Field.FAMILY}
        yield self._every

    def _of_these(self, view: Set[Axis]) -> View:
        return self._every & {Field.FAMILY, *view}

    def _core(self, view: View) -> PacketSet:
        """The packets that are allowed whatever they are in what is not in the view."""
        if view not in self._cores:
            wider = [wide for wide in self._wide if view < wide]
            core = self._core(wider[-1]) if wider else self.allowed
            self.spent += core.node_count() // 2
            self._cores[view] = self.axes.forall(core, view)
        return self._cores[view]

    def _view(self, view: View, core: PacketSet, limit: int) -> Iterator[Box]:
        """Boxes that are free in what is not in the view: ``core`` depends on the view only."""
        for _ in range(limit):
            wanted = self.axes.exists(self.wanted & core, view)
            if not wanted.satisfiable() or self.spent > BUDGET:
                return
            seed = self.axes.values(largest_cube(wanted, self.axes.weights))
            box = self._grown(self._made_whole(seed, wanted), ~core)
            if len(box) > _MOST_TESTS:
                return
            self.spent += self.nodes // 2 + _PATH
            self.wanted = self.wanted & ~self.axes.product(box)
            yield box

    def _made_whole(self, seed: Box, wanted: PacketSet) -> Box:
        """The part of the seed whose packets have the fields that it names, if there is one."""
        box = dict(seed)
        for axis in seed:
            for other in EXISTS_IN.get(axis, ()):
                there = self.axes.exists_in(axis, other)
                if there is None:
                    continue
                values = box.get(other, self.axes.space.true)
                part = box | {other: values & there}
                if (self.axes.product(part) & wanted).satisfiable():
                    box = part
                else:
                    box[other] = values & ~there
        return box

    def _grown(self, box: Box, bad: PacketSet) -> Box:
        """The box, as large as it can be: first freed of what does not matter, then with
        more values in each field that does."""
        self._free_tests(box, [axis for axis in box if not isinstance(axis, Field)], bad)
        for axis in self.axes.least_first(box):
            if isinstance(axis, Field) and self._is_needless(box, [axis], bad):
                del box[axis]
        for axis in self.axes.least_first(box):
            if isinstance(axis, Field):
                box[axis] = self._room(box, axis, bad)
        return box

    def _free_tests(self, box: Box, tests: Sequence[Axis], bad: PacketSet, kept: int = 0) -> int:
        """A path may go by thousands of them; what it needs are few. How many it needs, until
        they are too many."""
        if not tests or kept > _MOST_TESTS:
            return kept
        if self._is_needless(box, tests, bad):
            for test in tests:
                del box[test]
            return kept
        if len(tests) == 1:
            return kept + 1
        half = len(tests) // 2
        kept = self._free_tests(box, tests[:half], bad, kept)
        return self._free_tests(box, tests[half:], bad, kept)

    def _is_needless(self, box: Box, axes: Sequence[Axis], bad: PacketSet) -> bool:
        """Whether the box holds nothing bad without them, and only packets with its fields."""
        without = {*axes}
        rest = {axis: values for axis, values in box.items() if axis not in without}
        if any(axis in EXISTS_IN.get(other, ()) for other in rest for axis in axes):
            return False
        taken = bad & self.axes.product(rest)
        self.spent += taken.node_count() + len(rest) * _STEP
        return not taken.satisfiable()

    def _room(self, box: Box, axis: Axis, bad: PacketSet) -> PacketSet:
        """Every value that the others leave to the axis."""
        taken = bad & self.axes.product(box, axis)
        self.spent += 2 * taken.node_count()
        room = ~self.axes.project(taken, axis)
        for other in box:
            there = self.axes.exists_in(other, axis)
            if there is not None:
                room = room & (there if (box[axis] & there).satisfiable() else ~there)
        return room


def cover(axes: Axes, packets: PacketSet, within: PacketSet, limit: int) -> Cover:
    """``packets`` of ``within``; more boxes than ``limit`` where there are more."""
    search = _Search(axes, packets, within)
    boxes: list[Box] = []
    for box in search.run(limit + 1):
        boxes.append(box)
        if len(boxes) > 3 * limit:
            break
    return Cover(boxes, search.wanted)
