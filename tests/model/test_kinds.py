"""What is asked of one rule of each kind holds for all of them."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.model import EffectKind, Field, Rule, Within
from iptlint.model.kinds import (
    NAMED_FIELDS,
    examples,
    examples_in,
    examples_testing,
    kinds,
    names_values,
    numbers_where,
    rules_testing,
    rules_where,
    sorts,
)
from tests.firewalls import saved
from tests.netfilter.many_chains import web_of_chains
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


@pytest.mark.parametrize("seed", range(6))
def test_what_is_asked_of_rules_that_test_alike_is_what_each_answers(seed: int) -> None:
    def asks_state(rule: Rule) -> bool:
        return any(getattr(test, "field", None) is Field.CT_STATE for test in rule.matches)

    def names_a_port(rule: Rule) -> bool:
        return any(isinstance(t, Within) and t.field is Field.DPORT for t in rule.matches)

    def logs(rule: Rule) -> bool:
        return any(effect.kind is EffectKind.LOG for effect in rule.effects)

    def writes(rule: Rule) -> bool:
        return any(effect.field is Field.MARK for effect in rule.effects)

    texts = web_of_chains(seed), web_of_chains(seed, ipv6=True)
    tables = [table_of(seed, 120).table]
    tables += [table for text in texts for table in iptlint.read(text).tables]
    for table in tables:
        for holds in (
            asks_state,
            names_a_port,
            logs,
            writes,
            lambda rule: rule.verdict.chain is not None,
            lambda rule: rule.verdict.kind.denies or asks_state(rule),
            lambda rule: not rule.read,
        ):
            each = [(chain, rule) for chain, rule in table.rules() if holds(rule)]
            assert [*rules_testing(table, holds)] == each
            assert any(map(holds, examples_testing(table))) is bool(each)


def test_rules_test_alike_whatever_chains_they_call_and_values_they_write() -> None:
    rules = (
        '-A PREROUTING -d 10.0.0.1 -m comment --comment "one" -j a',
        "-A PREROUTING -d 10.0.0.2 -j b",  # like the first
        "-A PREROUTING -d 10.0.0.2 -g b",
        "-A a -p tcp -j DNAT --to-destination 10.1.0.1:80",
        "-A b -p tcp -j DNAT --to-destination 10.1.0.2:81",  # like the one above
        "-A b -p tcp -j DNAT --to-destination 10.1.0.2",
        "-A b -p tcp -j REDIRECT",
        "-A b -p udp -j DNAT --to-destination 10.1.0.2:81",
    )
    (table,) = iptlint.read(saved(*rules, table="nat", chains="a b")).tables
    assert [*sorts(table).alike] == [[0, 1], [2], [3, 4], [5], [6], [7]]


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
