"""Boxes joined at once are the set that they are one by one."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from iptlint.model import Family
from iptlint.packets.bdd import union
from iptlint.packets.boxes import packets_in
from iptlint.packets.columns import Columns
from tests.firewalls import analysis_of
from tests.netfilter.test_long_chain import flat_rules


@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
@pytest.mark.parametrize("seed", range(10))
def test_as_one_by_one(seed: int, family: Family) -> None:
    text = flat_rules(seed, 60, ipv6=family is Family.IP6)
    analysis = analysis_of(text, family)
    space, draw = analysis.space, Random(seed)
    columns = Columns(analysis.table.chains["long"].rules, frozenset())
    every = range(len(columns.number))
    for count in (0, 1, 2, 10, len(every)):
        rows = np.array(sorted(draw.sample(every, min(count, len(every)))), np.int64)
        each = [packets_in(space, columns, rows[n : n + 1]) for n in range(len(rows))]
        assert packets_in(space, columns, rows) == union(each, space.false)


def test_one_row_is_what_its_rule_tests() -> None:
    analysis = analysis_of(flat_rules(3, 60))
    chain = analysis.table.chains["long"]
    columns, flow = Columns(chain.rules, frozenset()), analysis.flows["long"]
    matcher, universe = flow.matcher, analysis.space.universe
    for number, rule in enumerate(chain.rules):
        rows = columns.rows_of([number])
        if len(rows):
            rest = matcher.all_of(columns.rests[columns.rest[rows[0]]], universe)
            boxes = packets_in(analysis.space, columns, rows)
            assert rest.may & boxes == matcher.rule(rule).may
