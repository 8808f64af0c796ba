"""Many boxes as one set of packets: what they have in common is worked out once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from iptlint.model import Field
from iptlint.packets.bdd import union
from iptlint.packets.columns import Columns, Numbers
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

Range = tuple[int, int]


def packets_in(space: Space, columns: Columns, rows: Numbers) -> PacketSet:
    """The packets in the box of one of the rows, whatever else their rules test."""
    if not len(rows):
        return space.false
    return _joined(space, {field: columns.ranges(field, rows) for field in columns.fields})


def _joined(space: Space, sides: Mapping[Field, Sequence[Range]]) -> PacketSet:
    """``sides``: in each field the range of each box. Boxes that differ in one field only are a
    list of its values."""
    alike, kinds = space.true, {field: {*ranges} for field, ranges in sides.items()}
    for field in [field for field, ranges in kinds.items() if len(ranges) == 1]:
        alike = alike & space.fields[field].within(*kinds.pop(field).pop())
    if not kinds:
        return alike
    fewest = min(kinds, key=lambda field: len(kinds[field]))
    if len(kinds) == 1:
        return alike & space.fields[fewest].within_any(sorted(kinds[fewest]))
    places: dict[Range, list[int]] = {}
    for place, one in enumerate(sides[fewest]):
        places.setdefault(one, []).append(place)
    others = [field for field in kinds if field is not fewest]
    parts = [
        space.fields[fewest].within(*one)
        & _joined(space, {field: [sides[field][n] for n in numbers] for field in others})
        for one, numbers in places.items()
    ]
    return alike & union(parts, space.false)
