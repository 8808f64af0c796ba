"""Tests that let some packets through and not others like them, as long as these are few."""

from __future__ import annotations

from iptlint.model.matches import AnyOf, Match, Opaque, Uncertain
from iptlint.model.ruleset import Ruleset

RATES = ("limit", "hashlimit", "connlimit", "quota", "quota2")
"""The kinds of such tests."""


def some_ask_a_rate(ruleset: Ruleset) -> bool:
    """Whether a rule of the ruleset has such a test."""
    return any(_asks_a_rate(match) for _, _, rule in ruleset.rules() for match in rule.matches)


def _asks_a_rate(match: Match) -> bool:
    match match:
        case Uncertain(kind) | Opaque(kind=kind):
            return kind in RATES
        case AnyOf(alternatives):
            return any(_asks_a_rate(test) for tests in alternatives for test in tests)
        case _:
            return False
