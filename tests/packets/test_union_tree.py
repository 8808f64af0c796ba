"""A lookup finds what a plain search from either end would find."""

import random

import pytest
from oxidd.bcdd import BCDDManager

from iptlint.packets.bdd import BitField
from iptlint.packets.union_tree import UnionTree


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 33])
def test_first_and_last_are_those_of_a_plain_search(size: int) -> None:
    manager = BCDDManager(100_000, 10_000, 1)
    field = BitField(manager, manager.add_vars(6))
    draw = random.Random(size)
    members = [{draw.randrange(64) for _ in range(3)} for _ in range(size)]
    sets = []
    for numbers in members:
        packets = manager.false()
        for number in numbers:
            packets = packets | field.within(number, number)
        sets.append(packets)
    lookup = UnionTree(sets)
    for value in range(64):
        holding = [index for index, numbers in enumerate(members) if value in numbers]
        for place in range(size + 1):
            after = [index for index in holding if index >= place]
            before = [index for index in holding if index < place]
            assert lookup.first(place, field.within(value, value)) == (after or [None])[0]
            assert lookup.last(place, field.within(value, value)) == (before or [None])[-1]
        assert [*lookup.sharing(field.within(value, value))] == holding
    assert [*lookup.sharing(manager.true())] == [*range(size)]
