"""The values of a field as ranges, few of them where there are many."""

from __future__ import annotations

import random

import pytest

from iptlint.model import Field
from iptlint.packets.intervals import ranges, ranges_around
from tests.firewalls import hooks_of, saved

MOST = 4


@pytest.mark.parametrize("seed", range(40))
def test_few_ranges_hold_all_values(seed: int) -> None:
    draw = random.Random(seed)
    space = hooks_of(saved()).space
    field = draw.choice((Field.DPORT, Field.DADDR))
    bits = space.fields[field]
    width = draw.randrange(1, bits.width)
    lows = (draw.randrange(1 << width) for _ in range(draw.randrange(9)))
    values = space.ranges(
        field, tuple((low, min(low + draw.randrange(99), bits.maximum)) for low in lows)
    )
    exact = (*ranges(values, bits),)
    around = ranges_around(values, bits, MOST)
    assert around == exact if len(exact) <= MOST else len(around) <= MOST
    assert not (values & ~space.ranges(field, around)).satisfiable()


def test_the_first_bits_tell_many_ranges_apart() -> None:
    space = hooks_of(saved()).space
    bits = space.fields[Field.DADDR]
    nets = [(net << 24, (net << 24) + (1 << 24) - 1) for net in (11, 12, 45)]
    hosts = space.ranges(Field.DADDR, tuple(nets)) & ~space.masked(Field.DADDR, 0xFF, 0)
    assert ranges_around(hosts, bits, MOST) == ((nets[0][0], nets[1][1]), nets[2])
