"""A mirrored packet has its addresses, ports and interfaces the other way round."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from iptlint.model import Field, Interface
from iptlint.packets.bdd import union
from iptlint.packets.mirror import mirrored
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

OTHER = {
    Field.SADDR: Field.DADDR,
    Field.SADDR6: Field.DADDR6,
    Field.SPORT: Field.DPORT,
    Field.IIF: Field.OIF,
}
OTHER |= {other: field for field, other in OTHER.items()}
INTERFACES = 6


def space_of(*families: str) -> Space:
    tests = [Interface(Field.IIF, f"eth{number}") for number in range(INTERFACES)]
    return Space(families, tests, defragmented=True)


def box(space: Space, ranges: Mapping[Field, tuple[int, int]]) -> PacketSet:
    packets = space.true
    for field, (low, high) in ranges.items():
        packets = packets & space.fields[field].within(low, high)
    return packets


def drawn(draw: random.Random, space: Space) -> dict[Field, tuple[int, int]]:
    ranges = {}
    for field in OTHER:
        if field in space.fields and draw.random() < 0.6:
            low = draw.randrange(space.fields[field].maximum + 1)
            ranges[field] = low, draw.choice((low, draw.randrange(low, low + 2**16)))
    return ranges


@pytest.mark.parametrize("families", [("ip",), ("ip6",), ("ip", "ip6")])
def test_the_mirror_of_boxes_are_the_boxes_of_their_mirrors(families: tuple[str, ...]) -> None:
    space, draw = space_of(*families), random.Random(1)
    for boxes in (1, 3, 40):
        ranges = [drawn(draw, space) for _ in range(boxes)]
        packets = union([box(space, each) for each in ranges], space.false)
        turned = [{OTHER[f]: ends for f, ends in each.items()} for each in ranges]
        expected = union([box(space, each) for each in turned], space.false)
        assert mirrored(space, packets) == expected


def test_many_sources_of_many_destinations_are_turned_round() -> None:
    """Each interface with its own sources, which get to the same destinations: the diagram of the
    answers is small, and so is what is built on the way to it."""
    space, draw = space_of("ip6"), random.Random(2)

    def hosts(field: Field, numbers: list[int]) -> PacketSet:
        return space.ranges(field, tuple((number, number) for number in numbers))

    served = [draw.getrandbits(128) for _ in range(60)]
    there, back = [], []
    for number in range(INTERFACES):
        clients = [draw.getrandbits(128) for _ in range(20)]
        came, leaves = (space.value(field, number) for field in (Field.IIF, Field.OIF))
        there.append(came & hosts(Field.SADDR6, clients) & hosts(Field.DADDR6, served))
        back.append(leaves & hosts(Field.DADDR6, clients) & hosts(Field.SADDR6, served))
    nodes = space.manager.num_inner_nodes()
    assert mirrored(space, union(there, space.false)) == union(back, space.false)
    assert space.manager.num_inner_nodes() - nodes < 200_000


def test_what_has_no_mirror_is_left_free() -> None:
    space = space_of("ip")
    packets = space.value(Field.TTL, 1) & space.value(Field.PROTO, 6) & space.state("new")
    assert mirrored(space, packets) == space.value(Field.PROTO, 6)
