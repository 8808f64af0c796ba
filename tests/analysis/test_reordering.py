"""Which rules can stand together without a packet that fares otherwise."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.analysis.diff import difference
from iptlint.analysis.reordering import MovableRuns, is_plain
from tests.firewalls import analysis_of, saved


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
