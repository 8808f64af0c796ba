"""A mark that is copied from the connection's: packets whose marks are not alike are one thing."""

from __future__ import annotations

import random

import pytest

from iptlint.model import Field, Interface
from iptlint.packets.bdd import union
from iptlint.packets.describe import describe
from iptlint.packets.describe.unlike_marks import unlike, unlike_bits
from iptlint.packets.space import Space


@pytest.fixture(scope="module")
def space() -> Space:
    return Space(("ip",), [Interface(Field.IIF, "eth0")], defragmented=True)


@pytest.mark.parametrize("mask", [0x1, 0xFF, 0xFFFF0000, 0xFFFFFFFF])
def test_marks_that_are_not_alike_are_one_line(space: Space, mask: int) -> None:
    packets = space.universe & unlike(space, mask)
    assert unlike_bits(space, packets) == mask
    described = describe(space, packets, 6)
    assert len(described.lines) <= 2
    assert not described.more
    assert union(described.boxes, space.false) == packets


def test_the_bits_are_named_unless_they_are_all(space: Space) -> None:
    all_bits, low = (describe(space, unlike(space, mask), 6) for mask in (0xFFFFFFFF, 0xFF))
    assert all_bits.lines == ("mark and connection mark not alike",)
    assert low.lines == ("mark and connection mark not alike in 0xff",)


def test_packets_with_the_same_marks_are_said_otherwise(space: Space) -> None:
    assert unlike_bits(space, space.universe & space.value(Field.MARK, 1)) == 0


@pytest.mark.parametrize("seed", range(40))
def test_each_line_says_packets_of_the_set_and_the_rest_is_counted(space: Space, seed: int) -> None:
    rng = random.Random(seed)
    packets = space.universe & unlike(space, rng.choice((0xFF, 0xFFFFFF00, 0xF0F0)))
    for _ in range(rng.randrange(3)):
        field = rng.choice((Field.MARK, Field.CT_MARK, Field.DPORT))
        packets = packets & ~space.masked(field, rng.choice((0xFF, 0xFFFF)), rng.randrange(0x100))
    described = describe(space, packets, 6)
    boxes = union(described.boxes, space.false)
    assert not (boxes & ~packets).satisfiable()
    assert described.more is (packets & ~boxes).satisfiable()
    assert described.left < 0.3


def test_marks_that_are_counted_are_no_addresses(space: Space) -> None:
    marks = union([space.value(Field.CT_MARK, 0x101 + 0x711 * n) for n in range(300)], space.false)
    (line,) = describe(space, space.universe & marks, 6).lines
    assert line.endswith("and others (300 in all)")
