"""What addresses and ports tell at a glance is what the sets of packets say."""

from __future__ import annotations

from itertools import combinations

import pytest

from iptlint.analysis.at_a_glance import are_apart_by, not_told_apart
from tests.firewalls import analysis_of, saved
from tests.netfilter.many_chains import web_of_chains


@pytest.mark.parametrize("seed", range(40))
def test_rules_that_are_apart_share_no_packet(seed: int) -> None:
    analysis = analysis_of(web_of_chains(seed, 30))
    for flow in analysis.flows.values():
        for one, other in combinations(range(len(flow.chain.rules)), 2):
            rules = flow.chain.rules[one], flow.chain.rules[other]
            certain = flow.is_certain(one) and flow.is_certain(other)
            if certain and are_apart_by(rules, lambda rule: 1):
                assert not (flow.tests[one].may & flow.tests[other].may).satisfiable()


@pytest.mark.parametrize("seed", range(40))
def test_rules_that_take_the_same_packets_stay_together(seed: int) -> None:
    analysis = analysis_of(web_of_chains(seed, 30))
    for flow in analysis.flows.values():
        numbers = range(len(flow.chain.rules))
        together = [{*several} for several in not_told_apart(flow.chain.rules, numbers)]
        for one, other in combinations(numbers, 2):
            may = flow.tests[one].may
            if may.satisfiable() and may == flow.tests[other].may and flow.is_certain(one):
                assert any({one, other} <= several for several in together)


@pytest.mark.parametrize(
    ("one", "other", "apart", "alike"),
    [
        ("-p tcp -m tcp --dport 22", "-p tcp -m tcp --dport 23", True, False),
        ("-p tcp -m tcp --dport 22", "-p tcp -m tcp --dport 22", False, True),
        ("-p tcp -m tcp --dport 0:65535", "-p tcp", False, True),
        ("-s 10.0.0.0/8", "-s 10.1.0.0/16", False, False),
        ("-s 10.0.0.0/8", "! -s 10.0.0.0/8", False, True),
        ("-s 10.0.0.0/8", "-s 11.0.0.0/8 -p tcp", True, False),
        ("-p tcp -m multiport --dports 22,23", "-p tcp -m tcp --dport 22:23", False, True),
        ("-p tcp -m multiport --dports 22,24", "-p tcp -m tcp --dport 23", True, True),
    ],
)
def test_two_rules(one: str, other: str, apart: bool, alike: bool) -> None:
    """``alike``: they are asked about, as they may be for the same packets."""
    analysis = analysis_of(saved(*(f"-A INPUT {tests} -j DROP" for tests in (one, other))))
    rules = analysis.table.chains["INPUT"].rules
    assert are_apart_by(rules, lambda rule: rule.verdict) == apart
    assert bool([*not_told_apart(rules, (0, 1))]) == alike
