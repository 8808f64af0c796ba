"""Tests that let some packets through and not others like them, as long as these are few."""

from __future__ import annotations

from iptlint.model.kinds import examples_testing
from iptlint.model.matches import Match, Opaque, Uncertain, tests_in
from iptlint.model.ruleset import Ruleset

RATES = ("limit", "hashlimit", "connlimit", "quota", "quota2")
"""The kinds of such tests."""


def some_ask_a_rate(ruleset: Ruleset) -> bool:
    """Whether a rule of the ruleset has such a test."""
    rules = (rule for table in ruleset.tables for rule in examples_testing(table))
    return any(_asks_a_rate(match) for rule in rules for match in rule.matches)


def _asks_a_rate(match: Match) -> bool:
    tests = (test for test in tests_in(match) if isinstance(test, Opaque | Uncertain))
    return any(test.kind in RATES for test in tests)
