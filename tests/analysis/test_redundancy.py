"""Rules without which every packet fares as before."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.analysis.diff import difference
from iptlint.analysis.redundancy import needless
from iptlint.model import Family
from tests.firewalls import analysis_of, hooked, saved, texts

NARROW, WIDE = "-A INPUT -s 10.1.0.0/16 -j ACCEPT", "-A INPUT -s 10.0.0.0/8 -j ACCEPT"


def found(text: str, family: Family = Family.IP) -> list[tuple[str, list[str]]]:
    several = needless(analysis_of(text, family), lambda _: True, frozenset())
    return [(each.rule.statement.span.text, texts(each.later)) for each in several]


def test_what_a_wider_rule_behind_it_does_too() -> None:
    assert found(saved(NARROW, WIDE, policy="DROP")) == [(NARROW, [WIDE])]


def test_what_several_rules_behind_it_do_together() -> None:
    halves = [f"-A INPUT -s {net} -j ACCEPT" for net in ("10.1.0.0/17", "10.1.128.0/17")]
    assert found(saved(NARROW, *halves)) == [(NARROW, halves)]


@pytest.mark.parametrize(
    "between",
    [
        # Something new on the way, for some of its packets.
        "-A INPUT -p tcp -j LOG",
        "-A INPUT -p tcp -j DROP",
        "-A INPUT -p tcp -j RETURN",
        "-A INPUT -p tcp -j one",
        "-A INPUT -p tcp -j MARK --set-mark 1",
        "-A INPUT -p tcp -m limit --limit 1/s -j ACCEPT",
        "-A INPUT -p tcp",
        "-A INPUT -p tcp -j NFQUEUE --queue-num 1",
    ],
)
def test_not_where_packets_meet_something_else_first(between: str) -> None:
    assert found(saved(NARROW, between, WIDE, chains="one")) == []
    other = between.replace("INPUT", "INPUT -s 172.16.0.0/12")
    assert found(saved(NARROW, other, WIDE, chains="one")) == [(NARROW, [WIDE])]


@pytest.mark.parametrize(
    "rules",
    [
        # Neither a policy nor a rule that takes everything stands in for one that names packets.
        (NARROW,),
        (NARROW, "-A INPUT -j ACCEPT"),
        # Another answer is another decision.
        ("-A INPUT -s 10.1.0.1 -j REJECT", "-A INPUT -s 10.1.0.0/16 -j DROP"),
        (
            "-A INPUT -s 10.1.0.1 -p tcp -j REJECT --reject-with tcp-reset",
            "-A INPUT -s 10.1.0.0/16 -p tcp -j REJECT",
        ),
        (NARROW, "-A INPUT -s 10.0.0.0/8 -m limit --limit 1/s -j ACCEPT"),
    ],
)
def test_what_is_not_the_same(rules: tuple[str, ...]) -> None:
    assert found(saved(*rules)) == []


def test_only_rules_that_are_asked_for_and_that_live() -> None:
    analysis = analysis_of(saved(NARROW, WIDE))
    narrow, wide = analysis.table.chains["INPUT"].rules
    assert [each.rule for each in needless(analysis, lambda rule: rule is narrow, ())] == [narrow]
    assert [*needless(analysis, lambda rule: rule is wide, ())] == []


@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
def test_in_both_languages(family: Family) -> None:
    text = hooked("tcp dport 22 accept", "tcp dport 20-25 accept", "drop")
    assert found(text, family) == [("tcp dport 22 accept", ["tcp dport 20-25 accept"])]


@pytest.mark.parametrize(
    ("rules", "number"),
    [((NARROW, WIDE), 0), (("-A INPUT -p udp -j DROP", NARROW, WIDE), 1)],
)
def test_nothing_changes_without_it(rules: tuple[str, ...], number: int) -> None:
    assert found(saved(*rules, policy="DROP"))[0][0] == rules[number]
    without = rules[:number] + rules[number + 1 :]
    old, new = (iptlint.read(saved(*each, policy="DROP")) for each in (rules, without))
    assert difference(old, new).equivalent
