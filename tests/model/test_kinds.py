"""What is asked of one rule of each kind holds for all of them."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.model import Rule, Within
from iptlint.model.kinds import (
    NAMED_FIELDS,
    examples,
    examples_in,
    kinds,
    names_values,
    numbers_where,
    rules_where,
)
from tests.firewalls import saved
from tests.netfilter.test_long_chain import table_of


def told(rule: Rule) -> tuple[object, ...]:
    """All that a rule says, but for the values of the fields that it names."""
    tests = [(test.field, test.negated) if names_values(test) else test for test in rule.matches]
    return tests, rule.verdict, rule.effects, rule.comment, rule.copies, rule.read


@pytest.mark.parametrize("seed", range(6))
def test_rules_of_a_kind_say_the_same_but_for_addresses_and_ports(seed: int) -> None:
    table = table_of(seed, 120).table
    for chain in table.chains.values():
        for kind in kinds(chain):
            assert all(told(rule) == told(kind.first) for rule in kind.rules)
        assert sorted(n for kind in kinds(chain) for n in kind.numbers) == [
            *range(len(chain.rules))
        ]


@pytest.mark.parametrize("seed", range(6))
def test_what_is_asked_of_each_kind_is_what_each_rule_answers(seed: int) -> None:
    def holds(rule: Rule) -> bool:
        negated = any(isinstance(test, Within) and test.negated for test in rule.matches)
        return rule.verdict.kind.denies or negated

    table = table_of(seed, 120).table
    each = [(chain, rule) for chain, rule in table.rules() if holds(rule)]
    assert [*rules_where(table, holds)] == each
    for chain in table.chains.values():
        numbers = [number for number, rule in enumerate(chain.rules) if holds(rule)]
        assert numbers_where(chain, holds) == numbers
        assert any(map(holds, examples(chain))) is bool(numbers)
    assert any(holds(rule) for _, rule in examples_in(table)) is bool(each)


def test_what_tells_kinds_apart() -> None:
    rules = (
        "-A INPUT -s 192.0.2.1 -j DROP",
        "-A INPUT -s 192.0.2.2 -j DROP",  # like the first
        "-A INPUT ! -s 192.0.2.2 -j DROP",
        "-A INPUT -d 192.0.2.2 -j DROP",
        "-A INPUT -s 192.0.2.1 -j ACCEPT",
        "-A INPUT -s 192.0.2.1 -m comment --comment mine -j DROP",
        "[3:180] -A INPUT -s 192.0.2.1 -j DROP",
        "-A INPUT -s 192.0.2.1,192.0.2.9 -j DROP",
        "-A INPUT -s 192.0.2.1 -i eth0 -j DROP",
    )
    (table,) = iptlint.read(saved(*rules)).tables
    assert [kind.numbers for kind in kinds(table.chains["INPUT"])] == [
        [0, 1],
        *([number] for number in range(2, 9)),
    ]
    assert len(NAMED_FIELDS) == 6
