"""The boxes of rules hold what they say, for every packet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from iptlint.model import Family, Field
from iptlint.packets.columns import Values
from iptlint.packets.rule_boxes import RuleBoxes, rule_boxes
from iptlint.packets.space import Space
from tests.firewalls import analysis_of
from tests.netfilter.many_chains import web_of_chains

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


def packets_in(
    space: Space, boxes: RuleBoxes, edges: tuple[Values, Values], number: int
) -> PacketSet:
    lows, highs = dict[Field, int](), dict[Field, int]()
    for place, (field, shift) in enumerate(boxes.dimensions):
        lows[field] = lows.get(field, 0) | int(edges[0][place][number]) << shift
        highs[field] = highs.get(field, 0) | int(edges[1][place][number]) << shift
    packets = space.true
    for field, low in lows.items():
        packets = packets & space.ranges(field, ((low, highs[field]),))
    return packets


@pytest.mark.parametrize("ipv6", [False, True])
@pytest.mark.parametrize("seed", range(15))
def test_a_rule_takes_nothing_outside_and_what_its_rest_takes_inside(seed: int, ipv6: bool) -> None:
    family = Family.IP6 if ipv6 else Family.IP
    analysis = analysis_of(web_of_chains(seed, ipv6=ipv6), family)
    space, rules = analysis.space, [rule for _, rule in analysis.table.rules()]
    matchers = [analysis.matcher_of(chain.name) for chain, _ in analysis.table.rules()]
    boxes = rule_boxes(rules, matchers)
    assert not boxes.odd.all()
    for number, (rule, matcher) in enumerate(zip(rules, matchers, strict=True)):
        rest, tests = (
            boxes.rests[int(boxes.rest[number])],
            matcher.each_of(rule.matches, space.true),
        )
        outer = packets_in(space, boxes, boxes.outer, number)
        assert not (tests.may & ~(outer & rest.may)).satisfiable()
        assert not (tests.sure & ~(outer & rest.sure)).satisfiable()
        if not boxes.odd[number]:
            inner = packets_in(space, boxes, boxes.inner, number)
            assert not (inner & rest.may & ~tests.may).satisfiable()
