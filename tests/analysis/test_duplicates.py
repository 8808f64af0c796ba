"""The same rule twice in a chain: the second one does nothing new."""

from __future__ import annotations

from dataclasses import replace

import pytest

import iptlint
from iptlint.analysis.duplicates import duplicates
from iptlint.analysis.shadowing import dead_rules
from iptlint.model import Family
from iptlint.netfilter.firewall import Firewall
from tests.firewalls import analysis_of, hooked, saved, texts

SSH = "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"


def found(text: str, family: Family = Family.IP) -> list[list[str]]:
    return [texts(rules) for rules in duplicates(analysis_of(text, family))]


def test_however_it_is_written() -> None:
    other = "-A INPUT -m multiport -p tcp -j ACCEPT --dports 22"
    assert found(saved(SSH, "-A INPUT -j LOG", other)) == [[SSH, other]]
    assert found(saved("-A INPUT -s 10.0.0.0/8 -j DROP", "-A INPUT -s 10.1.2.3/8 -j DROP")) != []


def test_a_policy_is_no_copy_of_a_rule() -> None:
    """Nor can it be deleted as one: a script may set it under a condition, more than once."""
    ruleset = iptlint.read(saved("-A INPUT -j DROP", "-A INPUT -j DROP"))
    (table,) = ruleset.tables
    first, second = table.chains["INPUT"].rules
    chain = replace(table.chains["INPUT"], rules=(first, replace(second, is_policy=True)))
    table = replace(table, chains={**table.chains, "INPUT": chain})
    analysis = Firewall(replace(ruleset, tables=(table,))).analysis(table)
    assert [*duplicates(analysis)] == []
    assert [dead.rule for dead in dead_rules(analysis)] == []


@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
def test_in_nft(family: Family) -> None:
    text = hooked("tcp dport { 22, 80 } drop", "counter", "tcp dport { 80, 22 } counter drop")
    assert found(text, family) == [
        ["tcp dport { 22, 80 } drop", "tcp dport { 80, 22 } counter drop"]
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SSH, SSH.replace("22", "23")),
        (SSH, SSH.replace("ACCEPT", "DROP")),
        ("-A INPUT -j REJECT", "-A INPUT -j REJECT --reject-with icmp-host-prohibited"),
        # In another chain it is another rule.
        (SSH, SSH.replace("INPUT", "FORWARD")),
        # Each limit and each list counts for itself, and so does a rule that only counts.
        *(
            (rule, rule)
            for rule in (
                "-A INPUT -m limit --limit 1/s -j ACCEPT",
                "-A INPUT -p tcp",
                # Flips what the first one flipped.
                "-A INPUT -j MARK --set-xmark 0x1/0x0",
                "-A INPUT -j NOBODYKNOWS --with this",
            )
        ),
    ],
)
def test_what_is_no_copy(one: str, other: str) -> None:
    assert found(saved(one, other)) == []


MARKED = "-A INPUT -m mark --mark 0x1 -j ACCEPT"


@pytest.mark.parametrize(
    ("between", "again"),
    [
        ("-A INPUT -p udp -j MARK --set-mark 0x1", False),
        ("-A INPUT -p udp -j one", False),
        ("-A INPUT -p udp -j CONNMARK --set-mark 0x1", True),
        ("-A INPUT -p udp -j LOG", True),
        ("-A INPUT -p udp -j ACCEPT", True),
    ],
)
def test_between_them_nothing_may_change_what_they_test(between: str, again: bool) -> None:
    inside = "-A one -j MARK --set-mark 0x1"
    several = found(saved(MARKED, between, MARKED, inside, chains="one"))
    assert several == ([[MARKED, MARKED]] if again else [])


def test_a_change_parts_the_copies_before_it_from_those_behind() -> None:
    change = "-A INPUT -j MARK --set-mark 0x1"
    assert found(saved(MARKED, MARKED, change, MARKED, MARKED)) == [[MARKED] * 2] * 2


def test_a_mark_set_twice_is_set() -> None:
    """``mark & ~mask ^ value`` is the same the second time, where no bit is only flipped."""
    mark = "-A INPUT -p tcp -j MARK --set-xmark 0x1/0xff"
    assert found(saved(mark, mark)) == [[mark, mark]]
