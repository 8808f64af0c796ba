"""Lists of senders that rules keep: xt_recent."""

from __future__ import annotations

from iptlint.model.matches import Match, Uncertain, tests_in
from iptlint.model.ruleset import Rule
from iptlint.model.verdicts import EffectKind

_LIST = "recent"
"""The kind of the tests whether a sender is on one."""


def is_listed(kind: str, text: str) -> bool:
    """Whether a test of the kind, of which the text tells, holds for a sender only that is on a
    list; a negated one holds for the others."""
    return kind == _LIST and "!" not in text


def lists_and_lets_go_on(rule: Rule) -> bool:
    """Whether it puts a sender on a list that need not be there yet (``--set``), and does not deny:
    a later rule that asks for the list finds the sender of this very packet."""
    puts = any(
        effect.kind is EffectKind.SET and (effect.name or "").startswith(f"{_LIST} ")
        for effect in rule.effects
    )
    return puts and not rule.verdict.kind.denies and not any(map(_asks, rule.matches))


def _asks(match: Match) -> bool:
    return any(isinstance(test, Uncertain) and test.kind == _LIST for test in tests_in(match))
