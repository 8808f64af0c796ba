"""A packet set, described for people: one line a clause, the largest first.

    tcp from 203.0.113.0/24 port 1024-65535 to port 22, in on eth0, new
    icmp echo-request
    every protocol but tcp, if not `set blocklist src`

A line is exact. What is not said (the clauses are too many) is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from typing import TYPE_CHECKING

from iptlint.packets.bdd import union
from iptlint.packets.describe.clause import NONE, Wording
from iptlint.packets.describe.cover import Axes, Axis, Box, cover, weight
from iptlint.packets.describe.unlike_marks import left_open, unlike, unlike_bits, words
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_VARIABLES = 512
"""Far from both ends of what a float can hold, unless hundreds of tests are not interpreted."""

_TINY = 1e-300


@dataclass(frozen=True, slots=True)
class Description:
    """``lines`` say what ``boxes`` are, one each; without ``more`` they are the whole set.
    ``left``: the share, from 0 to 1, of the set's packets that no box holds."""

    lines: tuple[str, ...]
    more: bool
    left: float
    boxes: tuple[PacketSet, ...]


def describe(
    space: Space, packets: PacketSet, limit: int = 8, within: PacketSet | None = None
) -> Description:
    """What the packets of ``within`` (those there can be) are that are in ``packets``.

    What holds for all of ``within`` is not said. At most ``limit`` lines; none where it would
    take dozens of conditions to say anything.
    """
    within = space.universe if within is None else within & space.universe
    packets = space.in_some_case(packets) & within
    if not packets.satisfiable():
        return Description((NONE,), False, 0.0, (space.false,))
    usual = _described(space, packets, within, limit)
    bits = unlike_bits(space, packets) if usual.more else 0
    if not bits:
        return usual
    by_marks = _described(
        space,
        packets,
        within,
        limit,
        saying=left_open(space, packets, bits) & within,
        of=unlike(space, bits),
        beside=words(space, bits),
    )
    return by_marks if by_marks.lines and by_marks.left < usual.left else usual


def _described(
    space: Space,
    packets: PacketSet,
    within: PacketSet,
    limit: int,
    *,
    saying: PacketSet | None = None,
    of: PacketSet | None = None,
    beside: str = "",
) -> Description:
    """``saying``: what the lines may say, if they are of the packets ``of`` only, which they say
    ``beside``."""
    saying, of = packets if saying is None else saying, space.true if of is None else of
    axes = Axes(space)
    covered = cover(axes, saying, within, limit)
    boxes = _by_size(axes, covered.boxes, within)
    boxes = _needed(axes, boxes, packets)[:limit]
    wording = Wording(axes, within)
    boxes = _by_size(axes, _simplified(axes, boxes, within, wording), within)
    sets = tuple(axes.product(box) & within & of for box in boxes)
    left = packets & ~union(sets, space.false)
    lines = tuple(_line(wording, box, beside) for box in boxes)
    return Description(lines, left.satisfiable(), _share(space, left, packets), sets)


def _line(wording: Wording, box: Box, beside: str) -> str:
    if not beside:
        return wording.line(box)
    return f"{wording.line(box)}, {beside}" if box else beside


def clause(
    space: Space, packets: PacketSet, within: PacketSet | None = None, limit: int = 3
) -> str:
    """The same in one sentence; where it does not say everything, it says how much is missing."""
    description = describe(space, packets, limit, within)
    if not description.lines:
        return "packets that too many conditions tell apart to be named"
    text = "; or ".join(description.lines)
    return f"{text}; and others ({share_text(description.left)})" if description.more else text


def share_text(share: float) -> str:
    """``12 % of them``"""
    if share < 0.01:
        return "less than 1 % of them"
    return f"{min(round(share * 100), 99)} % of them"


def _share(space: Space, part: PacketSet, whole: PacketSet) -> float:
    """Not 0 unless the part is empty, however small its share."""
    if not part.satisfiable():
        return 0.0
    total = whole.sat_count_float(_VARIABLES)
    if total > _TINY:
        return max(part.sat_count_float(_VARIABLES) / total, _TINY)
    variables = space.manager.num_vars()
    return max(part.sat_count(variables) / whole.sat_count(variables), _TINY)


def _by_size(axes: Axes, boxes: list[Box], within: PacketSet) -> list[Box]:
    """The largest share of what there is first, as people see it: a host is a host, of ip or
    ip6. Of equal shares the one found first."""
    domains = {axis: axes.project(within, axis) for axis in {axis for box in boxes for axis in box}}

    def size(box: Box) -> float:
        return sum(
            weight(axis) * _doublings(box[axis] & domains[axis], domains[axis]) for axis in box
        )

    return sorted(boxes, key=size, reverse=True)


def _doublings(packets: PacketSet, of: PacketSet) -> float:
    """The logarithm of their share."""
    return log2(packets.sat_count_float(_VARIABLES)) - log2(of.sat_count_float(_VARIABLES))


def _others(axes: Axes, boxes: list[Box], box: Box) -> PacketSet:
    others = [axes.product(other) for other in boxes if other is not box]
    return union(others, axes.space.false)


def _needed(axes: Axes, boxes: list[Box], packets: PacketSet) -> list[Box]:
    """Without those, the smallest first, that hold nothing which the others do not."""
    kept = list(boxes)
    for box in reversed(boxes):
        own = axes.product(box) & packets & ~_others(axes, kept, box)
        if not own.satisfiable():
            kept = [other for other in kept if other is not box]
    return kept


def _simplified(axes: Axes, boxes: list[Box], within: PacketSet, wording: Wording) -> list[Box]:
    """The same packets in all. Of what other boxes hold as well, a box keeps only what makes
    it shorter to say."""
    kept = [dict(box) for box in boxes]
    for box in reversed(kept):
        own = axes.product(box) & within & ~_others(axes, kept, box)
        for axis in list(box):
            box[axis] = _shorter(wording, box, axis, axes.project(own, axis))
    return kept


def _shorter(wording: Wording, box: Box, axis: Axis, values: PacketSet) -> PacketSet:
    """``values`` of the axis, or those that it has."""
    if not values.satisfiable():
        return box[axis]
    smaller = box | {axis: values}
    return min((box, smaller), key=lambda choice: wording.length(choice, axis))[axis]
