"""Which row takes a packet: the one that a look at each row in turn says."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from iptlint.packets import point_search
from iptlint.packets.columns import Flags, Numbers
from iptlint.packets.point_search import PointSearch
from tests.netfilter.test_long_chain import both_ways, table_of


@pytest.fixture(autouse=True)
def _every_chain_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iptlint.netfilter.table_analysis.LONG", 0)
    monkeypatch.setattr("iptlint.packets.chain_shape.MOST_ODD", 1 << 30)
    monkeypatch.setattr("iptlint.packets.chain_shape._MOST_ROWS", 1 << 30)


@pytest.mark.parametrize("many", [1, point_search._MANY])
@pytest.mark.parametrize("seed", range(9))
def test_the_first_and_the_widest(seed: int, many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(point_search, "_MANY", many)
    monkeypatch.setattr(point_search, "_AT_ONCE", 3)
    draw = Random(seed)
    chain = both_ways(table_of(seed, 60), "long")[1]
    columns, rules = chain.columns, chain.rules  # type: ignore[attr-defined]
    count = len(columns.number)
    rows = np.array(sorted(draw.sample(range(count), count // 2)), np.int64)
    points = rules.points.in_rows(np.array(draw.choices(range(count), k=50), np.int64))
    ends = np.array(draw.choices(range(count + 1), k=50), np.int64)
    taking = np.array([[draw.random() < 0.7 for _ in columns.rests] for _ in range(3)], np.bool_)
    backgrounds = np.array(draw.choices(range(3), k=50), np.int64)

    def holding(point: int) -> list[int]:
        return [
            row
            for row in rows.tolist()
            if row < ends[point]
            and all(columns.low[:, row] <= points[:, point])
            and all(points[:, point] <= columns.high[:, row])
            and taking[backgrounds[point], columns.rest[row]]
        ]

    def fits(asked: Numbers, holders: Numbers) -> Flags:
        fitting: Flags = taking[backgrounds[asked], columns.rest[holders]]
        return fitting

    search = PointSearch(columns, rows)
    by_size = sorted(rows.tolist(), key=lambda row: columns.size[row])
    first = search.first(points, ends, fits).tolist()
    widest = search.widest(points, backgrounds, taking, ends).tolist()
    for point in range(50):
        held = holding(point)
        assert first[point] == min(held, default=-1)
        assert widest[point] == max(held, key=by_size.index, default=-1)
