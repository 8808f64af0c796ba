"""Where in a chain a rule command puts its rule: behind, before or instead of another."""

from __future__ import annotations

from collections.abc import Callable

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.rule_list import RuleList
from iptlint.dialects.nft.execution.unparsed import unread_rule
from iptlint.dialects.nft.tables import PlacedRule
from iptlint.model.numbers import c_number


def _number(position: t.Position) -> int:
    return c_number(position.number.text) or 0


Put = Callable[[RuleList, PlacedRule, t.Position | None], None]


def at(rules: RuleList, position: t.Position) -> PlacedRule | None:
    """The rule that is meant; None where the text does not have it."""
    number = _number(position)
    if position.kind == "index":
        there = rules.all()
        return there[number] if number < len(there) else None
    return rules.with_handle(number)


def _beside(rules: RuleList, rule: PlacedRule, position: t.Position, after: bool) -> None:
    """Behind or before the rule meant by ``position``.

    A rule of the host's is at no place that can be told, so the new one may come before or
    after any of those of the text that are there already.
    """
    placed = at(rules, position)
    if placed is not None:
        rules.put(rules.index(placed) + after, rule)
    elif rules.all():
        rules.prepend(unread_rule(rule.source, rule.rule.start, rule.rule.end, rule.handle))
    else:
        rules.append(rule)


def _add(rules: RuleList, rule: PlacedRule, position: t.Position | None) -> None:
    if position is None or _is_nowhere(position):
        rules.append(rule)
    else:
        _beside(rules, rule, position, after=True)


def _insert(rules: RuleList, rule: PlacedRule, position: t.Position | None) -> None:
    if position is None or _is_nowhere(position):
        rules.prepend(rule)
    else:
        _beside(rules, rule, position, after=False)


def _replace(rules: RuleList, rule: PlacedRule, position: t.Position | None) -> None:
    placed = at(rules, position) if position else None
    if placed is not None:
        rules.replace(placed, rule)
    elif position is not None:
        _beside(rules, rule, position, after=True)


def _is_nowhere(position: t.Position) -> bool:
    """No rule has the handle 0, and nft takes it for no position."""
    return position.kind != "index" and _number(position) == 0


PUT: dict[str, Put] = {"add": _add, "create": _add, "insert": _insert, "replace": _replace}
"""By verb."""
