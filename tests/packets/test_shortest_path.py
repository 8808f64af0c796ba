"""The shortest path through a diagram is the largest cube of the set."""

from __future__ import annotations

import pytest
from oxidd.bcdd import BCDDManager

from iptlint.packets.describe.shortest_path import largest_cube


@pytest.mark.parametrize(
    ("weights", "cube"),
    [
        ((1.0, 5.0, 1.0), [(0, False), (2, True)]),
        ((1.0, 1.0, 5.0), [(0, True), (1, True)]),
    ],
)
def test_it_is_that_of_the_least_weight(
    weights: tuple[float, ...], cube: list[tuple[int, bool]]
) -> None:
    manager = BCDDManager(1000, 100, 1)
    a, b, c = (manager.var(number) for number in manager.add_vars(3))
    assert sorted(largest_cube((a & b) | (~a & c), dict(enumerate(weights)))) == cube


def test_one_literal_is_larger_than_two() -> None:
    manager = BCDDManager(1000, 100, 1)
    a, b, c = (manager.var(number) for number in manager.add_vars(3))
    assert largest_cube(a | (b & c), dict.fromkeys(range(3), 1.0)) == [(0, True)]
