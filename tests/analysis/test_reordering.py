"""Which rules can stand together without a packet that fares otherwise."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.analysis.diff import difference
from iptlint.analysis.reordering import MovableRuns, alike_but_for, is_plain, match_of
from iptlint.model import Field, Within
from iptlint.model.kinds import NAMED_FIELDS
from tests.firewalls import analysis_of, saved
from tests.netfilter.test_long_chain import table_of


def allow(number: int) -> str:
    return f"-A INPUT -s 10.0.0.{number} -j ACCEPT"


def runs(*rules: str) -> list[list[int]]:
    """The accepts, by their numbers in the chain, that can be moved up to one another."""
    analysis = analysis_of(saved(*rules))
    chain = analysis.table.chains["INPUT"]
    numbers = [number for number, rule in enumerate(rules) if rule.endswith("ACCEPT")]
    verdict = chain.rules[numbers[0]].verdict
    return [*MovableRuns(analysis, chain).runs(verdict, numbers)]


@pytest.mark.parametrize(
    ("between", "together"),
    [
        ("-A INPUT -s 172.16.0.1 -j DROP", True),
        ("-A INPUT -s 10.0.0.1 -j DROP", True),  # the first stays where it is
        ("-A INPUT -s 10.0.0.2 -j DROP", False),
        ("-A INPUT -p tcp -j REJECT", False),
        ("-A INPUT -p tcp -j LOG", False),
        # A limit counts what comes to it.
        ("-A INPUT -m limit --limit 1/s -j LOG", False),
        ("-A INPUT -s 172.16.0.1 -m limit --limit 1/s -j LOG", True),
    ],
)
def test_past_what_a_rule_may_be_moved(between: str, together: bool) -> None:
    rules = (allow(1), between, allow(2))
    assert runs(*rules) == ([[0, 2]] if together else [[0], [2]])
    if together:
        moved = (allow(1), allow(2), between)
        old, new = (iptlint.read(saved(*each)) for each in (rules, moved))
        assert difference(old, new).equivalent


def test_what_does_not_go_to_the_first_makes_a_run_of_its_own() -> None:
    drop = "-A INPUT -s 10.0.0.2/31 -j DROP"
    assert runs(allow(1), drop, allow(2), allow(3), allow(4)) == [[0, 4], [2, 3]]


@pytest.mark.parametrize(
    ("rule", "plain"),
    [
        ("-A INPUT -s 10.0.0.1 -j ACCEPT", True),
        ("-A INPUT -s 10.0.0.1 -j RETURN", True),
        ("-A INPUT -s 10.0.0.1 -j LOG", False),
        ("-A INPUT -s 10.0.0.1", False),
        ("-A INPUT -s 10.0.0.1 -m comment --comment mine -j ACCEPT", False),
        ("[7:420] -A INPUT -s 10.0.0.1 -j ACCEPT", False),
        ("[0:0] -A INPUT -s 10.0.0.1 -j ACCEPT", True),
        ("-A INPUT -m limit --limit 1/s -j ACCEPT", False),
        ("-A INPUT -p tcp -j NOBODYKNOWS --with this", False),
    ],
)
def test_what_would_be_lost_with_a_rule(rule: str, plain: bool) -> None:
    """A comment is somebody's words, and counters are somebody's numbers."""
    ((_, _, read),) = iptlint.read(saved(rule)).rules()
    assert is_plain(read) is plain


@pytest.mark.parametrize("seed", range(6))
def test_rules_that_are_alike_but_for_a_field(seed: int) -> None:
    """As a look at each rule by itself gives them."""
    chain = table_of(seed, 150).table.chains["long"]
    fields = tuple(sorted(NAMED_FIELDS, key=lambda field: field.value))
    each: dict[object, list[int]] = {}
    for number, rule in enumerate(chain.rules):
        for field in fields if is_plain(rule) else ():
            tests = [m for m in rule.matches if isinstance(m, Within) and m.field is field]
            if len(tests) == 1:
                others = frozenset(match for match in rule.matches if match is not tests[0])
                each.setdefault((field, rule.verdict, others), []).append(number)
    found = [(alike.field, alike.numbers) for alike in alike_but_for(chain, fields)]
    assert sorted(found, key=str) == sorted(((key[0], n) for key, n in each.items()), key=str)
    assert [numbers[0] for _, numbers in found] == sorted(numbers[0] for _, numbers in found)


def test_the_test_of_a_field() -> None:
    rule = (
        analysis_of(saved("-A INPUT -s 10.0.0.1 -p tcp --dport 22 -j DROP"))
        .table.chains["INPUT"]
        .rules[0]
    )
    place, test = match_of(rule, Field.DPORT)
    assert rule.matches[place] is test
    with pytest.raises(LookupError):
        match_of(rule, Field.SPORT)
