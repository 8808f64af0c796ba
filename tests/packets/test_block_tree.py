"""Which boxes hold a point: those that hold it when each is asked."""

from __future__ import annotations

import random

import numpy as np
import pytest

from iptlint.model import Field
from iptlint.packets import block_tree
from iptlint.packets.block_tree import BlockTree
from iptlint.packets.columns import Dimension

ADDRESS, PORT = Dimension(Field.SADDR, 0), Dimension(Field.DPORT, 0)
WORD = Dimension(Field.SADDR6, 64)

Range = tuple[int, int]


def a_range(dice: random.Random, dimension: Dimension) -> Range:
    """A prefix, everything, one value, or any range; near others, so that points are in several."""
    top = dimension.maximum
    size = dice.choice((0, 0, 1, 3, 8, 12, dimension.width))
    low = dice.randrange(1 << 14) << max(dimension.width - 16, 0) & top
    if dice.random() < 0.4:
        return low, min(top, low + dice.randrange(1 << 9))
    low = low >> size << size
    return low, low | ((1 << size) - 1)


Pairs = set[tuple[int, int]]


def pairs(
    dimensions: list[Dimension], boxes: list[list[Range]], points: list[list[int]], ends: list[int]
) -> Pairs:
    low, high = (
        np.array([[box[d][end] for box in boxes] for d in range(len(dimensions))], np.uint64)
        for end in (0, 1)
    )
    columns = np.array([[point[d] for point in points] for d in range(len(dimensions))], np.uint64)
    tree = BlockTree(dimensions, low, high)
    return {
        (int(point), int(row))
        for numbers, rows in tree.holding(columns, np.array(ends, np.int64))
        for point, row in zip(numbers, rows, strict=True)
    }


@pytest.mark.parametrize("together", [1, 7, block_tree._PAIRS])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "dimensions", [[PORT], [ADDRESS, PORT], [WORD, ADDRESS, PORT]], ids=lambda each: str(len(each))
)
def test_they_are_those_that_hold_it(
    dimensions: list[Dimension], seed: int, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_tree, "_PAIRS", together)
    dice = random.Random(seed)
    boxes = [[a_range(dice, each) for each in dimensions] for _ in range(120)]
    corners = [[dice.choice(edge) for edge in dice.choice(boxes)] for _ in range(60)]
    beside = [
        [
            min(max(value + dice.choice((-1, 1)), 0), d.maximum)
            for value, d in zip(p, dimensions, strict=True)
        ]
        for p in corners
    ]
    points = corners + beside
    ends = [dice.choice((0, 60, len(boxes))) for _ in points]
    assert pairs(dimensions, boxes, points, ends) == {
        (number, row)
        for number, point in enumerate(points)
        for row, box in enumerate(boxes[: ends[number]])
        if all(low <= value <= high for value, (low, high) in zip(point, box, strict=True))
    }


def test_boxes_of_everything_hold_all() -> None:
    everything = [(0, each.maximum) for each in (ADDRESS, PORT)]
    points = [[0, 0], [ADDRESS.maximum, 7]]
    assert pairs([ADDRESS, PORT], [everything], points, [1, 1]) == {(0, 0), (1, 0)}


def test_among_no_boxes_there_is_none() -> None:
    assert pairs([ADDRESS, PORT], [], [[1, 2]], [0]) == set()
