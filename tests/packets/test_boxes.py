"""Boxes joined at once are the set that they are one by one."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from iptlint.model import Family
from iptlint.packets import concerning
from iptlint.packets.bdd import union
from iptlint.packets.boxes import packets_in
from iptlint.packets.columns import Columns
from iptlint.packets.concerning import Overlapping
from tests.firewalls import analysis_of
from tests.netfilter.test_long_chain import flat_rules


@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
@pytest.mark.parametrize("seed", range(10))
def test_as_one_by_one(seed: int, family: Family) -> None:
    text = flat_rules(seed, 60, ipv6=family is Family.IP6)
    analysis = analysis_of(text, family)
    space, draw = analysis.space, Random(seed)
    columns = Columns(analysis.table.chains["long"], frozenset())
    every = range(len(columns.number))
    for count in (0, 1, 2, 10, len(every)):
        rows = np.array(sorted(draw.sample(every, min(count, len(every)))), np.int64)
        each = [packets_in(space, columns, rows[n : n + 1]) for n in range(len(rows))]
        assert packets_in(space, columns, rows) == union(each, space.false)


def test_one_row_is_what_its_rule_tests() -> None:
    analysis = analysis_of(flat_rules(3, 60))
    chain = analysis.table.chains["long"]
    columns, flow = Columns(chain, frozenset()), analysis.flows["long"]
    matcher, universe = flow.matcher, analysis.space.universe
    for number, rule in enumerate(chain.rules):
        rows = columns.rows_of([number])
        if len(rows):
            rest = matcher.all_of(columns.rests[columns.rest[rows[0]]], universe)
            boxes = packets_in(analysis.space, columns, rows)
            assert rest.may & boxes == matcher.rule(rule).may


@pytest.mark.parametrize(("many", "few"), [(0, 0), (0, 8), (1000, 8)])
@pytest.mark.parametrize("seed", range(10))
def test_the_rows_of_rules_and_those_that_overlap_are_those_that_a_look_at_each_gives(
    seed: int, many: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concerning, "_MANY", many)
    monkeypatch.setattr(concerning, "_FEW", few)
    monkeypatch.setattr(concerning, "_HANDFUL", few)
    draw = Random(seed)
    chain = analysis_of(flat_rules(seed, 80)).table.chains["long"]
    columns = Columns(chain, frozenset())
    some = draw.sample(range(len(chain.rules)), 30)
    rows = [row for row, number in enumerate(columns.number.tolist()) if number in some]
    assert columns.rows_of(some).tolist() == rows
    assert not len(columns.rows_of([]))
    for _ in range(10):
        rests = np.array([draw.random() < 0.7 for _ in columns.rests], np.bool_)
        ranges = [_drawn(draw, dimension.maximum) for dimension in columns.dimensions]
        expected = {
            int(columns.number[row])
            for row in range(len(columns.number))
            if rests[columns.rest[row]]
            if all(
                any(low <= most and high >= least for least, most in each)
                for low, high, each in zip(
                    columns.low[:, row].tolist(), columns.high[:, row].tolist(), ranges, strict=True
                )
            )
        }
        assert Overlapping(columns)(ranges, rests).tolist() == sorted(expected)


def _drawn(draw: Random, maximum: int) -> tuple[tuple[int, int], ...]:
    if draw.random() < 0.4:
        return ((0, maximum),) if draw.random() < 0.9 else ()
    edges = [sorted((draw.randint(0, maximum), draw.randint(0, maximum))) for _ in range(2)]
    return tuple((low, high) for low, high in edges)
