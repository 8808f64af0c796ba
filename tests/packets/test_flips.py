"""Each bit is turned over by hand, on diagrams of random cubes."""

from __future__ import annotations

import random

import pytest

from iptlint.packets.diagrams import BCDDManager
from iptlint.packets.flips import flips


@pytest.mark.parametrize("seed", range(40))
def test_a_flip_is_found_where_turning_the_bit_leads_into_the_set(seed: int) -> None:
    rng = random.Random(seed)
    manager = BCDDManager(1 << 12, 1 << 12, 1)
    names = manager.add_vars(8)
    packets = manager.false()
    for _ in range(rng.randrange(1, 9)):
        one = manager.true()
        for number in rng.sample([*names], rng.randrange(1, 7)):
            variable = manager.var(number)
            one = one & (variable if rng.random() < 0.5 else ~variable)
        packets = packets | one
    point = {number: rng.random() < 0.5 for number in names}
    if packets.eval(point.items()):
        packets = ~packets
    turned = {n for n in names if packets.eval({**point, n: not point[n]}.items())}
    assert flips(packets, point) == turned
