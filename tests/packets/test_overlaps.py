"""Which boxes share a point: those that do when each two are compared."""

from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import pytest

from iptlint.model import Field
from iptlint.packets import overlaps as module
from iptlint.packets.columns import Dimension
from iptlint.packets.overlaps import overlaps

DIMENSIONS = (Dimension(Field.SADDR, 0), Dimension(Field.DPORT, 0))
ROWS, OTHERS = range(40), range(40, 110)


def a_range(dice: random.Random, dimension: Dimension) -> tuple[int, int]:
    if dice.random() < 0.15:
        return 0, dimension.maximum
    low = dice.randrange(1 << 6) << 6  # so that many end where another begins
    return low, min(dimension.maximum, low + dice.choice((0, 1, 64, 640, 1 << 15)))


@pytest.mark.parametrize("at_once", [1, 7, 1 << 21])
@pytest.mark.parametrize("seed", range(5))
def test_they_are_those_that_share_one(
    monkeypatch: pytest.MonkeyPatch, seed: int, at_once: int
) -> None:
    monkeypatch.setattr(module, "_PAIRS", at_once)
    dice = random.Random(seed)
    boxes = [[a_range(dice, each) for each in DIMENSIONS] for _ in range(110)]
    low, high = (
        np.array([[box[d][end] for box in boxes] for d in range(len(DIMENSIONS))], np.uint64)
        for end in (0, 1)
    )
    columns = SimpleNamespace(low=low, high=high, dimensions=DIMENSIONS)
    found = [
        (int(row), int(other))
        for rows, others in overlaps(columns, np.array(ROWS), np.array(OTHERS))
        for row, other in zip(rows, others, strict=True)
    ]
    assert sorted(found) == [
        (row, other)
        for row in ROWS
        for other in OTHERS
        if all(
            one[0] <= two[1] and two[0] <= one[1]
            for one, two in zip(boxes[row], boxes[other], strict=True)
        )
    ]


def test_boxes_of_no_field_hold_everything_and_share_it() -> None:
    """Ten thousand times ``-A INPUT -j DROP``: no rule names an address or a port."""
    edges = np.zeros((0, 3), np.uint64)
    columns = SimpleNamespace(low=edges, high=edges, dimensions=())
    (pairs,) = overlaps(columns, np.array([0, 1]), np.array([2]))
    assert pairs.tolist() == [[0, 1], [2, 2]]
