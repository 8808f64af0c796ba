"""An IPv6 address is two words of a column: what the ranges of a field are of each."""

from __future__ import annotations

import pytest

from iptlint.model import Field
from iptlint.packets.columns import Dimension, words

UPPER, LOWER = Dimension(Field.SADDR6, 64), Dimension(Field.SADDR6, 0)
MOST = (1 << 64) - 1
NET = 0x20010DB8 << 32


@pytest.mark.parametrize(
    ("dimension", "ranges", "expected"),
    [
        (UPPER, ((NET << 64, (NET << 64) + MOST),), ((NET, NET),)),
        (UPPER, ((NET << 64, (NET + 5 << 64) + 3),), ((NET, NET + 5),)),
        (LOWER, (((NET << 64) + 7, (NET << 64) + 9),), ((7, 9),)),
        (LOWER, ((NET << 64, (NET + 1 << 64) + 3),), ((0, MOST),)),
        (Dimension(Field.SADDR, 0), ((7, 9),), ((7, 9),)),
    ],
    ids=["net", "nets", "hosts of a net", "over a net's end", "IPv4"],
)
def test_words_of_ranges(
    dimension: Dimension,
    ranges: tuple[tuple[int, int], ...],
    expected: tuple[tuple[int, int], ...],
) -> None:
    assert words(dimension, ranges) == expected
