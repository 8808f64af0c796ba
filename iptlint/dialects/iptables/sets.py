"""Tests of sets that the ruleset itself changes are uncertain, not opaque."""

from __future__ import annotations

from dataclasses import replace

from iptlint.model import Chain, EffectKind, Match, Opaque, Rule, Table, Uncertain


def with_changing_sets(tables: tuple[Table, ...]) -> tuple[Table, ...]:
    """The tables, with every test of a set that a SET target adds to or deletes from uncertain."""
    changed = tuple(
        f"set {effect.name} "
        for table in tables
        for _, rule in table.rules()
        for effect in rule.effects
        if effect.kind is EffectKind.SET
    )
    return tuple(_table(table, tuple(dict.fromkeys(changed))) for table in tables)


def _table(table: Table, changed: tuple[str, ...]) -> Table:
    return replace(table, chains={n: _chain(c, changed) for n, c in table.chains.items()})


def _chain(chain: Chain, changed: tuple[str, ...]) -> Chain:
    return replace(chain, rules=tuple(_rule(rule, changed) for rule in chain.rules))


def _rule(rule: Rule, changed: tuple[str, ...]) -> Rule:
    matches = tuple(_test(match, changed) for match in rule.matches)
    return rule if matches == rule.matches else replace(rule, matches=matches)


def _test(match: Match, changed: tuple[str, ...]) -> Match:
    match match:
        case Opaque(key, negated) if key.startswith(changed):
            return Uncertain("set", f"{'! ' if negated else ''}{key}")
        case _:
            return match
